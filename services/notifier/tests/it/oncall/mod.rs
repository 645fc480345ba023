//! On-call from outside: signals in, pages out, with a clock that is moved by hand. One idea each; a message that a test does not
//! name fails it.

mod acknowledging;
mod acting;
mod alerts;
mod answers;
mod buttons;
mod by_hand;
mod calls;
mod contact_methods;
mod crowds;
mod escalating;
mod faults;
mod flapping;
mod handoffs;
mod hours;
mod inhibitions;
mod merging;
mod nobody;
mod outages;
mod priorities;
mod push;
mod quiet;
mod races;
mod replies;
mod responders;
mod response_times;
mod rooms;
mod routing;
mod rules;
mod scene;
mod schedules;
mod sending;
mod silences;
mod tools;
mod turns;
mod watching;
