//! The state of one check, and what all parts of it share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use escher_catalog::{Class, Record, Service};
use escher_ir::program::{Expr, OperationUse};
use escher_ir::{Digest, Type, Value};
use escher_syntax::{Diagnostic, Span, ast};

use crate::asked::Asked;
use crate::bounds::Length;
use crate::branch::Guard;
use crate::module::{Exports, Lowered, Used};
use crate::project::Usage;
use crate::risk::Witness;
use crate::scope::{Binding, Origin, Scope};
use crate::shapes::{self, ShapeFields};
use crate::suggest::nearest;
use crate::world::World;

/// An expression, lowered, with its type.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// What executes.
    pub(crate) expr: Expr,
    /// Its type.
    pub(crate) ty: Type,
}

impl Typed {
    pub(crate) fn new(expr: Expr, ty: Type) -> Typed {
        Typed { expr, ty }
    }

    /// After an error: a value that fits everywhere, so that the mistake is told once.
    pub(crate) fn error() -> Typed {
        Typed { expr: Expr::Literal(Value::None), ty: Type::Unknown }
    }

    /// The constant, where it is one.
    pub(crate) fn constant(&self) -> Option<&Value> {
        if let Expr::Literal(value) = &self.expr { Some(value) } else { None }
    }
}

/// Where an expression stands: what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A constant or a function: nothing but computing.
    Pure,
    /// Outside steps: reading.
    Read,
    /// Inside a step: changing.
    Change,
}

/// What a step's body hands on to its calls.
#[derive(Clone, Debug)]
pub(crate) struct StepContext {
    /// Its name.
    pub(crate) name: String,
    /// Its bound.
    pub(crate) max: u64,
    /// The name of the batch that is handed over, where the step has `by`.
    pub(crate) batch: Option<String>,
    /// Whether a bound was written.
    pub(crate) has_max: bool,
    /// `may_repeat`
    pub(crate) may_repeat: bool,
    /// Whether the step itself asks `unless` before an item.
    pub(crate) has_unless: bool,
    /// Whether it says how an item is taken back.
    pub(crate) has_undo: bool,
}

/// A call in an action that is judged where the action is called: within that step's bound, at its risk.
#[derive(Clone, Debug)]
pub(crate) struct Deferred {
    pub(crate) record: Arc<Record>,
    /// Its class with these arguments.
    pub(crate) class: Class,
    pub(crate) span: Span,
    pub(crate) longest: Option<(Span, Length)>,
    /// Whether `unless` stands on it.
    pub(crate) probed: bool,
    /// The actions that lead to it, from the one that is called first.
    pub(crate) via: Vec<String>,
    /// Arguments that it needs, each with the parameter of the action that it is made of.
    pub(crate) needs: Vec<(String, usize)>,
}

impl Deferred {
    fn looks_as(&self, before: &Deferred) -> bool {
        let length = |d: &Deferred| d.longest.map(|(_, length)| length);
        self.record.name() == before.record.name()
            && self.class == before.class
            && length(self) == length(before)
            && (self.probed, &self.via, &self.needs) == (before.probed, &before.via, &before.needs)
    }
}

/// What the body of an action does, as it is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActionBody {
    pub(crate) params: Vec<String>,
    pub(crate) deferred: Vec<Deferred>,
    /// Why it is only callable from a step although it changes nothing: it waits, or says what becomes of an item.
    pub(crate) needs_step: Option<Span>,
}

/// The signature of a function or an action, with what a caller takes over.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) params: Vec<(String, Type, Option<Expr>)>,
    pub(crate) returns: Type,
    pub(crate) reads: bool,
    pub(crate) body: ActionBody,
    pub(crate) located: bool,
    /// The first answer of a refused or unreachable cloud that it replaces.
    pub(crate) lenient: Option<Span>,
}

impl Signature {
    /// Whether a caller in another file finds what it found before: where things stand in this one is nothing to it.
    pub(crate) fn looks_as(&self, before: &Signature) -> bool {
        let marks = |s: &Signature| (s.reads, s.located, s.lenient.is_some(), s.body.needs_step.is_some());
        let (mine, theirs) = (&self.body.deferred, &before.body.deferred);
        self.params == before.params
            && self.returns == before.returns
            && marks(self) == marks(before)
            && self.body.params == before.body.params
            && mine.len() == theirs.len()
            && mine.iter().zip(theirs).all(|(a, b)| a.looks_as(b))
    }

    /// Whether it changes something.
    pub(crate) fn changes(&self) -> bool {
        self.body.deferred.iter().any(|d| d.record.operation.class.changes())
    }
}

/// What a program relies on of an operation, and the shape of its answer.
pub(crate) type Answering = (OperationUse, Option<Arc<str>>);

/// What the catalogue says, worked out once for all files of a check: a record's digest is of all its shapes.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    fields: RefCell<HashMap<Arc<str>, Option<Arc<ShapeFields>>>>,
    pub(crate) uses: RefCell<HashMap<String, Answering>>,
}

