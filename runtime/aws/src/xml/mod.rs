//! XML that came from outside: read in one pass by its shapes, or asked what an error says.
//!
//! Iterative wherever nobody asked for a value, so no input can exhaust the stack. This module does *not* know values.

mod document;
mod element;
mod names;
#[cfg(test)]
mod same;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

pub(crate) use document::Document;
pub(crate) use element::Element;

/// The local name of the root, whatever follows.
pub(crate) fn root(body: &[u8]) -> Option<&[u8]> {
    Document::new(body).root().ok().map(document::Start::local)
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
            Ok(Event::GeneralRef(entity)) => content.push_str(&document::resolved(&entity).unwrap_or_default()),
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

#[cfg(test)]
mod tests {
    use super::{Document, root, said};

    /// What a pass over all of it says.
    fn whole(body: &[u8]) -> Result<(), String> {
        let mut document = Document::new(body);
        let pass = document.root().and_then(|_| document.skip()).and_then(|()| document.finish());
        pass.map_err(|e| e.to_string())
    }

    #[test]
    fn refuses_what_is_not_whole() {
        assert_eq!(whole(b"<?xml version=\"1.0\"?><a><b/></a><!-- c -->"), Ok(()));
        assert_eq!(whole(b"<a/>"), Ok(()));
        assert_eq!(root(b"<!-- c --><x:a y='1'><b>"), Some(&b"a"[..]));
        for bad in
            ["", "  ", "<a>", "<a><b></a>", "<a/><b/>", "<a", "text", "<html><body><p>oops</body></html>", "\u{0}"]
        {
            assert!(whole(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(whole(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn refuses_depth_without_using_the_stack() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        assert!(whole(deep.as_bytes()).unwrap_err().contains("nested too deeply"));
    }

    #[test]
    fn refuses_entities() {
        let laughs = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        assert!(whole(laughs.as_bytes()).unwrap_err().contains("declares entities"));
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
