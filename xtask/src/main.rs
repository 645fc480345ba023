//! Developer commands behind the Makefile.

mod check;
mod dirs;
mod run;
mod stack;
mod test;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask run [--bus embedded|rabbit] | test [cargo test arguments] | check";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match command.as_str() {
        "run" => run::run(&rest),
        "test" => test::test(&rest),
        "check" => check::check(),
        _ => bail!("{USAGE}"),
    }
}
