//! How well an operation fits a question.

use super::index::{Entry, Index};
use super::synonyms::{self, Concept};
use super::{Hit, words};

/// A word counts so much where it stands in a service's name, and in its full name.
const IN_SERVICE: f32 = 0.9;
const IN_FULL_NAME: f32 = 0.6;
/// A word that begins with what was said.
const PREFIX: f32 = 0.7;
/// Something done that stands where a thing is named: `list` in `list_items.delete`.
const MISPLACED: f32 = 0.35;
/// What stands behind `by`: `list_by_resource_group` lists no resource groups.
const BY: f32 = 0.5;
/// A word of the name that nobody asked for.
const EXTRA: f32 = 0.55;
/// A service that is at the core of its cloud.
const CORE: f32 = 2.0;
/// Names that were not asked for: what is not finished.
const UNFINISHED: &[&str] = &["alpha", "beta", "preview", "v1beta1", "internal", "classic", "legacy"];
/// Words of a name that cost nothing: where Google's operations stand.
const PATH: &[&str] = &["project", "location", "or", "by", "name"];
/// What is wanted when nothing is to be done.
const LOOKS: &[&str] = &["list", "describe", "get"];
/// Words that name a cloud, or its command line.
const CLOUDS: &[(&str, &str)] = &[
    ("aws", "aws"),
    ("amazon", "aws"),
    ("az", "azure"),
    ("azure", "azure"),
    ("microsoft", "azure"),
    ("gcloud", "gcp"),
    ("gcp", "gcp"),
    ("google", "gcp"),
];
/// No more of a question is read than this.
const LONGEST: usize = 24;

/// A way whose words are numbers of the vocabulary.
struct Called {
    /// For each word, the numbers that fit and how well.
    words: Vec<Vec<(u16, f32)>>,
    weight: f32,
}

