//! The OpenAPI document, made of the code: an endpoint that says nothing of its body and answer does not compile.
//!
//! How an endpoint is declared:
//!
//! ```text
//! // endpoints/mod.rs
//! get("/api/v1/teams", Need::VIEW, teams::list)
//!     .named("list_teams", "The teams that one is in.") // the operation's id, and a sentence
//!     .query(&[LIMIT, CURSOR, parameter::<TeamRole>("role", "Only where one is this.")])
//!     .fails(&[Code::Conflict]) // problems beyond what need, path, body and query bring
//!
//! // endpoints/teams.rs
//! pub(super) async fn list(principal: Principal, state: Data<State>, request: HttpRequest)
//!     -> Result<Json<Page<Team>>, ApiError> { … }
//! ```
//!
//! - **Body**: [`JsonBody<T>`](bugle_web::JsonBody), where `T` is `Deserialize + JsonSchema` and refuses unknown fields. It gets
//!   the name of the operation with `Body`. Other extractors: see [`Takes`].
//! - **Answer**: `Result<A, ApiError>`, where `A` is `Json<T>` for 200, [`Created<T>`], [`Accepted<T>`], [`NoContent`], any
//!   other [`Answer<T, STATUS>`](Answer), or [`Raw<M>`](Raw) for what is no JSON: files, and streams such as NDJSON and CSV (a
//!   `Media` with all types that the endpoint can give). `T` is `Serialize + JsonSchema`. A type of one's own implements
//!   [`Gives`] next to its `Responder`.
//! - **Names**: shared schemas have the names of their types; `#[schemars(rename = "Team")]` gives a view the noun's name. Two
//!   types of one name fail a test.
//! - **Parameters**: what [`Params`](bugle_web::Params) reads and is not declared panics in debug builds; a test asks for
//!   every one that is declared.
//! - **What apps send** is described by hand in `ingest/`: those endpoints answer in their clients' forms.
//! - **Kept**: `docs/openapi.json` and the dashboard's types are made of it, and tests fail when they are stale.

mod answer;
mod document;
mod ingest;
mod parameter;
mod problems;
mod raw_json;
mod schemas;
mod shape;
mod tags;

pub(crate) use answer::{Accepted, Answer, Created, Media, NoContent, Raw, Redirect, Shown, Upgrade};
pub(crate) use document::document;
pub(crate) use parameter::{CURSOR, LIMIT, Parameter, parameter, required};
pub(crate) use raw_json::RawJson;
pub(crate) use shape::{Gift, Gives, Takes};
