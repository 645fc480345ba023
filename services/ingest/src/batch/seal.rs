//! Compresses a batch into messages of a bounded size.

use bugle_model::{BatchError, IntakeBatch};

/// A message of several items has at most this many bytes. RabbitMQ 4 refuses 16 MiB, and smaller ones flow better.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Larger batches are compressed beside the async workers.
const INLINE_MAX: usize = 96 * 1024;

/// Compresses frames, which end at `ends`. One message as a rule; more when they hardly compress.
pub(super) async fn seal(frames: Vec<u8>, ends: Vec<usize>) -> Result<Vec<Vec<u8>>, BatchError> {
    if frames.len() <= INLINE_MAX {
        return seal_all(&frames, &ends);
    }
    let sealed = tokio::task::spawn_blocking(move || seal_all(&frames, &ends)).await;
    sealed.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
}

fn seal_all(frames: &[u8], ends: &[usize]) -> Result<Vec<Vec<u8>>, BatchError> {
    let mut messages = Vec::new();
    halve(frames, 0, ends, &mut messages)?;
    Ok(messages)
}

/// `frames` begins at `start` of the batch. Recursion is as deep as the number of items has bits.
fn halve(frames: &[u8], start: usize, ends: &[usize], messages: &mut Vec<Vec<u8>>) -> Result<(), BatchError> {
    let message = IntakeBatch::seal(frames)?;
    let (first, second) = ends.split_at(ends.len() / 2);
    let Some(middle) = first.last().filter(|_| message.len() > MAX_MESSAGE) else {
        messages.push(message);
        return Ok(());
    };
    drop(message);
    let (left, right) = frames.split_at_checked(middle - start).unwrap_or((frames, &[]));
    halve(left, start, first, messages)?;
    halve(right, *middle, second, messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bugle_model::{ItemKind, ProjectId, RawItem};
    use uuid::Uuid;

    fn item(id: u128, body: Vec<u8>) -> RawItem {
        RawItem {
            id: Uuid::from_u128(id),
            kind: ItemKind::Event,
            project: ProjectId(1),
            key: None,
            unverified_key: None,
            received_at: chrono::DateTime::UNIX_EPOCH,
            remote_addr: None,
            client: None,
            user_agent: None,
            request_id: None,
            content_type: None,
            event_id: None,
            sent_at: None,
            environment: None,
            release: None,
            attachment: None,
            body,
        }
    }

    /// Bytes that do not compress.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .take(length)
        .collect()
    }

    #[tokio::test]
    async fn what_does_not_compress_is_spread_over_messages() {
        let items: Vec<_> = (0..7).map(|id| item(id, noise(700_000))).collect();
        let (mut frames, mut ends) = (Vec::new(), Vec::new());
        for item in &items {
            IntakeBatch::push(&mut frames, item).unwrap();
            ends.push(frames.len());
        }
        let messages = seal(frames, ends).await.unwrap();
        assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE));
        let read: Vec<_> =
            messages.iter().flat_map(|message| IntakeBatch::decode(message).unwrap()).collect();
        assert_eq!(read, items);
    }
}
