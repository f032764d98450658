//! A first look at XML that came from outside, before the protocol's reader may see it.
//!
//! Checks that it is whole and not absurdly deep, and finds what errors say. Iterative, so no input can exhaust the stack.
//! This module does *not* know any shape.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// Deeper than any answer; shallower than any stack.
const MAX_DEPTH: usize = 100;

/// The local name of the root, where the document is well formed.
pub(crate) fn root(body: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    let (mut depth, mut root) = (0usize, None);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                if depth == 0 && root.is_some() {
                    return Err("it has two roots".into());
                }
                root.get_or_insert_with(|| start.local_name().as_ref().to_owned());
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err("it is nested too deeply".into());
                }
            }
            Ok(Event::Empty(start)) => {
                if depth == 0 && root.is_some() {
                    return Err("it has two roots".into());
                }
                root.get_or_insert_with(|| start.local_name().as_ref().to_owned());
            }
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            // Entities of a document's own can grow without end; no AWS service sends any.
            Ok(Event::DocType(doctype)) if doctype.contains("!ENTITY") => {
                return Err("it declares entities".into());
            }
            Ok(Event::Eof) if depth > 0 => return Err("it ends too early".into()),
            Ok(Event::Eof) => return root.ok_or_else(|| "it has no element".into()),
            Ok(_) => {}
            Err(_) => return Err("it is not well formed".into()),
        }
    }
}

/// What an error document says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// `Code`
    pub(crate) code: Option<String>,
    /// `Message`
    pub(crate) message: Option<String>,
    /// `RequestId`
    pub(crate) request_id: Option<String>,
}

/// The first code, message and request id anywhere in the document, as far as it can be read.
pub(crate) fn said(body: &[u8]) -> Said {
    let mut said = Said::default();
    let Ok(text) = std::str::from_utf8(body) else { return said };
    let mut reader = Reader::from_str(text);
    let mut element = String::new();
    let mut content = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                element = start.local_name().as_ref().to_owned();
                content.clear();
            }
            Ok(Event::Text(text)) => content.push_str(&text),
            Ok(Event::CData(text)) => content.push_str(&text),
            Ok(Event::GeneralRef(entity)) => push_entity(&mut content, &entity),
            Ok(Event::End(_)) => {
                let place = match element.as_str() {
                    "Code" => &mut said.code,
                    "Message" | "message" => &mut said.message,
                    "RequestId" | "RequestID" => &mut said.request_id,
                    _ => {
                        content.clear();
                        continue;
                    }
                };
                if place.is_none() && !content.trim().is_empty() {
                    *place = Some(content.trim().to_owned());
                }
                element.clear();
                content.clear();
            }
            Ok(Event::Eof) | Err(_) => return said,
            Ok(_) => {}
        }
    }
}

fn push_entity(content: &mut String, entity: &quick_xml::events::BytesRef<'_>) {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        content.push(c);
        return;
    }

    content.push_str(quick_xml::escape::resolve_xml_entity(entity).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::{root, said};

    #[test]
    fn refuses_what_is_not_whole() {
        assert_eq!(root(b"<?xml version=\"1.0\"?><a><b/></a>").as_deref(), Ok("a"));
        for bad in
            ["", "  ", "<a>", "<a><b></a>", "<a/><b/>", "<a", "text", "<html><body><p>oops</body></html>", "\u{0}"]
        {
            assert!(root(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(root(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn refuses_depth_without_using_the_stack() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        assert_eq!(root(deep.as_bytes()), Err("it is nested too deeply".into()));
    }

    #[test]
    fn refuses_entities() {
        let laughs = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        assert_eq!(root(laughs.as_bytes()), Err("it declares entities".into()));
    }

    #[test]
    fn finds_what_errors_say() {
        let ec2 = b"<Response><Errors><Error><Code>IncorrectInstanceState</Code><Message>not &lt;now&gt;</Message>\
            </Error></Errors><RequestID>r-1</RequestID></Response>";
        let found = said(ec2);
        assert_eq!(found.code.as_deref(), Some("IncorrectInstanceState"));
        assert_eq!(found.message.as_deref(), Some("not <now>"));
        assert_eq!(found.request_id.as_deref(), Some("r-1"));
        assert_eq!(said(b"<Response><Code>cut o"), super::Said::default());
    }
}
