//! Shifts that change hands by consent. It is a Friday, noon UTC; ann is on call week after week.

use crate::harness::App;
use crate::oncall::{Crew, crew_of, weekly};
use crate::people::person;
use bugle_model::{InstallationRole, TeamRole};
use bugle_runtime::Config;
use chrono::TimeDelta;
use serde_json::{Value, json};

const START: &str = "2027-01-18T08:00:00Z";
const END: &str = "2027-01-20T08:00:00Z";

struct Scene {
    crew: Crew,
    /// That of the schedule.
    path: String,
    boss: i64,
}

impl Scene {
    async fn new() -> Self {
        let smtp_url = Some("smtp://127.0.0.1:1".parse::<url::Url>().unwrap().into());
        let crew =
            crew_of(App::start_with(Config { api_rate_limit: 0, smtp_url, ..Config::default() }).await).await;
        let schedule = crew.boss.post(&crew.app, "/api/v1/schedules", &weekly(crew.ann)).await.ok(201);
        let boss =
            crew.app.database.number("SELECT id::bigint FROM users WHERE name = 'boss'").await.unwrap();
        for sql in [
            "UPDATE users SET time_zone = 'Europe/Vienna' WHERE name = 'boss'",
            // Vic may answer here.
            "UPDATE memberships SET role = 'member' WHERE user_id = (SELECT id FROM users WHERE name = 'vic')",
        ] {
            crew.app.database.execute(sql).await.unwrap();
        }
        Self { path: format!("/api/v1/schedules/{}", schedule["id"]), crew, boss }
    }

    /// Ann asks, for two days; the path of the request.
    async fn asked(&self, more: &Value) -> String {
        let mut body = json!({ "start": START, "end": END });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.crew.member.post(&self.crew.app, &self.swaps(), &body).await.ok(201);
        assert_eq!(made["state"], "open");
        format!("{}/{}", self.swaps(), made["id"])
    }

    fn swaps(&self) -> String {
        format!("{}/swaps", self.path)
    }

    /// Takes the mails that are on their way: to whom, and what they say.
    async fn mails(&self) -> Vec<String> {
        let database = &self.crew.app.database;
        let sql = "SELECT split_part(recipient, '@', 1), about FROM account_mails WHERE kind = 'schedule' ORDER BY id";
        let mails = database.rows(sql).await.unwrap();
        database.execute("DELETE FROM account_mails").await.unwrap();
        mails
    }

    async fn on_call(&self, at: &str) -> Value {
        let answer = self.crew.viewer.get(&self.crew.app, &format!("{}/on-call?at={at}", self.path)).await;
        answer.ok(200)["on_call"][0]["who"].clone()
    }

