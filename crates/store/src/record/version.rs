//! Which release is older. Semantic versions where both are (<https://semver.org>), else whichever was seen first.

use std::cmp::Ordering;

/// Whether the release `one` is older than `other`. `one_id` and `other_id` are their numbers, which grow in the
/// order in which releases were first seen. A name before an `@` is left out, as is build metadata.
#[must_use]
pub fn is_older(one: (&str, i32), other: (&str, i32)) -> bool {
    match (Version::parse(one.0), Version::parse(other.0)) {
        (Some(a), Some(b)) => a.compare(&b) == Ordering::Less,
        _ => one.1 < other.1,
    }
}

struct Version<'a> {
    numbers: [u64; 3],
    pre: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn parse(release: &'a str) -> Option<Self> {
        let version = release.rsplit_once('@').map_or(release, |(_, version)| version);
        let version = version.strip_prefix('v').unwrap_or(version);
        let version = version.split_once('+').map_or(version, |(version, _)| version);
        let (core, pre) = match version.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (version, None),
        };
        let mut parts = core.split('.');
        let mut numbers = [0; 3];
        for (index, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(text) => *number = text.parse().ok()?,
                // `1.4` is `1.4.0`; a lone number is more likely a build than a version.
                None if index == 2 => {}
                None => return None,
            }
        }
        parts.next().is_none().then_some(Self { numbers, pre })
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre, other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_pre(a, b),
        })
    }
}

/// semver 2.0.0, §11.4: numbers numerically and below words; fewer fields are lower.
fn compare_pre(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_older;

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
    }
}
