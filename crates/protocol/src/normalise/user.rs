//! Who it happened to, and from which address.

use super::Notes;
use super::bag::trim;
use bugle_model::{Event, User};
use serde_json::Value;
use std::net::IpAddr;

const MAX_CHARS: usize = 256;
const MAX_DATA_DEPTH: u8 = 5;
const MAX_DATA_BYTES: usize = 8192;
/// Stands for "the address that the event came from".
const AUTO: &str = "{{auto}}";

/// Reads the user. Whatever is not known goes to `data`. An address of `{{auto}}` stays for
/// [`infer_address`].
pub(crate) fn user(value: Value, notes: &mut Notes) -> Option<User> {
    let map = notes.object("user", value)?;
    let mut user = User::default();
    for (key, value) in map {
        match key.as_str() {
            "id" => user.id = notes.word("user.id", value, MAX_CHARS),
            "email" => user.email = notes.word("user.email", value, MAX_CHARS),
            "username" => user.username = notes.word("user.username", value, MAX_CHARS),
            "name" => user.name = notes.word("user.name", value, MAX_CHARS),
            "ip_address" => user.ip_address = notes.word("user.ip_address", value, MAX_CHARS),
            "data" => match value {
                Value::Object(data) => {
                    user.data.extend(data.into_iter().filter(|(_, value)| !value.is_null()))
                }
                Value::Null => {}
                other => drop(user.data.insert(key, other)),
            },
            _ if value.is_null() => {}
            _ => drop(user.data.insert(key, value)),
        }
    }
    trim(&mut user.data, MAX_DATA_DEPTH, MAX_DATA_BYTES);
    (user != User::default()).then_some(user)
}

/// Fills in and checks addresses. `{{auto}}` becomes the address that the event came from, unless the client
/// says `infer_ip: never`; a missing one is filled in from the request's `REMOTE_ADDR`, and from the
/// connection when the client says `infer_ip: auto`, or is of a platform whose apps run at the user's.
pub(crate) fn infer_address(event: &mut Event, remote: Option<IpAddr>, notes: &mut Notes) {
    let infer = event.sdk.as_ref().and_then(|sdk| sdk.other.get("settings")?.get("infer_ip")?.as_str());
    let (is_auto, is_never, is_silent) = (infer == Some("auto"), infer == Some("never"), infer.is_none());
    let remote = remote.filter(|_| !is_never).map(|address| address.to_canonical().to_string());
    let server_side = resolve_remote_addr(event, remote.as_deref());
    let mut user = event.user.take().unwrap_or_default();
    if user.ip_address.as_deref() == Some(AUTO) {
        user.ip_address = remote.clone().or_else(|| server_side.clone().filter(|_| !is_never));
    }
    if user.ip_address.is_none() && !is_never {
        let at_users = matches!(event.platform.as_str(), "javascript" | "cocoa" | "objc");
        user.ip_address = server_side.or(remote.filter(|_| is_auto || (is_silent && at_users)));
    }
    if user.ip_address.as_ref().is_some_and(|address| address.parse::<IpAddr>().is_err()) {
        notes.note("user.ip_address", "not an address: dropped");
        user.ip_address = None;
    }
    event.user = (user != User::default()).then_some(user);
}

/// The address in `request.env.REMOTE_ADDR`, with `{{auto}}` filled in.
fn resolve_remote_addr(event: &mut Event, remote: Option<&str>) -> Option<String> {
    let env = &mut event.request.as_mut()?.env;
    if env.get("REMOTE_ADDR")?.as_str() == Some(AUTO) {
        match remote {
            Some(remote) => env.insert("REMOTE_ADDR".to_owned(), remote.into()),
            None => env.remove("REMOTE_ADDR"),
        };
    }
    let address: IpAddr = env.get("REMOTE_ADDR")?.as_str()?.parse().ok()?;
    Some(address.to_string())
}
