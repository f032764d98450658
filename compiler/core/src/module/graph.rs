//! Loading: the files that are checked, the modules that they use, and theirs. No module is loaded twice, none uses
//! itself, and there are limits to all of it.

use std::collections::HashMap;
use std::sync::Arc;

use escher_syntax::ast::{self, ItemKind, UseTarget};
use escher_syntax::{Diagnostic, Span};

use super::path::{self, Wrong};
use super::{ModuleId, Used};
use crate::suggest::nearest;
use crate::world::{NoModule, World};

/// Most modules that the files of one check use together.
pub const MAX_MODULES: usize = 1_000;

/// Longest chain of modules that use each other.
pub const MAX_DEPTH: usize = 64;

/// Most text in all modules of one check together, in bytes.
pub const MAX_TEXT: usize = 64 << 20;

/// A module as it is used: its name there, which it is, and where that is written.
pub(crate) type Named = (String, Option<usize>, Span);

/// What was parsed, by file: a text that did not change is not parsed again.
pub(crate) type Parses = HashMap<ModuleId, Parse>;

/// A text, and what the parser made of it.
#[derive(Clone, Debug)]
pub(crate) struct Parse {
    text: Arc<str>,
    file: Arc<ast::File>,
    diagnostics: Arc<[Diagnostic]>,
}

/// A file or module, parsed.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: ModuleId,
    pub(crate) text: Arc<str>,
    pub(crate) file: Arc<ast::File>,
    /// What the parser says.
    pub(crate) parsed: Arc<[Diagnostic]>,
    /// What there is to say of its `use`s.
    pub(crate) told: Vec<Diagnostic>,
    /// Its modules, by the names that they have here.
    pub(crate) uses: HashMap<String, Used>,
}

/// All files and modules of a check.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The files that were asked for, in order, then what they use.
    pub(crate) nodes: Vec<Node>,
    /// All of them, each behind those that it uses.
    pub(crate) order: Vec<usize>,
}

/// Loads files and all that they use.
pub(crate) fn load(world: &dyn World, entries: Vec<(String, Arc<str>)>, known: &mut Parses) -> Graph {
    let mut loader = Loader { world, known, nodes: Vec::new(), by_id: HashMap::new(), modules: 0, text: 0 };
    for (path, text) in entries {
        loader.add(ModuleId::File(path), text);
    }
    let mut next = 0;
    while next < loader.nodes.len() {
        loader.follow(next);
        next += 1;
    }
    let Loader { nodes, by_id, known, .. } = loader;
    // What is no part of the project any more is forgotten.
    known.retain(|id, _| by_id.contains_key(id));
    let mut graph = Graph { nodes, order: Vec::new() };
    graph.sort();
    graph.limit_depth();
    graph
}

struct Loader<'w> {
    world: &'w dyn World,
    known: &'w mut Parses,
    nodes: Vec<Node>,
    by_id: HashMap<ModuleId, usize>,
    /// How many were loaded because they are used.
    modules: usize,
    text: usize,
}

