//! Text to the words that are compared.

/// Words that say nothing about an operation.
const EMPTY: &[&str] = &[
    "a", "all", "an", "and", "another", "at", "by", "for", "from", "i", "in", "into", "is", "it", "my", "of", "on",
    "old", "the", "this", "to", "with",
];

/// The words of a text, in lower case: `StopInstances`, `stop-instances` and `stop_instances` are the same two.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let begins = letter.is_uppercase()
            && (before.is_lowercase()
                || before.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase()));
        if !letter.is_alphanumeric() || begins {
            push(&mut words, &mut word);
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    push(&mut words, &mut word);
    words
}

fn push(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        words.push(stem(word).into_owned());
        word.clear();
    }
}

/// Whether a word of a question says nothing.
pub(super) fn is_empty(word: &str) -> bool {
    EMPTY.contains(&word)
}

/// A word without its plural: `policies` is `policy`, `addresses` is `address`.
pub(super) fn stem(word: &str) -> std::borrow::Cow<'_, str> {
    if word.len() < 4
        || ["ss", "us", "is", "dns", "sns", "sqs", "aws", "eks", "ecs", "kms", "aks", "rds", "gcs", "sts", "dms", "efs"]
            .iter()
            .any(|e| word.ends_with(e) && (e.len() == 2 || word == *e))
    {
        return word.into();
    }
    if let Some(root) = word.strip_suffix("ies") {
        return format!("{root}y").into();
    }
    for end in ["sses", "xes", "shes", "ches"] {
        if word.ends_with(end) {
            return word.strip_suffix("es").unwrap_or(word).into();
        }
    }
    word.strip_suffix('s').unwrap_or(word).into()
}
