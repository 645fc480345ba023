//! `/api/v1/account/notification-rules`: when one is told by which contact method.

use super::super::named;
use crate::access::Principal;
use crate::openapi::{Created, NoContent};
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{ContactMethodId, DigestInterval, Priority};
use bugle_schedule::EscalationPolicy;
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::oncall::{self, MAX_RULES, NewNotificationRule, NotificationRule};
use bugle_web::{JsonBody, Page, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// A rule to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewNotificationRule")]
pub(in super::super) struct Body {
    /// By what; one's own.
    contact_method: ContactMethodId,
    /// For incidents of this priority and of higher ones.
    #[serde(default = "low")]
    min_priority: Priority,
    /// And of no higher ones than this; of all, when absent.
    max_priority: Option<Priority>,
    /// How many minutes after a page, when nobody has answered until then: 0 to 9000.
    #[serde(default)]
    delay_minutes: u32,
    /// How often what is due then is put together into one message: at each full hour, or at nine in the morning by the clock of one's
    /// account. Each page by itself, when absent.
    digest: Option<DigestInterval>,
}

impl Body {
    fn checked(self) -> Result<NewNotificationRule, ApiError> {
        let Self { contact_method, min_priority, max_priority, delay_minutes, digest } = self;
        let longest = EscalationPolicy::MAX_MINUTES;
        let minutes = i32::try_from(delay_minutes).ok().filter(|_| delay_minutes <= longest);
        let delay_minutes = minutes
            .ok_or_else(|| Problem::invalid_field("delay_minutes", format!("0 to {longest} minutes")))?;
        if max_priority.is_some_and(|most| most < min_priority) {
            let message = format!("expected `min_priority`, {min_priority}, or a higher one");
            return Err(Problem::invalid_field("max_priority", message).into());
        }
        Ok(NewNotificationRule { contact_method, min_priority, max_priority, delay_minutes, digest })
    }
}

const fn low() -> Priority {
    Priority::Low
}

/// `GET …/notification-rules`
pub(in super::super) async fn list(
    principal: Principal,
    state: Data<State>,
) -> Result<Json<Page<NotificationRule>>, ApiError> {
    let user = &principal.session()?.active.user;
    let mut connection = state.store.conn().await?;
    Ok(Json(Page::whole(oncall::list_notification_rules(&mut connection, user.id).await?)))
}

/// `POST …/notification-rules`
pub(in super::super) async fn create(
    principal: Principal,
    state: Data<State>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Created<NotificationRule>, ApiError> {
    let user = &principal.session()?.active.user;
    let new = body.checked()?;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let made = connection
        .transaction(async |connection| {
            let made = oncall::create_notification_rule(connection, user.id, &new, now).await?;
            let made = made.ok_or_else(|| {
                let message =
                    format!("is none of yours, or there are {MAX_RULES} rules already, which is the limit");
                Problem::invalid_field("contact_method", message)
            })?;
            let target = Target::new("notification_rule", made.id, "");
            let after = Some(json!(made));
            let entry = principal.changed("notification_rule.created", target, None, None, after);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(made)
        })
        .await?;
    Ok(Created::of(made))
}

/// `DELETE …/notification-rules/{id}`
pub(in super::super) async fn remove(
    principal: Principal,
    state: Data<State>,
    id: Path<String>,
) -> Result<NoContent, ApiError> {
    let user = &principal.session()?.active.user;
    let number = id.parse().map_err(|_| named::missing("notification rule", &id))?;
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    connection
        .transaction(async |connection| {
            let gone = oncall::delete_notification_rule(connection, user.id, number).await?;
            let gone = gone.ok_or_else(|| ApiError::from(named::missing("notification rule", &id)))?;
            let target = Target::new("notification_rule", gone.id, "");
            let before = Some(json!(gone));
            let entry = principal.changed("notification_rule.deleted", target, None, before, None);
            Ok::<_, ApiError>(audit::add(connection, &entry, now).await?)
        })
        .await?;
    Ok(NoContent::new())
}
