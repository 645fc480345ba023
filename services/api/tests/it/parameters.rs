//! Parameters that nobody knows.

use crate::harness::App;
use crate::people::{person, team};
use bugle_model::{InstallationRole, TeamRole};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_with_an_unknown_parameter_is_refused() {
    let app = App::start().await;
    let blue = team(&app, "blue").await;
    person(&app, "ann", InstallationRole::Member, &[(blue, TeamRole::Manager)]).await;
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    let resolved = json!({ "status": "resolved" });
    let mistakes = app.patch(&format!("/api/v1/issues/{issue}?stauts=x"), &resolved).await.mistakes();
    assert_eq!(mistakes, ["stauts: no such parameter"]);
    assert_eq!(app.post("/api/v1/projects?dry=1", &json!({ "name": "a" })).await.status, 422);
    // The older contract's clients send more.
    app.patch(&format!("/api/error-logging/errors/{issue}/?format=json"), &resolved).await.ok(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_no_parameters_refuses_any() {
    let app = App::start().await;
    let (_, ann) = person(&app, "ann", InstallationRole::Owner, &[]).await;
    let issue = app.issue(app.project("shop").await, 1, "Bad", 0).await;
    let lists = "session sessions tokens invitations teams schedules escalation-policies silences storage \
                 account/contact-methods projects/shop projects/shop/keys projects/shop/destinations";
    for list in lists.split_whitespace() {
        let mistakes = ann.get(&app, &format!("/api/v1/{list}?limt=1")).await.mistakes();
        assert_eq!(mistakes, ["limt: no such parameter"], "{list}");
        ann.get(&app, &format!("/api/v1/{list}")).await.ok(200);
    }
    // The lists among them come whole.
    assert_eq!(ann.get(&app, "/api/v1/teams?limit=100").await.ok(200)["next"], Value::Null);
    let mistakes = ann.get(&app, "/api/v1/teams?limit=x").await.mistakes();
    assert_eq!(mistakes, ["limit: `x` is not a number from 1 to 100"]);
    let mistakes = ann.get(&app, "/api/v1/projects/shop?limit=1").await.mistakes();
    assert_eq!(mistakes, ["limit: no such parameter"]);
    // The older contract's clients send more.
    for path in [format!("errors/{issue}"), "errors/stats".to_owned(), "developers/workload".to_owned()] {
        ann.get(&app, &format!("/api/error-logging/{path}/?format=json")).await.ok(200);
    }
    app.stop().await;
}
