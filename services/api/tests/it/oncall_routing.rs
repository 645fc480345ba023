//! Routing rules by the API: what they can say of tags.

use crate::oncall::{Crew, crew};
use serde_json::{Value, json};

const RULES: &str = "/api/v1/routing-rules";

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_keeps_its_tags_until_they_are_changed() {
    let crew = crew().await;
    let Crew { app, boss, viewer, .. } = &crew;
    let policy = crew.policy().await;
    let without = boss.post(app, RULES, &json!({ "policy": policy["id"] })).await.ok(201);
    assert_eq!(without["tags"], json!([]), "whatever the tags are");
    boss.delete(app, &format!("{RULES}/{}", without["id"])).await.ok(204);

    let tags = json!([{ "key": "area", "value": "pay*" }, { "key": "customer.tier", "value": "gold" }]);
    let made = boss.post(app, RULES, &json!({ "policy": policy["id"], "tags": tags })).await.ok(201);
    assert_eq!(made["tags"], tags);
    assert_eq!(viewer.get(app, RULES).await.ok(200)["items"], json!([made]));
    let path = format!("{RULES}/{}", made["id"]);
    let others = json!([{ "key": "area", "value": "search" }]);
    let changed = boss.put(app, &path, &json!({ "policy": policy["id"], "tags": others })).await.ok(200);
    assert_eq!(changed["tags"], others);
    let log = app.get("/api/v1/audit?action=routing_rule.updated").await.ok(200);
    let entry = &log["items"][0];
    assert_eq!((&entry["before"]["tags"], &entry["after"]["tags"]), (&tags, &others));
    crew.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_have_limits_that_are_told_with_their_place() {
    let crew = crew().await;
    let Crew { app, boss, .. } = &crew;
    let policy = crew.policy().await;
    let refused = async |tags: Value| {
        boss.post(app, RULES, &json!({ "policy": policy["id"], "tags": tags })).await.mistakes()
    };
    let good = json!({ "key": "k".repeat(200), "value": "ä".repeat(200) });
    assert_eq!(refused(json!(vec![good.clone(); 11])).await, ["tags: at most 10"]);
    let too_long = json!({ "key": "k".repeat(201), "value": "v".repeat(201) });
    let bad = json!([{ "key": "", "value": "x" }, good, { "key": "x", "value": "" }, too_long, { "key": "a\nb", "value": "x" }]);
    let message = "1 to 200 visible characters";
    assert_eq!(
        refused(bad).await,
        ["tags[0].key", "tags[2].value", "tags[3].key", "tags[3].value", "tags[4].key"]
            .map(|field| format!("{field}: {message}"))
    );
    let made =
        boss.post(app, RULES, &json!({ "policy": policy["id"], "tags": vec![good; 10] })).await.ok(201);
    assert_eq!(made["tags"].as_array().map(Vec::len), Some(10));
    let path = format!("{RULES}/{}", made["id"]);
    let body = json!({ "policy": policy["id"], "tags": [{ "key": "x", "value": "" }] });
    assert_eq!(boss.put(app, &path, &body).await.mistakes(), [format!("tags[0].value: {message}")]);
    crew.app.stop().await;
}
