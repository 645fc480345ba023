//! "Why is this grouped so?": the same analysis that gives the hashes, told for people.

use crate::basis::Basis;
use crate::exceptions::{Chain, ExceptionPart, Tells};
use crate::fingerprint::{Explicit, Origin, Part};
use crate::frames::{FramePart, InAppBy, Skip, StackPart, Weak};
use crate::hash::hex;
use crate::{Analysis, Method, VERSION};
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Cow;

/// A hash and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedHash {
    /// `app` (the app's frames), `system` (all frames), `message`, `fingerprint`, ….
    pub variant: String,
    /// 32 hex digits.
    pub hash: String,
}

/// Something of the event that does or does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "GroupingComponent")]
pub struct Component {
    /// What it is: `exception`, `type`, `value`, `frame`, `module`, `function`, `context line`, ….
    pub name: String,
    /// Whether it is part of a hash.
    pub contributes: bool,
    /// What it is in the form in which it counts (or would).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why it does or does not count, where that does not go without saying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it consists of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Component>,
}

/// Why an event is grouped as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Grouping")]
pub struct Explanation {
    /// The version of the algorithm.
    pub version: i16,
    /// By what it was grouped.
    pub method: Method,
    /// The line of the rule that gave the fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_line: Option<usize>,
    /// That rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The hashes, the primary first.
    pub hashes: Vec<NamedHash>,
    /// The title.
    pub title: String,
    /// The culprit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub culprit: Option<String>,
    /// What counts and what does not.
    pub components: Vec<Component>,
}

impl Component {
    fn new(name: &str, contributes: bool) -> Self {
        Self { name: name.to_owned(), contributes, value: None, reason: None, children: Vec::new() }
    }

    fn leaf(name: &str, value: &str, contributes: bool) -> Self {
        Self { value: Some(value.to_owned()), ..Self::new(name, contributes) }
    }

    fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into().into_owned());
        self
    }

    /// Marks it and all in it as not counting.
    fn silence(&mut self) {
        self.contributes = false;
        self.children.iter_mut().for_each(Self::silence);
    }
}

pub(crate) fn explanation(analysis: &Analysis<'_, '_>) -> Explanation {
    let mut components = Vec::new();
    let mut default = analysis.basis.as_ref().map(basis).unwrap_or_default();
    if let Some(explicit) = &analysis.explicit {
        components.push(fingerprint(explicit));
        if !explicit.needs_default() {
            for component in &mut default {
                component.silence();
                component.reason = Some("the fingerprint has no {{ default }}".to_owned());
            }
        }
    }
    components.extend(default);
    let rule = match &analysis.explicit {
        Some(Explicit { origin: Origin::Rule(rule), .. }) => Some(rule),
        _ => None,
    };
    let named = |(variant, hash): (&str, _)| NamedHash { variant: variant.to_owned(), hash: hex(&hash) };
    Explanation {
        version: VERSION,
        method: analysis.method(),
        rule_line: rule.map(|rule| rule.line),
        rule: rule.map(|rule| rule.source.clone()),
        hashes: analysis.hashes().into_iter().map(named).collect(),
        title: analysis.title(),
        culprit: analysis.culprit(),
        components,
    }
}

fn fingerprint(explicit: &Explicit<'_>) -> Component {
    let (name, reason) = match explicit.origin {
        Origin::Rule(rule) => ("fingerprint", format!("the rule in line {}", rule.line)),
        Origin::Checksum => ("checksum", "sent by the client".to_owned()),
        Origin::Client => ("fingerprint", "sent by the client".to_owned()),
    };
    let mut component = Component::new(name, true).because(reason);
    component.children = explicit
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Component::leaf("part", text, true),
            Part::Default => Component::leaf("part", "{{ default }}", true),
        })
        .collect();
    component
}

fn basis(basis: &Basis<'_>) -> Vec<Component> {
    match basis {
        Basis::Known { name, page, chain } => {
            let mut known =
                Component::leaf("known error", name, true).because("it has one cause, whatever the trace");
            known.children.extend(page.as_deref().map(|page| Component::leaf("transaction", page, true)));
            let mut rest = exceptions(chain);
            rest.iter_mut().for_each(Component::silence);
            std::iter::once(known).chain(rest).collect()
        }
        Basis::Exceptions(chain) => exceptions(chain),
        Basis::Thread { thread, stack, message } => {
            let mut component = Component::new("thread", true);
            component.value = thread.name.clone().or_else(|| thread.id.clone());
            component.children.push(stack_component(stack, true));
            component.children.extend(message.as_deref().map(|text| Component::leaf("message", text, true)));
            vec![component]
        }
        Basis::Security(violation) => vec![
            Component::leaf("directive", &violation.directive, true),
            Component::leaf("blocked", &violation.blocked, true),
        ],
        Basis::Message { text, is_template } => {
            let reason = if *is_template { "the template" } else { "the text; there is no template" };
            vec![Component::leaf("message", text, true).because(reason)]
        }
        Basis::Nothing => {
            vec![Component::new("logger and transaction", true).because("the event says nothing else")]
        }
    }
}

