//! New issues are given to somebody: once, by rules, to whoever is there, and told why.

use super::routing::tags;
use super::scene::{Scene, Somebody, everything, on_call, policy, step};
use bugle_model::{
    Availability, Clock, Codeowners, Event, Exception, Frame, IssueId, Otherwise, Owner, Ownership,
    OwnershipMatch, OwnershipRule, Priority, Signal, Stacktrace, TeamRole,
};
use bugle_notifier::Assigner;
use bugle_ownership::codeowners;
use bugle_store::oncall::NewRoutingRule;
use bugle_store::{activity, issues, ownership};
use std::sync::Arc;
use uuid::Uuid;

const LEAST: Otherwise = Otherwise { on_call: false, least_loaded: true };

fn rule(pattern: &str, owner: Owner) -> OwnershipRule {
    let by = OwnershipMatch::Path;
    OwnershipRule { by, tag: None, pattern: pattern.to_owned(), owners: vec![owner] }
}

fn owner(who: &Somebody) -> Owner {
    Owner::Person { user: who.id }
}

fn with_rules(rules: Vec<OwnershipRule>) -> Ownership {
    Ownership { rules, ..Ownership::default() }
}

impl Scene {
    async fn owned_by(&self, content: &Ownership) {
        assert_eq!(content.mistakes(), []);
        ownership::set(&mut self.world.store.conn().await.unwrap(), self.world.project, content)
            .await
            .unwrap();
    }

    async fn available(&self, who: &Somebody, availability: Availability) {
        let mut conn = self.world.store.conn().await.unwrap();
        ownership::set_availability(&mut conn, who.id, &availability).await.unwrap();
    }

    /// An issue with an event that happened in a file, and its signal.
    async fn crash_in(&self, path: &str) -> IssueId {
        let issue = self.world.issue_of(&format!("Crash in {path}"), Priority::High).await;
        let event = self.event(issue, path).await;
        self.came(issue, event, 0, Signal::IssueOpened).await;
        issue
    }

    async fn came(
        &self,
        issue: IssueId,
        event_id: Uuid,
        generation: i32,
        signal: fn(bugle_model::IssueSignal) -> Signal,
    ) {
        let about = bugle_model::IssueSignal { event_id, generation, ..self.world.about(issue) };
        self.world.signal(vec![signal(about)]).await;
    }

    async fn event(&self, issue: IssueId, path: &str) -> Uuid {
        let now = self.world.clock.now();
        let mut event = Event::new(Uuid::new_v4(), now);
        let frame = Frame { filename: Some(path.to_owned()), in_app: Some(true), ..Frame::default() };
        let stacktrace = Some(Stacktrace { frames: vec![frame], ..Stacktrace::default() });
        event.exceptions = vec![Exception { stacktrace, ..Exception::default() }];
        self.world.record(issue, &event).await;
        event.event_id
    }

    fn assigner(&self) -> Assigner {
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        Assigner::new(self.world.store.clone(), clock, &self.world.metrics)
    }

    /// Gives what waits to somebody.
    async fn assign(&self) -> usize {
        self.assigner().run_once().await.unwrap()
    }

    /// Whose an issue is.
    async fn whose(&self, issue: IssueId) -> Option<String> {
        let mut conn = self.world.store.conn().await.unwrap();
        issues::get(&mut conn, &bugle_store::Scope::All, issue).await.unwrap().unwrap().assigned_to
    }

