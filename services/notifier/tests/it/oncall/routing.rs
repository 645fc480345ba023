//! Which signals open an incident.

use super::scene::{Scene, everything, person, policy, step};
use bugle_model::{
    Channel, Clock, DestinationSettings, Event, IncidentState, IssueSignal, Priority, Signal, SignalKind,
    TeamRole,
};
use bugle_store::oncall::{NewRoutingRule, TagMatcher};
use uuid::Uuid;

#[tokio::test]
async fn without_a_rule_there_is_no_incident() {
    let mut scene = Scene::new().await;
    scene.person_as("boss", TeamRole::Manager).await;
    scene.error("Bad", Priority::Critical).await;
    scene.hears(&[]).await;
    assert!(scene.incidents().await.is_empty());
}

#[tokio::test]
async fn destinations_of_the_project_stay_as_they_are() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let url = scene.hooks.url("/webhook/room");
    scene.world.destination(Channel::Webhook, &url, DestinationSettings::default()).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["account ann", "webhook room"]).await;
    scene.acknowledge(&ann).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.hears(&["webhook room"]).await;
}

#[tokio::test]
async fn a_rule_looks_at_priority_kind_environment_and_project() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    let project = scene.world.project;
    scene
        .routes(NewRoutingRule {
            project: Some(project),
            environments: vec!["production".to_owned()],
            kinds: vec![SignalKind::New],
            min_priority: Priority::High,
            ..everything(policy)
        })
        .await;
    scene.error("Too low", Priority::Medium).await;
    let other = scene.world.issue("Another kind").await;
    scene.threshold(other, Priority::High, 10).await;
    let staging = scene.world.issue("Another environment").await;
    scene
        .tell(staging, Priority::High, 0, |about| {
            Signal::IssueOpened(IssueSignal { environment: Some("staging".to_owned()), ..about })
        })
        .await;
    scene.hears(&[]).await;
    scene.error("Fits", Priority::High).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn of_several_rules_the_first_counts() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let second = scene.policy("second", &policy(vec![step(&[person(&ben)], 5)])).await;
    let first = scene.policy("first", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.routes(NewRoutingRule { place: 2, ..everything(second) }).await;
    scene.routes(NewRoutingRule { place: 1, min_priority: Priority::Critical, ..everything(first) }).await;
    scene.error("Critical", Priority::Critical).await;
    scene.hears(&["account ann"]).await;
    scene.error("High", Priority::High).await;
    scene.hears(&["account ben"]).await;
}

#[tokio::test]
async fn a_rule_that_is_switched_off_is_not_looked_at() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.routes(NewRoutingRule { enabled: false, ..everything(policy) }).await;
    scene.error("Bad", Priority::Critical).await;
    scene.hears(&[]).await;
    assert!(scene.incidents().await.is_empty());
}

#[tokio::test]
async fn a_signal_that_was_too_little_opens_one_when_it_becomes_enough() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.routes(NewRoutingRule { min_priority: Priority::Critical, ..everything(policy) }).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&[]).await;
    scene.threshold(issue, Priority::Critical, 1_000).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn an_issue_that_was_ignored_meanwhile_opens_none() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.world.issue("Bad").await;
    scene.world.set_status(issue, 2).await;
    scene.threshold(issue, Priority::High, 10).await;
    scene.hears(&[]).await;
    assert!(scene.incidents().await.is_empty());
}

#[tokio::test]
async fn a_merge_takes_the_incident_along() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let into = scene.world.issue("Into").await;
    let going = scene.error("Going", Priority::High).await;
    scene.hears(&["account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let all = bugle_store::Scope::All;
    bugle_store::issues::merge::merge(&mut conn, &all, into, &[going], "ann", super::scene::at(1))
        .await
        .unwrap();
    assert_eq!(scene.incident().await.issue, Some(into));
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn of_two_incidents_that_a_merge_brings_together_one_goes_on() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5), step(&[person(&ben)], 5)])).await;
    let into = scene.error("Into", Priority::High).await;
    let going = scene.error("Going", Priority::High).await;
    scene.hears(&["account ann", "account ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let all = bugle_store::Scope::All;
    bugle_store::issues::merge::merge(&mut conn, &all, into, &[going], "ann", super::scene::at(1))
        .await
        .unwrap();
    assert_eq!(scene.states().await, [IncidentState::Triggered, IncidentState::Resolved]);
    scene.after(5, &["account ben"]).await;
}

#[tokio::test]
async fn an_issue_that_is_deleted_ends_its_incident() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Email, 0), (Channel::Sms, 2)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 5)])).await;
    let issue = scene.error("Bad", Priority::High).await;
    scene.hears(&["email ann"]).await;
    let mut conn = scene.world.store.conn().await.unwrap();
    let all = bugle_store::Scope::All;
    bugle_store::issues::merge::delete(&mut conn, &all, issue, None, super::scene::at(1))
        .await
        .unwrap()
        .unwrap();
    scene.quiet(6).await;
    let incident = scene.incident().await;
    assert_eq!(
        (incident.state, incident.issue, incident.title.as_str()),
        (IncidentState::Resolved, None, "Bad")
    );
}

pub fn tags(all: &[(&str, &str)]) -> Vec<TagMatcher> {
    all.iter().map(|(key, value)| TagMatcher { key: (*key).to_owned(), value: (*value).to_owned() }).collect()
}

impl Scene {
    /// Ann is paged for events with these tags, and ben for everything else.
    async fn ann_by(&self, wanted: &[(&str, &str)]) {
        let (ann, ben) = (self.person("ann").await, self.person("ben").await);
        let of_ann = self.policy("ann's", &policy(vec![step(&[person(&ann)], 5)])).await;
        let of_ben = self.policy("ben's", &policy(vec![step(&[person(&ben)], 5)])).await;
        self.routes(NewRoutingRule { place: 1, tags: tags(wanted), ..everything(of_ann) }).await;
        self.routes(NewRoutingRule { place: 2, ..everything(of_ben) }).await;
    }

