//! What is declared at the broker, by every service at every connect: a confirm does not mean that anybody listens.

use crate::DEAD_LETTER_AGE;
use crate::bus::Queue;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Connection, ExchangeKind};

/// Where signals are published.
const SIGNALS: &str = "bugle.signals";
/// A large number for "without end": from RabbitMQ 4.0 the default is 20, and 3.10 takes -1 for 0.
const DELIVERY_LIMIT: i64 = 1_000_000;

/// The names at the broker.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    pub(super) fn queue(&self, queue: Queue) -> ShortString {
        format!("{}{}", self.prefix, queue.name()).into()
    }

    pub(super) fn dead(&self, queue: Queue) -> ShortString {
        format!("{}{}.dead", self.prefix, queue.name()).into()
    }

    pub(super) fn signals(&self) -> ShortString {
        format!("{}{SIGNALS}", self.prefix).into()
    }
}

/// Declares everything. What is there already stays as it is, or the broker refuses when it differs.
pub(super) async fn declare(connection: &Connection, names: &Names) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(names.signals(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
    for queue in Queue::ALL {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(names.dead(queue), options, dead_arguments()).await?;
        channel.queue_declare(names.queue(queue), options, arguments(names, queue)).await?;
        for pattern in queue.signals() {
            let (name, key) = (names.queue(queue), ShortString::from(*pattern));
            let options = QueueBindOptions::default();
            channel.queue_bind(name, names.signals(), key, options, FieldTable::default()).await?;
        }
    }
    channel.close(200, "done".into()).await
}

fn arguments(names: &Names, queue: Queue) -> FieldTable {
    let mut arguments = quorum();
    // Rejecting is done by publishing with a confirm and then acking, which loses nothing; this road is at most once and
    // only for what the broker itself gives up on. The default exchange routes by queue name.
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(names.dead(queue).as_str()));
    arguments
}

fn dead_arguments() -> FieldTable {
    let mut arguments = quorum();
    let age = i64::try_from(DEAD_LETTER_AGE.as_millis()).unwrap_or(i64::MAX);
    arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(age));
    arguments
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    // Also for dead letters: to list them is to take and return them, which counts as a delivery.
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}
