//! What of a stack trace groups.

use crate::in_app::{self, Code};
use crate::names::{self, Family};
use crate::rules::StackRules;
use bugle_model::{Frame, Stacktrace};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Context lines longer than this (bytes) are data or minified code.
const MAX_CONTEXT: usize = 120;
/// A column beyond this means that a minifier joined the lines.
const MINIFIED_COLUMN: u32 = 300;

/// Why a frame does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    Sdk,
    Rule(usize),
    Recursion,
    NotRecurring,
    Nameless,
    Minified,
    Eval,
    Comprehension,
}

/// Who decided whether a frame is the app's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InAppBy {
    Client,
    Default,
    Known,
    Rule(usize),
}

/// One frame as grouping sees it.
#[derive(Debug, Clone)]
pub(crate) struct FramePart<'e> {
    pub(crate) frame: &'e Frame,
    pub(crate) in_app: bool,
    pub(crate) in_app_by: InAppBy,
    pub(crate) skip: Option<Skip>,
    /// The module, or without one the file.
    pub(crate) place: Option<Cow<'e, str>>,
    pub(crate) function: Option<Cow<'e, str>>,
    pub(crate) context: Option<Cow<'e, str>>,
}

impl FramePart<'_> {
    pub(crate) fn counts(&self) -> bool {
        self.skip.is_none()
    }
}

/// Why a stack trace by itself tells too little, so that the message counts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weak {
    /// Some of the app's frames have names made by a minifier.
    Minified,
    /// Of the innermost frame nothing but the file is known.
    Vague,
}

/// A stack trace as grouping sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct StackPart<'e> {
    pub(crate) frames: Vec<FramePart<'e>>,
    pub(crate) weak: Option<Weak>,
    /// A minifier made the name of the innermost of the app's frames: nothing of the trace counts.
    pub(crate) unusable: bool,
}

impl<'e> StackPart<'e> {
    /// Builds the parts of a stack trace. `overflow`: the error says that the stack was used up.
    pub(crate) fn new(stack: &'e Stacktrace, platform: &str, rules: &StackRules<'_>, overflow: bool) -> Self {
        let mut frames: Vec<_> = stack.frames.iter().map(|frame| part(frame, platform, rules)).collect();
        let own =
            |frame: &&FramePart<'_>| frame.in_app && !matches!(frame.skip, Some(Skip::Sdk | Skip::Rule(_)));
        let minified = frames.iter().filter(own).any(|frame| frame.skip == Some(Skip::Minified));
        let crashed =
            frames.iter().rev().filter(own).find(|frame| frame.skip.is_none_or(|why| why == Skip::Minified));
        let unusable = crashed.is_some_and(|frame| frame.skip == Some(Skip::Minified));
        let weak = if minified {
            Some(Weak::Minified)
        } else {
            let innermost = crashed.or_else(|| frames.iter().rev().find(|frame| frame.counts()));
            innermost.filter(|frame| is_vague(frame)).map(|_| Weak::Vague)
        };
        if !(overflow && keep_only_recurring(&mut frames)) {
            collapse_recursion(&mut frames);
        }
        Self { frames, weak, unusable }
    }

    /// The frames that count, outermost first.
    pub(crate) fn counting(&self, only_in_app: bool) -> impl Iterator<Item = &FramePart<'e>> {
        let usable = !self.unusable;
        self.frames.iter().filter(move |frame| usable && frame.counts() && (frame.in_app || !only_in_app))
    }

    pub(crate) fn any(&self, only_in_app: bool) -> bool {
        self.counting(only_in_app).next().is_some()
    }
}

/// Whether nothing but the file is known.
fn is_vague(part: &FramePart<'_>) -> bool {
    let nameless =
        part.function.as_deref().is_none_or(|name| name == "{closure}" || name.ends_with("\\{closure}"));
    nameless && part.context.is_none()
}

/// Whether the frame is the app's, and who says so.
pub(crate) fn in_app(frame: &Frame, family: Family, rules: &StackRules<'_>) -> (bool, InAppBy, Code) {
    let code = in_app::code(frame, family);
    if let Some((in_app, line)) = rules.in_app(frame) {
        return (in_app, InAppBy::Rule(line), code);
    }
    match (code, frame.in_app) {
        (Code::Sdk | Code::Runtime, _) => (false, InAppBy::Known, code),
        (_, Some(flag)) => (flag, InAppBy::Client, code),
        (Code::Library, None) => (false, InAppBy::Known, code),
        (Code::Unknown, None) => (true, InAppBy::Default, code),
    }
}

/// One frame by itself.
pub(crate) fn part<'e>(frame: &'e Frame, platform: &str, rules: &StackRules<'_>) -> FramePart<'e> {
    let family = Family::of(platform, frame);
    let (in_app, in_app_by, code) = in_app(frame, family, rules);
    let function = frame.function.as_deref().and_then(|name| names::function(name, family));
    let path = frame.filename.as_deref().or(frame.abs_path.as_deref()).unwrap_or_default();
    let place = place(frame, path, family);
    let context = context(frame, family, path, function.is_some());
    let mut part = FramePart { frame, in_app, in_app_by, skip: None, place, function, context };
    part.skip = match rules.group(frame) {
        Some((true, _)) => None,
        Some((false, line)) => Some(Skip::Rule(line)),
        None if code == Code::Sdk => Some(Skip::Sdk),
        None => skip(&part, family, path),
    };
    if part.skip.is_none() && part.function.is_none() && part.context.is_none() && part.place.is_none() {
        part.skip = Some(Skip::Nameless);
    }
    part
}

fn is_url(path: &str) -> bool {
    ["http://", "https://", "blob:", "data:", "app://", "capacitor://", "file:///android_asset"]
        .iter()
        .any(|scheme| path.starts_with(scheme))
}

