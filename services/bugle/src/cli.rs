//! The command line.

use crate::{commands, gateway, output, run};
use bugle_runtime::Config;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use std::time::Duration;

/// Captures errors from every app, groups them, and tells the right people.
///
/// Settings come from bugle.toml (or the file that BUGLE_CONFIG names) and from BUGLE_* in the environment.
#[derive(Debug, Parser)]
#[command(name = "bugle", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the services: all of them, or those named.
    Run(run::Arguments),
    /// Apply pending migrations to the database.
    Migrate,
    /// Look at the configuration and everything that it names, and say what to do.
    Doctor,
    /// Projects.
    #[command(subcommand)]
    Project(commands::project::Command),
    /// Project keys.
    #[command(subcommand)]
    Key(commands::key::Command),
    /// People who can sign in.
    #[command(subcommand)]
    User(commands::user::Command),
    /// Tokens of the API.
    #[command(subcommand)]
    Token(commands::token::Command),
    /// Where notifications go.
    #[command(subcommand)]
    Destination(commands::destination::Command),
    /// The bus of the running server.
    #[command(subcommand)]
    Bus(commands::bus::Command),
    /// Print the OpenAPI document of the API.
    Openapi,
    /// One address in front of an ingest and an api process, for development.
    Gateway(gateway::Arguments),
}

/// Parses the command line, runs the command, and says how it went: 1 for a failure, 2 for a wrong command line or
/// configuration.
pub(crate) fn execute() -> ExitCode {
    let cli = Cli::parse();
    let config = match Config::load() {
        Ok(config) => config,
        Err(errors) => return fail(&errors, 2),
    };
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return fail(&"the cryptography provider was installed twice", 1);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, 1),
    };
    let result = runtime.block_on(dispatch(cli.command, config));
    // What still blocks a thread has had its time.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format_args!("{error:#}"), 1),
    }
}

#[expect(clippy::print_stderr, reason = "the end of the program; there may be no log yet")]
fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("bugle: {error}");
    ExitCode::from(code)
}

async fn dispatch(command: Command, config: Config) -> anyhow::Result<()> {
    match command {
        Command::Run(arguments) => run::run(config, arguments).await,
        Command::Migrate => commands::migrate::run(&config).await,
        Command::Doctor => commands::doctor::run(&config).await,
        Command::Project(command) => commands::project::run(&config, command).await,
        Command::Key(command) => commands::key::run(&config, command).await,
        Command::User(command) => commands::user::run(&config, command).await,
        Command::Token(command) => commands::token::run(&config, command).await,
        Command::Destination(command) => commands::destination::run(&config, command).await,
        Command::Bus(command) => commands::bus::run(&config, command).await,
        Command::Openapi => {
            output::line(format_args!("{:#}", bugle_api::document()));
            Ok(())
        }
        Command::Gateway(arguments) => gateway::run(&config, &arguments).await,
    }
}
