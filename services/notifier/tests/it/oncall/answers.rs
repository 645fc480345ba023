//! Pages by mail bring links that answer them: for one person, one incident and one action each.

use super::scene::{Scene, Somebody, at, person, policy, step};
use bugle_model::{Channel, IncidentAnswer, Priority};
use bugle_store::oncall::{AnswerLink, get_answer_link};
use bugle_testkit::http::Answer;
use bugle_testkit::smtp::Step;
use sha2::{Digest, Sha256};

/// The links of a mail's text, in its order, with what the mail calls them.
fn links(mail: &str) -> Vec<(String, String)> {
    // Quoted-printable breaks long lines (RFC 2045, 6.7).
    let text = mail.replace("=\r\n", "").replace("=\n", "");
    let found = text.lines().filter_map(|line| {
        let (name, link) = line.trim().split_once(':')?;
        let (_, token) = link.split_once("/api/v1/answers/")?;
        // The other half of the mail is HTML.
        let is_text = name.chars().all(char::is_alphabetic);
        is_text.then(|| (name.to_owned(), token.trim().to_owned()))
    });
    found.collect()
}

async fn kept(scene: &Scene, token: &str) -> Option<AnswerLink> {
    let mut conn = scene.world.store.conn().await.unwrap();
    get_answer_link(&mut conn, &Sha256::digest(token.as_bytes()).into()).await.unwrap()
}

/// Everything that is due now goes out; the text of the only mail.
async fn mail(scene: &mut Scene) -> String {
    scene.escalate().await;
    scene.send().await;
    let mut mails = scene.mail.take();
    assert_eq!(mails.len(), 1);
    mails.remove(0).data
}

async fn ann(scene: &mut Scene) -> Somebody {
    let ann = scene.person_with("ann", &[(Channel::Email, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    ann
}

#[tokio::test]
async fn a_mail_has_a_link_for_each_answer() {
    let mut scene = Scene::new().await;
    let ann = ann(&mut scene).await;
    scene.error("Bad", Priority::High).await;
    let links = links(&mail(&mut scene).await);
    let names: Vec<_> = links.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Acknowledge", "Escalate", "Resolve"]);
    let incident = scene.incident().await.id;
    for ((_, token), answer) in links.iter().zip(IncidentAnswer::ALL) {
        let link = kept(&scene, token).await.unwrap();
        let expected =
            AnswerLink { incident, user: ann.id, answer: *answer, expires_at: at(72 * 60), used_at: None };
        assert_eq!(link, expected);
    }
    let kept = "SELECT token_hash FROM answer_links";
    assert_eq!(scene.world.sql.query(kept, &[]).await.unwrap().len(), 3, "and no others");
}

#[tokio::test]
async fn a_mail_that_is_sent_again_has_links_that_work_and_so_has_the_first() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    // The server has it, and says that it has not.
    scene.mail.reply(Step::Dot, "451 4.3.0 try again");
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    drop(scene.mail.take());
    scene.outage(1);
    let again = links(&mail(&mut scene).await);
    assert!(kept(&scene, &again[0].1).await.is_some());
    let all = scene.world.sql.query("SELECT FROM answer_links WHERE used_at IS NULL", &[]).await.unwrap();
    assert_eq!(all.len(), 6);
}

#[tokio::test]
async fn one_mail_about_several_incidents_has_links_for_each() {
    let mut scene = Scene::new().await;
    ann(&mut scene).await;
    scene.mail.reply(Step::Rcpt, "450 4.2.1 busy");
    for title in ["One", "Two"] {
        scene.error(title, Priority::High).await;
    }
    scene.escalate().await;
    scene.send().await;
    scene.outage(10);
    scene.send().await;
    let mut answered = std::collections::BTreeMap::new();
    for mail in scene.mail.take() {
        for (name, token) in links(&mail.data) {
            let link = kept(&scene, &token).await.unwrap();
            assert_eq!(name.to_lowercase(), link.answer.as_str());
            *answered.entry(link.incident).or_insert(0) += 1;
        }
    }
    let all = scene.incidents().await;
    assert_eq!(answered.into_iter().collect::<Vec<_>>(), [(all[0].id, 3), (all[1].id, 3)]);
}

#[tokio::test]
async fn other_channels_and_other_mails_have_no_links() {
    let mut scene = Scene::new().await;
    let ann = scene.person_with("ann", &[(Channel::Webhook, 0)]).await;
    scene.escalates_by(&policy(vec![step(&[person(&ann)], 30)])).await;
    scene.hooks.route("POST", "/webhook/ann", Answer::status(200));
    scene.error("Bad", Priority::High).await;
    scene.escalate().await;
    scene.send().await;
    assert!(!scene.hooks.next().await.json().to_string().contains("answers"));
    assert!(scene.world.sql.query("SELECT FROM answer_links", &[]).await.unwrap().is_empty());
}
