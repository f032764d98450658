//! What a layout must not change: the tokens with their structure, and the comments.
//!
//! Spellings that the language accepts and the formatter rewrites are the same here, and so are clauses in another order.

use std::fmt::Write;

use escher_grammar::Rule;

use crate::tree::{Node, SyntaxTree, slice};

/// A text that two sources share exactly if they say the same with the same comments.
pub(super) fn normal(tree: &SyntaxTree) -> String {
    let mut out = String::new();
    for child in tree.root().children() {
        write_node(child, &mut out);
    }
    let mut comments: Vec<&str> = tree.comments().iter().map(|c| slice(tree.source(), c.span).trim_end()).collect();
    comments.sort_unstable();
    for comment in comments {
        out.push('\n');
        out.push_str(comment);
    }
    out
}

fn write_node(node: Node<'_>, out: &mut String) {
    let Some(rule) = node.rule() else {
        out.push_str("error");
        return;
    };
    if node.is_leaf() {
        let dropped = matches!(rule, Rule::COMMA | Rule::SEMI | Rule::PIPE | Rule::BOM | Rule::KW_NONE);
        // `none` as a value is no part of a type, and is written by its operand.
        if !dropped || rule == Rule::KW_NONE {
            out.push_str(node.text());
            out.push(' ');
        }
        return;
    }
    match rule {
        Rule::r#type => return write_type(node, out),
        Rule::type_group => {
            for part in node.children().filter(|c| c.rule() == Some(Rule::r#type)) {
                write_node(part, out);
            }
            return;
        }
        Rule::optional_type if node.child(Rule::QUESTION).is_some() => {
            out.push_str("optional(");
            for part in node.children().filter(|c| c.rule() != Some(Rule::QUESTION)) {
                write_node(part, out);
            }
            out.push(')');
            return;
        }
        Rule::optional_type => {
            node.children().for_each(|part| write_node(part, out));
            return;
        }
        // `playbook p {` is `playbook p() {`.
        Rule::params if node.children().count() == 2 => return,
        _ => {}
    }
    let _ = write!(out, "{rule:?}(");
    let mut children: Vec<Node<'_>> = node.children().collect();
    if children.iter().any(|c| is_clause(*c)) {
        let (clauses, rest): (Vec<_>, Vec<_>) = children.into_iter().partition(|c| is_clause(*c));
        let mut clauses = clauses;
        clauses.sort_by_key(|c| super::statements::rank(*c));
        children = rest.into_iter().chain(clauses).collect();
    }
    let clause = matches!(
        rule,
        Rule::step_clause
            | Rule::guard_clause
            | Rule::key_clause
            | Rule::max_clause
            | Rule::template_clause
            | Rule::runs_clause
            | Rule::schedule_clause
            | Rule::trigger_clause
            | Rule::approve_clause
            | Rule::wait_clause
    );
    for child in children {
        let skipped = match child.rule() {
            Some(Rule::COLON) => clause,
            Some(Rule::LPAREN | Rule::RPAREN) => rule == Rule::lambda_head,
            _ => false,
        };
        if !skipped {
            write_node(child, out);
        }
    }
    out.push(')');
}

/// A union; with `none` among its parts it is the optional of the rest.
fn write_type(node: Node<'_>, out: &mut String) {
    let optional = node.child(Rule::KW_NONE).is_some();
    let parts: Vec<_> = node.children().filter(|c| !matches!(c.rule(), Some(Rule::PIPE | Rule::KW_NONE))).collect();
    if optional {
        out.push_str("optional(");
    }
    if parts.len() > 1 {
        out.push_str("union(");
    }
    for part in &parts {
        write_node(*part, out);
        if parts.len() > 1 {
            out.push('|');
        }
    }
    if parts.len() > 1 {
        out.push(')');
    }
    if optional {
        out.push(')');
    }
}

fn is_clause(node: Node<'_>) -> bool {
    matches!(
        node.rule(),
        Some(
            Rule::step_clause
                | Rule::template_clause
                | Rule::schedule_clause
                | Rule::trigger_clause
                | Rule::approve_clause
                | Rule::wait_clause
        )
    )
}
