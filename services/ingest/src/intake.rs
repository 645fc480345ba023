//! From what an endpoint found in a request to items that are durable: filters, quotas, attachments, the batch.

use crate::answer::{Limit, Refusal};
use crate::door::{Known, Sender};
use crate::request::Meta;
use crate::state::{Ingest, new_id};
use bugle_model::{AttachmentRef, ItemKind, KeyId, Outcome, ProjectId, RawItem};
use bugle_protocol::filter::is_crawler;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

const MAX_FILENAME: usize = 255;
const MAX_CONTENT_TYPE: usize = 128;
const MAX_ATTACHMENT_TYPE: usize = 64;

/// One item, found but not accepted yet.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: ItemKind,
    pub(crate) category: &'static str,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<String>,
    /// For attachments: name, media type and purpose as the client gave them; the bytes are the body.
    pub(crate) attachment: Option<AttachmentHead>,
    /// The event it belongs to, or is.
    pub(crate) event_id: Option<Uuid>,
}

/// What the client says of an attachment.
#[derive(Debug, Default)]
pub(crate) struct AttachmentHead {
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) attachment_type: Option<String>,
}

impl Draft {
    pub(crate) const fn new(kind: ItemKind, category: &'static str, body: Bytes) -> Self {
        Self { kind, category, body, content_type: None, attachment: None, event_id: None }
    }
}

/// What the items of one request have in common.
#[derive(Debug)]
pub(crate) struct Shipment<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) client: Option<String>,
    pub(crate) meta: &'a Meta,
    pub(crate) sent_at: Option<DateTime<Utc>>,
    pub(crate) environment: Option<String>,
    pub(crate) release: Option<String>,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Durable; the item's id.
    Accepted(Uuid),
    /// The project does not want it; the client need not know.
    Filtered,
    /// Over a quota.
    Limited(Limit),
}

/// Drafts that come in, with their ids.
type Admitted = Vec<(Uuid, Draft)>;

impl Ingest {
    /// Makes drafts durable. Answers what became of each, in their order.
    pub(crate) async fn submit(
        &self,
        shipment: &Shipment<'_>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Fate>, Refusal> {
        if let Sender::Known(known) = shipment.sender
            && let Some(reason) = turned_away(known, shipment.meta)
        {
            drafts
                .iter()
                .for_each(|draft| self.count(shipment.sender, (Outcome::Filtered, reason), draft.category));
            return Ok(vec![Fate::Filtered; drafts.len()]);
        }
        let (fates, admitted) = self.apply_quotas(shipment, drafts)?;
        let charged =
            u32::try_from(admitted.iter().filter(|(_, draft)| is_charged(draft.kind)).count()).unwrap_or(0);
        let stored = self.store(shipment, admitted).await;
        if stored.is_err()
            && let Sender::Known(known) = shipment.sender
        {
            self.quotas.give_back(known, charged);
        }
        stored.map(|()| fates)
    }

