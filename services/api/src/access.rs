//! Who may ask.

use crate::State;
use async_trait::async_trait;
use bugle_store::tokens;
use bugle_web::Problem;
use bugle_web::auth::{Caller, TokenHash, TokenVerifier, same};

/// The tokens of the database, and the one that the process put into its data folder for the command line on the
/// same machine; that one works while the database is away, too.
pub struct Tokens(pub State);

#[async_trait]
impl TokenVerifier for Tokens {
    async fn verify(&self, hash: &TokenHash) -> Result<Option<Caller>, Problem> {
        let Self(state) = self;
        if state.local_token.is_some_and(|local| same(&local, hash)) {
            return Ok(Some(Caller { name: "local".to_owned() }));
        }
        let mut connection = state.store.conn().await.map_err(|error| Problem::unavailable(&error))?;
        let token = tokens::verify(&mut connection, hash, state.clock.now()).await;
        let token = token.map_err(|error| match error.is_away() {
            true => Problem::unavailable(&error),
            false => Problem::internal(&error),
        })?;
        Ok(token.map(|token| Caller { name: token.name }))
    }
}
