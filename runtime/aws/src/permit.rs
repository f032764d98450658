//! The body of a change that asks for its permit when the connection is ready to take it.
//!
//! A server acts on a request when it has all of it: one whose body is held back was never sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use aws_smithy_types::body::SdkBody;
use escher_provider::{CallError, ErrorKind, Permit};
use http_body::{Body, Frame, SizeHint};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A body under a permit.
pub(crate) struct Guarded {
    inner: SdkBody,
    permit: Permit,
    withheld: Withheld,
}

/// Whether a body was held back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Withheld(Arc<AtomicBool>);

impl Withheld {
    pub(crate) fn was(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The error of a change that lost its permit before it left.
pub(crate) fn lost() -> CallError {
    CallError::unsent(ErrorKind::Unreachable, "the right to send ended before the call had left")
}

impl Guarded {
    pub(crate) fn body(inner: SdkBody, permit: Permit) -> (SdkBody, Withheld) {
        let withheld = Withheld::default();
        (SdkBody::from_body_1_x(Guarded { inner, permit, withheld: withheld.clone() }), withheld)
    }
}

impl Body for Guarded {
    type Data = <SdkBody as Body>::Data;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if !self.permit.holds() {
            self.withheld.0.store(true, Ordering::SeqCst);
            return Poll::Ready(Some(Err(lost().into())));
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.inner)
    }
}
