//! Plain syntax: what the tree says, without trivia, every node with its span.
//!
//! Built from the lossless tree by `build`; the checker reads only this. A part that could not be parsed is an
//! `Error` node, about which a diagnostic has been given already, so that one mistake is reported once.
//! Nothing here is resolved: names are texts, `{ … }` is a record or a map by its keys only.

use crate::span::Span;

/// The parameter of a lambda that was written `.field`: a name that nobody can write.
pub const SHORTHAND_PARAM: &str = ".";

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A dotted path such as `std.vm` or `aws.ec2.Volume`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The words between the dots.
    pub segments: Vec<Name>,
    /// All of it.
    pub span: Span,
}

/// A documentation comment: the lines joined, without `///` and one leading space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// `@risk(high)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Name without `@`.
    pub name: Name,
    /// Arguments, empty where there are no parentheses.
    pub arguments: Vec<Argument>,
    /// From `@` to `)`.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Its items in order.
    pub items: Vec<Item>,
}

/// An item with its docs and attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Documentation above it.
    pub doc: Option<Doc>,
    /// Attributes above it.
    pub attributes: Vec<Attribute>,
    /// What it is.
    pub kind: ItemKind,
    /// From its first attribute or keyword to its end.
    pub span: Span,
}

/// The kinds of items.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `use std.vm as machines`, `use "./shared.esc" as shared`.
    Use {
        /// What is imported.
        target: UseTarget,
        /// The name after `as`.
        alias: Option<Name>,
    },
    /// `const name: type = value`.
    Const {
        /// Its name.
        name: Name,
        /// Its type, where written.
        ty: Option<Type>,
        /// Its value.
        value: Expr,
    },
    /// `type Name = type`.
    Type {
        /// Its name.
        name: Name,
        /// What it stands for.
        ty: Type,
    },
    /// `fn f(x: T) -> U { … }` or `= e`.
    Fn(Callable),
    /// `action f(x: T) -> U { … }`.
    Action(Callable),
    /// `playbook p(…) -> T { … }`.
    Playbook(Callable),
    /// `template t = p(a: 1, b in 1..=20) runs 3 per day, until 2027-03-31`.
    Template {
        /// Its name.
        name: Name,
        /// The playbook.
        playbook: Path,
        /// Fixed and narrowed parameters.
        fields: Vec<TemplateField>,
        /// `runs`, `until` …
        clauses: Vec<Clause>,
    },
    /// `schedule s = p(…) cron "…", zone "…"`.
    Schedule {
        /// Its name.
        name: Name,
        /// The playbook.
        playbook: Path,
        /// Its arguments.
        arguments: Vec<Argument>,
        /// `cron`, `zone`, `overlap` …
        clauses: Vec<Clause>,
    },
    /// `trigger t = p(id: e.arguments.group_id) on e: called(aws.ec2.…) …`.
    Trigger {
        /// Its name.
        name: Name,
        /// The playbook.
        playbook: Path,
        /// Its arguments.
        arguments: Vec<Argument>,
        /// Name of the event.
        event: Name,
        /// What fires it.
        source: Expr,
        /// `when`, `unless` …
        clauses: Vec<Clause>,
    },
    /// `test "…" { … }`.
    Test {
        /// Its title.
        title: Text,
        /// Its statements.
        body: Block,
    },
    /// Something that could not be parsed.
    Error,
}

/// What `use` names.
#[derive(Clone, Debug, PartialEq)]
pub enum UseTarget {
    /// `std.vm`.
    Module(Path),
    /// `"./shared.esc"`.
    File(Text),
}

/// A function, action or playbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Callable {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its result, where written.
    pub returns: Option<Type>,
    /// Its body; `= e` is a block with `e` as its last value.
    pub body: Block,
    /// From the keyword to the end of the result type: what a label on "this playbook" underlines.
    pub head: Span,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Documentation above it.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Its default.
    pub default: Option<Expr>,
    /// All of it.
    pub span: Span,
}

/// A field of a template: `a: 1` fixes, `b in 1..=20` narrows.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateField {
    /// The parameter.
    pub name: Name,
    /// Whether it is narrowed (`in`) rather than fixed (`:`).
    pub narrows: bool,
    /// The value, or the range or list it is narrowed to.
    pub value: Expr,
}

/// A clause of a step, schedule, template, trigger or approval: a word and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The word: `max`, `at_once`, `tolerate`, `retry`, `timeout`, `when`, `unless`, `may_repeat`, `after`, `key`,
    /// `temporary`, `irreversible`, `cron`, `zone`, `every`, `overlap`, `missed`, `within`, `runs`, `until`, `by`, `of`, `show`, `jitter` …
    pub word: Name,
    /// What follows: none for `temporary` and `may_repeat`; several for `max 200 and 10% of fleet`.
    pub value: ClauseValue,
    /// All of it.
    pub span: Span,
}

