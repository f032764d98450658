//! Errors as AWS says them: a code, a sentence, a status.
//!
//! Does *not* write XML: see [`crate::protocol::output`].

use crate::protocol::form::FormError;
use crate::protocol::input::InputError;

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// HTTP status.
    pub(crate) status: u16,
    /// Code, such as `InvalidInstanceID.NotFound`.
    pub(crate) code: String,
    /// The sentence.
    pub(crate) message: String,
}

impl ApiError {
    /// A client's mistake: status 400.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> ApiError {
        ApiError { status: 400, code: code.to_owned(), message: message.into() }
    }

    /// The same with another status.
    pub(crate) fn with_status(self, status: u16) -> ApiError {
        ApiError { status, ..self }
    }

    /// `InvalidParameterValue`.
    pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new("InvalidParameterValue", message)
    }

    /// `MissingParameter`, in EC2's words.
    pub(crate) fn missing(parameter: &str) -> ApiError {
        ApiError::new("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    /// `InvalidAction`.
    pub(crate) fn action(action: &str) -> ApiError {
        ApiError::new("InvalidAction", format!("The action {action} is not valid for this web service."))
    }

    /// A request that would be right, and isn't served here.
    pub(crate) fn unsupported(what: &str) -> ApiError {
        ApiError::new("UnsupportedOperation", format!("The practice cloud does not serve {what}."))
    }
}

impl From<InputError> for ApiError {
    fn from(error: InputError) -> ApiError {
        match error {
            InputError::Unknown(name) => {
                ApiError::new("UnknownParameter", format!("The parameter {name} is not recognized"))
            }
            InputError::Missing(name) => ApiError::missing(&name),
            InputError::Invalid { parameter, value, expected } => {
                ApiError::invalid(format!("Value ({value}) for parameter {parameter} is invalid. Expected {expected}."))
            }
        }
    }
}

impl From<FormError> for ApiError {
    fn from(error: FormError) -> ApiError {
        ApiError::new("MalformedQueryString", format!("The query string contains a syntax error: {error}"))
    }
}
