//! Pages of a reading: what follows one answer becomes the next request.
//!
//! Ends where the service says so, where a token repeats itself, and in any case after [`MAX_PAGES`].

use std::collections::HashSet;

use escher_provider::{Answer, CallError, ErrorKind, Pages, Request, Sent};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::client::Client;
use crate::dialect::{Dialect, Next};

/// More pages than any list that a playbook should read at once.
const MAX_PAGES: u32 = 20_000;

/// A reading in progress.
pub(crate) struct Paged<'c, D> {
    client: &'c Client<D>,
    request: Request,
    pages: u32,
    seen: HashSet<String>,
    /// What the next request asks for; none for the first.
    next: Option<Next>,
    done: bool,
}

impl<'c, D: Dialect> Paged<'c, D> {
    pub(crate) fn new(client: &'c Client<D>, request: Request) -> Paged<'c, D> {
        Paged { client, request, pages: 0, seen: HashSet::new(), next: None, done: false }
    }

    async fn page(&mut self) -> Result<Option<Answer>, CallError> {
        if self.done {
            return Ok(None);
        }
        // Whatever goes wrong, nothing follows.
        self.done = true;
        let reply = self.client.reading(&self.request, self.next.as_ref()).await?;
        self.pages += 1;
        let answer = self.client.answer(&self.request, &reply)?;
        let paged = self.request.record.operation.paging.is_some();
        if let Some(next) = paged.then(|| self.client.dialect.next(&self.request.record, &reply)).flatten() {
            let (Next::Link(print) | Next::Token(_, print)) = &next;
            if !self.seen.insert(print.clone()) {
                return Err(broken("the service repeats its pages"));
            }
            if self.pages >= MAX_PAGES {
                return Err(broken("the list has too many pages: narrow the request"));
            }
            self.next = Some(next);
            self.done = false;
        }
        Ok(Some(answer))
    }
}

impl<D: Dialect> Pages for Paged<'_, D> {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Answer>, CallError>> {
        self.page().boxed()
    }
}

fn broken(what: &str) -> CallError {
    CallError {
        kind: ErrorKind::Unknown,
        code: None,
        message: what.into(),
        request_id: None,
        sent: Sent::Refused,
        retry_after: None,
    }
}
