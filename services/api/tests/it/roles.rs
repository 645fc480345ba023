//! Every endpoint × every role, against the table of access.

use crate::events::sample;
use crate::harness::App;
use crate::people::{person, session, team};
use bugle_api::access::{Declared, Need};
use bugle_model::{InstallationRole, IssueId, ProjectId, TeamId, TeamRole, TokenScope, UserId};
use bugle_store::tokens::{self, NewToken};
use bugle_web::auth;
use reqwest::Method;
use serde_json::{Value, json};

/// The project, issue, release, key, destination, invitation and token that paths name; all of the blue team.
const OBJECT: i32 = 1001;

#[derive(Clone)]
enum Proof {
    Nothing,
    Person(UserId),
    Token(String),
}

/// Somebody, and what the test knows of them; not what the code makes of it.
#[derive(Clone)]
struct Who {
    name: &'static str,
    proof: Proof,
    admin: bool,
    /// In the blue team.
    blue: Option<TeamRole>,
    /// The most in any team.
    most: Option<TeamRole>,
}

/// What the table promises: a status, or that it is let through.
fn expected(who: &Who, declared: &Declared) -> Option<u16> {
    // Every name of the organisation is taken.
    let names_something = declared.path.replace("{org}", "").contains('{');
    let is_person = matches!(who.proof, Proof::Person(_));
    match (declared.need, &who.proof) {
        (Need::Nothing, _) => None,
        (_, Proof::Nothing) => Some(401),
        (Need::Person, _) => (!is_person).then_some(403),
        (_, _) if who.admin => None,
        (Need::Admin, _) => Some(403),
        (Need::PersonWithRole(_), Proof::Token(_)) => Some(403),
        (Need::Role(role) | Need::PersonWithRole(role), _) => match (who.most, who.blue) {
            (most, _) if role > TeamRole::Viewer && most < Some(role) => Some(403),
            (_, None) if names_something => Some(404),
            (_, blue) if names_something && blue < Some(role) => Some(403),
            _ => None,
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_is_for_those_of_the_table() {
    let app = App::start().await;
    let (blue, red) = (team(&app, "blue").await, team(&app, "red").await);
    let (extra, _) = person(&app, "extra", InstallationRole::Member, &[(blue, TeamRole::Viewer)]).await;
    let everybody = everybody(&app, blue, red).await;
    let mut wrong = Vec::new();
    for declared in bugle_api::declared() {
        objects(&app, blue, extra).await;
        for who in &everybody {
            if declared.method == "DELETE" {
                objects(&app, blue, extra).await;
            }
            let status = ask(&app, who, &declared, extra).await;
            let promised = expected(who, &declared);
            let through = ![401, 403].contains(&status)
                && (status != 404
                    || !matches!(declared.need, Need::Role(_) | Need::PersonWithRole(_) | Need::Admin));
            let kept = promised.map_or(through, |promised| promised == status);
            if !kept || status >= 500 {
                wrong.push(format!(
                    "{} {} as {}: {status}, promised {promised:?}",
                    declared.method, declared.path, who.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    app.stop().await;
}

async fn ask(app: &App, who: &Who, declared: &Declared, extra: UserId) -> u16 {
    let path = declared
        .path
        .replace("{user_id}", &extra.to_string())
        .replace("{event_id}", &sample().event_id.to_string())
        .replace("/users/{id}", &format!("/users/{extra}"))
        .replace("/teams/{id}", "/teams/1")
        .replace("/releases/{id}", "/releases/1001:1001")
        .replace("{token}", "nothing");
    let path =
        path.split('/').map(|part| if part.starts_with('{') { "1001" } else { part }).collect::<Vec<_>>();
    if declared.path.ends_with("{comment_id}") {
        app.database.execute(&own_comment(who)).await.unwrap();
    }
    let query = match declared.path {
        "/api/v1/outcomes" => "?project=1001",
        "/api/v1/events" => "?trace=4f1d6c2a9b3e4d5f8a7b6c5d4e3f2a1b",
        "/api/v1/tags/values" => "?key=release",
        _ => "",
    };
    let method = Method::from_bytes(declared.method.as_str().as_bytes()).unwrap();
    let request = app.client.request(method, app.url(&format!("{}{query}", path.join("/"))));
    let request = match &who.proof {
        Proof::Nothing => request,
        Proof::Token(token) => request.bearer_auth(token),
        Proof::Person(id) => {
            // The one before may have ended it.
            let browser = session(app, *id, who.name).await;
            request.header("cookie", &browser.cookie).header("x-csrf-token", &browser.csrf)
        }
    };
    app.send(request.json(&body(declared, who.name))).await.status
}

/// Makes the comment theirs: nobody may touch somebody else's, whatever the table says.
fn own_comment(who: &Who) -> String {
    let (kind, id) = match &who.proof {
        Proof::Nothing => return String::new(),
        Proof::Person(id) => ("user", id.to_string()),
        Proof::Token(name) => ("token", format!("(SELECT id FROM api_tokens WHERE name = '{name}')")),
    };
    format!("UPDATE issue_activity SET actor_kind = '{kind}', actor_id = {id} WHERE id = {OBJECT}")
}

/// A body that is read without complaint, so that the answer is about access.
fn body(declared: &Declared, who: &str) -> Value {
    let unique = format!("{who} {}", uuid::Uuid::new_v4().simple());
    match (declared.method.as_str(), declared.path) {
        ("POST", "/api/v1/projects") | ("POST", "/api/v1/teams") => json!({ "name": unique }),
        ("POST", "/api/v1/tokens") => json!({ "name": unique, "scopes": ["read"] }),
        ("POST", "/api/v1/invitations") => {
            json!({ "email": format!("{}@example.com", unique.replace(' ', "")) })
        }
        ("PATCH", "/api/v1/teams/{id}") => json!({ "name": "blue" }),
        ("POST", "/api/v1/projects/{project}/grouping/try") => json!({ "rules": "", "payload": {} }),
        ("PUT", "/api/v1/teams/{id}/members/{user_id}") => json!({ "role": "viewer" }),
        ("POST", "/api/v1/projects/{project}/ownership/codeowners") => json!({ "text": "* @ann" }),
        ("POST", "/api/v1/projects/{project}/ownership/try") => json!({ "path": "src/cart.py" }),
        ("PUT", path) if path.ends_with("/availability") => json!({ "available": true }),
        ("POST", "/api/v1/projects/{project}/destinations") => {
            json!({ "channel": "webhook", "target": "https://example.com/hook" })
        }
        ("PATCH", "/api/v1/projects/{project}/destinations/{id}") => json!({ "min_priority": "high" }),
        ("POST", "/api/v1/projects/{project}/keys") => json!({ "label": "another" }),
        ("POST", path) if path.starts_with("/api/v1/admin/") => {
            json!({ "queue": "bugle.intake", "all": true })
        }
        ("POST", "/api/v1/issues/{id}/comments") => json!({ "text": "seen" }),
        ("POST", "/api/v1/releases") => json!({ "project": "object", "version": "1001" }),
        ("PUT", "/api/v1/releases/{id}/commits") => json!({ "commits": [] }),
        ("POST", path) if path.ends_with("/deploys") => json!({ "environment": "production" }),
        ("POST", "/api/0/organizations/{org}/releases") => {
            json!({ "version": "1001", "projects": ["object"] })
        }
        ("PATCH", "/api/v1/issues/{id}/comments/{comment_id}") => json!({ "text": "seen again" }),
        ("POST", "/api/v1/issues/bulk") => json!({ "ids": [], "status": "resolved" }),
        ("POST", "/api/v1/issues/{id}/merge") => json!({ "issues": [4711] }),
        ("POST", "/api/v1/issues/{id}/unmerge") => json!({ "fingerprints": ["0".repeat(32)] }),
        ("POST", "/api/error-logging/errors/{id}/assign") => json!({ "assigned_to": "ann" }),
        ("POST", "/api/v1/account/contact-methods") => {
            json!({ "name": "hook", "channel": "webhook", "target": "https://example.com/hook" })
        }
        ("POST", path) if path.ends_with("/verify") => json!({ "code": "123456" }),
        ("POST", "/api/v1/account/notification-rules") => json!({ "contact_method": OBJECT }),
        ("PUT", "/api/v1/account/quiet-hours") => json!({ "hours": [] }),
        ("PUT", "/api/v1/account/handoff-notices") => json!({ "before_hours": [0], "going_off": true }),
        ("POST", "/api/v1/schedules") => {
            json!({ "name": unique, "zone": "UTC", "layers": [] })
        }
        ("PUT", "/api/v1/schedules/{id}") => json!({ "name": "object", "zone": "UTC", "layers": [] }),
        ("POST", "/api/v1/schedules/{id}/overrides") => json!({
            "from": "2027-02-01T00:00:00Z", "to": "2027-02-02T00:00:00Z", "kind": "add", "who": 1,
        }),
        ("POST", "/api/v1/schedules/{id}/import") => {
            json!({ "calendar": "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nEND:VCALENDAR\n" })
        }
        ("PUT", "/api/v1/schedules/{id}/subscription") => {
            json!({ "url": "https://calendar.example/1.ics" })
        }
        ("POST", "/api/v1/schedules/{id}/swaps") => {
            json!({ "start": "2027-02-01T00:00:00Z", "end": "2027-02-02T00:00:00Z" })
        }
        ("PUT", "/api/v1/teams/{id}/response-times") => json!({ "critical": 5 }),
        ("POST", "/api/v1/escalation-policies") => {
            json!({ "name": unique, "content": { "steps": [] } })
        }
        ("PUT", "/api/v1/escalation-policies/{id}") => {
            json!({ "name": "object", "content": { "steps": [] } })
        }
        ("POST", "/api/v1/routing-rules") => json!({ "policy": OBJECT }),
        ("PUT", "/api/v1/routing-rules/{id}") => json!({ "policy": OBJECT }),
        ("POST", "/api/v1/alert-sources") => json!({ "name": unique, "kind": "generic", "policy": OBJECT }),
        ("POST", "/api/v1/alerts/{key}") => json!({ "title": "Bad" }),
        ("POST", "/api/v1/silences") => {
            json!({ "matchers": { "title": "*" }, "ends_at": "2027-02-01T00:00:00Z", "comment": "maintenance" })
        }
        ("POST", "/api/v1/inhibition-rules") => {
            json!({ "name": unique, "source": { "title": "a" }, "target": { "title": "b" } })
        }
        ("POST", "/api/v1/incidents") => json!({ "title": "Bad", "priority": "low", "policy": OBJECT }),
        ("POST", "/api/v1/incidents/{id}/snooze") => json!({ "minutes": 5 }),
        ("POST", "/api/v1/incidents/{id}/reassign") => json!({ "user": 1 }),
        ("POST", "/api/v1/incidents/{id}/responders") => json!({ "user": 1 }),
        ("POST", "/api/v1/incidents/{id}/merge") => json!({ "into": 1 }),
        ("POST", "/api/v1/incidents/{id}/notes") => json!({ "text": "seen" }),
        ("PUT", "/api/v1/account/totp") => json!({ "code": "123456" }),
        ("DELETE", "/api/v1/account/totp") => json!({ "password": "wrong" }),
        _ => json!({}),
    }
}

/// What paths name; made anew when the request before has removed it.
async fn objects(app: &App, blue: TeamId, extra: UserId) {
    app.database
        .execute(&format!(
            "INSERT INTO projects (id, name, prefix, team_id, created_at)
                 VALUES ({OBJECT}, 'object', 'OBJECT', {blue}, '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO issues (id, project_id, number, title, platform, level, priority, first_seen, active_at)
                 VALUES ({OBJECT}, {OBJECT}, 1, 'Bad', 'python', 40, 3, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z')
                 ON CONFLICT DO NOTHING;
             INSERT INTO releases (id, project_id, version, created_at)
                 VALUES ({OBJECT}, {OBJECT}, '{OBJECT}', '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO project_keys (id, project_id, public_key, created_at)
                 VALUES ({OBJECT}, {OBJECT}, '00000000000000000000000000001001', '2027-01-01T00:00:00Z')
                 ON CONFLICT DO NOTHING;
             INSERT INTO destinations (id, project_id, channel, target, min_priority, created_at)
                 VALUES ({OBJECT}, {OBJECT}, 1, 'a@example.com', 1, '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO schedules (id, team_id, name, zone, created_at, updated_at)
                 VALUES ({OBJECT}, {blue}, 'object', 'UTC', '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO schedule_overrides (id, schedule_id, starts_at, ends_at, kind, created_by, created_at)
                 VALUES ({OBJECT}, {OBJECT}, '2027-03-01T00:00:00Z', '2027-03-02T00:00:00Z', '{{\"kind\": \"add\", \"who\": 1}}', 'Ann',
                         '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO schedule_subscriptions (schedule_id, url, host, created_by, created_at, next_at)
                 VALUES ({OBJECT}, 'https://calendar.example/1.ics', 'https://calendar.example/…', 'Ann',
                         '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO shift_swaps (id, schedule_id, asked_by, starts_at, ends_at, note, created_at)
                 VALUES ({OBJECT}, {OBJECT}, {extra}, '2027-03-01T00:00:00Z', '2027-03-02T00:00:00Z', '', '2027-01-01T00:00:00Z')
                 ON CONFLICT DO NOTHING;
             INSERT INTO escalation_policies (id, team_id, name, created_at)
                 VALUES ({OBJECT}, {blue}, 'object', '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO escalation_policy_versions (id, policy_id, version, content, created_by, created_at)
                 VALUES ({OBJECT}, {OBJECT}, 1, '{{\"steps\": []}}', 'Ann', '2027-01-01T00:00:00Z')
                 ON CONFLICT (id) DO UPDATE SET policy_id = {OBJECT};
             INSERT INTO routing_rules (id, team_id, place, min_priority, policy_id, created_at)
                 VALUES ({OBJECT}, {blue}, 0, 1, {OBJECT}, '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO alert_sources (id, team_id, name, kind, policy_id, default_priority, key_hash, created_by, created_at)
                 VALUES ({OBJECT}, {blue}, 'object', 3, {OBJECT}, 1, sha256('z'), 'Ann', '2027-01-01T00:00:00Z')
                 ON CONFLICT DO NOTHING;
             INSERT INTO silences (id, team_id, matchers, starts_at, ends_at, comment, created_by, created_at)
                 VALUES ({OBJECT}, {blue}, '{{\"title\": \"*\"}}', '2027-01-01T00:00:00Z', '2027-02-01T00:00:00Z', 'object', 'Ann',
                         '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO inhibition_rules (id, team_id, name, source, target, equal, created_by, created_at)
                 VALUES ({OBJECT}, {blue}, 'object', '{{\"title\": \"a\"}}', '{{\"title\": \"b\"}}', '{{}}', 'Ann',
                         '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO incidents (id, project_id, issue_id, title, policy_version_id, priority, received_at, triggered_at)
                 VALUES ({OBJECT}, {OBJECT}, {OBJECT}, 'Bad', {OBJECT}, 3, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z')
                 ON CONFLICT DO NOTHING;
             INSERT INTO invitations (id, token_hash, email, role, team_id, team_role, invited_by, created_at, expires_at)
                 VALUES ({OBJECT}, sha256('x'), 'new@example.com', 'member', {blue}, 'viewer', 'Ann',
                         '2027-01-01T00:00:00Z', '2099-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO api_tokens (id, name, token_hash, team_id, scopes, created_at)
                 VALUES ({OBJECT}, 'object', sha256('y'), {blue}, '{{read}}', '2027-01-01T00:00:00Z')
                 ON CONFLICT DO NOTHING;
             INSERT INTO discards (id, project_id, title, created_by, created_at)
                 VALUES ({OBJECT}, {OBJECT}, 'Bad', 'Ann', '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO issue_activity (id, issue_id, kind, data, at)
                 VALUES ({OBJECT}, {OBJECT}, 'comment', '{{}}', '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             INSERT INTO memberships (user_id, team_id, role, created_at)
                 VALUES ({extra}, {blue}, 'viewer', '2027-01-01T00:00:00Z') ON CONFLICT DO NOTHING;
             DELETE FROM login_attempts; DELETE FROM destinations WHERE id <> {OBJECT};
             DELETE FROM project_keys WHERE id <> {OBJECT}"
        ))
        .await
        .unwrap();
    if app.database.number("SELECT count(*) FROM events").await.unwrap() == 0 {
        let object = (ProjectId(OBJECT), IssueId(OBJECT.into()));
        app.event(object.0, object.1, &sample(), 1).await;
        // That of the event before is gone with it.
        app.database.execute("DELETE FROM attachments").await.unwrap();
        app.attachment(object.0, &sample(), OBJECT.into(), "a.txt", b"abc").await;
    }
}

async fn everybody(app: &App, blue: TeamId, red: TeamId) -> Vec<Who> {
    use InstallationRole::{Admin, Member, Owner};
    use TeamRole::{Manager, Member as InTeam, Viewer};
    let mut all =
        vec![Who { name: "anonymous", proof: Proof::Nothing, admin: false, blue: None, most: None }];
    for (name, role, teams, in_blue, most) in [
        ("nobody's", Member, vec![], None, None),
        ("viewer", Member, vec![(blue, Viewer)], Some(Viewer), Some(Viewer)),
        ("member", Member, vec![(blue, InTeam)], Some(InTeam), Some(InTeam)),
        ("manager", Member, vec![(blue, Manager)], Some(Manager), Some(Manager)),
        ("outsider", Member, vec![(red, Manager)], None, Some(Manager)),
        (
            "viewer here, manager there",
            Member,
            vec![(blue, Viewer), (red, Manager)],
            Some(Viewer),
            Some(Manager),
        ),
        ("admin", Admin, vec![], None, None),
        ("owner", Owner, vec![], None, None),
    ] {
        let (id, _) = person(app, name, role, &teams).await;
        let admin = role != Member;
        all.push(Who { name, proof: Proof::Person(id), admin, blue: in_blue, most });
    }
    for (name, scope, team, role) in [
        ("token read", TokenScope::Read, None, Viewer),
        ("token triage", TokenScope::Triage, None, InTeam),
        ("token write", TokenScope::Write, None, Manager),
        ("token admin", TokenScope::Admin, None, Manager),
        ("blue token read", TokenScope::Read, Some(blue), Viewer),
        ("blue token triage", TokenScope::Triage, Some(blue), InTeam),
        ("blue token write", TokenScope::Write, Some(blue), Manager),
        ("red token write", TokenScope::Write, Some(red), Manager),
    ] {
        let new = NewToken { name, scopes: &[scope], team, created_by: None, expires_at: None };
        let mut connection = app.connection().await;
        tokens::create_scoped(&mut connection, &new, &auth::hash(name), app.now()).await.unwrap();
        let blue = (team != Some(red)).then_some(role);
        let admin = scope == TokenScope::Admin;
        all.push(Who { name, proof: Proof::Token(name.to_owned()), admin, blue, most: Some(role) });
    }
    all
}

/// A change of the table is to be seen in a review.
#[test]
fn the_table() {
    let rows: Vec<String> = bugle_api::declared()
        .iter()
        .map(|one| format!("{:6} {:55} {:?}", one.method.as_str(), one.path, one.need))
        .collect();
    insta::assert_snapshot!("table", rows.join("\n"));
}

/// Nothing is mounted but through the table.
#[test]
fn there_is_no_other_way_to_mount() {
    fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    for path in found.iter().filter(|path| !path.ends_with("access/route.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        for way in ["web::resource", "web::scope", ".service(", ".route(", "#[get(", "#[post("] {
            assert!(!text.contains(way), "{} mounts by {way}", path.display());
        }
    }
}