impl Loader<'_> {
    fn add(&mut self, id: ModuleId, text: Arc<str>) -> usize {
        let known = self.known.get(&id).filter(|known| known.text == text).cloned();
        let parse = known.unwrap_or_else(|| {
            let parsed = escher_syntax::parse(&text);
            let (file, diagnostics) = (Arc::new(parsed.file), parsed.diagnostics.into());
            let parse = Parse { text: text.clone(), file, diagnostics };
            self.known.insert(id.clone(), parse.clone());
            parse
        });
        let at = self.nodes.len();
        // Of a file that is given twice, the first is what others use.
        self.by_id.entry(id.clone()).or_insert(at);
        self.nodes.push(Node {
            id,
            text,
            file: parse.file,
            parsed: parse.diagnostics,
            told: Vec::new(),
            uses: HashMap::new(),
        });
        at
    }

    /// Loads what a file uses.
    fn follow(&mut self, at: usize) {
        let Some(node) = self.nodes.get(at) else { return };
        let from = node.id.clone();
        let written: Vec<(Span, UseTarget, Option<ast::Name>)> = node
            .file
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Use { target, alias } => Some((item.span, target.clone(), alias.clone())),
                _ => None,
            })
            .collect();
        let (mut told, mut uses) = (Vec::new(), HashMap::<String, Used>::new());
        for (span, target, alias) in written {
            let (place, name) = match &target {
                UseTarget::Module(path) => (path.span, path.segments.last().cloned()),
                UseTarget::File(text) => {
                    let stem = path::stem(&plain(text)).map(str::to_string);
                    (text.span, stem.map(|stem| ast::Name { text: stem, span: text.span }))
                }
            };
            let module = match self.find(&from, &target, place, &mut told) {
                Ok(module) => Some(module),
                Err(diagnostic) => {
                    told.push(*diagnostic);
                    None
                }
            };
            let Some(name) = alias.or(name) else {
                if module.is_some() {
                    told.push(
                        Diagnostic::error("E0228", place, "the name of this file is no name of the language")
                            .help("say what it is called here: `use \"…\" as shared`"),
                    );
                }
                continue;
            };
            if matches!(name.text.as_str(), "aws" | "azure" | "gcp" | "run") {
                let message = format!("`{}` is a name of the language", name.text);
                told.push(Diagnostic::error("E0202", name.span, message).help("give it another name with `as`"));
                continue;
            }
            if let Some(earlier) = uses.get(&name.text) {
                told.push(
                    Diagnostic::error("E0202", name.span, format!("`{}` is a module already", name.text))
                        .label(earlier.span, "first used here")
                        .help("give it another name with `as`"),
                );
                continue;
            }
            uses.insert(name.text, Used { module, span });
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.told = told;
            node.uses = uses;
        }
    }

    fn find(
        &mut self,
        from: &ModuleId,
        target: &UseTarget,
        place: Span,
        told: &mut Vec<Diagnostic>,
    ) -> Result<usize, Box<Diagnostic>> {
        match target {
            UseTarget::Module(path) => self.by_name(path, told),
            UseTarget::File(text) => {
                let written = plain(text);
                let ModuleId::File(from) = from else {
                    return Err(Box::new(
                        Diagnostic::error("E0220", place, "a module of the library has no files beside it")
                            .help("write `use std.…`"),
                    ));
                };
                let path = path::beside(from, &written).map_err(|wrong| Box::new(said(wrong, &written, place)))?;
                self.file(&path, place)?.ok_or_else(|| {
                    Box::new(
                        Diagnostic::error("E0220", place, format!("there is no file `{path}` in this project"))
                            .help("the path is relative to this file"),
                    )
                })
            }
        }
    }

    /// `use std.tags`: a file of the project, else a module of the library.
    fn by_name(&mut self, path: &ast::Path, told: &mut Vec<Diagnostic>) -> Result<usize, Box<Diagnostic>> {
        let words: Vec<&str> = path.segments.iter().map(|s| s.text.as_str()).collect();
        let (name, relative) = (words.join("."), format!("{}.esc", words.join("/")));
        let library = self.world.library(&name);
        for folder in self.world.search_path() {
            let file = if folder.is_empty() { relative.clone() } else { format!("{folder}/{relative}") };
            if let Some(found) = self.file(&file, path.span)? {
                if library.is_some() {
                    let message = format!("`{name}` is this project's `{file}`, not the library's");
                    told.push(
                        Diagnostic::warning("E0225", path.span, message)
                            .help("rename the file, unless it is meant to take the library's place"),
                    );
                }
                return Ok(found);
            }
        }
        if let Some(text) = library {
            let id = ModuleId::Library(name);
            return match self.by_id.get(&id) {
                Some(known) => Ok(*known),
                None => self.take(id, Arc::from(text), path.span),
            };
        }
        let names = self.world.library_names();
        let mut diagnostic = Diagnostic::error("E0220", path.span, format!("there is no module `{name}`"));
        diagnostic = match nearest(&name, names.iter().copied()) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), path.span, near)
            }
            None => diagnostic
                .help(format!("the library has {}; one of the project stands in `{relative}`", names.join(", "))),
        };
        Err(Box::new(diagnostic))
    }

    /// A file of the project; nothing where there is none.
    fn file(&mut self, path: &str, place: Span) -> Result<Option<usize>, Box<Diagnostic>> {
        let id = ModuleId::File(path.to_string());
        if let Some(known) = self.by_id.get(&id) {
            return Ok(Some(*known));
        }
        match self.world.module(path) {
            Ok(text) => self.take(id, text, place).map(Some),
            Err(NoModule::Missing) => Ok(None),
            Err(NoModule::Outside) => Err(Box::new(
                Diagnostic::error("E0224", place, format!("`{path}` is a link that leads out of the project"))
                    .help("copy the file into the project: what is approved must be in it"),
            )),
            Err(NoModule::Unreadable(why)) => {
                Err(Box::new(Diagnostic::error("E0220", place, format!("`{path}` cannot be read: {why}"))))
            }
        }
    }

    fn take(&mut self, id: ModuleId, text: Arc<str>, place: Span) -> Result<usize, Box<Diagnostic>> {
        self.modules += 1;
        self.text = self.text.saturating_add(text.len());
        let why = if self.modules > MAX_MODULES {
            format!("more than {MAX_MODULES} modules are used")
        } else if self.text > MAX_TEXT {
            format!("the modules hold more than {} MiB", MAX_TEXT >> 20)
        } else {
            return Ok(self.add(id, text));
        };
        Err(Box::new(Diagnostic::error("E0227", place, why).help("use fewer modules, or check fewer files at once")))
    }
}

/// The text of a path, in which the grammar has no holes.
fn plain(text: &ast::Text) -> String {
    let literals =
        text.parts.iter().filter_map(|p| if let ast::TextPart::Literal(s) = p { Some(s.as_str()) } else { None });
    literals.collect()
}