    async fn states(&self) -> Vec<Value> {
        let all = self.crew.app.get(&self.swaps()).await.ok(200);
        all["items"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_takes_a_shift_and_everybody_who_was_asked_is_told() {
    let scene = Scene::new().await;
    let Crew { app, boss, member, viewer, ann, .. } = &scene.crew;
    let swap = scene.asked(&json!({ "note": " The dentist. " })).await;
    let utc = "from Mon 18 Jan 2027, 08:00 until Wed 20 Jan 2027, 08:00 (UTC)";
    let vienna = "from Mon 18 Jan 2027, 09:00 until Wed 20 Jan 2027, 09:00 (Europe/Vienna)";
    let asked = [
        format!("boss|ann asks who takes their shift for shop {vienna}: The dentist."),
        format!("vic|ann asks who takes their shift for shop {utc}: The dentist."),
    ];
    assert_eq!(scene.mails().await, asked);

    let taken = boss.post(app, &format!("{swap}/take"), &json!({})).await.ok(200);
    assert_eq!((&taken["state"], &taken["taken_by"]), (&json!("taken"), &json!(scene.boss)));
    let told = [
        format!("ann|boss takes your shift for shop {utc}"),
        format!("vic|boss takes the shift of ann for shop {utc}"),
    ];
    assert_eq!(scene.mails().await, told);
    for (at, who) in [
        ("2027-01-18T07:59:59Z", ann.0.into()),
        (START, scene.boss),
        ("2027-01-20T07:59:59Z", scene.boss),
        (END, ann.0.into()),
    ] {
        assert_eq!(scene.on_call(at).await, who, "{at}");
    }
    for answer in [
        viewer.post(app, &format!("{swap}/take"), &json!({})).await,
        boss.post(app, &format!("{swap}/decline"), &json!({})).await,
        member.post(app, &format!("{swap}/withdraw"), &json!({})).await,
    ] {
        assert_eq!(answer.ok(409)["detail"], "it is taken already");
    }
    let log = app.get("/api/v1/audit?action=swap").await.ok(200);
    let actions: Vec<_> = log["items"].as_array().unwrap().iter().map(|one| one["action"].clone()).collect();
    assert_eq!(actions, ["swap.taken", "swap.asked"]);
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_take_at_once_one_is_too_late() {
    let scene = Scene::new().await;
    let Crew { app, boss, viewer, .. } = &scene.crew;
    let take = format!("{}/take", scene.asked(&json!({})).await);
    let (one, other) = (json!({}), json!({}));
    let (one, other) = tokio::join!(boss.post(app, &take, &one), viewer.post(app, &take, &other));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let overrides = app.database.number("SELECT count(*) FROM schedule_overrides").await.unwrap();
    assert_eq!(overrides, 1);
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_when_everybody_has_declined_or_it_is_withdrawn_or_its_time_has_passed() {
    let scene = Scene::new().await;
    let Crew { app, boss, member, viewer, .. } = &scene.crew;
    let to_all = scene.asked(&json!({})).await;
    scene.mails().await;
    let first = boss.post(app, &format!("{to_all}/decline"), &json!({})).await.ok(200);
    assert_eq!((&first["state"], &first["declined_by"]), (&json!("open"), &json!([scene.boss])));
    assert!(scene.mails().await.is_empty(), "somebody is left");
    let last = viewer.post(app, &format!("{to_all}/decline"), &json!({})).await.ok(200);
    assert_eq!(last["state"], "declined");
    let told = scene.mails().await;
    assert!(
        matches!(&*told, [one] if one.starts_with("ann|Nobody takes your shift for shop from")),
        "{told:?}"
    );

    let to_boss = scene.asked(&json!({ "with": scene.boss })).await;
    assert_eq!(scene.mails().await.len(), 1, "only who is asked is told");
    assert_eq!(
        viewer.post(app, &format!("{to_boss}/take"), &json!({})).await.ok(409)["detail"],
        "somebody else was asked"
    );
    assert_eq!(boss.post(app, &format!("{to_boss}/decline"), &json!({})).await.ok(200)["state"], "declined");

    let withdrawn = scene.asked(&json!({})).await;
    let own = member.post(app, &format!("{withdrawn}/take"), &json!({})).await;
    assert_eq!(own.ok(409)["detail"], "these are your own shifts");
    assert_eq!(boss.post(app, &format!("{withdrawn}/withdraw"), &json!({})).await.status, 409, "it is ann's");
    assert_eq!(
        member.post(app, &format!("{withdrawn}/withdraw"), &json!({})).await.ok(200)["state"],
        "withdrawn"
    );

    let late = scene.asked(&json!({})).await;
    assert_eq!(scene.states().await, ["open", "withdrawn", "declined", "declined"]);
    app.clock.advance(TimeDelta::days(5));
    assert_eq!(scene.states().await[0], "past_due");
    assert_eq!(
        boss.post(app, &format!("{late}/take"), &json!({})).await.ok(409)["detail"],
        "its time has passed"
    );
    app.clock.advance(TimeDelta::days(31));
    assert!(scene.states().await.is_empty());
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_that_has_begun_changes_hands_from_now_on() {
    let scene = Scene::new().await;
    let Crew { app, boss, ann, .. } = &scene.crew;
    let swap = scene.asked(&json!({ "start": "2027-01-11T08:00:00Z", "end": "2027-01-18T08:00:00Z" })).await;
    boss.post(app, &format!("{swap}/take"), &json!({})).await.ok(200);
    assert_eq!(scene.on_call("2027-01-15T11:59:59Z").await, ann.0, "what was stays as it was");
    assert_eq!(scene.on_call("2027-01-15T12:00:00Z").await, scene.boss);
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_that_was_taken_can_be_passed_on_and_given_back() {
    let scene = Scene::new().await;
    let Crew { app, boss, member, viewer, ann, .. } = &scene.crew;
    let vic = app.database.number("SELECT id::bigint FROM users WHERE name = 'vic'").await.unwrap();
    let first = scene.asked(&json!({})).await;
    boss.post(app, &format!("{first}/take"), &json!({})).await.ok(200);
    let half = json!({ "start": START, "end": "2027-01-19T08:00:00Z" });
    let part = boss.post(app, &scene.swaps(), &half).await.mistakes();
    assert_eq!(
        part,
        [
            "start: an override of that time names you: what it gave you can be passed on as a whole, and without other shifts"
        ]
    );

    let body = json!({ "start": START, "end": END });
    let swap = boss.post(app, &scene.swaps(), &body).await.ok(201)["id"].clone();
    // An hour after its beginning.
    app.clock.advance(TimeDelta::hours(69));
    viewer.post(app, &format!("{}/{swap}/take", scene.swaps()), &json!({})).await.ok(200);
    assert_eq!(scene.on_call("2027-01-18T08:59:59Z").await, scene.boss, "what was stays as it was");
    assert_eq!(scene.on_call("2027-01-18T09:00:00Z").await, vic);

    let body = json!({ "start": "2027-01-18T09:00:00Z", "end": END, "with": ann });
    let back = viewer.post(app, &scene.swaps(), &body).await.ok(201)["id"].clone();
    member.post(app, &format!("{}/{back}/take", scene.swaps()), &json!({})).await.ok(200);
    assert_eq!(scene.on_call("2027-01-18T09:00:00Z").await, ann.0);
    let there = viewer.get(app, &format!("{}/overrides", scene.path)).await.ok(200);
    assert_eq!(there["items"], json!([]), "the layer has ann");
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_change_hands_is_refused() {
    let scene = Scene::new().await;
    let Crew { app, boss, member, ann, .. } = &scene.crew;
    let nobody = "there is nobody with the id 4711 in the team";
    for (body, mistake) in [
        (json!({ "start": END, "end": START }), "end: later than start, by 366 days at most".to_owned()),
        (
            json!({ "start": START, "end": "2028-01-20T08:00:00Z" }),
            "end: later than start, by 366 days at most".to_owned(),
        ),
        (
            json!({ "start": "2027-01-12T08:00:00Z", "end": "2027-01-15T12:00:00Z" }),
            "end: has passed already".to_owned(),
        ),
        (
            json!({ "start": START, "end": END, "note": "x".repeat(501) }),
            "note: expected up to 500 characters".to_owned(),
        ),
        (json!({ "start": START, "end": END, "with": ann }), "with: somebody else than oneself".to_owned()),
        (json!({ "start": START, "end": END, "with": 4711 }), format!("with: {nobody}")),
    ] {
        assert_eq!(member.post(app, &scene.swaps(), &body).await.mistakes(), [mistake], "{body}");
    }
    let body = json!({ "start": START, "end": END });
    let not_on_call = boss.post(app, &scene.swaps(), &body).await.mistakes();
    assert_eq!(not_on_call, ["start: you are not on call in that time"]);

    let swap = scene.asked(&json!({})).await;
    let holiday = json!({ "from": START, "to": END, "kind": "remove", "who": scene.boss });
    boss.post(app, &format!("{}/overrides", scene.path), &holiday).await.ok(201);
    let named = boss.post(app, &format!("{swap}/take"), &json!({})).await.ok(409);
    assert_eq!(named["detail"], "an override of that time names you already");
    let away = json!({ "from": START, "to": END, "kind": "remove", "who": ann });
    boss.post(app, &format!("{}/overrides", scene.path), &away).await.ok(201);
    let gone = boss.post(app, &format!("{swap}/take"), &json!({})).await.ok(409);
    assert_eq!(gone["detail"], "whoever asked does not have these shifts any more");

    for number in 1..20 {
        let (start, end) =
            (format!("2027-02-{number:02}T10:00:00Z"), format!("2027-02-{number:02}T12:00:00Z"));
        scene.asked(&json!({ "start": start, "end": end })).await;
    }
    let body = json!({ "start": "2027-02-20T10:00:00Z", "end": "2027-02-21T10:00:00Z" });
    let much = member.post(app, &scene.swaps(), &body).await;
    assert_eq!((much.status, much.header("retry-after")), (429, "86400"));
    scene.crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_reads_is_not_asked_and_takes_nothing() {
    let scene = Scene::new().await;
    let Crew { app, team, .. } = &scene.crew;
    let (_, eve) = person(app, "eve", InstallationRole::Member, &[(*team, TeamRole::Viewer)]).await;
    let swap = scene.asked(&json!({})).await;
    let asked = scene.mails().await;
    assert!(asked.len() == 2 && !asked.iter().any(|mail| mail.starts_with("eve")), "{asked:?}");
    for answer in ["take", "decline"] {
        let refused = eve.post(app, &format!("{swap}/{answer}"), &json!({})).await.ok(409);
        assert_eq!(refused["detail"], "viewers cannot be on call: they could not answer");
    }
    scene.crew.app.stop().await;
}
