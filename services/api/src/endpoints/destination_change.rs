//! `PATCH /api/v1/projects/{project}/destinations/{id}` with `target`, `min_priority`, `settings`, `enabled`; what is left
//! out stays, and so does a secret that is given as it is shown.

use super::destination_create::refused;
use super::destination_test::of_project;
use super::destinations::View;
use super::issue_change::given;
use super::named;
use crate::access::Principal;
use crate::{ApiError, State};
use actix_web::web::{Data, Json, Path};
use bugle_model::{DestinationSettings, Priority, SignalKind};
use bugle_store::Transactions;
use bugle_store::audit::{self, Target};
use bugle_store::destinations::{self, Destination, DestinationChange};
use bugle_web::{JsonBody, object};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    target: Option<String>,
    min_priority: Option<Priority>,
    /// Only what is given changes; lists and headers are replaced. `[hidden]` is the secret that is there.
    #[serde(default, deserialize_with = "object")]
    settings: SettingsChange,
    /// `true` also forgets why it was switched off, its failures, and until when nothing was to be sent.
    enabled: Option<bool>,
}

/// What of the settings is to be different.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DestinationSettingsChange")]
struct SettingsChange {
    /// Only these environments; empty means all.
    environments: Option<Vec<String>>,
    /// Only these kinds; empty means all.
    kinds: Option<Vec<SignalKind>>,
    /// Webhook: all of the additional request headers.
    headers: Option<BTreeMap<String, String>>,
    /// Webhook: a template for the body; `null` is the standard payload.
    #[serde(default, deserialize_with = "given")]
    template: Option<Option<String>>,
    /// Webhook: another signing secret, `whsec_…`.
    secret: Option<String>,
    /// Slack: another bot token; `null` is none, and the target then an incoming webhook's URL.
    #[serde(default, deserialize_with = "given")]
    bot_token: Option<Option<String>>,
}

impl SettingsChange {
    /// All of the settings as they are meant for a destination; what is left out is as it is shown.
    fn of(&self, before: &Destination) -> DestinationSettings {
        let Self { environments, kinds, headers, template, secret, bot_token } = self;
        let mut settings = before.redacted();
        replace(&mut settings.environments, environments.as_ref());
        replace(&mut settings.kinds, kinds.as_ref());
        replace(&mut settings.headers, headers.as_ref());
        replace(&mut settings.template, template.as_ref());
        replace(&mut settings.bot_token, bot_token.as_ref());
        // Without one a webhook's receiver could not tell Bugle from others.
        if secret.is_some() {
            settings.secret.clone_from(secret);
        }
        settings
    }
}

fn replace<T: Clone>(place: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        place.clone_from(given);
    }
}

impl Body {
    fn of(&self, before: &Destination) -> DestinationChange {
        DestinationChange {
            target: self.target.clone(),
            min_priority: self.min_priority,
            settings: Some(self.settings.of(before)),
            enabled: self.enabled,
        }
    }
}

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    path: Path<(String, String)>,
    JsonBody(body): JsonBody<Body>,
) -> Result<Json<View>, ApiError> {
    let (project, id) = path.into_inner();
    let now = state.clock.now();
    let mut connection = state.store.conn().await?;
    let (project, seen) = of_project(&mut connection, &principal, &project, &id).await?;
    let changed = connection
        .transaction(async |connection| {
            // As it is now: what somebody else has just changed must not be undone.
            let before = destinations::hold(connection, seen.id).await?;
            let before = before.ok_or_else(|| named::missing("destination", &id))?;
            let change = body.of(&before);
            let changed = destinations::change(connection, &before, &change).await.map_err(refused)?;
            let changed = changed.ok_or_else(|| named::missing("destination", &id))?;
            let target = Target::new("destination", changed.id, &project.name);
            let (old, new) = (Some(before.audited()), Some(audited(&before, &changed)));
            let entry = principal.changed("destination.updated", target, project.team, old, new);
            audit::add(connection, &entry, now).await?;
            Ok::<_, ApiError>(changed)
        })
        .await?;
    Ok(Json(View::new(project.id, &changed)))
}

/// With the names of what else is different, and no more: see [`Destination::audited`].
fn audited(before: &Destination, changed: &Destination) -> Value {
    let (old, new) = (&before.settings, &changed.settings);
    let different = [
        ("target", before.target != changed.target),
        ("settings.environments", old.environments != new.environments),
        ("settings.kinds", old.kinds != new.kinds),
        ("settings.headers", old.headers != new.headers),
        ("settings.template", old.template != new.template),
        ("settings.secret", old.secret != new.secret),
        ("settings.bot_token", old.bot_token != new.bot_token),
    ];
    let names: Vec<_> = different.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect();
    let mut after = changed.audited();
    if let Some(fields) = after.as_object_mut().filter(|_| !names.is_empty()) {
        fields.insert("changed".to_owned(), json!(names));
    }
    after
}
