//! Which release is older. Semantic versions where both are (<https://semver.org>), else whichever was made known first.

/// Numbers longer than this are words: they would not fit a `bigint`.
const MAX_DIGITS: usize = 18;

/// Whether the release `one` is older than `other`. `one_id` and `other_id` are their numbers, which grow in the
/// order in which releases were made known. A name before an `@` is left out, as is build metadata: of two builds of
/// one version the first seen is the older one.
#[must_use]
pub fn is_older(one: (&str, i32), other: (&str, i32)) -> bool {
    match (sort_key(one.0), sort_key(other.0)) {
        (Some(a), Some(b)) => (a, one.1) < (b, other.1),
        _ => one.1 < other.1,
    }
}

/// What semantic versions sort by, byte by byte; `None` for others. The same as `bugle_version_key` in the database.
#[must_use]
pub fn sort_key(release: &str) -> Option<Vec<u8>> {
    let version = release.rsplit_once('@').map_or(release, |(_, version)| version);
    let version = version.strip_prefix('v').unwrap_or(version);
    let version = version.split_once('+').map_or(version, |(version, _)| version);
    let (core, pre) = match version.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (version, None),
    };
    let numbers: Vec<u64> = core.split('.').map(number).collect::<Option<_>>()?;
    // `1.4` is `1.4.0`; a lone number is more likely a build than a version.
    let [major, minor, rest @ ..] = numbers.as_slice() else { return None };
    let patch = match rest {
        [] => 0,
        [patch] => *patch,
        _ => return None,
    };
    let mut key: Vec<u8> = [*major, *minor, patch].into_iter().flat_map(u64::to_be_bytes).collect();
    match pre {
        None => key.push(0xff),
        Some("") => return None,
        Some(pre) => key.extend(pre_release(pre)),
    }
    Some(key)
}

fn number(text: &str) -> Option<u64> {
    let is_number = (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Before the release itself; numbers before words, and what has fewer fields first.
fn pre_release(pre: &str) -> Vec<u8> {
    let mut key = vec![0];
    for field in pre.split('.') {
        if let Some(number) = number(field) {
            key.push(1);
            key.extend(number.to_be_bytes());
        } else {
            key.push(2);
            key.extend(field.bytes());
            key.push(0);
        }
    }
    key.push(0);
    key
}

#[cfg(test)]
mod tests {
    use super::{is_older, sort_key};

    #[test]
    fn semantic_versions_are_compared_as_such() {
        // The order of semver 2.0.0, §11.
        let order = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "shop@1.0.1",
            "v1.2",
            "shop@1.10.0+build.7",
            "2.0.0",
        ];
        for (i, one) in order.iter().enumerate() {
            for (j, other) in order.iter().enumerate() {
                assert_eq!(is_older((one, 9), (other, 1)), i < j, "{one} {other}");
            }
        }
    }

    #[test]
    fn others_are_compared_by_when_they_were_seen() {
        assert!(is_older(("f00dfeed", 1), ("0badcafe", 2)));
        assert!(!is_older(("f00dfeed", 2), ("0badcafe", 1)));
        assert!(is_older(("1.0.0", 1), ("main", 2)), "one of them is no version");
        assert!(!is_older(("7", 2), ("8", 1)), "a lone number is a build");
        assert!(is_older(("shop@1.0.0+7", 1), ("shop@1.0.0+8", 2)), "builds of one version");
    }

    #[test]
    fn what_looks_like_a_version_and_is_none() {
        for other in [
            "",
            "1",
            "1.",
            "1.2.3.4",
            "1.2.x",
            "1.2.3-",
            "+1.2",
            "-1.2",
            "1.-2",
            "1.1234567890123456789",
            "a@",
        ] {
            assert_eq!(sort_key(other), None, "{other}");
        }
    }
}
