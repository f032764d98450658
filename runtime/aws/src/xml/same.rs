//! The reader held against the SDK's own, which it took the place of: random documents of random shapes read alike.
//!
//! Left out is what the SDK's reader reads wrongly: the text behind a comment or in CDATA, and a text before an element
//! where a text should stand alone; `differs` has those.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use aws_smithy_schema::codec::Codec;
use aws_smithy_types::date_time::Format;
use aws_smithy_xml::codec::{XmlCodec, XmlCodecSettings};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::{Document, Element};
use crate::conformance::convert;
use crate::read::{Reader, Words};
use crate::schema::Plan;

/// Lots drawn from a seed.
struct Lots(u64);

impl Lots {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// One time in so many.
    fn rare(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

const SCALARS: [&str; 8] = ["string", "integer", "long", "double", "float", "boolean", "timestamp", "blob"];

/// Shapes of a service: structures first, so that each can hold itself; then lists, maps and scalars.
fn shapes(lots: &mut Lots) -> Map<String, Json> {
    let (structures, lists, maps) = (2 + lots.below(3), 1 + lots.below(4), lots.below(3));
    let mut names: Vec<String> = SCALARS.iter().map(|s| (*s).to_owned()).collect();
    for (count, kind) in [(structures, "Structure"), (lists, "List"), (maps, "Map")] {
        names.extend((0..count).map(|n| format!("{kind}{n}")));
    }
    let mut shapes = Map::new();
    for name in &names {
        let target = |lots: &mut Lots| names[lots.below(names.len())].clone();
        let shape = if name.starts_with("Structure") {
            let mut members = Map::new();
            for at in 0..1 + lots.below(6) {
                let mut member = json!({"shape": target(lots)});
                if lots.rare(3) {
                    member["locationName"] = json!(format!("m{at}"));
                }
                let shape = member["shape"].as_str().unwrap();
                if (shape.starts_with("List") || shape.starts_with("Map")) && lots.rare(2) {
                    member["flattened"] = json!(true);
                } else if SCALARS.contains(&shape) && lots.rare(5) {
                    member["xmlAttribute"] = json!(true);
                }
                members.insert(format!("Member{at}"), member);
            }
            json!({"type": "structure", "members": members})
        } else if name.starts_with("List") {
            let mut member = json!({"shape": target(lots)});
            if lots.rare(2) {
                member["locationName"] = json!("item");
            }
            json!({"type": "list", "member": member})
        } else if name.starts_with("Map") {
            let (key, value) = (json!({"shape": "string"}), json!({"shape": target(lots)}));
            let mut map = json!({"type": "map", "key": key, "value": value});
            if lots.rare(2) {
                map["key"]["locationName"] = json!("Name");
                map["value"]["locationName"] = json!("Setting");
            }
            map
        } else {
            json!({"type": name})
        };
        shapes.insert(name.clone(), shape);
    }
    shapes
}

/// A document of one of the shapes, with what documents have beside what is asked for.
struct Writer<'s> {
    shapes: &'s Map<String, Json>,
    lots: Lots,
    text: String,
    /// Elements that may still be written.
    left: usize,
}

impl Writer<'_> {
    fn between(&mut self) {
        match self.lots.below(12) {
            0 => self.text.push_str("\n  "),
            1 => self.text.push_str("<!-- <a> -->"),
            2 => self.text.push_str("<?pi <b> ?>"),
            3 => self.text.push_str("<Strange at=\"1>\"><Member0>x</Member0></Strange>"),
            4 => self.text.push_str("<Strange/>"),
            _ => {}
        }
    }

    fn scalar(&mut self, shape: &str) {
        let good: &[&str] = match shape {
            "string" => &["", "a b", "&lt;&amp;&#x41;&#66;&gt;", " padded ", "\u{e4}\u{1f600}", "true"],
            "integer" | "long" => &["0", "-7", "2147483647"],
            "double" | "float" => &["1.5", "-0.25", "NaN", "Infinity", "-Infinity", "1e3"],
            "boolean" => &["true", "false"],
            "timestamp" => &["2026-01-01T00:00:00Z", "2026-01-01T01:02:03.004+01:00"],
            _ => &["", "aGk="],
        };
        let text = match self.lots.below(25) {
            0 => self.lots.pick(&["oops", "&nothing;", "", "<Member0/>", "99999999999999999999"]),
            _ => self.lots.pick(good),
        };
        self.text.push_str(text);
    }

