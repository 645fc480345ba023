//! Second factors and recovery codes.

use crate::harness::App;
use crate::people::{Browser, PASSWORD, account, sign_in, sign_in_with};
use bugle_api::accounts::totp;
use bugle_model::InstallationRole;
use chrono::TimeDelta;
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::json;
use sha1::Sha1;

/// The code of a moment, computed apart from the code under test.
async fn code(app: &App) -> String {
    let secret =
        app.database.rows("SELECT encode(secret, 'hex') FROM second_factors").await.unwrap().remove(0);
    let secret: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(secret.get(2 * at..2 * at + 2).unwrap(), 16).unwrap()).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(&secret).unwrap();
    mac.update(&(app.now().timestamp() / 30).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 0xf);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_needed_once_confirmed_and_no_code_counts_twice() {
    let app = App::start().await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let ann = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    let path = "/api/v1/account/totp";
    let proposed = ann.send(&app, Method::POST, path, None).await.ok(200);
    assert_eq!(proposed["secret"].as_str().unwrap().len(), 32);
    assert!(proposed["uri"].as_str().unwrap().starts_with("otpauth://totp/Bugle"), "{proposed}");
    // Not needed before it is confirmed.
    assert_eq!(sign_in(&app, "ann@example.com", PASSWORD).await.status, 200);
    assert_eq!(ann.put(&app, path, &json!({ "code": "000000" })).await.mistakes().len(), 1);
    let first = code(&app).await;
    let confirmed = ann.put(&app, path, &json!({ "code": first })).await.ok(200);
    let recovery: Vec<_> = confirmed["recovery_codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(recovery.len(), 10);
    assert_eq!(ann.send(&app, Method::POST, path, None).await.status, 409);
    assert_eq!(ann.get(&app, "/api/v1/session").await.ok(200)["user"]["totp"], true);

    let with = async |code: &str| {
        sign_in_with(&app, &json!({ "email": "ann@example.com", "password": PASSWORD, "code": code })).await
    };
    assert_eq!(sign_in(&app, "ann@example.com", PASSWORD).await.ok(401)["code"], "second_factor_needed");
    // A wrong password is told before it is told that there is a second factor.
    assert_eq!(sign_in(&app, "ann@example.com", "wrong horse").await.ok(401)["code"], "invalid_credentials");
    assert_eq!(with(&first).await.ok(401)["code"], "invalid_credentials", "the code that confirmed it");
    app.clock.advance(TimeDelta::seconds(30));
    let second = code(&app).await;
    assert_eq!(with(&second).await.status, 200);
    assert_eq!(with(&second).await.status, 401);

    assert_eq!(with(&recovery[3].to_uppercase()).await.status, 200);
    assert_eq!(with(&recovery[3]).await.status, 401);
    let kept = app.database.rows("SELECT encode(code_hash, 'hex') FROM recovery_codes").await.unwrap();
    assert!(kept.len() == 9 && !kept.contains(&totp::plain_recovery_code(&recovery[0])));

    let gone = ann.send(&app, Method::DELETE, path, Some(&json!({ "password": "wrong horse" }))).await;
    assert_eq!(gone.mistakes(), ["password: is not your password"]);
    assert_eq!(
        ann.send(&app, Method::DELETE, path, Some(&json!({ "password": PASSWORD }))).await.status,
        204
    );
    assert_eq!(sign_in(&app, "ann@example.com", PASSWORD).await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_cannot_be_guessed() {
    let app = App::start().await;
    account(&app, "ann@example.com", InstallationRole::Owner).await;
    let ann = Browser::of(&sign_in(&app, "ann@example.com", PASSWORD).await);
    ann.send(&app, Method::POST, "/api/v1/account/totp", None).await.ok(200);
    let first = code(&app).await;
    ann.put(&app, "/api/v1/account/totp", &json!({ "code": first })).await.ok(200);
    let mut statuses = Vec::new();
    for guess in 0..11 {
        let body = json!({ "email": "ann@example.com", "password": PASSWORD, "code": format!("{guess:06}") });
        statuses.push(sign_in_with(&app, &body).await.status);
        // Asking without a code in between takes nothing back.
        sign_in(&app, "ann@example.com", PASSWORD).await;
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    app.stop().await;
}
