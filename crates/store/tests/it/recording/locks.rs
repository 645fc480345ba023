//! Transactions that meet: who waits for whom, and that nobody waits in a circle.

use super::support::World;
use bugle_model::{IssueId, TeamId};
use bugle_store::issues::{self, IssueChange, Resolution};
use bugle_store::releases::{self, NewCommit, Release};
use bugle_store::{Connection, Scope, Store, StoreError, Transactions, teams};
use chrono::{DateTime, Utc};

impl World {
    fn another(&self) -> Store {
        bugle_store::connect(self.database.url(), 1).unwrap()
    }

    async fn release(&self, version: &str) -> Release {
        let mut connection = self.store.conn().await.unwrap();
        releases::declare(&mut connection, self.project, version, self.now).await.unwrap();
        releases::get(&mut connection, self.project, version).await.unwrap().unwrap()
    }

    /// `work` changes two issues; one that has locked the first of them gets the second, too.
    async fn locks_in_order(&self, work: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        let [first, second] =
            [1, 2].map(|number| format!("SELECT id FROM issues WHERE number = {number} FOR NO KEY UPDATE"));
        // It is now the last in the table.
        self.execute("UPDATE issues SET culprit = 'moved' WHERE number = 1").await;
        let mut client = self.database.client().await.unwrap();
        let holding = client.transaction().await.unwrap();
        holding.batch_execute(&first).await.unwrap();
        let work = tokio::spawn(work);
        self.somebody_waits().await;
        holding.batch_execute(&format!("{second} NOWAIT")).await.unwrap();
        holding.commit().await.unwrap();
        work.await.unwrap().unwrap();
    }

    async fn with_two_issues() -> Self {
        let mut world = Self::new().await;
        world.record(&[world.event("a"), world.event("b")]).await;
        world
    }
}

async fn wait_for_commit(
    connection: &mut Connection,
    issue: IssueId,
    sha: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change =
        IssueChange { resolution: Some(Resolution::Commit(sha.to_owned())), ..IssueChange::default() };
    issues::change(connection, &Scope::All, issue, &change, "ann", now).await.map(drop)
}

async fn give_commit(
    connection: &mut Connection,
    release: &Release,
    sha: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let commits = [NewCommit { id: sha.to_owned(), ..NewCommit::default() }];
    releases::set_commits(connection, release, &commits, "ci", now).await
}

const RESOLVED: [&str; 1] = ["1|2"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_comes_while_an_issue_begins_to_wait_for_it_resolves_it() -> Result<(), StoreError> {
    for commit_first in [true, false] {
        let mut world = World::new().await;
        world.record(&[world.event("a")]).await;
        let (issue, release, now) = (world.issue().await, world.release("shop@1.0.0").await, world.now);
        let (other, waiter) = (world.another(), &world);
        let mut connection = world.store.conn().await?;
        let second = connection
            .transaction(async |connection| {
                let second = if commit_first {
                    give_commit(connection, &release, "abcdef0123", now).await?;
                    tokio::spawn(async move {
                        wait_for_commit(&mut *other.conn().await?, issue, "abcdef0", now).await
                    })
                } else {
                    wait_for_commit(connection, issue, "abcdef0", now).await?;
                    let release = release.clone();
                    tokio::spawn(async move {
                        give_commit(&mut *other.conn().await?, &release, "abcdef0123", now).await
                    })
                };
                waiter.somebody_waits().await;
                Ok::<_, StoreError>(second)
            })
            .await?;
        second.await.unwrap()?;
        assert_eq!(world.rows("SELECT status, resolution FROM issues").await, RESOLVED, "{commit_first}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_one_release_are_given_one_after_the_other() -> Result<(), StoreError> {
    let world = World::new().await;
    let (release, now, other, waiter) =
        (world.release("shop@1.0.0").await, world.now, world.another(), &world);
    let mut connection = world.store.conn().await?;
    let second = connection
        .transaction(async |connection| {
            give_commit(connection, &release, "aaaaaaa", now).await?;
            let release = release.clone();
            let second = tokio::spawn(async move {
                give_commit(&mut *other.conn().await?, &release, "bbbbbbb", now).await
            });
            waiter.somebody_waits().await;
            Ok::<_, StoreError>(second)
        })
        .await?;
    second.await.unwrap()?;
    assert_eq!(world.rows("SELECT sha FROM release_commits").await, ["bbbbbbb"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_name_of_an_assignee_goes_to_issues_in_their_order() {
    let world = World::with_two_issues().await;
    world
        .execute(
            "INSERT INTO users (id, email, name, role, created_at) VALUES (7, 'ann@example.com', 'ann', 'member', '2026-03-10');
             UPDATE issues SET assigned_user_id = 7, assigned_to = 'ann'",
        )
        .await;
    let client = world.database.client().await.unwrap();
    let renaming = async move {
        client.batch_execute("UPDATE users SET name = 'anna' WHERE id = 7").await.unwrap();
        Ok(())
    };
    world.locks_in_order(renaming).await;
    assert_eq!(world.rows("SELECT DISTINCT assigned_to FROM issues").await, ["anna"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_leaves_its_issues_in_their_order() {
    let world = World::with_two_issues().await;
    world
        .execute(
            "INSERT INTO teams (id, name, created_at) VALUES (7, 'web', '2026-03-10');
             UPDATE issues SET assigned_team_id = 7, assigned_to = '#web'",
        )
        .await;
    let other = world.another();
    let deleting = async move {
        let mut connection = other.conn().await?;
        connection.transaction(async |connection| teams::delete(connection, TeamId(7)).await).await
    };
    world.locks_in_order(deleting).await;
    assert_eq!(world.number("SELECT count(*) FROM issues WHERE assigned_team_id IS NULL").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_leaves_its_issues_in_their_order() {
    let world = World::with_two_issues().await;
    let release = world.release("shop@1.0.0").await;
    world.execute(&format!("UPDATE issues SET first_release_id = {}", release.number)).await;
    let other = world.another();
    let removing = async move { releases::remove(&mut *other.conn().await?, release.number).await.map(drop) };
    world.locks_in_order(removing).await;
    assert_eq!(world.number("SELECT count(*) FROM issues WHERE first_release_id IS NULL").await, 2);
}
