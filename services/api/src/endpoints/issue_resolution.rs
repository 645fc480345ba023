//! `resolved_in` of `PATCH /api/v1/issues/{id}`.

use super::named;
use crate::ApiError;
use bugle_model::IssueStatus;
use bugle_store::Connection;
use bugle_store::issues::{Issue, Resolution};
use bugle_store::releases;
use bugle_web::{FieldError, Problem};

/// What a body says of how the issue is resolved, with the status that is left to be changed apart from that.
pub(super) async fn understood(
    connection: &mut Connection,
    issue: &Issue,
    status: Option<IssueStatus>,
    resolved_in: Option<Resolution>,
) -> Result<(Option<IssueStatus>, Option<Resolution>), ApiError> {
    let Some(resolution) = resolved_in else { return Ok((status, None)) };
    if status != Some(IssueStatus::Resolved) {
        return Err(Problem::invalid_field("resolved_in", "goes with `\"status\": \"resolved\"`").into());
    }
    let mut mistakes = Vec::new();
    let resolution = match resolution {
        Resolution::Commit(id) => {
            let is_commit = (7..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_commit {
                mistakes.push(FieldError::new("resolved_in.commit", "expected 7 to 64 hexadecimal digits"));
            }
            Resolution::Commit(id.to_ascii_lowercase())
        }
        Resolution::Release(version) => {
            if releases::get(connection, issue.project, &version).await?.is_none() {
                let shown: String = version.chars().take(64).collect();
                let message =
                    format!("the project has no release `{shown}`; POST /api/v1/releases makes it known");
                mistakes.push(FieldError::new("resolved_in.release", message));
            }
            Resolution::Release(version)
        }
        other => other,
    };
    named::refuse(mistakes)?;
    Ok((None, Some(resolution)))
}