fn said(wrong: Wrong, written: &str, place: Span) -> Diagnostic {
    match wrong {
        Wrong::Absolute => Diagnostic::error("E0223", place, "this path does not begin at this file")
            .help("write a path of the project, such as `\"./shared.esc\"`"),
        Wrong::Leaves => Diagnostic::error("E0222", place, "this path leaves the project")
            .help("copy the file into the project: what is approved must be in it"),
        Wrong::Bare => Diagnostic::error("E0228", place, "the path of a module begins with `./` or `../`")
            .help(format!("write `\"./{written}\"`"))
            .fix("begin it with `./`", place, format!("\"./{written}\"")),
        Wrong::NoFile(why) => Diagnostic::error("E0228", place, format!("this is no path of a module: {why}"))
            .help("write a path such as `\"./shared.esc\"`"),
    }
}

impl Graph {
    /// Puts each module behind those that it uses; what closes a circle is said and not followed.
    fn sort(&mut self) {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Done,
        }
        let below: Vec<Vec<(usize, Span)>> = self.nodes.iter().map(edges).collect();
        let mut state = vec![State::New; self.nodes.len()];
        let mut circles: Vec<(usize, usize, Span, String)> = Vec::new();
        for start in 0..self.nodes.len() {
            // The way down from `start`: each with how many of its modules were seen.
            let mut way: Vec<(usize, usize)> = vec![(start, 0)];
            if state.get(start) != Some(&State::New) {
                continue;
            }
            while let Some((at, seen)) = way.last().copied() {
                if let Some(s) = state.get_mut(at) {
                    *s = State::Open;
                }
                let Some((next, span)) = below.get(at).and_then(|b| b.get(seen)).copied() else {
                    if let Some(s) = state.get_mut(at) {
                        *s = State::Done;
                    }
                    self.order.push(at);
                    way.pop();
                    continue;
                };
                if let Some((_, seen)) = way.last_mut() {
                    *seen += 1;
                }
                match state.get(next) {
                    Some(State::New) => way.push((next, 0)),
                    Some(State::Open) => {
                        let names = way.iter().map(|(n, _)| *n).skip_while(|n| *n != next).chain([next]);
                        let names: Vec<String> =
                            names.filter_map(|n| self.nodes.get(n)).map(|n| format!("`{}`", n.id)).collect();
                        circles.push((at, next, span, names.join(" uses ")));
                    }
                    _ => {}
                }
            }
        }
        for (at, next, span, circle) in circles {
            if let Some(node) = self.nodes.get_mut(at) {
                node.uses.values_mut().filter(|u| u.module == Some(next)).for_each(|u| u.module = None);
                node.told.push(
                    Diagnostic::error("E0221", span, format!("modules use each other in a circle: {circle}"))
                        .help("move what both need into a third module"),
                );
            }
        }
    }

    fn limit_depth(&mut self) {
        let mut depth = vec![1_usize; self.nodes.len()];
        for at in self.order.clone() {
            let Some(node) = self.nodes.get_mut(at) else { continue };
            let mut deepest = 0;
            for used in node.uses.values_mut() {
                let below = used.module.and_then(|m| depth.get(m)).copied().unwrap_or(0);
                if below >= MAX_DEPTH {
                    let message = format!("this is a chain of more than {MAX_DEPTH} modules");
                    node.told.push(Diagnostic::error("E0227", used.span, message).help("use what you need directly"));
                    used.module = None;
                } else {
                    deepest = deepest.max(below);
                }
            }
            if let Some(d) = depth.get_mut(at) {
                *d = deepest + 1;
            }
        }
    }

    /// Each module and all that it uses, however deep.
    pub(crate) fn reach(&self) -> Vec<Vec<usize>> {
        let below: Vec<Vec<usize>> =
            self.nodes.iter().map(|n| edges(n).into_iter().map(|(module, _)| module).collect()).collect();
        (0..self.nodes.len()).map(|start| reach(&below, start)).collect()
    }
}

fn reach(below: &[Vec<usize>], start: usize) -> Vec<usize> {
    let mut found = vec![start];
    let mut seen = vec![false; below.len()];
    let mut next = 0;
    while let Some(at) = found.get(next).copied() {
        next += 1;
        for module in below.get(at).into_iter().flatten() {
            if let Some(seen) = seen.get_mut(*module).filter(|seen| !**seen) {
                *seen = true;
                found.push(*module);
            }
        }
    }
    found
}

impl Node {
    /// Its modules by the names that they have here, in the order of names.
    pub(crate) fn named(&self) -> Vec<Named> {
        let mut named: Vec<Named> =
            self.uses.iter().map(|(name, used)| (name.clone(), used.module, used.span)).collect();
        named.sort();
        named
    }
}

/// The modules that one uses, in written order.
fn edges(node: &Node) -> Vec<(usize, Span)> {
    let mut found: Vec<(usize, Span)> = node.uses.values().filter_map(|u| Some((u.module?, u.span))).collect();
    found.sort_by_key(|(_, span)| *span);
    found
}
