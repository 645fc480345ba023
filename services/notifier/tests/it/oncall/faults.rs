//! A notifier that dies between two of its steps, providers that misbehave, a database that goes in the middle: no page is lost, and a
//! second copy leaves only where the channel's rule allows it (docs/notifications.md): never of an SMS that Twilio knows of, and elsewhere under
//! the same id.

use super::scene::{MESSAGES, Scene, Somebody, person, policy, step};
use bugle_model::{Channel, IncidentState, NotificationState, Priority};
use bugle_notifier::Sender;
use bugle_testkit::http::Answer;
use bugle_testkit::smtp::Step;
use serde_json::json;
use std::time::{Duration, Instant};

/// Ann is on call and reached by one channel. An incident is open, and her page is due.
struct Run {
    scene: Scene,
    /// What has arrived, by what its receiver tells two copies apart.
    arrived: Vec<String>,
}

impl Run {
    async fn new(channel: Channel) -> Self {
        let mut scene = Scene::with(|world| world.timeouts.total = Duration::from_millis(300)).await;
        let ann = scene.person_with("ann", &[(channel, 0)]).await;
        scene.escalates_by(&policy(vec![step(&[person(&ann)], 60)])).await;
        scene.error("Bad", Priority::Critical).await;
        scene.escalate().await;
        let run = Self { scene, arrived: Vec::new() };
        run.provider_knows(&[]);
        run
    }

    /// What Twilio lists.
    fn provider_knows(&self, bodies: &[String]) {
        let listed: Vec<_> =
            bodies.iter().map(|body| json!({"sid": "SM1", "status": "sent", "body": body})).collect();
        self.scene.twilio.route("GET", MESSAGES, Answer::json(200, &json!({ "messages": listed })));
    }

    /// Looks at what has arrived since.
    fn look(&mut self) {
        let mails = self.scene.mail.take();
        self.arrived.extend(mails.iter().filter_map(|mail| mail.header("Message-ID")));
        for request in self.scene.hooks.take() {
            let id = request.header("webhook-id").map_or_else(|| request.text(), str::to_owned);
            self.arrived.push(id);
        }
        let sent = self.scene.twilio.take();
        self.arrived.extend(
            sent.iter()
                .filter(|request| request.method == "POST")
                .map(|request| request.form()["Body"].clone()),
        );
    }

    /// Waits for the next one.
    async fn next(&mut self) {
        let before = self.arrived.len();
        until("a page arrives", async || {
            self.look();
            self.arrived.len() > before
        })
        .await;
    }

    /// A sender that has claimed the page.
    async fn claimed(&self) -> Sender {
        let mut sender = self.scene.world.sender();
        sender.start().await.unwrap();
        sender
    }

    /// Other notifiers go on; ten minutes later the page has been sent, in so many copies that look the same.
    #[track_caller]
    fn goes_on(mut self, copies: usize) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            for _ in 0..10 {
                self.scene.escalate().await;
                self.scene.send().await;
                self.look();
                self.scene.outage(1);
            }
            assert_eq!(self.arrived.len(), copies, "{place}: {:?}", self.arrived);
            self.arrived.dedup();
            assert_eq!(self.arrived.len(), 1, "{place}: {:?}", self.arrived);
            let incident = self.scene.incident().await;
            assert_eq!(incident.state, IncidentState::Triggered);
            let pages = self.scene.pages(incident.id).await;
            assert_eq!(pages.len(), 1, "{place}: {pages:?}");
            assert_eq!(pages[0].state, NotificationState::Sent, "{place}: {pages:?}");
        }
    }
}

/// Who waits for a lock of this database.
const WAITING: &str = "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND NOT l.granted";

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Killed after the claim and before the provider was called.
async fn killed_before_sending(channel: Channel) {
    let mut run = Run::new(channel).await;
    drop(run.claimed().await);
    run.look();
    assert_eq!(run.arrived, Vec::<String>::new());
    run.goes_on(1).await;
}

#[tokio::test]
async fn killed_between_claim_and_call_a_mail_leaves_once() {
    killed_before_sending(Channel::Email).await;
}

#[tokio::test]
async fn killed_between_claim_and_call_an_sms_leaves_once() {
    killed_before_sending(Channel::Sms).await;
}

#[tokio::test]
async fn killed_between_claim_and_call_a_slack_message_leaves_once() {
    killed_before_sending(Channel::Slack).await;
}

#[tokio::test]
async fn killed_between_claim_and_call_a_webhook_leaves_once() {
    killed_before_sending(Channel::Webhook).await;
}

