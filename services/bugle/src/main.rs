//! Bugle: captures errors, groups them, tells the right people.

mod allocator;
mod cli;
mod commands;
mod gateway;
mod output;
mod run;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    allocator::set_options();
    cli::execute()
}