    /// Decides about each draft; gives those that come in their ids.
    fn apply_quotas(
        &self,
        shipment: &Shipment<'_>,
        drafts: Vec<Draft>,
    ) -> Result<(Vec<Fate>, Admitted), Refusal> {
        if let Sender::Unverified { .. } = shipment.sender {
            let bytes: usize = drafts.iter().map(|draft| draft.body.len()).sum();
            self.door.take_unverified(drafts.len() as u64, bytes as u64)?;
        }
        let now = shipment.meta.received_at;
        let mut fates = Vec::with_capacity(drafts.len());
        let mut admitted = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let taken = match shipment.sender {
                Sender::Known(known) if is_charged(draft.kind) => self.quotas.take(known, now),
                _ => Ok(()),
            };
            fates.push(match taken {
                Ok(()) => {
                    let id = new_id(now);
                    admitted.push((id, draft));
                    Fate::Accepted(id)
                }
                Err(limit) => {
                    self.count(shipment.sender, (Outcome::RateLimited, limit.scope), draft.category);
                    Fate::Limited(limit)
                }
            });
        }
        Ok((fates, admitted))
    }

    async fn store(&self, shipment: &Shipment<'_>, drafts: Admitted) -> Result<(), Refusal> {
        let mut items = Vec::with_capacity(drafts.len());
        for (id, draft) in drafts {
            items.push(self.item(shipment, id, draft).await?);
        }
        if items.is_empty() {
            return Ok(());
        }
        self.batcher.accept(&items).await.map_err(|error| {
            tracing::warn!(%error, "items cannot be made durable");
            Refusal::unavailable("it cannot be made durable now")
        })
    }

    async fn item(&self, shipment: &Shipment<'_>, id: Uuid, draft: Draft) -> Result<RawItem, Refusal> {
        let (project, key, unverified_key) = identity(shipment.sender);
        let Draft { kind, body, content_type, attachment, event_id, .. } = draft;
        let (attachment, body) = match attachment {
            Some(head) => (Some(self.keep_attachment(head, body).await?), Vec::new()),
            None => (None, body.to_vec()),
        };
        let meta = shipment.meta;
        Ok(RawItem {
            id,
            kind,
            project,
            key,
            unverified_key,
            received_at: meta.received_at,
            remote_addr: meta.address,
            client: shipment.client.clone().or_else(|| meta.user_agent.clone()),
            user_agent: meta.user_agent.clone(),
            request_id: meta.request_id.clone(),
            content_type,
            event_id,
            sent_at: shipment.sent_at,
            environment: shipment.environment.clone(),
            release: shipment.release.clone(),
            attachment,
            body,
        })
    }

    /// Puts the bytes where attachments are kept, before the item that refers to them is queued.
    async fn keep_attachment(&self, head: AttachmentHead, body: Bytes) -> Result<AttachmentRef, Refusal> {
        if self.objects.is_local() && !self.disk.has_room() {
            return Err(Refusal::unavailable("the disk is nearly full"));
        }
        let size = body.len() as u64;
        let sha256 = self.objects.put(body).await.map_err(|error| {
            tracing::error!(%error, "an attachment cannot be kept");
            Refusal::unavailable("attachments cannot be kept now")
        })?;
        let cut =
            |text: String, max: usize| text.chars().filter(|c| !c.is_control()).take(max).collect::<String>();
        let filename = head.filename.map(|name| cut(name, MAX_FILENAME)).filter(|name| !name.is_empty());
        Ok(AttachmentRef {
            sha256,
            size,
            filename: filename.unwrap_or_else(|| "attachment".to_owned()),
            content_type: head.content_type.map(|text| cut(text, MAX_CONTENT_TYPE)),
            attachment_type: head.attachment_type.map(|text| cut(text, MAX_ATTACHMENT_TYPE)),
        })
    }

    /// Counts how an item of this sender ended.
    pub(crate) fn count(&self, sender: &Sender, end: (Outcome, &'static str), category: &'static str) {
        let whose = match sender {
            Sender::Known(known) => (Some(known.project.id), Some(known.key.id)),
            // Whatever an unknown client says of its project is no project's business.
            Sender::Unverified { .. } => (None, None),
        };
        self.outcomes.count(whose, end, category);
    }

    /// Counts a refused request as one item of a category.
    pub(crate) fn count_refusal(&self, sender: Option<&Sender>, refusal: &Refusal, category: &'static str) {
        match (refusal.outcome(), sender) {
            (Some(end), Some(sender)) => self.count(sender, end, category),
            (Some(end), None) => self.outcomes.count((None, None), end, category),
            (None, _) => {}
        }
    }
}

fn identity(sender: &Sender) -> (ProjectId, Option<KeyId>, Option<String>) {
    match sender {
        Sender::Known(known) => (known.project.id, Some(known.key.id), None),
        Sender::Unverified { public_key, project } => (*project, None, Some(public_key.clone())),
    }
}

/// What a client says of its own losses is free.
fn is_charged(kind: ItemKind) -> bool {
    kind != ItemKind::ClientReport
}

fn turned_away(known: &Known, meta: &Meta) -> Option<&'static str> {
    let project = &known.project;
    if let Some(address) = meta.address
        && project.blocked_addresses.iter().any(|net| net.contains(&address))
    {
        return Some("address");
    }
    let crawler = project.filter_crawlers && meta.user_agent.as_deref().is_some_and(is_crawler);
    crawler.then_some("crawler")
}