    fn element(&mut self, name: &str, shape: &str, depth: usize) {
        let prefix = if self.lots.rare(9) { "p:" } else { "" };
        let strange = if self.lots.rare(9) { " strange='a>b'" } else { "" };
        let mut attributes = String::new();
        let members = self.shapes[shape]["members"].as_object().cloned().unwrap_or_default();
        for (member, of) in members.iter().filter(|(_, of)| of["xmlAttribute"] == true) {
            if self.lots.rare(2) {
                let value = if of["shape"] == "string" { "a &lt; b" } else { "1" };
                write!(attributes, " {}=\"{value}\"", of["locationName"].as_str().unwrap_or(member)).unwrap();
            }
        }
        if self.lots.rare(12) {
            write!(self.text, "<{prefix}{name}{strange}{attributes}/>").unwrap();
            return;
        }
        write!(self.text, "<{prefix}{name}{strange}{attributes}>").unwrap();
        self.content(shape, depth);
        write!(self.text, "</{prefix}{name}>").unwrap();
    }

    fn content(&mut self, shape: &str, depth: usize) {
        let of = self.shapes[shape].clone();
        match of["type"].as_str().unwrap() {
            "structure" => {
                let members: Vec<_> = of["members"].as_object().unwrap().iter().collect();
                // In any order, with some twice and some not at all: flattened ones between each other.
                for _ in 0..members.len() * 2 {
                    let (name, member) = members[self.lots.below(members.len())];
                    self.between();
                    self.member(name, member, depth);
                }
                self.between();
            }
            "list" => {
                let name = of["member"]["locationName"].as_str().unwrap_or("member").to_owned();
                for _ in 0..self.lots.below(4) {
                    self.quiet();
                    self.one(&name, of["member"]["shape"].as_str().unwrap(), depth);
                }
            }
            "map" => {
                for _ in 0..self.lots.below(3) {
                    self.quiet();
                    self.text.push_str("<entry>");
                    self.entry(&of, depth);
                    self.text.push_str("</entry>");
                }
            }
            scalar => {
                let scalar = scalar.to_owned();
                self.scalar(&scalar);
            }
        }
    }

    /// What may stand between elements that are read whatever their name is.
    fn quiet(&mut self) {
        self.text.push_str(["", "", "\n", "<!-- <x> -->"][self.lots.below(4)]);
    }

    fn one(&mut self, name: &str, shape: &str, depth: usize) {
        if self.left > 0 && depth < 12 {
            self.left -= 1;
            self.element(name, shape, depth + 1);
        }
    }

    fn entry(&mut self, of: &Json, depth: usize) {
        let key = of["key"]["locationName"].as_str().unwrap_or("key").to_owned();
        let value = of["value"]["locationName"].as_str().unwrap_or("value").to_owned();
        let shape = of["value"]["shape"].as_str().unwrap().to_owned();
        let order = self.lots.below(8);
        if order == 0 {
            self.one(&value, &shape, depth);
        }
        if order != 1 {
            write!(self.text, "<{key}>k{}</{key}>", self.lots.below(3)).unwrap();
        }
        self.between();
        if order > 1 {
            self.one(&value, &shape, depth);
        }
    }

    fn member(&mut self, name: &str, member: &Json, depth: usize) {
        if member["xmlAttribute"] == true {
            return;
        }
        let shape = member["shape"].as_str().unwrap().to_owned();
        let of = self.shapes[&shape].clone();
        let name = member["locationName"].as_str().unwrap_or(name).to_owned();
        if member["flattened"] != true {
            return self.one(&name, &shape, depth);
        }
        for _ in 0..self.lots.below(3) {
            self.quiet();
            if of["type"] == "list" {
                self.one(&name, of["member"]["shape"].as_str().unwrap(), depth);
            } else {
                write!(self.text, "<{name}>").unwrap();
                self.entry(&of, depth + 1);
                write!(self.text, "</{name}>").unwrap();
            }
        }
    }
}

