//! For tests only: what stands in for the outside world, private to each test.

pub mod http;
pub mod postgres;
pub mod proxy;
pub mod push;
pub mod rabbit;
pub mod smtp;
mod time_limit;

pub use http::HttpFake;
pub use postgres::TestDatabase;
pub use proxy::Proxy;
pub use rabbit::PrivateRabbit;
pub use smtp::SmtpFake;