/// What follows a clause's word.
#[derive(Clone, Debug, PartialEq)]
pub enum ClauseValue {
    /// Nothing.
    None,
    /// A value. `overlap skip`, `tolerate all` and `after a` are values that are names.
    Expr(Expr),
    /// `when c else "…"`.
    Guard {
        /// The condition.
        condition: Expr,
        /// What to say where it does not hold.
        otherwise: Option<Expr>,
    },
    /// `max 200 and 10% of fleet and 20 per .account`.
    Bounds(Vec<Bound>),
    /// `runs 3 per day`.
    Rate {
        /// How many.
        count: Expr,
        /// `day`, `hour`, `week`, `month`.
        per: Name,
    },
}

/// One part of `max`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The number or percentage.
    pub value: Expr,
    /// `of fleet`.
    pub of: Option<Expr>,
    /// `per .account`.
    pub per: Option<Expr>,
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of types.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `string`, `Vm`, `aws.ec2.Volume`, `list<T>`, `int(1..=20)`, `string(matches: r"…", len: 1..=63)`.
    Named {
        /// The name.
        path: Path,
        /// What stands between `<` and `>`.
        arguments: Vec<Type>,
        /// What stands between `(` and `)`.
        refinement: Vec<Argument>,
    },
    /// `"a"`, `3`.
    Literal(Box<Expr>),
    /// `A | B`.
    Union(Vec<Type>),
    /// `T?` (and `T | none`).
    Optional(Box<Type>),
    /// `{ name: T, … }`.
    Record(Vec<FieldType>),
    /// Something that could not be parsed.
    Error,
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldType {
    /// Documentation above it.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Its default.
    pub default: Option<Expr>,
}

/// A block of statements; where the last is [`StmtKind::Expr`], that is its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The statements in order.
    pub statements: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// Documentation above it.
    pub doc: Option<Doc>,
    /// What it is.
    pub kind: StmtKind,
    /// All of it.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// `let x: T = e`.
    Let {
        /// The name.
        name: Name,
        /// The type, where written.
        ty: Option<Type>,
        /// The value.
        value: Expr,
    },
    /// `require c else "…"`.
    Require {
        /// The condition.
        condition: Expr,
        /// What to say where it does not hold.
        otherwise: Option<Expr>,
    },
    /// `confirm "…"`.
    Confirm(Expr),
    /// `approve "…" by "manager", of 2, within 24h, show table(…)`.
    Approve {
        /// The question.
        title: Expr,
        /// `by`, `of`, `within`, `show`.
        clauses: Vec<Clause>,
    },
    /// `step …`.
    Step(Box<Step>),
    /// `parallel { … }`.
    Parallel(Block),
    /// `wait op(…) timeout 10m`, `wait until c every 15s timeout 10m`.
    Wait {
        /// The waiter call, or the condition where `until`.
        what: Expr,
        /// Whether `until` stands before it.
        until: bool,
        /// `timeout`, `every`.
        clauses: Vec<Clause>,
    },
    /// `sleep 5m`.
    Sleep(Expr),
    /// `report "…" { … }`.
    Report {
        /// Its title.
        title: Option<Expr>,
        /// What it shows.
        body: Block,
    },
    /// `notify channel "…"`.
    Notify {
        /// The channel of the settings.
        channel: Expr,
        /// The text.
        text: Option<Expr>,
    },
    /// `return e`.
    Return(Option<Expr>),
    /// `mock op(args) => value then [ … ]` (tests only).
    Mock {
        /// The operation, with arguments where it is a call.
        target: Expr,
        /// What it answers.
        answer: MockAnswer,
        /// What it answers after that, in turn.
        then: Vec<MockAnswer>,
    },
    /// `expect c` (tests only).
    Expect(Expr),
    /// `at 2026-11-21T08:00:00Z` (tests only).
    At(Expr),
    /// `crash after op` (tests only).
    CrashAfter(Expr),
    /// `fail op with "Code" on 3` (tests only).
    FailWith {
        /// The operation.
        target: Expr,
        /// The code or kind.
        code: Expr,
        /// At which call, from 1.
        on: Option<Expr>,
    },
    /// A value: the block's value where it stands last.
    Expr(Expr),
    /// Something that could not be parsed.
    Error,
}

/// What a mock answers.
#[derive(Clone, Debug, PartialEq)]
pub enum MockAnswer {
    /// A value.
    Value(Expr),
    /// `fail "Code"` or `fail throttled`.
    Fail(Expr),
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: Name,
    /// Its title.
    pub title: Option<Expr>,
    /// `for x in list by 100`.
    pub each: Option<Each>,
    /// Its clauses, in the order written.
    pub clauses: Vec<Clause>,
    /// Its body.
    pub body: Block,
    /// `undo { … }`.
    pub undo: Option<Block>,
    /// `catch { … }`.
    pub catch: Option<Vec<CatchArm>>,
    /// From `step` to the `{` of the body.
    pub head: Span,
}

