//! `bugle migrate`

use super::store;
use crate::output::line;
use bugle_runtime::Config;
use bugle_store::migrate;

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let applied = migrate::run(&store(config)?).await?;
    if applied.is_empty() {
        line("the database is up to date");
    }
    for name in applied {
        line(format_args!("applied {name}"));
    }
    Ok(())
}
