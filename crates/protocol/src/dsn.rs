//! The address that a client is configured with.

/// What matters in a DSN: `{scheme}://{public_key}[:{secret}]@{host}[/{path}]/{project}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn {
    /// The public key, in lower case when it is hexadecimal.
    pub public_key: String,
    /// The project in the path. Always digits in DSNs that Bugle gives out.
    pub project: String,
}

/// Reads a DSN; nothing when it is not one. A secret and a path before the project are ignored.
#[must_use]
pub fn parse_dsn(text: &str) -> Option<Dsn> {
    let url = url::Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return None;
    }
    let public_key = normal_key(url.username())?;
    let project = url.path().trim_end_matches('/').rsplit('/').next()?;
    if project.is_empty() || project.len() > 20 || !project.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Dsn { public_key, project: project.to_owned() })
}

/// A public key as it is compared: word characters, 64 at most; hexadecimal ones in lower case, since some
/// clients change the case of what they print as hex.
pub(crate) fn normal_key(key: &str) -> Option<String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if key.is_empty() || key.len() > 64 || !key.bytes().all(is_word) {
        return None;
    }
    if key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Some(key.to_ascii_lowercase())
    } else {
        Some(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_dsn() {
        for (text, expected) in [
            ("https://abc@errors.example.com/42", Some(("abc", "42"))),
            ("http://ABC0@127.0.0.1:9000/1", Some(("abc0", "1"))),
            ("https://abc:secret@host/a/b/7/", Some(("abc", "7"))),
            ("https://key_x@[::1]:9000/3", Some(("key_x", "3"))),
            ("https://host/1", None),
            ("https://abc@host/", None),
            ("https://abc@host/shop", None),
            ("ftp://abc@host/1", None),
            ("https://a-b@host/1", None),
            ("", None),
        ] {
            let found = parse_dsn(text);
            assert_eq!(
                found.as_ref().map(|d| (d.public_key.as_str(), d.project.as_str())),
                expected,
                "{text}"
            );
        }
    }
}