    /// Why it is theirs, as its activity has it.
    async fn why(&self, issue: IssueId) -> Vec<String> {
        let mut conn = self.world.store.conn().await.unwrap();
        let all = activity::list(&mut conn, issue, None, 10).await.unwrap();
        assert!(all.iter().all(|one| one.kind == "assigned" && one.actor.is_none()), "{all:?}");
        all.iter().map(|one| one.data["reason"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn an_owner_gets_it_and_everybody_can_see_why() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene
        .owned_by(&with_rules(vec![rule("src/**", owner(&ann)), rule("src/checkout/**", owner(&ben))]))
        .await;
    let issue = scene.crash_in("src/checkout/cart.py").await;
    assert_eq!(scene.whose(issue).await, None, "the signal does not wait for it");
    assert_eq!(scene.assign().await, 1);
    assert_eq!(scene.whose(issue).await.unwrap(), "ben");
    assert_eq!(scene.why(issue).await, ["owner by rule 2: path src/checkout/**"]);
    let told = "SELECT count(*) FROM outbox WHERE routing_key = 'issue.changed'";
    assert_eq!(scene.world.sql.query_one(told, &[]).await.unwrap().get::<_, i64>(0), 1);

    let elsewhere = scene.crash_in("lib/x.py").await;
    assert_eq!(scene.assign().await, 0, "nobody, unless the project wants it");
    assert_eq!(scene.whose(elsewhere).await, None);
}

#[tokio::test]
async fn a_signal_that_comes_again_gives_it_to_nobody_again() {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.owned_by(&with_rules(vec![rule("**", owner(&ann))])).await;
    let issue = scene.world.issue("Bad").await;
    let event = scene.event(issue, "a.py").await;
    for _ in 0..2 {
        scene.came(issue, event, 0, Signal::IssueOpened).await;
    }
    assert_eq!(scene.assign().await, 1);
    let taken_away = "UPDATE issues SET assigned_to = NULL, assigned_user_id = NULL";
    scene.world.sql.execute(taken_away, &[]).await.unwrap();
    scene.came(issue, event, 0, Signal::IssueOpened).await;
    assert_eq!(scene.assign().await, 0, "somebody has taken it away");

    scene.came(issue, event, 1, Signal::IssueRegressed).await;
    assert_eq!(scene.assign().await, 1, "it has come back");
    scene.came(issue, event, 2, Signal::IssueRegressed).await;
    assert_eq!(scene.assign().await, 0, "and is somebody's");
    assert_eq!(scene.why(issue).await.len(), 2);
}

#[tokio::test]
async fn several_at_once_give_each_issue_once() {
    let scene = Scene::new().await;
    scene.person("ann").await;
    scene.person("ben").await;
    scene.owned_by(&Ownership { otherwise: LEAST, ..Ownership::default() }).await;
    let issues = scene.world.open_many(8).await;
    let (one, other) = (scene.assigner(), scene.assigner());
    let (one, other) = tokio::join!(one.run_once(), other.run_once());
    assert_eq!(one.unwrap() + other.unwrap(), 8);
    let mut whose = Vec::new();
    for issue in issues {
        assert_eq!(scene.why(issue).await.len(), 1);
        whose.push(scene.whose(issue).await.unwrap());
    }
    whose.sort();
    assert_eq!(whose, ["ann", "ann", "ann", "ann", "ben", "ben", "ben", "ben"], "in equal parts");
}

#[tokio::test]
async fn on_call_by_rule_and_by_where_incidents_go() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    let schedule = scene.schedule(&[Some(&ann), Some(&ben)]).await;
    scene.world.sql.execute("UPDATE schedules SET name = 'Primary'", &[]).await.unwrap();
    scene.owned_by(&with_rules(vec![rule("src/**", Owner::Schedule { schedule })])).await;
    let issue = scene.crash_in("src/a.py").await;
    scene.assign().await;
    assert_eq!(scene.whose(issue).await.unwrap(), "ann");
    assert_eq!(scene.why(issue).await, ["on call (Primary) by rule 1: path src/**"]);

    let critical = scene.policy("Night", &policy(vec![step(&[on_call(schedule)], 5)])).await;
    scene.routes(NewRoutingRule { min_priority: Priority::Critical, ..everything(critical) }).await;
    let otherwise = Otherwise { on_call: true, least_loaded: true };
    scene.owned_by(&Ownership { otherwise, ..Ownership::default() }).await;
    scene.world.advance(24 * 3600);
    let issue = scene.crash_in("src/a.py").await;
    scene.assign().await;
    assert_eq!(scene.whose(issue).await.unwrap(), "ben", "whose day it is by now");
    assert_eq!(scene.why(issue).await, ["on call (Primary) by the policy Night"]);
}

#[tokio::test]
async fn on_call_by_the_policy_that_the_tags_lead_to() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    for (place, who, wanted) in [(1, &ann, vec![("area", "pay*")]), (2, &ben, Vec::new())] {
        let schedule = scene.schedule(&[Some(who)]).await;
        let policy = scene.policy(who.name, &policy(vec![step(&[on_call(schedule)], 5)])).await;
        scene.routes(NewRoutingRule { place, tags: tags(&wanted), ..everything(policy) }).await;
    }
    let otherwise = Otherwise { on_call: true, least_loaded: false };
    scene.owned_by(&Ownership { otherwise, ..Ownership::default() }).await;
    for (area, expected) in [("payments", "ann"), ("search", "ben")] {
        let about = scene.tagged(&[("area", area)]).await;
        let issue = about.issue;
        scene.world.signal(vec![Signal::IssueOpened(about)]).await;
        scene.assign().await;
        assert_eq!(scene.whose(issue).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn nobody_who_is_away_or_has_enough() {
    let scene = Scene::new().await;
    let (ann, ben) = (scene.person("ann").await, scene.person("ben").await);
    scene.person("cat").await;
    scene.person_as("vic", TeamRole::Viewer).await;
    let away_until = Some(scene.world.clock.now() + chrono::TimeDelta::hours(1));
    let away = Availability { available: false, away_until, max_open_issues: None };
    scene.available(&ann, away).await;
    scene.available(&ben, Availability { max_open_issues: Some(1), ..Availability::default() }).await;
    scene
        .owned_by(&Ownership {
            otherwise: LEAST,
            ..with_rules(vec![OwnershipRule {
                owners: vec![owner(&ann), owner(&ben)],
                ..rule("src/**", owner(&ann))
            }])
        })
        .await;
    let mut whose = Vec::new();
    for _ in 0..2 {
        let issue = scene.crash_in("src/a.py").await;
        scene.assign().await;
        whose.push((scene.whose(issue).await.unwrap(), scene.why(issue).await.remove(0)));
    }
    let expected = [("ben", "owner by rule 1: path src/**"), ("cat", "least to do in the team")];
    assert_eq!(whose, expected.map(|(who, why)| (who.to_owned(), why.to_owned())));
    scene.world.advance(3600);
    let issue = scene.crash_in("src/a.py").await;
    scene.assign().await;
    assert_eq!(scene.whose(issue).await.unwrap(), "ann", "who is back");
}

#[tokio::test]
async fn an_imported_file_and_a_team() {
    let scene = Scene::new().await;
    let team = Owner::Team { team: scene.team };
    let rules = codeowners::resolve(codeowners::parse("# all\n/src/ @octo/shop"), |_| Some(team));
    let file = Codeowners { rules, ..Codeowners::default() };
    let mut conn = scene.world.store.conn().await.unwrap();
    let now = scene.world.clock.now();
    ownership::import(&mut conn, scene.world.project, Some(&file), "tests", now).await.unwrap();
    let issue = scene.crash_in("src/a.py").await;
    scene.assign().await;
    assert_eq!(scene.whose(issue).await.unwrap(), "#shop");
    assert_eq!(scene.why(issue).await, ["owner by line 2 of CODEOWNERS: /src/"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_left_to_nobody_and_holds_up_nothing() {
    let scene = Scene::new().await;
    let ann = scene.person("ann").await;
    scene.owned_by(&Ownership { otherwise: LEAST, ..with_rules(vec![rule("**", owner(&ann))]) }).await;
    let damaged = scene.crash_in("a.py").await;
    scene.world.sql.execute("UPDATE events SET payload = '\\x01ff'", &[]).await.unwrap();
    assert_eq!(scene.assign().await, 1, "without its event");
    assert_eq!(scene.why(damaged).await, ["least to do in the team"]);

    let first = scene.crash_in("a.py").await;
    let unreadable = "UPDATE project_ownership SET content = content || '{\"otherwise\": {\"x\": 1}}'";
    scene.world.sql.execute(unreadable, &[]).await.unwrap();
    assert_eq!(scene.assign().await, 0);
    assert_eq!(scene.whose(first).await, None);
    scene.owned_by(&with_rules(vec![rule("**", owner(&ann))])).await;
    scene.crash_in("a.py").await;
    assert_eq!(scene.assign().await, 1, "the next one is decided");
}
