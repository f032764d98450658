//! Something that a call has begun and that takes time.

use std::collections::BTreeMap;
use std::time::Duration;

use escher_catalog::Record;
use escher_ir::Value;
use reqwest::Url;

/// What is known of it; the dialect keeps what it needs between two answers.
#[derive(Debug)]
pub struct Ongoing<'a> {
    /// The operation that began it.
    pub record: &'a Record,
    /// Its arguments.
    pub arguments: &'a BTreeMap<String, Value>,
    /// Scheme and host that were called.
    pub base: &'a Url,
    /// The whole address that was called.
    pub original: &'a Url,
    /// How many answers there were before.
    pub answers: u32,
    /// Where to ask, once that is known.
    pub poll: Option<Url>,
    /// Where the result will be, where the first answer says so.
    pub location: Option<Url>,
}

/// The pause before the first question, where the cloud names none.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause of our own choice.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// A cloud that says "at once" for ever is not asked without a pause.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

impl Ongoing<'_> {
    /// How long to wait before the next question: what the cloud asks for, else ever longer.
    pub(crate) fn pause(&self, asked: Option<Duration>) -> Duration {
        let own = FIRST_PAUSE.mul_f64(1.5f64.powi(i32::try_from(self.answers.min(20)).unwrap_or(20)));
        asked.map_or(own.min(MAX_PAUSE), |asked| asked.max(LEAST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::Ongoing;
    use escher_catalog::Catalog;
    use reqwest::Url;

    #[test]
    fn asks_as_it_is_told_and_never_without_a_pause() {
        let record = Catalog::embedded().record("gcp.compute.instances.stop").unwrap();
        let (arguments, url) = (BTreeMap::new(), Url::parse("https://compute.googleapis.com").unwrap());
        let pause = |answers, asked: Option<u64>| {
            let ongoing = Ongoing {
                record: &record,
                arguments: &arguments,
                base: &url,
                original: &url,
                answers,
                poll: None,
                location: None,
            };
            ongoing.pause(asked.map(Duration::from_secs))
        };
        assert_eq!(pause(0, Some(0)), Duration::from_millis(100));
        assert_eq!(pause(0, Some(45)), Duration::from_secs(45));
        assert_eq!(pause(0, None), Duration::from_secs(1));
        assert_eq!(pause(1_000_000, None), Duration::from_secs(30));
    }
}
