//! Developer commands behind the Makefile.

mod bench;
mod check;
mod corpus;
mod dashboard;
mod demo;
mod dirs;
mod e2e;
mod python;
mod run;
mod schemathesis;
mod stack;
mod test;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask run [--bus embedded|rabbit] | test [cargo test arguments] | e2e [screenshots [page …]] | check | schemathesis [--examples N] [its own arguments] | bench [search] [--quick] [--bus NAME] | demo [--seconds N]";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match command.as_str() {
        "run" => run::run(&rest),
        "test" => test::test(&rest),
        "e2e" => e2e::e2e(&rest),
        "bench" => bench::bench(&rest),
        "demo" => demo::demo(&rest),
        "schemathesis" => schemathesis::schemathesis(&rest),
        "check" => check::check(),
        _ => bail!("{USAGE}"),
    }
}
