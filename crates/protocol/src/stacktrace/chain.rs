//! Bounded lists of frames and exceptions.

use super::{INNERMOST, MAX_EXCEPTIONS, OUTERMOST, ParsedException, text};
use bugle_model::Frame;
use std::collections::VecDeque;

/// How much text above the frames is looked at for class and message, in bytes.
const MAX_HEADER: usize = 16 * 1024;

/// Frames in the order of the text, the middle left out once there are too many.
#[derive(Debug)]
pub(super) struct FrameList {
    head: Vec<Frame>,
    tail: VecDeque<Frame>,
    head_limit: usize,
    tail_limit: usize,
    omitted: usize,
    innermost_first: bool,
}

impl FrameList {
    pub(super) const fn innermost_first() -> Self {
        Self::new(INNERMOST, OUTERMOST, true)
    }

    pub(super) const fn oldest_first() -> Self {
        Self::new(OUTERMOST, INNERMOST, false)
    }

    const fn new(head_limit: usize, tail_limit: usize, innermost_first: bool) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), head_limit, tail_limit, omitted: 0, innermost_first }
    }

    pub(super) fn push(&mut self, frame: Frame) {
        if self.head.len() < self.head_limit {
            self.head.push(frame);
            return;
        }
        if self.tail.len() == self.tail_limit {
            self.tail.pop_front();
            self.omitted += 1;
        }
        self.tail.push_back(frame);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Frame> {
        self.head.first_mut()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Frame> {
        self.tail.back_mut().or(self.head.last_mut())
    }

    /// The frames in the protocol's order and how many were left out.
    pub(super) fn finish(self) -> (Vec<Frame>, Option<usize>) {
        let mut frames = self.head;
        frames.extend(self.tail);
        if self.innermost_first {
            frames.reverse();
        }
        (frames, (self.omitted > 0).then_some(self.omitted))
    }
}

/// One exception while its lines are read.
#[derive(Debug)]
pub(super) struct Building {
    pub(super) header: String,
    pub(super) frames: FrameList,
    pub(super) source: Option<&'static str>,
}

impl Building {
    pub(super) fn new(frames: FrameList) -> Self {
        Self { header: String::new(), frames, source: None }
    }

    /// Adds a line to the text that holds class and message.
    pub(super) fn header_line(&mut self, line: &str) {
        if self.header.len() >= MAX_HEADER {
            return;
        }
        if !self.header.is_empty() {
            self.header.push('\n');
        }
        self.header.push_str(text::prefix(line, MAX_HEADER));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.header.is_empty() && self.frames.is_empty()
    }

    /// The exception, its class and message read from the header by `read`.
    pub(super) fn finish(self, read: impl FnOnce(&str) -> Header) -> ParsedException {
        let header = read(self.header.trim());
        let (frames, frames_omitted) = self.frames.finish();
        ParsedException {
            kind: header.kind,
            value: header.value,
            module: header.module,
            frames,
            frames_omitted,
            source: self.source,
        }
    }
}

/// Class and message of one exception.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) kind: Option<String>,
    pub(super) value: Option<String>,
    pub(super) module: Option<String>,
}

impl Header {
    /// `Class: message`, `Class`, or a message alone.
    pub(super) fn read(header: &str) -> Self {
        match text::split_type(header) {
            Some((kind, value)) => Self {
                kind: Some(text::cut(kind, text::MAX_TYPE)),
                value: text::filled(value, text::MAX_VALUE),
                module: None,
            },
            None => Self { kind: None, value: text::filled(header, text::MAX_VALUE), module: None },
        }
    }

    /// The same, with the package split off the class.
    pub(super) fn read_dotted(header: &str) -> Self {
        let mut read = Self::read(header);
        if let Some((module, kind)) = read.kind.as_deref().and_then(|kind| kind.rsplit_once('.')) {
            let parts = (text::filled(module, text::MAX_PATH), text::filled(kind, text::MAX_TYPE));
            (read.module, read.kind) = parts;
        }
        read
    }
}

/// Exceptions in the order of the text, the middle left out once there are too many.
#[derive(Debug, Default)]
pub(super) struct Chain(Vec<ParsedException>);

impl Chain {
    pub(super) fn push(&mut self, exception: ParsedException) {
        if self.0.len() >= MAX_EXCEPTIONS {
            self.0.remove(MAX_EXCEPTIONS / 2);
        }
        self.0.push(exception);
    }

    /// The one printed last that does not hang in its parent as `source`.
    pub(super) fn last_but(&self, source: &str) -> Option<&ParsedException> {
        self.0.iter().rev().find(|exception| exception.source != Some(source))
    }

    /// For texts that print the outermost first.
    pub(super) fn outermost_first(mut self) -> Vec<ParsedException> {
        self.0.reverse();
        self.innermost_first()
    }

    /// For texts that print the innermost first. Nothing when there is not one frame.
    pub(super) fn innermost_first(self) -> Vec<ParsedException> {
        if self.0.iter().all(|exception| exception.frames.is_empty()) { Vec::new() } else { self.0 }
    }
}