/// The module, else the file's name. A page's URL is no place in code.
fn place<'e>(frame: &'e Frame, path: &'e str, family: Family) -> Option<Cow<'e, str>> {
    let module = frame.module.as_deref().and_then(|module| names::module(module, family));
    if module.is_some() {
        return module;
    }
    if family == Family::JavaScript && is_url(path) {
        let base = names::basename(path);
        let script = base.rsplit_once('.').is_some_and(|(_, extension)| {
            matches!(
                extension,
                "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "vue" | "svelte" | "bundle" | "jsbundle"
            )
        });
        if !script {
            return None;
        }
    }
    names::file(path, family)
}

/// The source line with its white space collapsed, where it says more than the function.
fn context<'e>(frame: &'e Frame, family: Family, path: &str, named: bool) -> Option<Cow<'e, str>> {
    let line = frame.context_line.as_deref()?;
    if !family.uses_context_line() || line.len() > MAX_CONTEXT {
        return None;
    }
    if family == Family::JavaScript && !named && is_url(path) {
        return None;
    }
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with("{snip}") || trimmed.ends_with("{snip}") {
        return None;
    }
    if !trimmed.contains("  ") && !trimmed.contains('\t') {
        return Some(Cow::Borrowed(trimmed));
    }
    let mut collapsed = String::with_capacity(trimmed.len());
    for word in trimmed.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    Some(Cow::Owned(collapsed))
}

/// Why a frame that no rule speaks of does not count.
fn skip(part: &FramePart<'_>, family: Family, path: &str) -> Option<Skip> {
    match family {
        Family::JavaScript => skip_javascript(part, path),
        // From 3.12 on list, set and dict comprehensions have no frame of their own.
        Family::Python => matches!(part.function.as_deref(), Some("<listcomp>" | "<setcomp>" | "<dictcomp>"))
            .then_some(Skip::Comprehension),
        // The file alone is where a generic function was inlined, or nothing.
        Family::Native | Family::Jvm | Family::Dotnet | Family::Go => {
            part.function.is_none().then_some(Skip::Nameless)
        }
        _ => (part.function.is_none() && part.context.is_none() && part.place.is_none())
            .then_some(Skip::Nameless),
    }
}

fn skip_javascript(part: &FramePart<'_>, path: &str) -> Option<Skip> {
    let absolute = part.frame.abs_path.as_deref().unwrap_or(path);
    let raw = part.frame.function.as_deref().unwrap_or_default();
    let eval =
        raw == "eval" || raw.starts_with("eval at") || path.starts_with("eval at") || absolute == "eval code";
    if eval || matches!(absolute, "<anonymous>" | "native" | "[native code]" | "native code") {
        return Some(Skip::Eval);
    }
    let Some(name) = part.function.as_deref() else {
        return part.context.is_none().then_some(Skip::Nameless);
    };
    let context = part.frame.context_line.as_deref().unwrap_or_default();
    let minified_file = part.frame.colno.is_some_and(|column| column >= MINIFIED_COLUMN)
        || path.contains(".min.")
        || context.len() > 200
        || context.contains("{snip}");
    let from_url = is_url(absolute) && context.is_empty();
    (part.context.is_none() && names::is_minified(name, from_url, minified_file)).then_some(Skip::Minified)
}

type Identity<'p> = (bool, Option<&'p str>, Option<&'p str>, Option<&'p str>);

fn identity<'p>(part: &'p FramePart<'_>) -> Identity<'p> {
    (part.in_app, part.place.as_deref(), part.function.as_deref(), part.context.as_deref())
}

/// Each frame counts once, where it is innermost, so that the depth of a recursion does not count.
fn collapse_recursion(frames: &mut [FramePart<'_>]) {
    let repeated: Vec<usize> = {
        let mut seen = HashSet::with_capacity(frames.len());
        let counting = frames.iter().enumerate().rev().filter(|(_, frame)| frame.counts());
        counting.filter_map(|(index, frame)| (!seen.insert(identity(frame))).then_some(index)).collect()
    };
    for index in repeated {
        if let Some(frame) = frames.get_mut(index) {
            frame.skip = Some(Skip::Recursion);
        }
    }
}

/// When the stack was used up, where it began and which of the recurring calls was one too many is chance:
/// only the frames that recur count, in the order of their names. `false` when none recurs.
fn keep_only_recurring<'e>(frames: &mut [FramePart<'e>]) -> bool {
    let verdicts: Vec<(usize, Option<Skip>)> = {
        let mut seen: HashMap<Identity<'_>, (usize, usize)> = HashMap::with_capacity(frames.len());
        let counting = || frames.iter().enumerate().filter(|(_, frame)| frame.counts());
        for (index, frame) in counting() {
            seen.entry(identity(frame)).or_insert((index, 0)).1 += 1;
        }
        let verdict = |index: usize, frame: &FramePart<'_>| match seen.get(&identity(frame)) {
            Some((_, 1)) | None => Some(Skip::NotRecurring),
            Some((first, _)) if *first == index => None,
            Some(_) => Some(Skip::Recursion),
        };
        counting().map(|(index, frame)| (index, verdict(index, frame))).collect()
    };
    if verdicts.iter().all(|(_, skip)| skip.is_some()) {
        return false;
    }
    for (index, skip) in verdicts {
        if let Some(frame) = frames.get_mut(index) {
            frame.skip = skip;
        }
    }
    let mut kept: Vec<FramePart<'e>> = frames.iter().filter(|frame| frame.counts()).cloned().collect();
    kept.sort_by(|a, b| identity(a).cmp(&identity(b)));
    for (slot, frame) in frames.iter_mut().filter(|frame| frame.counts()).zip(kept) {
        *slot = frame;
    }
    true
}
