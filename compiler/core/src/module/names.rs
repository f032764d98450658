//! Names of other modules: `vm.list(…)`, `shared.limit`, `shared.Owner`.

use std::sync::Arc;

use escher_ir::Type;
use escher_ir::program::Expr;
use escher_syntax::ast::{self, ExprKind};
use escher_syntax::{Diagnostic, Span};

use super::{Exports, link};
use crate::checker::{Checker, Signature, Typed};
use crate::suggest::nearest;
use crate::testing::PlaybookInfo;

/// What there is to say of a name of another module.
enum Seen {
    /// It is there.
    Public,
    /// It was told why it can't be used.
    Told,
}

impl<'w> Checker<'w> {
    /// The module that an expression names, where it names one: a name that nothing else in scope has.
    pub(crate) fn module_of(&self, expr: &ast::Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Name(word) if self.imports.contains_key(word) && self.lookup(word).is_none() => {
                Some(word.clone())
            }
            _ => None,
        }
    }

    fn exports(&self, alias: &str) -> Option<(usize, &'w Exports)> {
        let module = self.imports.get(alias)?.module?;
        Some((module, self.modules.get(module)?.as_ref()?))
    }

    /// `shared.limit`
    pub(crate) fn module_member(&mut self, alias: &str, name: &ast::Name, span: Span) -> Typed {
        let Some((_, exports)) = self.exports(alias) else { return Typed::error() };
        if let Seen::Told = self.see(alias, exports, name) {
            return Typed::error();
        }
        if let Some((ty, value)) = exports.constants.get(&name.text) {
            return Typed::new(Expr::Literal(value.clone()), ty.clone());
        }
        let (message, help) = match exports.kinds.get(&name.text).copied() {
            Some("constant") => return Typed::error(),
            Some("type") => (
                format!("`{alias}.{}` is a type, not a value", name.text),
                "a type stands behind `:`, in a signature or a `let`".to_string(),
            ),
            Some(kind) => (
                format!("`{alias}.{}` is a {kind}, not a value", name.text),
                if matches!(kind, "function" | "action") {
                    "call it: write `(…)` after it"
                } else {
                    "only constants are values"
                }
                .into(),
            ),
            None => return Typed::error(),
        };
        self.say(Diagnostic::error("E0201", span, message).help(help));
        Typed::error()
    }

    /// `vm.list(…)`
    pub(crate) fn module_call(
        &mut self,
        alias: &str,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Typed {
        let Some((module, exports)) = self.exports(alias) else { return self.skip_arguments(arguments) };
        if let Seen::Told = self.see(alias, exports, name) {
            return self.skip_arguments(arguments);
        }
        if let Some(signature) = exports.signatures.get(&name.text) {
            let shown = format!("{alias}.{}", name.text);
            return self.function_call(&shown, link::key(module, &name.text), signature, arguments, span);
        }
        match exports.kinds.get(&name.text).copied() {
            // Its own mistakes are told where it stands.
            Some("function" | "action") | None => {}
            Some(kind) => self.say(
                Diagnostic::error(
                    "E0302",
                    name.span,
                    format!("`{alias}.{}` is a {kind}, and cannot be called", name.text),
                )
                .help("only functions are called"),
            ),
        }
        self.skip_arguments(arguments)
    }

    /// `shared.Owner`
    pub(crate) fn module_type(&mut self, alias: &str, name: &ast::Name) -> Type {
        let Some((_, exports)) = self.exports(alias) else { return Type::Unknown };
        if let Seen::Told = self.see(alias, exports, name) {
            return Type::Unknown;
        }
        match exports.types.get(&name.text) {
            Some(ty) => ty.clone(),
            None => {
                let kind = exports.kinds.get(&name.text).copied().unwrap_or("value");
                let message = format!("`{alias}.{}` is a {kind}, not a type", name.text);
                self.say(Diagnostic::error("E0208", name.span, message));
                Type::Unknown
            }
        }
    }

    /// A type of a module that is written without the module's name, where one module alone has it.
    pub(crate) fn imported_type(&mut self, name: &ast::Name) -> Option<Type> {
        if name.text.starts_with('_') {
            return None;
        }
        let mut found: Vec<(String, usize, &'w Exports)> = Vec::new();
        for alias in self.imports.keys() {
            if let Some((module, exports)) = self.exports(alias)
                && exports.types.contains_key(&name.text)
                && !found.iter().any(|(_, m, _)| *m == module)
            {
                found.push((alias.clone(), module, exports));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        match found.as_slice() {
            [] => None,
            [(_, _, exports)] => exports.types.get(&name.text).cloned(),
            several => {
                let names: Vec<String> = several.iter().map(|(alias, ..)| format!("`{alias}.{}`", name.text)).collect();
                let message = format!("`{}` is a type of several modules", name.text);
                self.say(
                    Diagnostic::error("E0208", name.span, message).help(format!("say which: {}", names.join(" or "))),
                );
                Some(Type::Unknown)
            }
        }
    }

    /// A playbook of another module, for a test.
    pub(crate) fn imported_playbook(&mut self, alias: &str, name: &ast::Name) -> Option<(usize, PlaybookInfo)> {
        let (module, exports) = self.exports(alias)?;
        let info = exports.playbooks.get(&name.text).filter(|_| !name.text.starts_with('_'))?;
        Some((module, info.clone()))
    }

    /// The signature of a function or action of a module.
    pub(crate) fn imported_signature(&self, alias: &str, name: &ast::Name) -> Option<(usize, Arc<Signature>)> {
        let (module, exports) = self.exports(alias)?;
        let signature = exports.signatures.get(&name.text).filter(|_| !name.text.starts_with('_'))?;
        Some((module, signature.clone()))
    }

    /// A function that one of the modules has, for a suggestion: `vm.list`.
    pub(crate) fn imported_function(&self, name: &str) -> Option<String> {
        let mut found: Vec<String> = self
            .imports
            .keys()
            .filter(|alias| self.exports(alias).is_some_and(|(_, e)| e.signatures.contains_key(name)))
            .map(|alias| format!("{alias}.{name}"))
            .collect();
        found.sort();
        found.into_iter().next()
    }

    fn see(&mut self, alias: &str, exports: &Exports, name: &ast::Name) -> Seen {
        if name.text.starts_with('_') && exports.kinds.contains_key(&name.text) {
            self.say(
                Diagnostic::error("E0226", name.span, format!("`{}` is private to `{}`", name.text, exports.shown))
                    .help("a name that begins with `_` is seen in its own file only"),
            );
            return Seen::Told;
        }
        if exports.kinds.contains_key(&name.text) {
            return Seen::Public;
        }
        if exports.incomplete {
            return Seen::Told;
        }
        let message = format!("the module `{alias}` has no `{}`", name.text);
        let mut diagnostic = Diagnostic::error("E0201", name.span, message);
        let names = exports.kinds.keys().map(String::as_str).filter(|n| !n.starts_with('_'));
        let shown: Vec<&str> = names.clone().take(12).collect();
        diagnostic = match nearest(&name.text, names) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), name.span, near)
            }
            None if shown.is_empty() => diagnostic.help("it defines nothing that others see"),
            None => diagnostic.help(format!("it has {}", shown.join(", "))),
        };
        self.say(diagnostic);
        Seen::Told
    }
}
