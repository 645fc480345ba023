//! On-call from outside: signals in, pages out, with a clock that is moved by hand. One idea each; a message that a test does not
//! name fails it.

mod acknowledging;
mod acting;
mod alerts;
mod answers;
mod buttons;
mod by_hand;
mod contact_methods;
mod escalating;
mod faults;
mod nobody;
mod outages;
mod ownership;
mod priorities;
mod quiet;
mod races;
mod replies;
mod routing;
mod rules;
mod scene;
mod schedules;
mod sending;
mod silences;
mod tools;