/// Killed while the provider has the message and has not answered.
async fn killed_before_the_answer(channel: Channel, copies: usize) {
    let mut run = Run::new(channel).await;
    let provider = if channel == Channel::Sms { &run.scene.twilio } else { &run.scene.hooks };
    provider.then(Answer::hang());
    let lost = run.claimed().await;
    run.next().await;
    drop(lost);
    run.provider_knows(&run.arrived);
    run.goes_on(copies).await;
}

#[tokio::test]
async fn killed_before_the_answer_an_sms_is_looked_up_and_not_sent_again() {
    killed_before_the_answer(Channel::Sms, 1).await;
}

#[tokio::test]
async fn killed_before_the_answer_a_slack_message_is_sent_again() {
    killed_before_the_answer(Channel::Slack, 2).await;
}

#[tokio::test]
async fn killed_before_the_answer_a_webhook_is_sent_again_under_its_id() {
    killed_before_the_answer(Channel::Webhook, 2).await;
}

/// Killed after the provider's answer and before it was written down.
async fn killed_before_recording(channel: Channel, copies: usize) {
    let mut run = Run::new(channel).await;
    let sql = &run.scene.world.sql;
    // Whoever wants to write how an attempt ended waits.
    sql.batch_execute("BEGIN; LOCK notification_attempts IN SHARE MODE").await.unwrap();
    let mut lost = run.scene.world.sender_of_its_own();
    lost.start().await.unwrap();
    run.next().await;
    run.scene.world.database.until_waiting(1).await.unwrap();
    drop(lost);
    let sql = &run.scene.world.sql;
    sql.execute(&format!("SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting"), &[]).await.unwrap();
    until("its connection is gone", async || sql.query(WAITING, &[]).await.unwrap().is_empty()).await;
    sql.batch_execute("COMMIT").await.unwrap();
    run.provider_knows(&run.arrived);
    run.goes_on(copies).await;
}

#[tokio::test]
async fn killed_before_recording_a_mail_is_sent_again_under_its_id() {
    killed_before_recording(Channel::Email, 2).await;
}

#[tokio::test]
async fn killed_before_recording_an_sms_is_looked_up_and_not_sent_again() {
    killed_before_recording(Channel::Sms, 1).await;
}

#[tokio::test]
async fn killed_before_recording_a_slack_message_is_sent_again() {
    killed_before_recording(Channel::Slack, 2).await;
}

#[tokio::test]
async fn killed_before_recording_a_webhook_is_sent_again_under_its_id() {
    killed_before_recording(Channel::Webhook, 2).await;
}

#[tokio::test]
async fn killed_after_recording_nothing_is_sent_again() {
    let mut run = Run::new(Channel::Webhook).await;
    let mut sender = run.scene.world.sender();
    sender.run_once().await.unwrap();
    drop(sender);
    run.next().await;
    run.goes_on(1).await;
}

/// The provider answers the first attempt so, and whether it has the message all the same.
async fn answered(channel: Channel, answer: Answer, has_it: bool, copies: usize) {
    let mut run = Run::new(channel).await;
    let provider = if channel == Channel::Sms { &run.scene.twilio } else { &run.scene.hooks };
    provider.then(answer);
    run.scene.send().await;
    run.next().await;
    if has_it {
        run.provider_knows(&run.arrived);
    }
    run.goes_on(copies).await;
}

#[tokio::test]
async fn a_webhook_that_hangs_is_called_again() {
    answered(Channel::Webhook, Answer::hang(), true, 2).await;
}

#[tokio::test]
async fn a_webhook_that_asks_for_time_gets_it() {
    answered(Channel::Webhook, Answer::status(429).header("retry-after", "90"), false, 2).await;
}

#[tokio::test]
async fn a_webhook_that_fails_is_called_again() {
    answered(Channel::Webhook, Answer::status(500).body("<html>"), false, 2).await;
}

#[tokio::test]
async fn a_webhook_that_closes_before_it_answers_is_called_again() {
    answered(Channel::Webhook, Answer::close(), true, 2).await;
}

#[tokio::test]
async fn a_webhook_whose_status_has_come_is_called_no_more() {
    // What it would have said is of no interest.
    answered(Channel::Webhook, Answer::status(200).body("thanks, but").cut(), true, 1).await;
}

#[tokio::test]
async fn a_slack_that_hangs_is_called_again() {
    answered(Channel::Slack, Answer::hang(), true, 2).await;
}

#[tokio::test]
async fn a_slack_that_asks_for_time_gets_it() {
    answered(Channel::Slack, Answer::status(429).header("retry-after", "30"), false, 2).await;
}

