//! Laying one list of spans on top of another.

use crate::layer::Span;
use crate::restriction::Window;

/// `above`, and `below` where `above` has nothing. Both are in order and do not overlap in themselves.
pub(crate) fn overlay<T: Copy>(below: &[Span<T>], above: &[Span<T>]) -> Vec<Span<T>> {
    let mut result = Vec::with_capacity(below.len() + above.len());
    let mut above = above.iter().peekable();
    for span in below {
        let mut free_from = span.window.start;
        while let Some(top) = above.peek() {
            if top.window.start >= span.window.end {
                break;
            }
            push(&mut result, Window { start: free_from, end: top.window.start }, span.what);
            free_from = free_from.max(top.window.end);
            if top.window.end > span.window.end {
                break;
            }
            result.push(**top);
            above.next();
        }
        push(&mut result, Window { start: free_from, end: span.window.end }, span.what);
    }
    result.extend(above.copied());
    result
}

fn push<T>(to: &mut Vec<Span<T>>, window: Window, what: T) {
    if window.start < window.end {
        to.push(Span { window, what });
    }
}
