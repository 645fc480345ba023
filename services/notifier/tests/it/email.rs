//! Email over a real socket.

use crate::world::World;
use bugle_model::{Channel, DestinationSettings, IssueSignal, NotificationState, Signal};
use bugle_testkit::smtp::{Mail, SmtpFake, Step};

async fn world_with(server: &SmtpFake, user: &str) -> World {
    let mut world = World::new().await;
    world.config.smtp_url = Some(server.url(user).parse::<url::Url>().unwrap().into());
    world.destination(Channel::Email, "dev@example.com", DestinationSettings::default()).await;
    world
}

/// Without what is made anew each time.
fn redacted(mail: &Mail, message_id: &str) -> String {
    let boundary = mail.data.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    mail.data.replace(boundary, "[boundary]").replace(message_id, "[message id]")
}

#[tokio::test]
async fn a_new_issue_arrives_as_text_and_html() {
    let server = SmtpFake::start().await;
    let world = world_with(&server, "").await;
    world.open("ValueError: <script>alert(1)</script> & \"quotes\"").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let mail = server.next().await;
    let sent = world.only().await;
    assert_eq!(
        (mail.from.as_str(), mail.recipients.as_slice()),
        ("bugle@example.com", &["dev@example.com".to_owned()][..])
    );
    let id = sent.message_id.to_string();
    assert_eq!(mail.header("Message-ID"), Some(format!("<{id}@bugle.example.com>")));
    insta::assert_snapshot!("email", redacted(&mail, &id));
    assert_eq!((sent.state, sent.attempts[0].status), (NotificationState::Sent, Some(250)));
    assert_eq!(sent.attempts[0].answer.as_deref(), Some("2.0.0 queued as 4711"));
    world.stays_quiet(&mut sender).await;
}

#[tokio::test]
async fn a_list_arrives_as_text_and_html() {
    let server = SmtpFake::start().await;
    let world = world_with(&server, "").await;
    world.open_many(12).await;
    world.sender().run_once().await.unwrap();
    let mail = server.next().await;
    let id = mail.header("Message-ID").unwrap().split('@').next().unwrap().trim_start_matches('<').to_owned();
    insta::assert_snapshot!("email_list", redacted(&mail, &id));
}

#[tokio::test]
async fn mails_about_one_issue_are_a_thread() {
    let server = SmtpFake::start().await;
    let world = world_with(&server, "").await;
    let issue = world.open("Bad").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    world.advance(5);
    let about = IssueSignal { generation: 1, ..world.about(issue) };
    world.signal(vec![Signal::IssueRegressed(about)]).await;
    sender.run_once().await.unwrap();
    let (first, second) = (server.next().await, server.next().await);
    assert_eq!(first.header("References"), Some(format!("<issue-{issue}@bugle.example.com>")));
    assert_eq!(first.header("References"), second.header("References"));
    assert_eq!(first.header("Subject"), second.header("Subject"));
    assert_ne!(first.header("Message-ID"), second.header("Message-ID"));
}

#[tokio::test]
async fn headers_cannot_be_smuggled_in() {
    let server = SmtpFake::start().await;
    let world = world_with(&server, "").await;
    world.open("Bad\r\nBcc: other@example.com\r\n\r\n.\r\nMAIL FROM:<x@y>").await;
    world.sender().run_once().await.unwrap();
    let mail = server.next().await;
    assert_eq!(mail.header("Bcc"), None);
    assert_eq!(mail.recipients, ["dev@example.com"]);
    assert!(mail.header("Subject").unwrap().contains("Bcc: other@example.com"));
}

#[tokio::test]
async fn somebody_elses_text_cannot_turn_the_direction_of_a_message() {
    let server = SmtpFake::start().await;
    let world = world_with(&server, "").await;
    world.open("Bad \u{202e}gpj.exe\u{2066} end\u{2028}of line").await;
    world.sender().run_once().await.unwrap();
    let mail = server.next().await;
    assert_eq!(mail.header("Subject").as_deref(), Some("[SHOP-1] Bad  gpj.exe  end of line"));
}

#[tokio::test]
async fn logs_in_when_the_url_says_so() {
    let server = SmtpFake::with_login().await;
    let world = world_with(&server, "user:p%40ss@").await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    // "\0user\0p@ss"
    assert_eq!(server.next().await.auth.as_deref(), Some("AHVzZXIAcEBzcw=="));
}

