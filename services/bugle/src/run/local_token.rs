//! A token for the command line on the same machine: a file that only the owner of the data folder can read, new with
//! each start. It works while the database is away.

use bugle_runtime::Config;
use bugle_web::auth::{TokenHash, hash, new_token};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Where it is.
pub(crate) fn path(config: &Config) -> PathBuf {
    config.data_path("admin.token")
}

/// Writes a new one and returns its hash.
pub(super) fn write(config: &Config) -> std::io::Result<TokenHash> {
    let token = new_token();
    // Written beside and moved over, so that nobody reads half of it.
    let beside = config.data_path(format!("admin.token.{}", std::process::id()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(token.as_bytes())?;
    std::fs::rename(&beside, path(config))?;
    Ok(hash(&token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_the_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data_dir: folder.path().to_path_buf(), ..Config::default() };
        let first = write(&config).unwrap();
        let second = write(&config).unwrap();
        assert_ne!(first, second);
        assert_eq!(hash(&std::fs::read_to_string(path(&config)).unwrap()), second);
        assert_eq!(std::fs::metadata(path(&config)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