/// A random part of what there is to read.
fn projection(lots: &mut Lots, depth: usize) -> Projection {
    if depth > 3 || lots.rare(3) {
        return Projection::All;
    }
    let names = (0..6).filter(|_| !lots.rare(3)).map(|at| format!("Member{at}")).collect::<Vec<_>>();
    Projection::Members(names.into_iter().map(|name| (name, projection(lots, depth + 1))).collect::<BTreeMap<_, _>>())
}

fn both(seed: u64) -> (String, Result<Value, String>, Result<Value, String>) {
    let mut lots = Lots(seed);
    let shapes = shapes(&mut lots);
    let suite = json!({"metadata": {"protocol": "rest-xml"}, "shapes": shapes});
    let given = json!({"name": "Ask", "http": {"method": "GET", "requestUri": "/"}, "output": {"shape": "Structure0"}});
    let plan = Plan::of(&Arc::new(convert::record(&suite, &given)));
    let wanted = projection(&mut lots, 0);
    let words = if lots.rare(2) { Words::Language } else { Words::Official };
    let mut writer = Writer { shapes: &shapes, lots, text: String::new(), left: 60 };
    writer.text.push_str("<?xml version='1.0'?>\n");
    writer.element("Root", "Structure0", 0);
    let text = writer.text;
    let target = Arc::new(Target::default());
    let reader = || Reader::new(plan, words, Some(&target));
    let settings = XmlCodecSettings::builder().default_timestamp_format(Format::DateTime).build();
    let old = reader().output(&mut XmlCodec::new(settings).create_deserializer(text.as_bytes()), &wanted);
    let mut document = Document::new(text.as_bytes());
    let new = reader().output(&mut Element::root(&mut document), &wanted);
    let new = new.and_then(|value| document.finish().map(|()| value));
    (text, old.map_err(|e| e.to_string()), new.map_err(|e| e.to_string()))
}

proptest! {
    #[test]
    fn reads_as_the_sdk_does(seed in any::<u64>()) {
        let (text, old, new) = both(seed);
        match (&old, &new) {
            (Ok(old), Ok(new)) => prop_assert_eq!(format!("{:?}", old), format!("{:?}", new), "{}", text),
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "{:?}\n{:?}\n{}", old, new, text),
        }
    }
}

/// Random documents that neither reader reads would prove nothing.
#[test]
fn most_random_documents_can_be_read() {
    let read = (0..300).filter(|seed| both(*seed).2.is_ok()).count();
    let long = (0..300).filter(|seed| both(*seed).0.len() > 1_000).count();
    assert!(read > 150 && long > 50, "{read} of 300 are read, {long} are long");
}

/// What the SDK's reader gets wrong.
#[test]
fn differs() {
    let shapes = json!({"Out": {"type": "structure", "members": {"A": {"shape": "S"}}}, "S": {"type": "string"}});
    let suite = json!({"metadata": {"protocol": "rest-xml"}, "shapes": shapes});
    let given = json!({"name": "Ask", "http": {"method": "GET", "requestUri": "/"}, "output": {"shape": "Out"}});
    let plan = Plan::of(&Arc::new(convert::record(&suite, &given)));
    let read = |text: &str| {
        let mut document = Document::new(text.as_bytes());
        let reader = Reader::new(plan, Words::Official, None);
        let value = reader.output(&mut Element::root(&mut document), &Projection::All);
        value.ok().and_then(|v| v.as_record().and_then(|r| r.get("A")).cloned())
    };
    assert_eq!(read("<R><A>a<!-- b -->c</A></R>"), Some(Value::text("ac")));
    assert_eq!(read("<R><A><![CDATA[<b>]]>&amp;</A></R>"), Some(Value::text("<b>&")));
    assert_eq!(read("<R><A> <B/></A></R>"), None);
    assert_eq!(read("<R><A>&unknown;</A></R>"), None);
}
