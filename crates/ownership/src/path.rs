//! Globs over paths, folder by folder: those of rules, and those of CODEOWNERS files.

use crate::glob::{Effort, Glob};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// `**`: any number of folders, also none.
    Folders,
    /// One folder, or the file.
    Name(Glob),
}

/// A pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathGlob {
    /// A path matches that one of these fits.
    either: Vec<Vec<Part>>,
}

/// Longer paths are not looked at, in bytes.
const MAX_PATH: usize = 2_048;

impl PathGlob {
    /// A rule's: matched whole, without regard to case. A backslash is a slash.
    pub(crate) fn of_rule(pattern: &str) -> Self {
        let slashes = pattern.replace('\\', "/");
        let parts = slashes.split('/').map(|name| match name {
            "**" => Part::Folders,
            name => Part::Name(Glob::lenient(name)),
        });
        let mut parts: Vec<_> = parts.collect();
        inside(&mut parts);
        Self { either: vec![parts] }
    }

    /// A line's of CODEOWNERS, by the rules of `.gitignore`: relative to the root of the repository when a slash stands at its
    /// beginning or in it, else at any depth. With a slash at the end it is a folder, else a file or a folder. `folder/*` are the files in the
    /// folder and not those below, as GitHub has it.
    pub(crate) fn of_codeowners(pattern: &str) -> Self {
        let (body, is_folder) = match pattern.strip_suffix('/') {
            Some(body) => (body, true),
            None => (pattern, false),
        };
        let mut parts = Vec::new();
        if !body.contains('/') && !pattern.starts_with('/') {
            parts.push(Part::Folders);
        }
        let names = || body.split('/').filter(|name| !name.is_empty());
        parts.extend(names().map(|name| match name {
            "**" => Part::Folders,
            name => Part::Name(Glob::strict(name)),
        }));
        let is_whole = is_folder || body.is_empty() || matches!(names().next_back(), Some("*" | "**"));
        let mut below = parts.clone();
        if is_folder || body.is_empty() || !is_whole {
            below.push(Part::Folders);
        }
        inside(&mut below);
        Self { either: if is_whole { vec![below] } else { vec![parts, below] } }
    }

    /// `names` are those of a path, as [`names`] gives them.
    pub(crate) fn matches(&self, names: &[&str], effort: &Effort) -> bool {
        self.either.iter().any(|parts| fits(parts, names, effort))
    }
}

/// The folders of a path that has slashes, and its file; of one that is too long nothing.
pub(crate) fn names(path: &str) -> Option<Vec<&str>> {
    (path.len() <= MAX_PATH).then(|| path.split('/').collect())
}

/// `folder/**` is what is in the folder, and not the folder.
fn inside(parts: &mut Vec<Part>) {
    if parts.last() == Some(&Part::Folders) {
        parts.push(Part::Name(Glob::lenient("*")));
    }
}

/// Greedy, as [`Glob::matches`].
fn fits(parts: &[Part], names: &[&str], effort: &Effort) -> bool {
    let (mut at, mut part) = (0, 0);
    let mut folders: Option<(usize, usize)> = None;
    while effort.spend() {
        match (parts.get(part), names.get(at)) {
            (Some(Part::Folders), _) => {
                part += 1;
                folders = Some((part, at));
            }
            (None, None) => return true,
            (Some(Part::Name(glob)), Some(name)) if glob.matches(name, effort) => {
                part += 1;
                at += 1;
            }
            _ => {
                let Some((after, taken)) = folders.filter(|(_, taken)| *taken < names.len()) else {
                    return false;
                };
                at = taken + 1;
                part = after;
                folders = Some((after, at));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{PathGlob, names};
    use crate::glob::Effort;

    fn matches(glob: &PathGlob, path: &str) -> bool {
        glob.matches(&names(path).unwrap_or_default(), &Effort::new(1_000_000))
    }

    #[test]
    fn of_rules() {
        for (pattern, path, expected) in [
            ("src/checkout/**", "src/checkout/cart.py", true),
            ("src/checkout/**", "src/checkout/a/b/cart.py", true),
            ("src/checkout/**", "src/checkout", false),
            ("src/checkout/*", "src/checkout/a/cart.py", false),
            ("src/**/cart.py", "src/cart.py", true),
            ("src/**/cart.py", "src/a/b/Cart.py", true),
            ("**/cart.py", "/app/cart.py", true),
            ("**/cart.py", "cart.py", true),
            ("/app/**", "/app/a/b", true),
            ("/app/**", "app/a/b", false),
            (r"c:\app\*", "C:/app/a.cs", true),
            ("**/*.min.js", "https://x.example/a/b.min.js", true),
            ("**", "a", true),
            ("**/a/**/b", "x/a/y/a/z/b", true),
        ] {
            assert_eq!(matches(&PathGlob::of_rule(pattern), path), expected, "{pattern} on {path}");
        }
    }

    /// The examples of GitHub's documentation, and of gitignore's.
    #[test]
    fn of_codeowners() {
        for (pattern, path, expected) in [
            ("*", "a/b/c.rs", true),
            ("*.js", "a/b.js", true),
            ("*.js", "a/b.jsx", false),
            ("/build/logs/", "build/logs/a/b.txt", true),
            ("/build/logs/", "a/build/logs/b.txt", false),
            ("docs/*", "docs/getting-started.md", true),
            ("docs/*", "docs/build-app/troubleshooting.md", false),
            ("docs/*", "a/docs/getting-started.md", false),
            ("apps/", "apps/a.rs", true),
            ("apps/", "x/apps/a/b.rs", true),
            ("apps/", "apps", false),
            ("/docs/", "docs/a", true),
            ("/docs/", "x/docs/a", false),
            ("/scripts/", "scripts/x.sh", true),
            ("**/logs", "build/logs/x", true),
            ("**/logs", "deeply/nested/logs", true),
            ("/apps/github", "apps/github/x/y.rb", true),
            ("/apps/github", "apps/github", true),
            ("apps/**/x.rs", "apps/x.rs", true),
            ("apps/**/x.rs", "apps/a/b/x.rs", true),
            ("apps/**", "apps/a/b", true),
            ("foo", "a/foo/b", true),
            ("foo", "a/foobar/b", false),
            ("/*", "README.md", true),
            ("/*", "a/README.md", false),
            ("/", "a/b", true),
            ("Makefile", "makefile", false),
            (r"a\ b.txt", "x/a b.txt", true),
            ("/app/[slug]/page.tsx", "app/[slug]/page.tsx", true),
        ] {
            assert_eq!(matches(&PathGlob::of_codeowners(pattern), path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn hard_patterns_end_soon() {
        assert!(!matches(&PathGlob::of_rule(&"**/a/".repeat(100)), &format!("{}b", "a/".repeat(500))));
    }
}
