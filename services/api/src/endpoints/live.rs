//! `GET /api/v1/live?after=`: a WebSocket that is told what changes in the projects that the caller may see.

use crate::access::{Principal, Proof};
use crate::openapi::{Parameter, Upgrade, parameter};
use crate::{ApiError, State};
use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use bugle_runtime::Shutdown;
use bugle_web::{Code, Params, Problem};
use url::Url;

/// An id is shorter.
const LONGEST_ID: usize = 64;

/// The parameters.
pub(super) const PARAMETERS: &[Parameter] =
    &[parameter::<String>("after", "The `id` of the last message that was seen, to go on from there.")];

pub(super) async fn handler(
    principal: Principal,
    proof: Proof,
    state: Data<State>,
    shutdown: Data<Shutdown>,
    request: HttpRequest,
    payload: Payload,
) -> Result<Upgrade, ApiError> {
    let mut params = Params::of(&request);
    let expected = "the `id` of a message";
    let after = params.optional("after", expected, |id| (id.len() <= LONGEST_ID).then(|| id.to_owned()));
    params.finish()?;
    let (response, session, messages) = actix_ws::handle(&request, payload)
        .map_err(|_| Problem::with_detail(Code::BadRequest, "this is a WebSocket: send its handshake"))?;
    // Browsers let any page open a socket, and send the cookie along.
    if principal.user_id().is_some() && !is_our_page(&request, &state.config.public_url) {
        return Err(Problem::with_detail(Code::Csrf, "this is not for other sites").into());
    }
    let seat = state.live.seat(proof, principal.visible(), &shutdown).await?;
    actix_web::rt::spawn(seat.serve(after, session, messages, Shutdown::clone(&shutdown)));
    Ok(Upgrade::of(response))
}

/// Whether the page that asks is of this installation: of its public address, or of the one that was asked.
fn is_our_page(request: &HttpRequest, public: &Url) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN).and_then(|origin| Url::parse(origin).ok()) else { return false };
    let host = match (origin.host_str(), origin.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return false,
    };
    origin.origin() == public.origin()
        || text(header::HOST).is_some_and(|asked| asked.eq_ignore_ascii_case(&host))
}