/// One check.
pub(crate) struct Checker<'w> {
    pub(crate) world: &'w dyn World,
    pub(crate) facts: &'w Facts,
    pub(crate) file: &'w ast::File,
    /// Which of the modules it is.
    pub(crate) module: usize,
    /// What the modules that were checked before show.
    pub(crate) modules: &'w [Option<Arc<Exports>>],
    /// The modules that this one uses, by the names that they have here.
    pub(crate) imports: &'w HashMap<String, Used>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What there is to say of the playbook at hand where nothing is wrong with it.
    pub(crate) advice: Vec<Diagnostic>,
    /// Items and statements that could not be read.
    pub(crate) broken: Vec<Span>,
    pub(crate) scope: Scope,
    pub(crate) types: HashMap<String, Type>,
    pub(crate) signatures: HashMap<String, Option<Arc<Signature>>>,
    pub(crate) functions: BTreeMap<String, Arc<Lowered>>,
    /// Whether something was linked, so that what was found depends on the bodies of functions, and not only on what
    /// their signatures say.
    pub(crate) linked: Cell<bool>,
    pub(crate) operations: BTreeMap<String, OperationUse>,
    pub(crate) waiters: BTreeMap<String, Digest>,
    pub(crate) usage: Usage,
    /// The action whose body is being checked.
    pub(crate) action: Option<ActionBody>,
    /// Whether `unless` stands on the call at hand.
    pub(crate) probed: bool,
    /// Calls of clouds so far, and those of them that change something.
    pub(crate) calls: u32,
    pub(crate) changes: u32,
    /// Whether the expression at hand cuts a list down.
    pub(crate) cutting: bool,
    /// Where the expression at hand replaces the answer of a refused or unreachable cloud; and where it cuts down a
    /// list by such an answer.
    pub(crate) lenient: Option<Span>,
    pub(crate) cut: Option<Span>,
    /// Whether something above takes effect, or time; whether the expression at hand is known only after it; the nodes
    /// and steps of which that is so.
    pub(crate) acted: bool,
    pub(crate) staged: bool,
    pub(crate) staged_names: BTreeSet<String>,
    /// The `approve`s above.
    pub(crate) asked: Asked,
    /// Nodes whose value does the one, and the other.
    pub(crate) lenient_nodes: BTreeMap<String, Span>,
    pub(crate) cut_nodes: BTreeMap<String, Span>,
    pub(crate) place: Place,
    /// The branches around the statement at hand.
    pub(crate) guard: Guard,
    /// What the playbook at hand returns; none elsewhere.
    pub(crate) returns: Option<Type>,
    /// Whether the expression at hand is the body of a lambda.
    pub(crate) in_lambda: bool,
    /// Playbooks of the file that were checked, for its tests.
    pub(crate) playbooks: HashMap<String, crate::testing::PlaybookInfo>,
    /// Names of values in which a constant may stand for what is missing.
    pub(crate) defaulted: BTreeSet<String>,
    /// Whether the block at hand is that of a function or an action, whose value `return` gives.
    pub(crate) may_return: bool,
    /// In a test, where records may leave members out.
    pub(crate) partial: bool,
    pub(crate) step: Option<StepContext>,
    pub(crate) witnesses: Vec<Witness>,
    /// Steps of the playbook at hand whose body changes what exists, and does not only add to it.
    pub(crate) changed: BTreeSet<String>,
    /// Names of nodes that the expression at hand uses.
    pub(crate) uses: BTreeSet<String>,
    /// Whether the expression at hand reads a cloud.
    pub(crate) reads: bool,
    /// Whether the expression at hand was read in places of its own (`with`).
    pub(crate) located: bool,
    /// Nodes whose value was.
    pub(crate) located_nodes: BTreeSet<String>,
    sites: HashMap<String, u32>,
}

