//! What can be seen of an argument before the run, for the catalogue's table of arguments.

use std::collections::BTreeMap;

use escher_catalog::argument::Seen;
use escher_ir::Value;
use escher_ir::program::{Expr, RecordPart};

/// What is seen at the end of a path of members, such as `body.properties.public_access`.
pub(crate) fn seen(arguments: &BTreeMap<String, Expr>, path: &[&str]) -> Seen {
    let Some((first, rest)) = path.split_first() else { return Seen::Unseen };
    arguments.get(*first).map_or(Seen::Absent, |expr| below(expr, rest))
}

fn below(expr: &Expr, path: &[&str]) -> Seen {
    match (expr, path.split_first()) {
        (Expr::Literal(value), _) => of_value(value, path),
        (Expr::Record(parts), Some((first, rest))) => {
            // The last one written holds; what a spread brings along is not seen.
            for part in parts.iter().rev() {
                match part {
                    RecordPart::Field(name, value) if name == first => return below(value, rest),
                    RecordPart::Field(..) => {}
                    RecordPart::Spread(_) => return Seen::Unseen,
                }
            }
            Seen::Absent
        }
        _ => Seen::Unseen,
    }
}

fn of_value(value: &Value, path: &[&str]) -> Seen {
    match (value, path.split_first()) {
        (Value::None, _) => Seen::Absent,
        (Value::Record(record), Some((first, rest))) => {
            record.members.iter().find(|(name, _)| **name == **first).map_or(Seen::Absent, |(_, v)| of_value(v, rest))
        }
        (Value::Bool(on), None) => Seen::Value(on.to_string()),
        (Value::Int(number), None) => Seen::Value(number.to_string()),
        (Value::String(text), None) => Seen::Value(text.to_string()),
        _ => Seen::Unseen,
    }
}
