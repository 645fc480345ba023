//! `POST /api/v1/projects/{project}/grouping/try`: how an event would be grouped by rules that are not kept (yet). An event that
//! is given goes the recorder's way: normalised, filtered, scrubbed, grouped.

use super::named;
use crate::access::Principal;
use crate::{ApiError, State, projects as checks};
use actix_web::web::{Data, Json, Path, block};
use bugle_grouping::{Explanation, Grouper};
use bugle_model::{Event, ItemKind, ProjectId, ProjectSettings, RawItem};
use bugle_protocol::filter::Filters;
use bugle_protocol::normalise;
use bugle_protocol::scrub::Scrubber;
use bugle_store::Connection;
use bugle_store::events::{self, StoredEvent};
use bugle_store::issues::{self, Destined, Filter, IssueName, destined};
use bugle_store::projects::Project;
use bugle_web::{FieldError, JsonBody, Problem};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The latest event of a project is that of one of so many issues that were active last: the time that lists go by is that of a
/// minute, and the events of one may be gone.
const LATEST_OF: usize = 10;

/// Rules, and what to try them on: an event of the project, one that is given, or, without either, the project's latest.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// The rules, in place of those of the project: see `grouping_rules` of its settings.
    rules: String,
    /// The id of an event of the project.
    event_id: Option<String>,
    /// An event as an SDK sends it.
    payload: Option<Payload>,
}

/// An event as an SDK sends it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "EventPayload")]
#[serde(untagged, expecting = "expected an event, or its JSON as a text")]
enum Payload {
    /// Itself.
    Object(Map<String, Value>),
    /// Its JSON, which is read as leniently as what clients send.
    Text(String),
}

/// The event that rules were tried on.
#[derive(Debug, Serialize, JsonSchema)]
struct TriedOn {
    event_id: Uuid,
    received_at: DateTime<Utc>,
    /// The issue that it is part of.
    issue: IssueName,
}

/// How an event is grouped by some rules.
#[derive(Debug, Serialize, JsonSchema)]
struct Grouped {
    grouping: Explanation,
    /// What becomes of the next event that is grouped so.
    leads_to: Destined,
}

/// How an event would be grouped, and how it is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GroupingTrial")]
pub(super) struct Trial {
    /// Whether the rules that were given lead to other hashes than those of the project.
    changed: bool,
    /// By the rules that were given.
    proposed: Grouped,
    /// By the rules of the project.
    current: Grouped,
    /// The event, when it is one of the project.
    event: Option<TriedOn>,
    /// Which filter of the project turns the event away, of one that was given.
    filtered: Option<&'static str>,
    /// Frames that a rule had marked which is not among those that were given: what the client said of them is not kept, so
    /// that they are grouped as if it had said nothing.
    uncertain_frames: usize,
}

