//! Mails about accounts over a real socket.

use crate::world::World;
use bugle_notifier::AccountMails;
use bugle_notifier::channels::Email;
use bugle_store::account_mails::{self, Kind, NewMail};
use bugle_testkit::smtp::{SmtpFake, Step};
use chrono::TimeDelta;
use uuid::Uuid;

const LINK: &str = "https://bugle.example.com/reset?token=0f1e";

async fn world_with(server: &SmtpFake) -> World {
    let mut world = World::new().await;
    world.config.smtp_url = Some(server.url("").parse::<url::Url>().unwrap().into());
    world
}

fn sender(world: &World) -> AccountMails {
    let email = Email::new(&world.config, "bugle.example.com", world.timeouts).unwrap();
    AccountMails::new(world.store.clone(), world.clock.clone(), email, 7)
}

async fn add(world: &World, kind: Kind, about: &str) -> Uuid {
    let id = Uuid::now_v7();
    let now = bugle_model::Clock::now(&*world.clock);
    let expires_at = now + TimeDelta::hours(1);
    let mail = NewMail { kind, recipient: "ann@example.com", about, link: LINK, expires_at };
    account_mails::add(&mut world.store.conn().await.unwrap(), &mail, id, now).await.unwrap();
    id
}

async fn left(world: &World) -> i64 {
    world.sql.query_one("SELECT count(*) FROM account_mails", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn it_is_sent_once_and_its_link_is_gone_then() {
    let server = SmtpFake::start().await;
    let world = world_with(&server).await;
    let id = add(&world, Kind::PasswordReset, "").await;
    assert_eq!(sender(&world).run_once().await.unwrap(), 1);
    let mail = server.next().await;
    assert_eq!(mail.recipients, ["ann@example.com"]);
    assert_eq!(mail.header("Message-ID"), Some(format!("<{id}@bugle.example.com>")));
    // `=` is written as `=3D` in mails.
    assert!(mail.data.replace("=\r\n", "").replace("=3D", "=").contains(LINK), "{}", mail.data);
    assert_eq!(left(&world).await, 0);
    assert_eq!(sender(&world).run_once().await.unwrap(), 0);
}

#[tokio::test]
async fn what_can_succeed_later_is_tried_again_and_what_cannot_is_dropped() {
    let server = SmtpFake::start().await;
    let world = world_with(&server).await;
    let id = add(&world, Kind::Invitation, "Ann").await;
    server.reply(Step::Rcpt, "451 4.3.0 try later");
    sender(&world).run_once().await.unwrap();
    assert_eq!(left(&world).await, 1);
    world.advance(5);
    sender(&world).run_once().await.unwrap();
    assert_eq!(server.next().await.header("Message-ID"), Some(format!("<{id}@bugle.example.com>")));
    assert_eq!(left(&world).await, 0);

    add(&world, Kind::Invitation, "Ann").await;
    server.reply(Step::Rcpt, "550 5.1.1 no such mailbox");
    sender(&world).run_once().await.unwrap();
    assert_eq!(left(&world).await, 0);
}

#[tokio::test]
async fn a_name_cannot_smuggle_headers_or_markup_in_and_an_old_link_is_not_sent() {
    let server = SmtpFake::start().await;
    let world = world_with(&server).await;
    add(&world, Kind::Invitation, "Ann\r\nBcc: other@example.com <script>alert(1)</script>").await;
    sender(&world).run_once().await.unwrap();
    let mail = server.next().await;
    assert_eq!((mail.header("Bcc"), mail.recipients.as_slice()), (None, &["ann@example.com".to_owned()][..]));
    let (_, html) = mail.data.split_once("text/html").unwrap();
    assert!(!html.contains("<script>"), "{html}");

    add(&world, Kind::Mention, "Ann wrote about: \u{1b}[31mred \u{202e}gnp\u{200b} end").await;
    sender(&world).run_once().await.unwrap();
    let mail = server.next().await;
    assert_eq!(mail.header("Subject").as_deref(), Some("Ann wrote about:  [31mred  gnp  end"));
    assert!(mail.data.contains("Ann wrote about:  [31mred  gnp  end"), "{}", mail.data);

    add(&world, Kind::PasswordReset, "").await;
    world.advance(3601);
    assert_eq!(sender(&world).run_once().await.unwrap(), 0);
    assert_eq!(left(&world).await, 0);
}