impl<'w> Checker<'w> {
    pub(crate) fn new(
        world: &'w dyn World,
        node: &'w crate::module::Node,
        module: usize,
        modules: &'w [Option<Arc<Exports>>],
        facts: &'w Facts,
    ) -> Checker<'w> {
        Checker {
            world,
            facts,
            file: &node.file,
            module,
            modules,
            imports: &node.uses,
            diagnostics: Vec::new(),
            advice: Vec::new(),
            broken: Vec::new(),
            scope: Scope::default(),
            types: HashMap::new(),
            signatures: HashMap::new(),
            functions: BTreeMap::new(),
            linked: Cell::new(false),
            operations: BTreeMap::new(),
            waiters: BTreeMap::new(),
            usage: Usage::default(),
            action: None,
            probed: false,
            calls: 0,
            changes: 0,
            cutting: false,
            lenient: None,
            cut: None,
            acted: false,
            staged: false,
            staged_names: BTreeSet::new(),
            asked: Asked::default(),
            lenient_nodes: BTreeMap::new(),
            cut_nodes: BTreeMap::new(),
            place: Place::Pure,
            guard: Guard::default(),
            returns: None,
            in_lambda: false,
            playbooks: HashMap::new(),
            defaulted: BTreeSet::new(),
            may_return: false,
            partial: false,
            step: None,
            witnesses: Vec::new(),
            changed: BTreeSet::new(),
            uses: BTreeSet::new(),
            reads: false,
            located: false,
            located_nodes: BTreeSet::new(),
            sites: HashMap::new(),
        }
    }

    pub(crate) fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A name for a call site that is unique within the node, step or function at hand.
    pub(crate) fn site(&mut self, word: &str) -> String {
        let n = self.sites.entry(word.to_string()).or_insert(0);
        *n += 1;
        if *n == 1 { word.to_string() } else { format!("{word}.{n}") }
    }

    /// Begins a node, step or function: call sites are counted afresh. Gives the counts so far.
    pub(crate) fn begin_sites(&mut self) -> HashMap<String, u32> {
        std::mem::take(&mut self.sites)
    }

    /// Goes on counting where [`Checker::begin_sites`] left off.
    pub(crate) fn resume_sites(&mut self, sites: HashMap<String, u32>) {
        self.sites = sites;
    }

    pub(crate) fn lookup(&self, name: &str) -> Option<&Binding> {
        self.scope.get(name)
    }

    /// Puts a name in scope; one name means one thing.
    pub(crate) fn bind(&mut self, name: &ast::Name, ty: Type, origin: Origin) {
        if matches!(name.text.as_str(), "aws" | "azure" | "gcp" | "run") {
            let what = if name.text == "run" { "the current run" } else { "a cloud" };
            self.say(
                Diagnostic::error("E0202", name.span, format!("`{}` is the name of {what}", name.text))
                    .help("choose another name"),
            );
        } else if let Some(module) = self.imports.get(&name.text) {
            let module = module.span;
            self.say(
                Diagnostic::error("E0202", name.span, format!("`{}` is a module", name.text))
                    .label(module, "used here")
                    .help("choose another name: nothing hides a module"),
            );
        } else if let Some(earlier) = self.lookup(&name.text).filter(|b| b.name != ast::SHORTHAND_PARAM) {
            let earlier = earlier.span;
            self.say(
                Diagnostic::error("E0202", name.span, format!("`{}` is defined already", name.text))
                    .label(earlier, "first defined here")
                    .help("choose another name: a name means one thing"),
            );
        }
        if name.text != ast::SHORTHAND_PARAM {
            self.spelt_as_name(name);
        }
        self.scope.push(Binding { name: name.text.clone(), ty, origin, span: name.span });
    }

    /// Runs `inner` and forgets the names that it put in scope.
    pub(crate) fn scoped<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.scope.len();
        let result = inner(self);
        self.scope.truncate(depth);
        result
    }

    /// A service, or a diagnostic that suggests the one that was meant.
    pub(crate) fn service(&mut self, cloud: &str, name: &ast::Name) -> Option<Arc<Service>> {
        if let Some(service) = self.world.service(cloud, &name.text) {
            return Some(service);
        }
        let services = self.world.services(cloud);
        let mut diagnostic = Diagnostic::error("E0203", name.span, format!("`{cloud}` has no service `{}`", name.text));
        diagnostic = match nearest(&name.text, services.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None if services.is_empty() => {
                diagnostic.help(format!("the catalogue of this version has no operations of `{cloud}` yet"))
            }
            None => diagnostic.help(format!("`escher ops search {}` looks through all operations", name.text)),
        };
        self.say(diagnostic);
        None
    }

    /// The members of a shape, by its full name.
    pub(crate) fn shape_fields(&mut self, name: &Arc<str>) -> Option<Arc<ShapeFields>> {
        if let Some(known) = self.facts.fields.borrow().get(name) {
            return known.clone();
        }
        let mut words = name.splitn(3, '.');
        let found = match (words.next(), words.next(), words.next()) {
            (Some(cloud), Some(service), Some(shape)) => self
                .world
                .service(cloud, service)
                .and_then(|service| service.structure(shape).map(|s| Arc::new(shapes::fields(&service, s.members())))),
            _ => None,
        };
        self.facts.fields.borrow_mut().insert(name.clone(), found.clone());
        found
    }

    /// `expr` as a lowered block's value type: reads are noted while it runs.
    pub(crate) fn tracked<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> (T, BTreeSet<String>, bool) {
        let uses = std::mem::take(&mut self.uses);
        let reads = std::mem::replace(&mut self.reads, false);
        let result = inner(self);
        let (my_uses, my_reads) = (std::mem::replace(&mut self.uses, uses), std::mem::replace(&mut self.reads, reads));
        self.uses.extend(my_uses.iter().cloned());
        self.reads |= my_reads;
        (result, my_uses, my_reads)
    }

    #[track_caller]
    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Typed {
        self.say(Diagnostic::error(code, span, message));
        Typed::error()
    }
}