/// What the rules are tried on.
enum Subject {
    Kept(Box<StoredEvent>),
    Given(Vec<u8>),
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    path: Path<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Trial>, ApiError> {
    let mut connection = state.store.conn().await?;
    let project = named::project(&mut connection, &principal, &path).await?;
    let proposed = checks::grouper("rules", &body.rules).map_err(|error| Problem::invalid(vec![error]))?;
    let subject = subject(&mut connection, &principal, &project, body.event_id, body.payload).await?;
    let event = match &subject {
        Subject::Kept(stored) => tried_on(&mut connection, &principal, stored).await?,
        Subject::Given(_) => None,
    };
    let (id, settings, now) = (project.id, project.settings, state.clock.now());
    // An event may be a megabyte, and the rules hundreds.
    let tried = block(move || tried(subject, id, &settings, &proposed, now));
    let tried = tried.await.map_err(|error| Problem::internal(&error))?;
    let Tried { proposed, current, filtered, uncertain_frames } =
        tried.map_err(|error| Problem::invalid(vec![error]))?;
    Ok(Json(Trial {
        changed: proposed.hashes != current.hashes,
        proposed: leads_to(&mut connection, id, proposed).await?,
        current: leads_to(&mut connection, id, current).await?,
        event,
        filtered,
        uncertain_frames,
    }))
}

async fn subject(
    connection: &mut Connection,
    principal: &Principal,
    project: &Project,
    event_id: Option<String>,
    payload: Option<Payload>,
) -> Result<Subject, ApiError> {
    let scope = principal.scope();
    let stored = match (event_id, payload) {
        (Some(_), Some(_)) => {
            return Err(Problem::invalid_field("payload", "does not go with `event_id`").into());
        }
        (None, Some(Payload::Text(text))) => return Ok(Subject::Given(text.into_bytes())),
        (None, Some(Payload::Object(fields))) => {
            let body = serde_json::to_vec(&fields).map_err(|error| Problem::internal(&error))?;
            return Ok(Subject::Given(body));
        }
        (Some(text), None) => match bugle_model::parse_event_id(&text) {
            Some(id) => events::find(connection, &scope, id, Some(project.id)).await?.pop(),
            None => None,
        },
        (None, None) => {
            let filter = Filter { scope, project: Some(project.id), ..Filter::default() };
            let newest = issues::list(connection, &filter, None, LATEST_OF).await?;
            let newest: Vec<_> = newest.iter().map(|issue| issue.id).collect();
            let latest = events::latest(connection, &newest).await?;
            latest.into_values().max_by_key(|stored| stored.received_at)
        }
    };
    let missing = || Problem::invalid_field("event_id", "the project has no such event");
    Ok(Subject::Kept(Box::new(stored.ok_or_else(missing)?)))
}

async fn tried_on(
    connection: &mut Connection,
    principal: &Principal,
    stored: &StoredEvent,
) -> Result<Option<TriedOn>, ApiError> {
    let issue = issues::get(connection, &principal.scope(), stored.issue).await?;
    Ok(issue.map(|issue| TriedOn {
        event_id: stored.event.event_id,
        received_at: stored.received_at,
        issue: IssueName { id: issue.id, short_id: issue.short_id(), title: issue.title },
    }))
}

struct Tried {
    proposed: Explanation,
    current: Explanation,
    filtered: Option<&'static str>,
    uncertain_frames: usize,
}

fn tried(
    subject: Subject,
    project: ProjectId,
    settings: &ProjectSettings,
    proposed: &Grouper,
    now: DateTime<Utc>,
) -> Result<Tried, FieldError> {
    // Rules that an older release has saved may mean nothing to this one: the recorder groups without.
    let current = Grouper::new(&settings.grouping_rules).unwrap_or_default();
    match subject {
        Subject::Kept(stored) => {
            let mut event = stored.event;
            let explained = current.explain(&event);
            let uncertain_frames = current.forget_in_app(&mut event, proposed);
            let proposed = proposed.explain(&event);
            Ok(Tried { proposed, current: explained, filtered: None, uncertain_frames })
        }
        Subject::Given(body) => {
            let (event, filtered) = received(body, project, settings, now)?;
            let explain = |grouper: &Grouper| {
                let mut event = event.clone();
                grouper.apply_in_app(&mut event);
                grouper.explain(&event)
            };
            let (proposed, current) = (explain(proposed), explain(&current));
            Ok(Tried { proposed, current, filtered, uncertain_frames: 0 })
        }
    }
}

/// What the recorder makes of a payload before it groups, and the filter that turns it away.
fn received(
    body: Vec<u8>,
    project: ProjectId,
    settings: &ProjectSettings,
    now: DateTime<Utc>,
) -> Result<(Event, Option<&'static str>), FieldError> {
    let item = RawItem {
        id: Uuid::nil(),
        kind: ItemKind::Event,
        project,
        key: None,
        unverified_key: None,
        received_at: now,
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
    };
    let mut event = normalise(&item).map_err(|invalid| FieldError::new("payload", invalid.to_string()))?;
    let filtered = Filters::new(&settings.filters).check(&event);
    Scrubber::new(&settings.scrub).scrub(&mut event);
    Ok((event, filtered))
}

async fn leads_to(
    connection: &mut Connection,
    project: ProjectId,
    grouping: Explanation,
) -> Result<Grouped, ApiError> {
    let hashes: Vec<&str> = grouping.hashes.iter().map(|named| named.hash.as_str()).collect();
    let leads_to = destined(connection, project, &hashes).await?;
    Ok(Grouped { grouping, leads_to })
}
