#![no_main]

use bugle_model::{Codeowners, Owner, Ownership, UserId};
use bugle_ownership::codeowners::{parse, resolve};
use bugle_ownership::{Facts, matching};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = parse(text);
    assert!(file.lines.len() <= Codeowners::MAX_RULES);
    let told = file.lines.len() + file.problems.len();
    let rules = resolve(file, |name| (name.len() % 2 == 0).then_some(Owner::Person { user: UserId(1) }));
    let codeowners = Codeowners { rules, ..Codeowners::default() };
    // The patterns of a file are as odd as paths can be.
    for path in text.lines().take(20).chain(["src/checkout/cart.py"]) {
        let found = matching(&Ownership::default(), &codeowners, &Facts::of_path(path));
        assert!(found.is_none() || told > 0);
    }
});
