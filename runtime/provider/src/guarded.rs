//! The body of a change that asks for its permit when the connection is ready to take it.
//!
//! A server acts on a request when it has all of it: one whose body is held back was never sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

use crate::{CallError, ErrorKind, Permit};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A body under a permit.
pub struct Guarded<B> {
    inner: B,
    permit: Permit,
    withheld: Withheld,
}

/// Whether a body was held back.
#[derive(Clone, Debug, Default)]
pub struct Withheld(Arc<AtomicBool>);

impl Withheld {
    /// Whether it was.
    pub fn was(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The error of a change that lost its permit before it left.
pub fn lost() -> CallError {
    CallError::unsent(ErrorKind::Unreachable, "the right to send ended before the call had left")
}

impl<B> Guarded<B> {
    /// The body, and what tells afterwards whether it was held back.
    pub fn new(inner: B, permit: Permit) -> (Guarded<B>, Withheld) {
        let withheld = Withheld::default();
        (Guarded { inner, permit, withheld: withheld.clone() }, withheld)
    }
}

impl<B> Body for Guarded<B>
where
    B: Body + Unpin,
    B::Error: Into<Failure>,
{
    type Data = B::Data;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if !self.permit.holds() {
            self.withheld.0.store(true, Ordering::SeqCst);
            return Poll::Ready(Some(Err(lost().into())));
        }
        Pin::new(&mut self.inner).poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
