//! A bus that fails, hangs or is blocked on command.

use async_trait::async_trait;
use bugle_bus::{
    Bus, BusError, BusMetrics, BusState, Consumer, DeadLetter, DeadSelection, Depth, PublishError, Queue,
};
use bugle_model::{IntakeBatch, RawItem};
use bytes::Bytes;
use std::sync::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

/// How the fake behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Fine,
    Refuses,
    Hangs,
    Blocked,
    Away,
}

pub struct FakeBus {
    mood: watch::Sender<Mood>,
    hanging: watch::Sender<usize>,
    published: Mutex<Vec<(Queue, Uuid, Bytes)>>,
}

impl FakeBus {
    pub fn new(mood: Mood) -> Self {
        Self { mood: watch::Sender::new(mood), hanging: watch::Sender::new(0), published: Mutex::default() }
    }

    pub fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Until something that was to be published hangs.
    pub async fn hangs(&self) {
        self.hanging.subscribe().wait_for(|hanging| *hanging > 0).await.unwrap();
    }

    /// The items of a queue's messages.
    pub fn items(&self, queue: Queue) -> Vec<RawItem> {
        let published = self.published.lock().unwrap();
        let bodies = published.iter().filter(|(to, _, _)| *to == queue).map(|(_, _, body)| body);
        bodies.flat_map(|body| IntakeBatch::decode(body).unwrap()).collect()
    }
}

#[async_trait]
impl Bus for FakeBus {
    async fn publish(&self, queue: Queue, id: Uuid, body: Bytes) -> Result<(), PublishError> {
        let mood = *self.mood.borrow();
        match mood {
            Mood::Fine => {
                self.published.lock().unwrap().push((queue, id, body));
                Ok(())
            }
            Mood::Refuses => Err(PublishError::Refused),
            Mood::Hangs => {
                self.hanging.send_modify(|hanging| *hanging += 1);
                std::future::pending().await
            }
            Mood::Blocked => Err(PublishError::Blocked),
            Mood::Away => Err(PublishError::Away),
        }
    }

    async fn publish_signal(&self, _: &str, _: Uuid, _: Bytes) -> Result<(), PublishError> {
        Err(PublishError::Closed)
    }

    async fn consume(&self, _: Queue, _: u16) -> Result<Consumer, BusError> {
        Err(BusError::Closed)
    }

    async fn dead_letters(&self, _: Queue, _: usize) -> Result<Vec<DeadLetter>, BusError> {
        Err(BusError::Closed)
    }

    async fn redrive(&self, _: Queue, _: DeadSelection) -> Result<u64, BusError> {
        Err(BusError::Closed)
    }

    async fn discard_dead(&self, _: Queue, _: DeadSelection) -> Result<u64, BusError> {
        Err(BusError::Closed)
    }

    fn state(&self) -> BusState {
        match *self.mood.borrow() {
            Mood::Fine | Mood::Refuses | Mood::Hangs => BusState::Connected,
            Mood::Blocked => BusState::Blocked,
            Mood::Away => BusState::Away,
        }
    }

    async fn connected(&self) {
        let mut mood = self.mood.subscribe();
        let _ = mood.wait_for(|mood| *mood != Mood::Away).await;
    }

    async fn depth(&self, _: Queue) -> Result<Depth, BusError> {
        Err(BusError::Closed)
    }

    fn metrics(&self) -> BusMetrics {
        BusMetrics::default()
    }

    async fn close(&self) {}
}