    /// A new issue, and what is told of it, whose event has these tags.
    pub async fn tagged(&self, all: &[(&str, &str)]) -> IssueSignal {
        let issue = self.world.issue("Bad").await;
        let mut event = Event::new(Uuid::new_v4(), self.world.clock.now());
        event.tags = all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        event.release = Some("shop@1.2.3".to_owned());
        event.environment = Some("production".to_owned());
        self.world.record(issue, &event).await;
        IssueSignal { event_id: event.event_id, ..self.world.about(issue) }
    }

    async fn error_with(&self, all: &[(&str, &str)]) {
        let about = self.tagged(all).await;
        self.world.signal(vec![Signal::IssueOpened(about)]).await;
    }
}

#[tokio::test]
async fn a_rule_by_tags_takes_what_has_them_and_the_next_one_the_rest() {
    let mut scene = Scene::new().await;
    scene.ann_by(&[("area", "payments")]).await;
    scene.error_with(&[("area", "payments"), ("shard", "7")]).await;
    scene.hears(&["account ann"]).await;
    for others in [vec![("area", "search")], vec![("shard", "payments")], Vec::new()] {
        scene.error_with(&others).await;
        scene.hears(&["account ben"]).await;
    }
}

#[tokio::test]
async fn all_tags_of_a_rule_have_to_be_there() {
    let mut scene = Scene::new().await;
    scene.ann_by(&[("area", "payments"), ("customer", "acme")]).await;
    for some in [vec![("area", "payments")], vec![("area", "payments"), ("customer", "other")]] {
        scene.error_with(&some).await;
        scene.hears(&["account ben"]).await;
    }
    scene.error_with(&[("area", "payments"), ("customer", "acme")]).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn stars_stand_for_anything_and_case_for_nothing() {
    let mut scene = Scene::new().await;
    scene.ann_by(&[("area", "pay*"), ("host", "*"), ("release", "shop@1.*"), ("environment", "PROD*")]).await;
    for (area, expected) in [("pay", "account ann"), ("Payments", "account ann"), ("prepay", "account ben")] {
        scene.error_with(&[("area", area), ("host", "web1")]).await;
        scene.hears(&[expected]).await;
    }
    scene.error_with(&[("area", "pay")]).await;
    scene.hears(&["account ben"]).await;
}

#[tokio::test]
async fn an_event_that_is_not_there_has_no_tags() {
    let mut scene = Scene::new().await;
    let ann = scene.person("ann").await;
    let policy = scene.policy("p", &policy(vec![step(&[person(&ann)], 5)])).await;
    scene.routes(NewRoutingRule { tags: tags(&[("area", "*")]), ..everything(policy) }).await;
    scene.error("Its event is gone", Priority::Critical).await;
    let about = scene.tagged(&[("area", "a")]).await;
    scene.world.sql.execute("UPDATE events SET payload = '\\x01ff'", &[]).await.unwrap();
    let readable = scene.tagged(&[("area", "b")]).await;
    let issue = readable.issue;
    scene.world.signal(vec![Signal::IssueOpened(about), Signal::IssueOpened(readable)]).await;
    scene.hears(&["account ann"]).await;
    assert_eq!(scene.incident().await.issue, Some(issue), "and one that cannot be read holds up no other");
}

#[tokio::test]
async fn each_signal_of_a_batch_goes_by_the_tags_of_its_own_event() {
    let mut scene = Scene::new().await;
    scene.ann_by(&[("area", "payments")]).await;
    let mut signals = Vec::new();
    for area in ["payments", "search", "payments"] {
        signals.push(Signal::IssueOpened(scene.tagged(&[("area", area)]).await));
    }
    scene.world.signal(signals).await;
    scene.hears(&["account ann", "account ann", "account ben"]).await;
}

#[tokio::test]
async fn an_event_of_days_ago_has_its_tags_when_somebody_escalates_its_issue() {
    let mut scene = Scene::new().await;
    scene.ann_by(&[("area", "payments")]).await;
    let about = scene.tagged(&[("area", "payments")]).await;
    scene.world.advance(3 * 24 * 3600);
    let received_at = scene.world.clock.now();
    scene.world.signal(vec![Signal::IssueEscalated(IssueSignal { received_at, ..about })]).await;
    scene.hears(&["account ann"]).await;
}

#[tokio::test]
async fn no_event_is_read_unless_its_tags_decide() {
    let mut scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let of_ann = scene.policy("ann's", &policy(vec![step(&[person(&ann)], 5)])).await;
    let of_ben = scene.policy("ben's", &policy(vec![step(&[person(&ben)], 5)])).await;
    let by_tag = tags(&[("area", "payments")]);
    let critical = Priority::Critical;
    scene
        .routes(NewRoutingRule {
            place: 1,
            min_priority: critical,
            tags: by_tag.clone(),
            ..everything(of_ben)
        })
        .await;
    scene.routes(NewRoutingRule { place: 2, ..everything(of_ann) }).await;
    scene.routes(NewRoutingRule { place: 3, tags: by_tag, ..everything(of_ben) }).await;
    scene.world.sql.execute("ALTER TABLE events RENAME TO events_of_nobody", &[]).await.unwrap();
    scene.error("High", Priority::High).await;
    scene.world.sql.execute("ALTER TABLE events_of_nobody RENAME TO events", &[]).await.unwrap();
    scene.hears(&["account ann"]).await;
}
