//! End-to-end tests. Each that is not about one deployment runs on both: one process with the embedded bus, and
//! five processes over RabbitMQ.

/// Makes two tests of `async fn NAME(topology: Topology) -> Result<()>`.
macro_rules! on_both {
    ($name:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_one_process() -> anyhow::Result<()> {
                super::$name(bugle_tests::Topology::OneProcess).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn as_services_over_rabbitmq() -> anyhow::Result<()> {
                super::$name(bugle_tests::Topology::Services).await
            }
        }
    };
}

mod chaos;
mod command_line;
mod corpus;
mod ledger;
mod outage;
mod road;
mod sentry_cli;
mod watching;
