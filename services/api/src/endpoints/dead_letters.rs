//! `/api/v1/admin/dead-letters`: what was rejected for good. Works against the running process, whose bus may be the
//! only one that can open the log on disk. Bodies are raw there and shown scrubbed.

use crate::access::Principal;
use crate::openapi::{Parameter, parameter};
use crate::view::dead_letter::DeadLetterView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_bus::{DeadSelection, Queue};
use bugle_store::audit::{self, Target};
use bugle_web::{JsonBody, Page, Params, Problem};
use schemars::{JsonSchema, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

pub(super) const QUEUE: Parameter = Parameter {
    schema: |_| json_schema!({ "type": "string", "enum": Queue::ALL.map(Queue::name) }),
    ..parameter::<String>("queue", "Only those of this queue.")
};
const EXPECTED: &str = "bugle.intake, bugle.intake.backlog or bugle.notifier.signals";

/// `GET …/dead-letters?queue=&limit=`
pub(super) async fn list(
    _: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<DeadLetterView>>, ApiError> {
    let mut params = Params::of(&request);
    let asked: Option<Queue> = params.optional("queue", EXPECTED, |text| text.parse().ok());
    let limit = params.limit();
    params.finish()?;
    let mut items = Vec::new();
    for queue in Queue::ALL.into_iter().filter(|queue| asked.is_none_or(|asked| asked == *queue)) {
        let letters = state.bus.dead_letters(queue, limit.saturating_sub(items.len())).await?;
        items.extend(letters.iter().map(|letter| DeadLetterView::new(queue, letter)));
    }
    Ok(Json(Page::whole(items)))
}

/// Which dead letters: `{"queue": "bugle.intake", "ids": ["…"]}` or `{"queue": "bugle.intake", "all": true}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    #[schemars(extend("enum" = Queue::ALL.map(Queue::name)))]
    queue: String,
    #[serde(default)]
    ids: Vec<Uuid>,
    #[serde(default)]
    all: bool,
}

impl Body {
    fn selection(self) -> Result<(Queue, DeadSelection), Problem> {
        let queue = self.queue.parse().map_err(|error: String| Problem::invalid_field("queue", error))?;
        match (self.all, self.ids.is_empty()) {
            (true, true) => Ok((queue, DeadSelection::All)),
            (false, false) => Ok((queue, DeadSelection::Ids(self.ids))),
            _ => Err(Problem::invalid_field("ids", "expected either some ids, or `all`")),
        }
    }
}

/// How many went back.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Redriven {
    redriven: u64,
}

/// How many are gone.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Discarded {
    discarded: u64,
}

/// `POST …/dead-letters/redrive`: back into their queue.
pub(super) async fn redrive(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Redriven>, ApiError> {
    let (queue, which) = body.selection()?;
    let count = state.bus.redrive(queue, which).await?;
    record(&state, &principal, "dead_letters.redriven", queue, count).await?;
    Ok(Json(Redriven { redriven: count }))
}

/// `POST …/dead-letters/discard`: gone for good.
pub(super) async fn discard(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<Discarded>, ApiError> {
    let (queue, which) = body.selection()?;
    let count = state.bus.discard_dead(queue, which).await?;
    record(&state, &principal, "dead_letters.discarded", queue, count).await?;
    Ok(Json(Discarded { discarded: count }))
}

/// After the fact: the bus is no part of a transaction. The local token works while the database is away, and so must
/// this: then the log has it alone.
async fn record(
    state: &State,
    principal: &Principal,
    action: &'static str,
    queue: Queue,
    count: u64,
) -> Result<(), ApiError> {
    tracing::info!(queue = queue.name(), count, by = principal.actor.name, action, "dead letters");
    let target = Target::new("queue", queue.name(), queue.name());
    let entry = principal.changed(action, target, None, None, Some(json!({ "count": count })));
    let now = state.clock.now();
    let recorded = async {
        let mut connection = state.store.conn().await?;
        audit::add(&mut connection, &entry, now).await
    };
    match recorded.await {
        Err(error) if !error.is_away() => Err(error.into()),
        _ => Ok(()),
    }
}
