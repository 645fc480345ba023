//! Table tests, one file per noun.

use super::*;
use bugle_model::ProjectId;
use chrono::{TimeZone, Utc};
use uuid::Uuid;

/// An item received on 2026-11-20 at 18:00 from 203.0.113.9.
pub(crate) fn item(kind: ItemKind, body: &[u8]) -> RawItem {
    RawItem {
        id: Uuid::from_u128(7),
        kind,
        project: ProjectId(1),
        key: None,
        unverified_key: None,
        received_at: Utc.with_ymd_and_hms(2026, 11, 20, 18, 0, 0).unwrap(),
        remote_addr: Some("203.0.113.9".parse().unwrap()),
        client: None,
        user_agent: None,
        request_id: None,
        content_type: None,
        event_id: None,
        sent_at: None,
        environment: None,
        release: None,
        attachment: None,
        body: body.to_vec(),
    }
}