#[tokio::test]
async fn a_slack_that_fails_is_called_again() {
    answered(Channel::Slack, Answer::status(500).body("rollup_error"), false, 2).await;
}

#[tokio::test]
async fn a_slack_that_closes_before_it_answers_is_called_again() {
    answered(Channel::Slack, Answer::close(), true, 2).await;
}

#[tokio::test]
async fn a_twilio_that_hangs_is_asked_before_it_is_sent_again() {
    answered(Channel::Sms, Answer::hang(), true, 1).await;
}

#[tokio::test]
async fn a_twilio_that_hangs_and_has_nothing_gets_it_again() {
    answered(Channel::Sms, Answer::hang(), false, 2).await;
}

#[tokio::test]
async fn a_twilio_that_asks_for_time_gets_it() {
    answered(Channel::Sms, Answer::status(429).header("retry-after", "30"), false, 2).await;
}

#[tokio::test]
async fn a_twilio_that_fails_and_has_nothing_gets_it_again() {
    answered(Channel::Sms, Answer::status(503).body("<html>"), false, 2).await;
}

#[tokio::test]
async fn a_twilio_that_fails_and_has_it_is_not_sent_it_again() {
    answered(Channel::Sms, Answer::status(500).body("<html>"), true, 1).await;
}

#[tokio::test]
async fn a_twilio_that_says_nonsense_is_asked_before_it_is_sent_again() {
    answered(Channel::Sms, Answer::status(201).body("<html>"), true, 1).await;
}

#[tokio::test]
async fn a_twilio_that_closes_in_mid_answer_is_asked_before_it_is_sent_again() {
    let begun = Answer::status(201).body("{\"sid\": \"SM1\", \"sta").cut();
    answered(Channel::Sms, begun, true, 1).await;
}

/// The mail server closes the first connection at this step; nothing has arrived by then.
async fn mail_server_closes(at: Step) {
    let mut run = Run::new(Channel::Email).await;
    run.scene.mail.close(at);
    run.scene.send().await;
    run.look();
    assert_eq!(run.arrived, Vec::<String>::new());
    run.goes_on(1).await;
}

#[tokio::test]
async fn a_mail_server_that_closes_when_it_is_greeted_gets_the_mail_again() {
    mail_server_closes(Step::Ehlo).await;
}

#[tokio::test]
async fn a_mail_server_that_closes_before_the_mail_gets_it_again() {
    mail_server_closes(Step::Data).await;
}

#[tokio::test]
async fn a_mail_server_that_closes_in_mid_mail_gets_it_again() {
    mail_server_closes(Step::Body).await;
}

/// The database cuts the engine's connection while a step is being written, as a restart does.
async fn cut_in_mid_step(scene: &Scene) {
    let sql = &scene.world.sql;
    sql.batch_execute("BEGIN; LOCK incident_log IN SHARE MODE").await.unwrap();
    let escalator = scene.escalator_of_its_own();
    let step = tokio::spawn(async move { escalator.run_once().await });
    scene.world.database.until_waiting(1).await.unwrap();
    sql.execute(&format!("SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting"), &[]).await.unwrap();
    step.await.unwrap().unwrap_err();
    sql.batch_execute("COMMIT").await.unwrap();
}

async fn two_steps(scene: &Scene) -> (Somebody, Somebody) {
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    (ann, ben)
}

#[tokio::test]
async fn a_first_step_that_a_restart_of_the_database_cut_is_made_whole() {
    let mut scene = Scene::new().await;
    two_steps(&scene).await;
    scene.error("Bad", Priority::High).await;
    cut_in_mid_step(&scene).await;
    scene.hears(&["account ann"]).await;
    scene.after(5, &["account ben"]).await;
    scene.quiet(5).await;
}

#[tokio::test]
async fn a_second_step_that_a_restart_of_the_database_cut_is_made_whole() {
    let mut scene = Scene::new().await;
    two_steps(&scene).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.outage(5);
    cut_in_mid_step(&scene).await;
    scene.hears(&["account ben"]).await;
    scene.quiet(5).await;
    assert_eq!(scene.pages(scene.incident().await.id).await.len(), 2);
}

#[tokio::test]
async fn a_clock_that_jumps_an_hour_ahead_pages_each_step_once() {
    let mut scene = Scene::new().await;
    let (_, ben) = two_steps(&scene).await;
    scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann"]).await;
    scene.world.advance(3600);
    scene.hears(&["account ben"]).await;
    scene.world.advance(-3600);
    scene.hears(&[]).await;
    scene.acknowledge(&ben).await;
    scene.quiet(70).await;
}
