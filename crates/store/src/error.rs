//! What can go wrong with the database, sorted by what the caller does about it.

use diesel::result::{DatabaseErrorKind, Error};
use thiserror::Error as ThisError;

/// What PostgreSQL says of data that it cannot keep (classes 22 and 54). diesel has no kinds for them and hides
/// the SQLSTATE.
const DATA_ERRORS: [&str; 6] = [
    "invalid byte sequence",
    "invalid input syntax",
    "out of range",
    "value too long",
    "row is too big",
    "index row",
];

/// A database error.
#[derive(Debug, ThisError)]
pub enum StoreError {
    /// PostgreSQL cannot be reached, or went away in the middle: try again later.
    #[error("database away: {0}")]
    Away(String),
    /// The URL or another setting is wrong: a person has to look.
    #[error("database settings: {0}")]
    Settings(String),
    /// The statement failed.
    #[error("database: {0}")]
    Query(Error),
    /// The migrations could not be applied.
    #[error("migrations: {0}")]
    Migration(String),
    /// Something stored cannot be read.
    #[error("stored data: {0}")]
    Damaged(String),
    /// What this is about was changed by other transactions, as often as it was looked for.
    #[error("database: others were in the way: {0}")]
    Conflict(&'static str),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
                information,
            ) => Self::Away(information.message().to_owned()),
            Error::BrokenTransactionManager => Self::Away("the connection broke in a transaction".to_owned()),
            Error::RollbackErrorOnCommit { rollback_error, commit_error } => {
                match Self::from(*commit_error) {
                    Self::Query(error) if matches!(Self::from(*rollback_error), Self::Away(_)) => {
                        Self::Away(error.to_string())
                    }
                    other => other,
                }
            }
            other => Self::Query(other),
        }
    }
}

impl StoreError {
    /// PostgreSQL cannot be reached: nothing is wrong with what was asked.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// Two transactions stood in each other's way ([`Self::Conflict`], `40P01`, `40001`): the same one succeeds when tried again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict(_)
            | Self::Query(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            // diesel has no kind for 40P01.
            Self::Query(Error::DatabaseError(DatabaseErrorKind::Unknown, information)) => {
                information.message().contains("deadlock")
            }
            _ => false,
        }
    }

    /// A statement took longer than it may, or waited too long for a lock (`57014`, `55P03`). diesel has no kind for it.
    #[must_use]
    pub fn is_too_slow(&self) -> bool {
        matches!(self, Self::Query(Error::DatabaseError(DatabaseErrorKind::Unknown, information))
            if ["statement timeout", "lock timeout"].iter().any(|text| information.message().contains(text)))
    }

    /// A value is none that PostgreSQL knows (classes 22 and 54): a time before its calendar, a NUL in a text.
    #[must_use]
    pub fn is_bad_value(&self) -> bool {
        match self {
            Self::Query(Error::DatabaseError(DatabaseErrorKind::Unknown, information)) => {
                DATA_ERRORS.iter().any(|text| information.message().contains(text))
            }
            Self::Query(Error::SerializationError(_)) => true,
            _ => false,
        }
    }

    /// The data itself was refused (a constraint, a value that cannot be encoded): trying again is useless.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.is_bad_value()
            || matches!(
                self,
                Self::Query(
                    Error::DatabaseError(
                        DatabaseErrorKind::UniqueViolation
                            | DatabaseErrorKind::ForeignKeyViolation
                            | DatabaseErrorKind::NotNullViolation
                            | DatabaseErrorKind::CheckViolation
                            | DatabaseErrorKind::ExclusionViolation,
                        _,
                    ) | Error::QueryBuilderError(_)
                )
            )
    }

    /// A foreign key names a row that is not there (any more).
    #[must_use]
    pub const fn is_missing_reference(&self) -> bool {
        matches!(self, Self::Query(Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)))
    }

    /// A unique constraint was violated; the constraint's name, when PostgreSQL gave it.
    #[must_use]
    pub fn unique_violation(&self) -> Option<&str> {
        match self {
            Self::Query(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information)) => {
                Some(information.constraint_name().unwrap_or_default())
            }
            _ => None,
        }
    }
}
