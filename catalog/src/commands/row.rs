//! One row: what a command is, and what its options fill.

/// Most words of a command, the tool's name left out.
pub(super) const LONGEST: usize = 9;

/// A command of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Its words, such as `az vm list`.
    pub words: String,
    /// What stands behind the words without an option.
    pub positions: Vec<Position>,
    /// What it does.
    pub what: What,
    /// Which parameter is filled by what.
    pub fills: Vec<Fill>,
}

/// A place for a word without an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its name, such as `INSTANCE`.
    pub name: String,
    /// Whether several may stand there; each is a call of its own.
    pub many: bool,
}

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An operation, by its full name.
    Operation(String),
    /// Waits for a condition, by asking an operation.
    Wait {
        /// Full name of the waiter.
        waiter: String,
        /// Full name of the operation that it asks.
        operation: String,
    },
    /// Reads, changes what it read, and writes it back: no single operation.
    WritesBack,
    /// Nothing that a cloud has an operation for, and why.
    Nothing(String),
}

/// What fills a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The parameter, with dots below the first level: `body.properties.access`.
    pub parameter: String,
    /// Where its value comes from.
    pub source: Source,
    /// The value where the option is not given.
    pub default: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An option of any of these names without dashes, or a position in capitals.
    Options(Vec<String>, Part),
    /// A text in which `{name}` stands for options and positions.
    Text(String),
    /// Always this.
    Constant(String),
}

/// Which part of a word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// What stands before `-` or `:` of a range.
    From,
    /// What stands behind `-` or `:` of a range.
    To,
    /// The bucket of `gs://bucket/object` or `s3://bucket/key`.
    Bucket,
    /// The object of one.
    Object,
}

/// Whether a word of a row names a position.
pub(super) fn is_position(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The words of a row without its positions.
pub(super) fn words(line: &'static str) -> &'static str {
    let head = line.split('|').next().unwrap_or_default();
    let end = head.split(' ').take_while(|w| !is_position(w)).map(|w| w.len() + 1).sum::<usize>();
    head.get(..end.saturating_sub(1)).unwrap_or(head)
}

/// A row of this tool.
pub(super) fn parse(tool: &str, line: &'static str) -> Command {
    let mut columns = line.split('|');
    let head = columns.next().unwrap_or_default();
    let what = columns.next().unwrap_or_default();
    let positions = head
        .split(' ')
        .filter(|w| is_position(w))
        .map(|w| Position { name: w.trim_end_matches('.').to_owned(), many: w.ends_with("...") });
    let what = match what {
        "!" => What::WritesBack,
        "-" => What::Nothing(columns.next().unwrap_or_default().to_owned()),
        operation => What::Operation(format!("{}.{operation}", super::cloud(tool).unwrap_or_default())),
    };
    Command {
        words: format!("{tool} {}", words(line)),
        positions: positions.collect(),
        what,
        fills: columns.filter_map(fill).collect(),
    }
}

fn fill(column: &str) -> Option<Fill> {
    let (parameter, text) = column.split_once('=')?;
    let fill = |source, default: Option<&str>| {
        Some(Fill { parameter: parameter.to_owned(), source, default: default.map(str::to_owned) })
    };
    if let Some(constant) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return fill(Source::Constant(constant.to_owned()), None);
    }
    if text.contains('{') {
        return fill(Source::Text(text.to_owned()), None);
    }
    let (options, default) = text.split_once('~').map_or((text, None), |(options, default)| (options, Some(default)));
    let (options, part) = match options.strip_suffix(']').and_then(|o| o.rsplit_once('[')) {
        Some((options, "from")) => (options, Part::From),
        Some((options, "to")) => (options, Part::To),
        Some((options, "bucket")) => (options, Part::Bucket),
        Some((options, "object")) => (options, Part::Object),
        _ => (options, Part::Whole),
    };
    fill(Source::Options(options.split('/').map(str::to_owned).collect(), part), default)
}

impl Command {
    /// Takes over what another command fills, where this one says nothing of the parameter or of its option.
    pub(super) fn add(&mut self, other: &Command) {
        for fill in &other.fills {
            if !self.fills.iter().any(|own| own.parameter == fill.parameter) {
                self.fills.push(fill.clone());
            }
        }
    }
}
