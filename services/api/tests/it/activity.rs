//! What an issue's activity says of changes that its status does not show, and that others are told of each.

use crate::workflow::Scene;
use serde_json::{Value, json};

impl Scene {
    async fn told(&self) -> i64 {
        self.app.database.number("SELECT count(*) FROM outbox").await.unwrap()
    }

    /// `data` of what happened last.
    async fn latest(&self) -> Value {
        self.activity().await[0]["data"].clone()
    }

    /// Waits for a commit that no release has.
    async fn wait_for(&self, commit: &str) {
        let body = json!({ "status": "resolved", "resolved_in": { "commit": commit } });
        let waiting = self.app.patch(&self.path(""), &body).await.ok(200);
        assert_eq!(waiting["resolved_in"], json!({ "commit": commit }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_an_issue_is_shared_is_told_without_the_secret() {
    let scene = Scene::new().await;
    let (app, ann, share) = (&scene.app, &scene.ann.1, scene.path("/share"));
    ann.post(app, &share, &json!({})).await.ok(201);
    assert_eq!(scene.told().await, 1);
    ann.delete(app, &share).await.ok(204);
    assert_eq!(scene.told().await, 2);
    // There is none any more.
    ann.delete(app, &share).await.ok(204);
    assert_eq!(scene.told().await, 2);
    let activity = scene.activity().await;
    let shown: Vec<_> = activity.iter().map(|one| (&one["actor"], &one["kind"], &one["data"])).collect();
    let (who, nothing) = (json!("Ann"), json!({}));
    assert_eq!(shown, [(&who, &json!("unshared"), &nothing), (&who, &json!("shared"), &nothing)]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_an_issue_is_ignored_for_ever_now_is_told() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let body = json!({ "status": "ignored", "ignore_until": { "events": 10 } });
    app.patch(&scene.path(""), &body).await.ok(200);
    // The second time changes nothing.
    for _ in 0..2 {
        app.patch(&scene.path(""), &json!({ "status": "ignored" })).await.ok(200);
        assert_eq!(scene.latest().await, json!({ "from": "ignored", "to": "ignored", "until": null }));
        assert_eq!((scene.activity().await.len(), scene.told().await), (2, 2));
    }
    // Nor is there anything to say of it later.
    app.patch(&scene.path(""), &body).await.ok(200);
    app.patch(&scene.path(""), &json!({ "status": "unresolved" })).await.ok(200);
    assert_eq!(scene.latest().await, json!({ "from": "ignored", "to": "unresolved" }));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_an_issue_waits_for_a_commit_no_longer_is_told() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let waited_for = json!({ "commit": "abcdef0" });
    for (change, mut data) in [
        (json!({ "status": "unresolved" }), json!({ "from": "unresolved", "to": "unresolved" })),
        (json!({ "status": "resolved" }), json!({ "from": "unresolved", "to": "resolved" })),
        (
            json!({ "status": "resolved", "resolved_in": "next" }),
            json!({ "from": "unresolved", "to": "resolved", "in": "next" }),
        ),
        (
            json!({ "status": "resolved", "resolved_in": { "commit": "0123456" } }),
            json!({ "from": "unresolved", "to": "unresolved", "in": { "commit": "0123456" } }),
        ),
        (
            json!({ "status": "ignored", "ignore_until": { "users": 3 } }),
            json!({ "from": "unresolved", "to": "ignored", "until": { "users": 3 } }),
        ),
    ] {
        scene.wait_for("abcdef0").await;
        let (entries, told) = (scene.activity().await.len(), scene.told().await);
        data["waited_for"] = waited_for.clone();
        // The second time it waits no more.
        for _ in 0..2 {
            app.patch(&scene.path(""), &change).await.ok(200);
            assert_eq!(scene.latest().await, data, "{change}");
        }
        let is_told = (scene.activity().await.len() - entries, scene.told().await - told);
        assert_eq!(is_told, (1, 1), "{change}");
    }

    // Ignored it waits as well, until it is ignored for ever.
    scene.wait_for("abcdef0").await;
    app.patch(&scene.path(""), &json!({ "status": "ignored" })).await.ok(200);
    let data = json!({ "from": "ignored", "to": "ignored", "until": null, "waited_for": waited_for });
    assert_eq!(scene.latest().await, data);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_another_commit_has_fixed_it_is_told() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let release = async |version: &str, commit: &str| {
        let commits = json!([{ "id": commit, "message": "Fixes SHOP-1" }]);
        let body = json!({ "project": "shop", "version": version, "commits": commits });
        app.post("/api/v1/releases", &body).await.ok(201);
    };
    scene.wait_for("abcdef0").await;
    release("shop@1.0.0", "0123456").await;
    assert_eq!(
        scene.latest().await,
        json!({
            "from": "unresolved", "to": "resolved", "in": { "commit": "0123456" }, "waited_for": { "commit": "abcdef0" },
        })
    );
    app.patch(&scene.path(""), &json!({ "status": "unresolved" })).await.ok(200);
    assert_eq!(scene.latest().await, json!({ "from": "resolved", "to": "unresolved" }));
    // The one that it waits for is none other.
    scene.wait_for("fedcba9").await;
    release("shop@1.1.0", "fedcba9876").await;
    let data = json!({ "from": "unresolved", "to": "resolved", "in": { "commit": "fedcba9" } });
    assert_eq!(scene.latest().await, data);
    scene.app.stop().await;
}
