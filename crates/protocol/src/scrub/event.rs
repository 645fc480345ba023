//! Every place of an event that may hold a secret.

use super::{Active, FILTERED};
use bugle_model::{Breadcrumb, Event, Exception, Frame, LogMessage, Request, Stacktrace, User};
use serde_json::{Map, Value, json};

impl Active {
    pub(super) fn event(&self, event: &mut Event) {
        if let Some(message) = &mut event.message {
            self.message(message);
        }
        event.exceptions.iter_mut().for_each(|exception| self.exception(exception));
        for thread in &mut event.threads {
            self.stacktrace(thread.stacktrace.as_mut());
            self.map(&mut thread.other);
        }
        event.breadcrumbs.iter_mut().for_each(|crumb| self.breadcrumb(crumb));
        if let Some(user) = &mut event.user {
            self.user(user);
        }
        if event.user.as_ref().is_some_and(|user| user == &User::default()) {
            event.user = None;
        }
        if let Some(request) = &mut event.request {
            self.request(request);
        }
        self.contexts(&mut event.contexts);
        self.map(&mut event.extra);
        for (name, value) in &mut event.tags {
            self.named_text(name, value);
        }
        for text in event.transaction.iter_mut().chain(&mut event.fingerprint) {
            self.text.prose(text);
        }
        for value in event.security.iter_mut().chain(&mut event.debug_meta) {
            self.tree(value);
        }
    }

    /// `session.id` stays: webhooks and browser logs name it so that the events of one visit are found together. It is the
    /// one session that is no credential by its place.
    fn contexts(&self, contexts: &mut Map<String, Value>) {
        let id = contexts
            .get("session")
            .and_then(|session| session.get("id"))
            .filter(|id| id.is_string())
            .cloned();
        self.map(contexts);
        if let (Some(mut id), Some(session)) = (id, contexts.get_mut("session"))
            && session.is_string()
        {
            self.tree(&mut id);
            *session = json!({ "id": id });
        }
    }

    fn message(&self, message: &mut LogMessage) {
        let before = message.formatted.as_ref().map(String::len);
        for text in message.template.iter_mut().chain(&mut message.formatted) {
            self.text.prose(text);
        }
        if let Some(params) = &mut message.params {
            let was_filtered = message
                .formatted
                .as_ref()
                .is_some_and(|text| text.contains(FILTERED) || Some(text.len()) != before);
            // What was secret in the message came from a parameter; which one, nobody says.
            if was_filtered {
                *params = FILTERED.into();
            } else {
                self.tree(params);
            }
        }
    }

    fn exception(&self, exception: &mut Exception) {
        if let Some(value) = &mut exception.value {
            self.text.prose(value);
        }
        if let Some(mechanism) = &mut exception.mechanism {
            self.map(&mut mechanism.other);
        }
        self.stacktrace(exception.stacktrace.as_mut());
    }

    fn stacktrace(&self, stacktrace: Option<&mut Stacktrace>) {
        if let Some(stacktrace) = stacktrace {
            stacktrace.frames.iter_mut().for_each(|frame| self.frame(frame));
            self.map(&mut stacktrace.other);
        }
    }

    fn frame(&self, frame: &mut Frame) {
        // A URL may carry a session in its query.
        for path in frame.abs_path.iter_mut().chain(&mut frame.filename) {
            self.text.prose(path);
        }
        let lines =
            frame.pre_context.iter_mut().chain(&mut frame.context_line).chain(&mut frame.post_context);
        lines.for_each(|line| self.text.code(line));
        self.map(&mut frame.vars);
        self.map(&mut frame.other);
    }

    fn breadcrumb(&self, crumb: &mut Breadcrumb) {
        if let Some(message) = &mut crumb.message {
            self.text.prose(message);
        }
        self.map(&mut crumb.data);
    }

    fn user(&self, user: &mut User) {
        if self.addresses {
            user.ip_address = None;
        }
        for text in [&mut user.id, &mut user.username, &mut user.name].into_iter().flatten() {
            self.text.prose(text);
        }
        self.map(&mut user.data);
    }

    fn request(&self, request: &mut Request) {
        for text in request.url.iter_mut().chain(&mut request.fragment) {
            self.text.prose(text);
        }
        for (name, value) in request.query.iter_mut().chain(&mut request.headers) {
            self.named_text(name, value);
        }
        // Sessions hide under any name here.
        for (name, value) in &mut request.cookies {
            if !value.is_empty() && !self.names.is_kept(name) {
                FILTERED.clone_into(value);
            }
        }
        if let Some(data) = &mut request.data {
            self.tree(data);
        }
        self.environ_map(&mut request.env);
        self.map(&mut request.other);
    }

    fn named_text(&self, name: &str, value: &mut String) {
        if self.names.is_secret(name) {
            if !value.is_empty() {
                FILTERED.clone_into(value);
            }
        } else if !self.names.is_kept(name) {
            self.text.prose(value);
        }
    }
}