#[tokio::test]
async fn transient_answers_are_tried_again_with_the_same_id() {
    for (step, line) in [
        (Step::Connect, "421 4.3.2 closing"),
        (Step::Ehlo, "421 4.7.0 later"),
        (Step::Mail, "450 4.7.1 greylisted"),
        (Step::Rcpt, "451 4.3.0 try later"),
        (Step::Data, "452 4.3.1 disk full"),
        (Step::Dot, "451 4.3.0 not now"),
        (Step::Rcpt, "550 5.4.4 no such host for now"),
    ] {
        let server = SmtpFake::start().await;
        let world = world_with(&server, "").await;
        server.reply(step, line);
        world.open("Bad").await;
        let mut sender = world.sender();
        sender.run_once().await.unwrap();
        let one = world.only().await;
        assert_eq!(one.state, NotificationState::Pending, "{line}: {one:?}");
        assert_eq!(one.attempts[0].status, line[..3].parse().ok(), "{line}");
        world.advance(5);
        sender.run_once().await.unwrap();
        let id = format!("<{}@bugle.example.com>", one.message_id);
        assert_eq!(server.next().await.header("Message-ID"), Some(id), "{line}");
        world.stays_quiet(&mut sender).await;
    }
}

#[tokio::test]
async fn permanent_answers_are_final() {
    for (step, line, disabled) in [
        (Step::Rcpt, "550 5.1.1 no such user", true),
        (Step::Rcpt, "550 5.7.1 relaying denied", false),
        (Step::Mail, "553 5.1.8 sender refused", false),
        (Step::Dot, "554 5.6.0 spam", false),
    ] {
        let server = SmtpFake::start().await;
        let world = world_with(&server, "").await;
        server.reply(step, line);
        world.open("Bad").await;
        let mut sender = world.sender();
        sender.run_once().await.unwrap();
        let one = world.only().await;
        assert_eq!(one.state, NotificationState::Failed, "{line}");
        assert_eq!(one.attempts[0].answer.as_deref(), Some(&line[4..]));
        assert_eq!(world.destination_now(one.destination).await.enabled, !disabled, "{line}");
        world.stays_quiet(&mut sender).await;
    }
}

#[tokio::test]
async fn a_refused_log_in_waits_for_the_operator() {
    let server = SmtpFake::with_login().await;
    let world = world_with(&server, "user:wrong@").await;
    server.reply(Step::Auth, "535 5.7.8 bad credentials");
    world.open("Bad").await;
    let mut sender = world.sender();
    sender.run_once().await.unwrap();
    let one = world.only().await;
    assert_eq!(one.state, NotificationState::Pending);
    assert_eq!(one.error.as_deref(), Some("the mail server answered 535: authentication"));
    world.advance(59);
    sender.run_once().await.unwrap();
    assert!(server.take().is_empty(), "not at once");
    world.advance(2);
    sender.run_once().await.unwrap();
    assert_eq!(server.take().len(), 1, "it is kept and goes out once the settings are right");
    assert!(world.destination_now(one.destination).await.enabled);
}

#[tokio::test]
async fn without_a_server_it_waits_and_says_so() {
    let world = World::new().await;
    world.destination(Channel::Email, "dev@example.com", DestinationSettings::default()).await;
    world.open("Bad").await;
    world.sender().run_once().await.unwrap();
    let one = world.only().await;
    assert_eq!(
        (one.state, one.error.as_deref()),
        (NotificationState::Pending, Some("BUGLE_SMTP_URL is not set"))
    );
}

#[tokio::test]
async fn a_connection_that_closes_is_tried_again() {
    for (step, taken) in [(Step::Mail, 0), (Step::Body, 0), (Step::Dot, 1)] {
        let server = SmtpFake::start().await;
        let world = world_with(&server, "").await;
        server.close(step);
        world.open("Bad").await;
        let mut sender = world.sender();
        sender.run_once().await.unwrap();
        let one = world.only().await;
        assert_eq!(one.state, NotificationState::Pending, "{step:?}");
        assert!(
            one.error.as_deref().unwrap().starts_with("the connection to the mail server failed"),
            "{one:?}"
        );
        world.advance(5);
        sender.run_once().await.unwrap();
        let mails = server.take();
        assert_eq!(mails.len(), taken + 1, "{step:?}");
        let ids: std::collections::BTreeSet<_> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
        assert_eq!(ids.len(), 1, "{step:?}: readers fold the two by their id");
    }
}