fn exceptions(chain: &Chain<'_>) -> Vec<Component> {
    let has_app = chain.any_frames(&chain.used, true);
    let describe = |(index, part)| {
        let mut component = exception(part, has_app);
        if !chain.used.contains(&index) {
            component.silence();
            component.reason = Some("another exception of the group or chain stands for it".to_owned());
        }
        component
    };
    chain.parts.iter().enumerate().map(describe).collect()
}

fn exception(part: &ExceptionPart<'_>, has_app: bool) -> Component {
    let mut component = Component::new("exception", true);
    if let Some(kind) = part.kind.as_deref().or(part.exception.kind.as_deref()) {
        let leaf = Component::leaf("type", kind, part.kind.is_some());
        component.children.push(match part.kind {
            Some(_) => leaf,
            None => leaf.because("made up by the client library or a minifier"),
        });
    }
    if let Some((domain, code)) = part.ns_error() {
        component.children.push(Component::leaf("ns_error", &format!("{domain} {code}"), true));
    }
    let tells = part.tells(has_app);
    let (counts, reason) = match tells {
        Tells::Value => (true, "no frame counts"),
        Tells::Frames { and_value: true } => match part.stack.weak {
            Some(Weak::Minified) => (true, "a minifier made some of the frames' names"),
            Some(Weak::Vague) => (true, "of the innermost frame nothing but the file is known"),
            None => (true, "a message with a stack trace"),
        },
        Tells::Frames { and_value: false } => (false, "the frames count instead"),
        Tells::Nothing => (false, "the frames of another exception are the app's"),
    };
    if let Some(value) = part.value() {
        component.children.push(Component::leaf("value", &value, counts).because(reason));
    }
    if !part.stack.frames.is_empty() {
        let mut stack = stack_component(&part.stack, has_app);
        if tells == Tells::Nothing {
            stack.reason = Some("no frame of the app; another exception has some".to_owned());
        }
        component.children.push(stack);
    }
    component
}

fn stack_component(stack: &StackPart<'_>, app_only: bool) -> Component {
    let app_only = app_only && stack.any(true);
    let mut component = Component::new("stack trace", stack.any(app_only));
    if stack.unusable {
        component.reason = Some("a minifier made the name of the innermost frame".to_owned());
    }
    component.children = stack.frames.iter().map(|part| frame(part, stack.unusable, app_only)).collect();
    component
}

fn frame(part: &FramePart<'_>, unusable: bool, app_only: bool) -> Component {
    let counts = part.counts() && !unusable && (part.in_app || !app_only);
    let mut component = Component::new(if part.in_app { "app frame" } else { "system frame" }, counts);
    let leaf = |name: &str, text: &Option<Cow<'_, str>>| {
        text.as_deref().map(|text| Component::leaf(name, text, counts))
    };
    component.children.extend(leaf("module or file", &part.place));
    component.children.extend(leaf("function", &part.function));
    component.children.extend(leaf("context line", &part.context));
    let by = match part.in_app_by {
        InAppBy::Client => "as the client says".to_owned(),
        InAppBy::Default => "as nothing says otherwise".to_owned(),
        InAppBy::Known => "by its name or path".to_owned(),
        InAppBy::Rule(line) => format!("by the rule in line {line}"),
    };
    let whose = if part.in_app { "the app's" } else { "not the app's" };
    let skipped = match part.skip {
        None if unusable => "; does not count: the trace is minified".to_owned(),
        None if !counts => "; counts only in the hash of all frames".to_owned(),
        None => String::new(),
        Some(skip) => format!("; does not count: {}", skip_reason(skip)),
    };
    component.because(format!("{whose} {by}{skipped}"))
}

fn skip_reason(skip: Skip) -> String {
    match skip {
        Skip::Sdk => "the error tracking library's own".to_owned(),
        Skip::Rule(line) => format!("the rule in line {line}"),
        Skip::Recursion => "the same frame comes again further in".to_owned(),
        Skip::NotRecurring => "the stack was used up, and this frame does not recur".to_owned(),
        Skip::Nameless => "it has no name".to_owned(),
        Skip::Minified => "a minifier made its name".to_owned(),
        Skip::Eval => "made by eval, or the engine's own".to_owned(),
        Skip::Comprehension => "newer versions of the language have no frame here".to_owned(),
    }
}
