//! What is asked for of a few names.

/// Those that are asked for, and those that must not be; in which order they were said makes no difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice<T> {
    wanted: Vec<T>,
    unwanted: Vec<T>,
}

// Derived, it would need a default of what is chosen.
impl<T> Default for Choice<T> {
    fn default() -> Self {
        Self { wanted: Vec::new(), unwanted: Vec::new() }
    }
}

impl<T: Copy + PartialEq> Choice<T> {
    pub(super) fn add(&mut self, value: T, negated: bool) {
        let values = if negated { &mut self.unwanted } else { &mut self.wanted };
        values.push(value);
    }

    /// What is left of all; `None` when nothing was said. Nothing is left of a contradiction.
    pub(super) fn left(&self, all: &[T]) -> Option<Vec<T>> {
        if self.wanted.is_empty() && self.unwanted.is_empty() {
            return None;
        }
        let is_asked = |one: &T| self.wanted.is_empty() || self.wanted.contains(one);
        Some(all.iter().copied().filter(|one| is_asked(one) && !self.unwanted.contains(one)).collect())
    }

    /// Whether nothing can be what is asked for.
    pub(super) fn is_contradiction(&self, all: &[T]) -> bool {
        self.left(all).is_some_and(|left| left.is_empty())
    }
}

impl Choice<bool> {
    /// Both that there are.
    pub(super) const ALL: &'static [bool] = &[true, false];

    /// The one that is asked for; `None` when both are, or neither.
    pub(crate) fn one(&self) -> Option<bool> {
        match self.left(Self::ALL)?.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}
