//! Finds the language of a trace by the looks of its lines.

use super::{Language, dart, dotnet, go, java, javascript, php, python, ruby, text};

/// How many lines are looked at.
const SAMPLE: usize = 400;

/// The language whose frames the text holds most of. `platform` counts as much as half of the lines, so a wrong
/// hint does not win against a clear text.
#[must_use]
pub fn detect(trace: &str, platform: Option<&str>) -> Option<Language> {
    let trace = super::tidy(trace);
    let hint = platform.and_then(Language::from_platform);
    let mut scores = [0_usize; Language::ALL.len()];
    let mut frames = 0;
    for line in text::lines(&trace).take(SAMPLE) {
        let mut matched = false;
        for (score, &language) in scores.iter_mut().zip(Language::ALL) {
            if is_frame(language, line) {
                *score += 2;
                matched = true;
            }
        }
        frames += usize::from(matched);
    }
    let (score, _, language) = scores
        .iter()
        .zip(Language::ALL)
        .enumerate()
        .filter(|(_, (score, _))| **score > 0)
        .map(|(place, (score, &language))| {
            let bonus = if hint == Some(language) { frames } else { 0 };
            (score + bonus, usize::MAX - place, language)
        })
        .max_by_key(|(score, place, _)| (*score, *place))?;
    (score > 0).then_some(language)
}

fn is_frame(language: Language, line: &str) -> bool {
    match language {
        Language::Php => php::is_frame(line),
        Language::Java => java::is_frame(line),
        Language::JavaScript => javascript::frame(line.trim()).is_some(),
        Language::Dart => dart::frame(line.trim()).is_some(),
        Language::Python => python::is_frame(line),
        Language::Go => go::is_frame(line),
        Language::Ruby => ruby::frame(line.trim()).is_some(),
        Language::DotNet => dotnet::frame(line.trim()).is_some(),
    }
}
