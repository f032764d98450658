//! Why an evaluation failed.

/// A failure, in words for the person who runs the playbook.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalError {
    /// What went wrong.
    pub message: String,
    /// The member that a cloud left out, where that is why: the item is then skipped, not failed, while a step's list
    /// is cut down.
    pub absent: Option<String>,
    /// The failure of a call, where that is why.
    pub call: Option<Box<escher_ir::journal::CallFailure>>,
    /// What a `catch` around the call makes of the item: `skip`, `done`, `undo` or `fail`.
    pub outcome: Option<Box<escher_ir::program::CatchOutcome>>,
}

impl EvalError {
    /// A failure with these words.
    pub fn new(message: impl Into<String>) -> EvalError {
        EvalError { message: message.into(), absent: None, call: None, outcome: None }
    }

    /// A use of a member that is absent.
    pub fn absent(member: &str) -> EvalError {
        EvalError {
            message: format!("the cloud left out `{member}`; write `{member}?` where that is expected"),
            absent: Some(member.to_string()),
            call: None,
            outcome: None,
        }
    }
}

impl std::fmt::Display for EvalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}
