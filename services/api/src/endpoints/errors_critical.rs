//! `GET /api/error-logging/errors/critical/?service=&limit=&cursor=`: what is critical and unresolved, as the list has it.

use super::errors_list;
use crate::access::Principal;
use crate::openapi::{CURSOR, LIMIT, Parameter, parameter};
use crate::view::older::ErrorView;
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bugle_model::{IssueStatus, Priority};
use bugle_store::issues::Filter;
use bugle_web::{Page, Params};

/// The parameters.
pub(super) const PARAMETERS: &[Parameter] =
    &[parameter::<String>("service", "Only of this project, by id or name."), LIMIT, CURSOR];

pub(super) async fn handler(
    principal: Principal,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<ErrorView>>, ApiError> {
    let filter = Filter {
        statuses: Some(vec![IssueStatus::Unresolved]),
        priorities: Some(vec![Priority::Critical]),
        ..Filter::default()
    };
    errors_list::answer(&principal, &state, Params::of(&request), filter).await
}
