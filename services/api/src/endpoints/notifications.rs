//! `GET /api/v1/notifications?issue=&project=&destination=&channel=&state=&limit=&cursor=`, the newest first, each
//! with its attempts.

use super::named;
use super::stats::PROJECT;
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{Channel, DestinationId, NotificationId, NotificationState};
use bugle_store::notifications::{self, Filter, Notification};
use bugle_web::{Page, Params};

pub(super) const PARAMETERS: &[Parameter] = &[
    parameter::<String>("issue", "Only those about this issue, by id or short id."),
    PROJECT,
    parameter::<DestinationId>("destination", "Only those to this destination."),
    parameter::<Channel>("channel", "Only those that take it."),
    parameter::<NotificationState>("state", "Only those that stand so."),
    LIMIT,
    CURSOR,
];

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Notification>>, ApiError> {
    let mut params = Params::of(&request);
    let issue = params.text("issue");
    let project = params.text("project");
    let destination = params.optional("destination", "a destination's id", |text| text.parse().ok());
    let channel =
        params.optional("channel", "email, slack, sms, webhook, voice or web_push", |text| text.parse().ok());
    let expected = "pending, sending, sent, failed, cancelled, bundled or expired";
    let notification_state = params.optional("state", expected, |text| text.parse().ok());
    let limit = params.limit();
    let before: Option<NotificationId> = params.cursor();
    params.finish()?;

    let mut connection = state.store.conn().await?;
    let mut filter = Filter { destination, channel, state: notification_state, before, ..Filter::default() };
    if let Some(text) = issue {
        filter.issue = Some(named::issue_id(&mut connection, &principal, &text).await?);
    }
    if let Some(text) = project {
        filter.project = Some(named::project_parameter(&mut connection, &principal, &text).await?.id);
    }
    let surplus = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found = notifications::list(&mut connection, &principal.scope(), filter, surplus).await?;
    Ok(Json(Page::cut(found, limit, |last| last.id)))
}
