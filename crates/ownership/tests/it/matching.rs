//! Which rule counts.

use bugle_model::{
    Codeowners, Event, Exception, Frame, Owner, Ownership, OwnershipMatch, OwnershipRule, Request,
    Stacktrace, UserId,
};
use bugle_ownership::{Facts, codeowners, matching};
use chrono::DateTime;
use uuid::Uuid;

pub fn ann() -> Owner {
    Owner::Person { user: UserId(1) }
}

/// Rules as `path src/**` or `tag area=pay*`, all Ann's.
pub fn rules(written: &[&str]) -> Ownership {
    let rule = |text: &&str| {
        let (by, rest) = text.split_once(' ').unwrap();
        let (by, tag, pattern) = match by {
            "path" => (OwnershipMatch::Path, None, rest),
            "module" => (OwnershipMatch::Module, None, rest),
            "url" => (OwnershipMatch::Url, None, rest),
            _ => {
                let (name, pattern) = rest.split_once('=').unwrap();
                (OwnershipMatch::Tag, Some(name.to_owned()), pattern)
            }
        };
        OwnershipRule { by, tag, pattern: pattern.to_owned(), owners: vec![ann()] }
    };
    Ownership { rules: written.iter().map(rule).collect(), ..Ownership::default() }
}

pub fn imported(text: &str) -> Codeowners {
    Codeowners {
        rules: codeowners::resolve(codeowners::parse(text), |_| Some(ann())),
        ..Codeowners::default()
    }
}

/// An event of the shop's checkout, which a library called.
fn event() -> Event {
    let mut event = Event::new(Uuid::nil(), DateTime::UNIX_EPOCH);
    let frame = |path: &str, module: &str, in_app| Frame {
        filename: Some(path.to_owned()),
        abs_path: Some(format!("/app/{path}")),
        module: Some(module.to_owned()),
        in_app: Some(in_app),
        ..Frame::default()
    };
    let frames = vec![
        frame("lib/django/handler.py", "django.handler", false),
        frame("src/checkout/cart.py", "shop.checkout.cart", true),
    ];
    let stacktrace = Some(Stacktrace { frames, ..Stacktrace::default() });
    event.exceptions = vec![Exception { stacktrace, ..Exception::default() }];
    event.request =
        Some(Request { url: Some("https://shop.example/pay/card".to_owned()), ..Request::default() });
    event.tags.insert("area".to_owned(), "Payments".to_owned());
    event.release = Some("shop@1.2".to_owned());
    event
}

fn counts(ownership: &Ownership, codeowners: &Codeowners) -> Option<String> {
    matching(ownership, codeowners, &Facts::of(&event())).map(|matched| matched.says)
}

#[test]
fn each_kind_looks_at_its_own() {
    for (rule, expected) in [
        ("path src/checkout/**", true),
        ("path /app/src/checkout/*.py", true),
        ("path lib/**", false),
        ("module shop.checkout.*", true),
        ("module django.*", false),
        ("url https://shop.example/pay/*", true),
        ("url */basket/*", false),
        ("tag area=pay*", true),
        ("tag area=ship*", false),
        ("tag release=shop@1.*", true),
    ] {
        let says = counts(&rules(&[rule]), &Codeowners::default());
        assert_eq!(says, expected.then(|| format!("rule 1: {rule}")), "{rule}");
    }
}

#[test]
fn the_last_that_matches_counts_and_rules_go_before_the_file() {
    let file = imported("# who\n* @ann\n/src/ @ann\n/docs/ @ann");
    let says = counts(&rules(&["path **", "path src/**", "path docs/**"]), &file);
    assert_eq!(says.unwrap(), "rule 2: path src/**");
    let says = counts(&rules(&["path docs/**"]), &file);
    assert_eq!(says.unwrap(), "line 3 of CODEOWNERS: /src/");
    assert_eq!(counts(&rules(&[]), &imported("/docs/ @ann")), None);
}

#[test]
fn roots_lead_from_the_frame_to_the_repository() {
    let file = imported("/services/shop/src/ @ann");
    assert_eq!(counts(&rules(&[]), &file), None);
    let roots = Ownership {
        stack_root: "/app/".to_owned(),
        source_root: "services/shop".to_owned(),
        ..Ownership::default()
    };
    assert_eq!(counts(&roots, &file).unwrap(), "line 1 of CODEOWNERS: /services/shop/src/");
}

#[test]
fn of_a_deep_stack_the_fifty_frames_of_the_app_that_are_nearest_to_the_crash_count() {
    let frame = |path: String, in_app| Frame { filename: Some(path), in_app, ..Frame::default() };
    let unsaid = (0..60).map(|number| frame(format!("unsaid/{number}.py"), None));
    let of_app = (0..40).map(|number| frame(format!("app/{number}.py"), Some(true)));
    let mut event = event();
    let frames = of_app.chain(unsaid).collect();
    event.exceptions[0].stacktrace = Some(Stacktrace { frames, ..Stacktrace::default() });
    let paths = Facts::of(&event).paths;
    assert_eq!(paths.len(), 50);
    assert_eq!(paths.iter().filter(|path| path.starts_with("app/")).count(), 40);
    assert!(paths.contains("unsaid/50.py") && !paths.contains("unsaid/49.py"), "{paths:?}");
}

#[test]
fn paths_of_windows_have_slashes() {
    let facts = Facts::of_path(r"C:\app\src\Cart.cs");
    assert!(matching(&rules(&["path C:/app/**"]), &Codeowners::default(), &facts).is_some());
}
