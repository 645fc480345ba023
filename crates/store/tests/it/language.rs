//! Errors are told apart by PostgreSQL's English texts, whatever language the database speaks.

use bugle_store::connect;
use bugle_testkit::TestDatabase;
use diesel::QueryableByName;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct Shown {
    #[diesel(sql_type = Text)]
    lc_messages: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_english_whatever_the_database_speaks() {
    let database = TestDatabase::new().await.unwrap();
    let name = database.name();
    database.execute(&format!("ALTER DATABASE {name} SET lc_messages = 'POSIX'")).await.unwrap();
    let store = connect(database.url(), 1).unwrap();
    let mut connection = store.conn().await.unwrap();
    let query = diesel::sql_query("SHOW lc_messages");
    let shown: Shown = diesel_async::RunQueryDsl::get_result(query, &mut connection).await.unwrap();
    assert_eq!(shown.lc_messages, "C");
}