/// `for x in list by 100`.
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    /// The name of the item, or of the batch where `by` is written.
    pub name: Name,
    /// The list.
    pub list: Expr,
    /// The size of a batch.
    pub by: Option<Expr>,
}

/// One arm of `catch`.
#[derive(Clone, Debug, PartialEq)]
pub struct CatchArm {
    /// What it catches: texts are codes, names are kinds, `_` is all.
    pub patterns: Vec<Pattern>,
    /// What happens: a value, or a name among `skip done undo fail`.
    pub value: Expr,
    /// All of it.
    pub span: Span,
}

/// A pattern of `match` or `catch`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of patterns.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// A literal text, number, `true`, `false` or `none`.
    Literal(Expr),
    /// A name, such as `missing`.
    Name(Path),
    /// `_`.
    Any,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// Text with holes; without holes it has one part or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// The parts in order; escapes are resolved.
    pub parts: Vec<TextPart>,
    /// With the quotes.
    pub span: Span,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters.
    Literal(String),
    /// `{expr}`.
    Hole(Expr),
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `none`.
    None,
    /// `true`, `false`.
    Bool(bool),
    /// `42`, `1_000`: the text without underscores (it may not fit).
    Int(String),
    /// `0.5`: the text without underscores.
    Float(String),
    /// `1h30m`: the text.
    Duration(String),
    /// `512MiB`: the text.
    Size(String),
    /// `5%`: the number's text.
    Percent(String),
    /// `12.50 USD`: number and currency.
    Money(String, String),
    /// `2026-11-21T08:00:00Z`: the text.
    Instant(String),
    /// `2026-11-21`: the text.
    Date(String),
    /// `"…"`, `r"…"`, `"""…"""`.
    Text(Text),
    /// A name.
    Name(String),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{ name: a, ...b }` or `{ "key": a }`.
    Braces(Vec<Entry>),
    /// `a.b`, `a?.b`.
    Member {
        /// `a`.
        base: Box<Expr>,
        /// `b`.
        name: Name,
        /// Whether `?.` is written.
        optional: bool,
    },
    /// `a.b?`: reads an absent member as `none`.
    Maybe(Box<Expr>),
    /// `a[i]`.
    Index {
        /// `a`.
        base: Box<Expr>,
        /// `i`.
        index: Box<Expr>,
    },
    /// `f(a, b: c)`, `a.b(c)`.
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// With what.
        arguments: Vec<Argument>,
    },
    /// `call(…) catch { … }`.
    Catch {
        /// The call.
        call: Box<Expr>,
        /// The arms.
        arms: Vec<CatchArm>,
    },
    /// `call(…) unless found(x)`.
    Unless {
        /// The call.
        call: Box<Expr>,
        /// The probe.
        probe: Box<Expr>,
    },
    /// `x => e`, `(a, b) => e`; `.field` is a lambda with `shorthand`.
    Lambda {
        /// The parameters.
        params: Vec<Name>,
        /// The body.
        body: Box<Expr>,
        /// Whether it was written `.field`.
        shorthand: bool,
    },
    /// `if c { … } else { … }`.
    If {
        /// The condition.
        condition: Box<Expr>,
        /// Where it holds.
        then: Block,
        /// Where it does not; a block whose only value is an `If` for `else if`.
        otherwise: Option<Block>,
    },
    /// `match x { … }`.
    Match {
        /// What is looked at.
        subject: Box<Expr>,
        /// The arms.
        arms: Vec<MatchArm>,
    },
    /// `with t { … }`.
    With {
        /// The target.
        target: Box<Expr>,
        /// What runs there.
        body: Block,
    },
    /// `-a`, `not a`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// `a`.
        operand: Box<Expr>,
    },
    /// `a + b`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// `a`.
        left: Box<Expr>,
        /// `b`.
        right: Box<Expr>,
    },
    /// Something that could not be parsed.
    Error,
}

/// An argument of a call: named or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The name before `:`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// An entry of `{ … }`.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// `name: value`.
    Field(Name, Expr),
    /// `"key": value`.
    Pair(Text, Expr),
    /// `...value`.
    Spread(Expr),
}

/// An arm of `match`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchArm {
    /// Documentation above it.
    pub doc: Option<Doc>,
    /// What it matches.
    pub patterns: Vec<Pattern>,
    /// Its value; an expression is a block with one value.
    pub body: Block,
    /// All of it.
    pub span: Span,
}

/// Operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// Operators between operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `..=`
    Range,
    /// `??`
    Coalesce,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `and`
    And,
    /// `or`
    Or,
}
