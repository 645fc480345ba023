//! Globs: matched whole, without regard to (ASCII) case.

/// Text beyond this many bytes is not looked at.
const MAX_TEXT: usize = 8192;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This byte, in either case.
    Byte(u8),
    /// `?`: one character.
    One,
    /// `*`: any characters; in a path not `/`.
    Some,
    /// `**`: any characters, in a path too.
    Any,
}

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    tokens: Vec<Token>,
    is_path: bool,
}

impl Glob {
    /// Compiles a glob. In a path `*` stops at `/`, `\` is `/`, and `**/` may also be nothing.
    pub(crate) fn new(pattern: &str, is_path: bool) -> Self {
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut bytes = pattern.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let token = match byte {
                b'*' => {
                    let mut stars = 1;
                    while bytes.next_if_eq(&b'*').is_some() {
                        stars += 1;
                    }
                    if stars > 1 || !is_path { Token::Any } else { Token::Some }
                }
                b'?' => Token::One,
                b'\\' if is_path => Token::Byte(b'/'),
                byte => Token::Byte(byte.to_ascii_lowercase()),
            };
            tokens.push(token);
        }
        Self { tokens, is_path }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let bytes = bytes.get(..MAX_TEXT).unwrap_or(bytes);
        if run(&self.tokens, bytes, self.is_path) {
            return true;
        }
        match self.tokens.as_slice() {
            [Token::Any, Token::Byte(b'/'), rest @ ..] if self.is_path => run(rest, bytes, true),
            _ => false,
        }
    }
}

fn same(token: Token, byte: u8, is_path: bool) -> bool {
    match token {
        Token::Byte(wanted) => {
            wanted == byte.to_ascii_lowercase() || (is_path && wanted == b'/' && byte == b'\\')
        }
        _ => false,
    }
}

/// Where to go on when the text does not fit: the place behind a star, and the text it has taken so far.
type Resume = Option<(usize, usize)>;

/// Greedy matching with one place to go back to for `*` and one for `**`: no recursion, no allocation.
fn run(tokens: &[Token], text: &[u8], is_path: bool) -> bool {
    let (mut at, mut token) = (0, 0);
    let mut some: Resume = None;
    let mut any: Resume = None;
    while at < text.len() {
        let byte = text.get(at).copied().unwrap_or_default();
        match tokens.get(token) {
            Some(Token::Any) => {
                any = Some((token + 1, at));
                some = None;
                token += 1;
            }
            Some(Token::Some) => {
                some = Some((token + 1, at));
                token += 1;
            }
            Some(Token::One) => {
                at += text.iter().skip(at + 1).take_while(|byte| **byte & 0xC0 == 0x80).count() + 1;
                token += 1;
            }
            Some(wanted) if same(*wanted, byte, is_path) => {
                at += 1;
                token += 1;
            }
            _ => match (some, any) {
                (Some((next, taken)), _) if !matches!(text.get(taken), Some(b'/' | b'\\') | None) => {
                    some = Some((next, taken + 1));
                    (token, at) = (next, taken + 1);
                }
                (_, Some((next, taken))) => {
                    some = None;
                    any = Some((next, taken + 1));
                    (token, at) = (next, taken + 1);
                }
                _ => return false,
            },
        }
    }
    tokens.iter().skip(token).all(|token| matches!(token, Token::Some | Token::Any))
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn names() {
        for (pattern, text, expected) in [
            ("ConnectionError", "connectionerror", true),
            ("timeout *", "timeout after 5 s", true),
            ("timeout *", "a timeout after", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("a?c", "aöc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*/b", "a/x/b", true),
        ] {
            assert_eq!(Glob::new(pattern, false).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn paths() {
        for (pattern, text, expected) in [
            ("**/vendor/**", "/app/vendor/x/y.php", true),
            ("**/vendor/**", "vendor/x.php", true),
            ("**/vendor/**", "/app/vendors/x.php", false),
            ("/app/*.py", "/app/a.py", true),
            ("/app/*.py", "/app/b/a.py", false),
            ("/app/**.py", "/app/b/a.py", true),
            ("**/*.min.js", "https://x.example/a/b.min.js", true),
            ("c:/app/*", "C:\\app\\a.cs", true),
            ("**/a/*/c", "/a/b/a/b/c", true),
        ] {
            assert_eq!(Glob::new(pattern, true).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn hard_patterns_end_soon() {
        let glob = Glob::new(&"*a".repeat(100), false);
        assert!(!glob.matches(&"a".repeat(99)));
        assert!(!Glob::new(&"**/*a".repeat(50), true).matches(&"/ab".repeat(2000)));
    }
}
