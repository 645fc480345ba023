//! Fingerprints that the client or a rule gives, with `{{ variables }}`.

use crate::hash::{Hash, Parts};
use crate::parameterise::parameterised;
use crate::rules::{FingerprintRule, Piece, StackRules, Variable};
use crate::title;
use crate::{basis, names};
use bugle_model::{Event, Exception};
use std::borrow::Cow;

/// One part of a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    /// `{{ default }}`.
    Default,
}

/// Who gave the fingerprint.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'r> {
    Rule(&'r FingerprintRule),
    Checksum,
    Client,
}

/// A fingerprint with its variables put in.
#[derive(Debug)]
pub(crate) struct Explicit<'r> {
    pub(crate) origin: Origin<'r>,
    pub(crate) parts: Vec<Part>,
}

/// What variables are taken from.
pub(crate) struct Variables<'e, 'r> {
    event: &'e Event,
    rules: &'r StackRules<'r>,
}

impl<'e, 'r> Variables<'e, 'r> {
    pub(crate) const fn new(event: &'e Event, rules: &'r StackRules<'r>) -> Self {
        Self { event, rules }
    }

    fn main(&self) -> Option<&'e Exception> {
        title::outermost(self.event)
    }

    /// The variable's text. In a fingerprint messages are parameterised, in a title they are not.
    fn get(&self, variable: &Variable, in_title: bool) -> Option<String> {
        let event = self.event;
        let text = |text: &str| if in_title { text.to_owned() } else { parameterised(text).into_owned() };
        match variable {
            Variable::Default => None,
            Variable::Type => self.main()?.kind.clone(),
            Variable::Value => self.main()?.value.as_deref().map(text),
            Variable::Message => match &event.message {
                Some(log) if in_title => Some(log.text().to_owned()),
                Some(log) => basis::message(log).map(|(text, _)| text.into_owned()),
                None => self.main()?.value.as_deref().map(text),
            },
            Variable::Module | Variable::Function | Variable::Package => self.of_frame(variable),
            Variable::Level => Some(event.level.as_str().to_owned()),
            Variable::Logger => event.logger.clone(),
            Variable::Release => event.release.clone(),
            Variable::Environment => event.environment.clone(),
            Variable::Transaction => event.transaction.clone(),
            Variable::Platform => Some(event.platform.clone()),
            Variable::Sdk => event.sdk.as_ref()?.name.clone(),
            Variable::Tag(name) => event.tags.get(name).cloned(),
        }
        .filter(|text| !text.is_empty())
    }

    fn of_frame(&self, variable: &Variable) -> Option<String> {
        let part = title::crash_frame(self.event, self.main(), self.rules)?;
        match variable {
            Variable::Module => part.place.map(Cow::into_owned),
            Variable::Function => part.function.map(Cow::into_owned),
            _ => part.frame.package.as_deref().map(|package| names::basename(package).to_owned()),
        }
    }

    /// The pieces as one text; a variable without a value is `<none>`.
    pub(crate) fn fill(&self, pieces: &[Piece], in_title: bool) -> String {
        pieces.iter().fold(String::new(), |mut out, piece| {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(variable) => {
                    out.push_str(self.get(variable, in_title).as_deref().unwrap_or("<none>"))
                }
            }
            out
        })
    }

    /// A rule's part.
    fn rule_part(&self, pieces: &[Piece]) -> Part {
        match pieces {
            [Piece::Variable(Variable::Default)] => Part::Default,
            pieces => Part::Text(self.fill(pieces, false)),
        }
    }

    /// A client's part. What is no variable stays as it is; a part that is an error's message is parameterised.
    fn client_part(&self, part: &str) -> Part {
        let pieces = client_pieces(part);
        if pieces == [Piece::Variable(Variable::Default)] {
            return Part::Default;
        }
        let is_message =
            self.event.exceptions.iter().any(|exception| exception.value.as_deref() == Some(part))
                || self.event.message.as_ref().is_some_and(|log| log.text() == part);
        if is_message && !part.is_empty() {
            return Part::Text(parameterised(part).into_owned());
        }
        Part::Text(self.fill(&pieces, false))
    }
}

fn client_pieces(part: &str) -> Vec<Piece> {
    if let Some(name) = part.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"))
        && let Some(variable) = Variable::named(name)
    {
        return vec![Piece::Variable(variable)];
    }
    let mut pieces = Vec::new();
    let mut rest = part;
    while let Some((text, tail)) = rest.split_once("{{") {
        let variable = tail.split_once("}}").and_then(|(name, tail)| Some((Variable::named(name)?, tail)));
        pieces.push(Piece::Text(text.to_owned()));
        match variable {
            Some((variable, tail)) if variable != Variable::Default => {
                pieces.push(Piece::Variable(variable));
                rest = tail;
            }
            _ => {
                pieces.push(Piece::Text("{{".to_owned()));
                rest = tail;
            }
        }
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

impl<'r> Explicit<'r> {
    /// The first of: a rule's, the checksum, the client's; `None` when grouping is left to us.
    pub(crate) fn new(rule: Option<&'r FingerprintRule>, variables: &Variables<'_, '_>) -> Option<Self> {
        let event = variables.event;
        if let Some(rule) = rule {
            let parts = rule.parts.iter().map(|pieces| variables.rule_part(pieces)).collect();
            return Some(Self { origin: Origin::Rule(rule), parts });
        }
        if let Some(checksum) =
            event.checksum.as_deref().map(str::trim).filter(|checksum| !checksum.is_empty())
        {
            return Some(Self { origin: Origin::Checksum, parts: vec![Part::Text(checksum.to_owned())] });
        }
        if event.fingerprint.iter().all(|part| part.trim().is_empty()) {
            return None;
        }
        let parts: Vec<Part> = event.fingerprint.iter().map(|part| variables.client_part(part)).collect();
        (parts != [Part::Default]).then_some(Self { origin: Origin::Client, parts })
    }

    pub(crate) fn needs_default(&self) -> bool {
        self.parts.contains(&Part::Default)
    }

    /// The hash, with `default` in the place of `{{ default }}`.
    pub(crate) fn hash(&self, default: Option<&Hash>) -> Hash {
        if self.parts == [Part::Default]
            && let Some(default) = default
        {
            return *default;
        }
        let kind = if matches!(self.origin, Origin::Checksum) { "checksum" } else { "fingerprint" };
        let mut list = Parts::new(kind);
        for part in &self.parts {
            match (part, default) {
                (Part::Text(text), _) => list.push(b't', text.as_bytes()),
                (Part::Default, Some(default)) => list.push(b'd', default),
                (Part::Default, None) => list.push(b'd', b""),
            }
        }
        list.finish()
    }
}