impl Index {
    /// The operations that fit best, best first; of one cloud where one is given.
    pub fn search(&self, question: &str, cloud: Option<&str>, count: usize) -> Vec<Hit> {
        let mut said = words::split(question);
        said.truncate(LONGEST);
        let mut wanted = cloud;
        said.retain(|word| match CLOUDS.iter().find(|(said, _)| said == word) {
            Some((_, named)) => {
                wanted = wanted.or(Some(named));
                false
            }
            None => true,
        });
        let concepts = synonyms::concepts(&said);
        let acts = concepts.iter().any(|c| c.verb);
        let called: Vec<Vec<Called>> = concepts.iter().map(|c| self.called(c)).collect();
        let number =
            |list: &[&str]| -> Vec<bool> { self.vocabulary.iter().map(|w| list.contains(&w.as_str())).collect() };
        let (path, unfinished, looks) = (number(PATH), number(UNFINISHED), number(LOOKS));
        let has = |marks: &[bool], word: u16| marks.get(word as usize).copied().unwrap_or(false);

        // Which words matter at all: most operations share none with the question.
        let mut relevant = vec![0u32; self.vocabulary.len()];
        for (at, ways) in called.iter().enumerate() {
            for (id, _) in ways.iter().flat_map(|w| &w.words).flatten() {
                if let Some(bits) = relevant.get_mut(*id as usize) {
                    *bits |= 1 << at;
                }
            }
        }
        let bits = |words: &[u16]| words.iter().fold(0, |all, w| all | relevant.get(*w as usize).copied().unwrap_or(0));
        let of_service: Vec<u32> = self.services.iter().map(|s| bits(&s.words) | bits(&s.full)).collect();

        let mut frequency = vec![0f32; concepts.len()];
        let mut found: Vec<(usize, Vec<f32>)> = Vec::new();
        for (at, operation) in self.operations.iter().enumerate() {
            let some = bits(self.words.get(operation.words()).unwrap_or_default())
                | of_service.get(operation.service as usize).copied().unwrap_or(0);
            if some == 0 {
                continue;
            }
            let fits: Vec<f32> = concepts
                .iter()
                .zip(&called)
                .enumerate()
                .map(|(n, (c, ways))| if some & 1 << n == 0 { 0.0 } else { self.fit(operation, c.verb, ways) })
                .collect();
            for (count, fit) in frequency.iter_mut().zip(&fits) {
                *count += f32::from(u8::from(*fit > 0.5));
            }
            if fits.iter().any(|f| *f > 0.0) {
                found.push((at, fits));
            }
        }
        let all = self.operations.len() as f32;
        let weights: Vec<f32> = frequency.iter().map(|n| (all / (n + 1.0)).ln().clamp(1.5, 7.0)).collect();
        let mut ranked: Vec<(f32, usize)> = Vec::with_capacity(found.len());
        for (at, fits) in found {
            let Some(operation) = self.operations.get(at) else { continue };
            let Some(service) = self.services.get(operation.service as usize) else { continue };
            let own = self.words.get(operation.words()).unwrap_or_default();
            let here = service.words.first().and_then(|w| self.vocabulary.get(*w as usize));
            if wanted.is_some_and(|w| here.is_none_or(|h| h != w)) {
                continue;
            }
            let mut score: f32 = fits.iter().zip(&weights).map(|(fit, weight)| fit * weight).sum();
            for word in own {
                let asked = relevant.get(*word as usize).is_some_and(|b| *b != 0);
                if !asked {
                    score -= if has(&path, *word) { EXTRA / 5.0 } else { EXTRA };
                }
            }
            for word in own.iter().chain(&service.words) {
                if has(&unfinished, *word) && relevant.get(*word as usize).is_some_and(|b| *b == 0) {
                    score -= 2.0;
                }
            }
            score += if service.core { CORE } else { 0.0 };
            let verb = self.words.get(operation.verb()).unwrap_or_default();
            if !acts && verb.iter().any(|w| has(&looks, *w)) {
                score += 1.0;
            }
            ranked.push((score, at));
        }
        let shorter = |at: usize| self.operations.get(at).map_or(0, |o| o.words().len());
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| shorter(a.1).cmp(&shorter(b.1))).then(a.1.cmp(&b.1)));
        ranked
            .into_iter()
            .take(count)
            .filter_map(|(score, at)| Some(Hit { operation: self.full_name(self.operations.get(at)?), score }))
            .collect()
    }

    fn called(&self, concept: &Concept) -> Vec<Called> {
        let mut called = Vec::new();
        for (place, way) in concept.ways.iter().enumerate() {
            let words: Vec<Vec<(u16, f32)>> = way
                .words
                .iter()
                .map(|said| {
                    let ids = (0u16..).zip(&self.vocabulary);
                    let fits = ids.filter_map(|(id, word)| {
                        if word == said {
                            Some((id, 1.0))
                        } else if place == 0 && said.len() > 2 && word.starts_with(said.as_str()) {
                            Some((id, PREFIX))
                        } else {
                            None
                        }
                    });
                    fits.collect()
                })
                .collect();
            if words.iter().all(|w| !w.is_empty()) {
                called.push(Called { words, weight: way.weight });
            }
        }
        called
    }

    /// How well an operation says what was asked for: its best way.
    fn fit(&self, operation: &Entry, verb: bool, ways: &[Called]) -> f32 {
        let mut best = 0f32;
        for way in ways.iter() {
            let mut fit = way.weight;
            for word in &way.words {
                fit = fit.min(way.weight * self.place(operation, verb, word));
            }
            best = best.max(fit);
        }
        best
    }

    /// How well one word fits where it stands best.
    fn place(&self, operation: &Entry, verb: bool, word: &[(u16, f32)]) -> f32 {
        let best = |places: &[u16]| {
            word.iter().filter(|(id, _)| places.contains(id)).map(|(_, fit)| *fit).fold(0f32, f32::max)
        };
        let (thing, by) = operation.around_by();
        let own = best(self.words.get(thing).unwrap_or_default());
        let own = own.max(best(self.words.get(by).unwrap_or_default()) * BY);
        if verb {
            let placed = best(self.words.get(operation.verb()).unwrap_or_default());
            return placed.max(own * MISPLACED);
        }
        let Some(service) = self.services.get(operation.service as usize) else { return own };
        own.max(best(&service.words) * IN_SERVICE).max(best(&service.full) * IN_FULL_NAME)
    }
}
