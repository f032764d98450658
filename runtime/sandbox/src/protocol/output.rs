//! Answers of the `query` and `ec2` protocols: a [`Value`], by the operation's output shape, into XML.
//!
//! Does *not* choose status codes or headers. A member that the shape doesn't have is left out; a test sees to it that no
//! operation gives one.

use escher_catalog::model::{Location, Member, Operation, Protocol, Service, ShapeId, ShapeKind};
use quick_xml::escape::escape;

use super::time::iso8601;
use super::value::Value;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// The namespace of a service's answers. EC2's model gives it without the slash that its real answers have.
fn namespace(service: &Service) -> String {
    let meta = &service.meta;
    match &meta.xml_namespace {
        Some((uri, _)) if meta.protocol != Protocol::Ec2Query => uri.to_string(),
        _ => format!("http://{}.amazonaws.com/doc/{}/", meta.endpoint_prefix, meta.api_version),
    }
}

/// The body of a successful answer.
pub(crate) fn success(service: &Service, operation: &Operation, output: &Value, request_id: &str) -> String {
    let mut writer = Writer { service, xml: String::with_capacity(4096) };
    let name = &operation.official;
    writer.xml.push_str(DECLARATION);
    writer.xml.push_str(&format!("<{name}Response xmlns=\"{}\">", escape(namespace(service))));
    if service.meta.protocol == Protocol::Ec2Query {
        writer.element("requestId", request_id);
        match operation.output {
            Some(shape) => writer.content(shape, output),
            // Operations without an output say that they did it.
            None => writer.element("return", "true"),
        }
    } else {
        let wrapper = operation.output_wrapper.clone().unwrap_or_else(|| format!("{name}Result").into());
        if let Some(shape) = operation.output {
            writer.open(&wrapper);
            writer.content(shape, output);
            writer.close(&wrapper);
        }
        writer.open("ResponseMetadata");
        writer.element("RequestId", request_id);
        writer.close("ResponseMetadata");
    }
    writer.xml.push_str(&format!("</{name}Response>"));
    writer.xml
}

/// The body of a successful answer of the REST protocol: the member that is the body, or all that travel in it. Nothing where
/// nothing does.
pub(crate) fn document(service: &Service, operation: &Operation, output: &Value) -> String {
    let mut writer = Writer { service, xml: String::new() };
    let Some(shape) = operation.output.and_then(|id| service.shape(id)) else { return writer.xml };
    let (ShapeKind::Structure(members), Value::Record(values)) = (&shape.kind, output) else { return writer.xml };
    let in_body = |name: &str| members.iter().find(|m| *m.official == *name && m.location == Location::Body);
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    let (root, body) = match &shape.payload {
        Some(payload) => match values.iter().find(|(name, _)| **name == **payload) {
            Some((_, value)) => (payload.to_string(), in_body(payload).map(|m| (m.shape, value.clone()))),
            None => return writer.xml,
        },
        None => {
            let own: Vec<_> = values.iter().filter(|(name, _)| in_body(name).is_some()).cloned().collect();
            if own.is_empty() && !members.iter().any(|m| m.location == Location::Body) {
                return writer.xml;
            }
            let root = shape.name.strip_suffix("Output").unwrap_or(&shape.name);
            (root.to_owned(), operation.output.map(|shape| (shape, Value::Record(own))))
        }
    };
    writer.xml.push_str(DECLARATION);
    // Where a bucket is, is the text of the document itself.
    if *operation.official == *"GetBucketLocation" {
        let place = output.get("LocationConstraint").and_then(Value::text).unwrap_or_default();
        writer
            .xml
            .push_str(&format!("<LocationConstraint xmlns=\"{namespace}\">{}</LocationConstraint>", clean(place)));
        return writer.xml;
    }
    writer.xml.push_str(&format!("<{root} xmlns=\"{namespace}\">"));
    if let Some((shape, value)) = body {
        writer.content(shape, &value);
    }
    writer.close(&root);
    writer.xml
}

/// Members of an answer that travel in headers.
pub(crate) fn headers(service: &Service, operation: &Operation, output: &Value) -> Vec<(String, String)> {
    let Some(ShapeKind::Structure(members)) = operation.output.and_then(|id| service.shape(id)).map(|s| &s.kind) else {
        return Vec::new();
    };
    let header = |member: &Member| {
        let text = output.get(&member.official)?.text()?.to_owned();
        Some((member.wire_name.as_deref().unwrap_or(&member.official).to_ascii_lowercase(), text))
    };
    members.iter().filter(|m| m.location == Location::Header).filter_map(header).collect()
}

/// The body of an answer of S3 that says no.
pub(crate) fn rest_failure(code: &str, message: &str, request_id: &str) -> String {
    let (code, message) = (clean(code), clean(message));
    format!(
        "{DECLARATION}<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    )
}

/// The body of an answer that says no.
pub(crate) fn failure(protocol: Protocol, code: &str, message: &str, request_id: &str, server: bool) -> String {
    let (code, message) = (clean(code), clean(message));
    if protocol == Protocol::Ec2Query {
        return format!(
            "{DECLARATION}<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>{request_id}</RequestID></Response>"
        );
    }
    let side = if server { "Receiver" } else { "Sender" };
    format!(
        "{DECLARATION}<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

struct Writer<'a> {
    service: &'a Service,
    xml: String,
}

impl Writer<'_> {
    fn open(&mut self, name: &str) {
        self.xml.push('<');
        self.xml.push_str(name);
        self.xml.push('>');
    }

    fn close(&mut self, name: &str) {
        self.xml.push_str("</");
        self.xml.push_str(name);
        self.xml.push('>');
    }

    fn element(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close(name);
    }

    fn text(&mut self, text: &str) {
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'/' | b' ' | b'_')) {
            self.xml.push_str(text);
        } else {
            self.xml.push_str(&clean(text));
        }
    }

    /// What stands inside the element of a shape.
    fn content(&mut self, shape: ShapeId, value: &Value) {
        let service = self.service;
        let Some(shape) = service.shape(shape) else { return };
        match (&shape.kind, value) {
            (ShapeKind::Structure(members) | ShapeKind::Union(members), Value::Record(values)) => {
                self.members(members, values);
            }
            (ShapeKind::List { item, wire_name }, Value::List(items)) => {
                let name = wire_name.as_deref().unwrap_or(if self.ec2() { "item" } else { "member" });
                for element in items {
                    self.open(name);
                    self.content(*item, element);
                    self.close(name);
                }
            }
            (_, Value::Bool(value)) => self.xml.push_str(if *value { "true" } else { "false" }),
            (_, Value::Int(value)) => self.xml.push_str(&value.to_string()),
            (_, Value::Float(value)) => self.xml.push_str(&value.to_string()),
            (_, Value::Time(value)) => self.xml.push_str(&iso8601(*value)),
            (_, Value::Text(value)) => self.text(value),
            (_, Value::Word(value)) => self.text(value),
            _ => {}
        }
    }

    /// Values mostly come in the order of the model, so each is looked for from where the last one was found.
    fn members(&mut self, members: &[Member], values: &[(super::value::Name, Value)]) {
        let mut next = 0usize;
        for (name, value) in values {
            let (before, after) = members.split_at(next.min(members.len()));
            let found = after.iter().chain(before).position(|m| *m.official == **name);
            let Some(at) = found.map(|steps| (next + steps) % members.len().max(1)) else { continue };
            let Some(member) = members.get(at) else { continue };
            next = at + 1;
            self.member(member, value);
        }
    }

    fn member(&mut self, member: &Member, value: &Value) {
        let name = member.wire_name.as_deref().unwrap_or(&member.official);
        let flat = member.flattened || self.service.shape(member.shape).is_some_and(|s| s.flattened);
        if let (true, Value::List(items)) = (flat, value) {
            if let Some(ShapeKind::List { item, wire_name }) = self.service.shape(member.shape).map(|s| &s.kind) {
                let name = wire_name.as_deref().unwrap_or(name);
                for element in items {
                    self.open(name);
                    self.content(*item, element);
                    self.close(name);
                }
            }
            return;
        }
        self.open(name);
        self.content(member.shape, value);
        self.close(name);
    }

    fn ec2(&self) -> bool {
        self.service.meta.protocol == Protocol::Ec2Query
    }
}

/// Text that XML 1.0 can carry: what it can't becomes the replacement character; a carriage return is written as one.
fn clean(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect();
    escape(text.as_str()).replace('\r', "&#13;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::value::record;
    use escher_catalog::Catalog;
    use quick_xml::events::Event;

    fn written(service: &str, operation: &str, output: &Value) -> String {
        let service = Catalog::embedded().service("aws", service).unwrap();
        success(&service, service.operation(operation).unwrap(), output, "id-1")
    }

    #[test]
    fn ec2_lists_are_items_under_their_wire_names() {
        let state = record![("Code", 64i64), ("Name", "stopping")];
        let change = record![("InstanceId", "i-1"), ("CurrentState", state)];
        let xml = written("ec2", "stop_instances", &record![("StoppingInstances", vec![change])]);
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <StopInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>id-1</requestId>\
             <instancesSet><item><instanceId>i-1</instanceId><currentState><code>64</code><name>stopping</name>\
             </currentState></item></instancesSet></StopInstancesResponse>"
        );
    }

    #[test]
    fn operations_without_an_output_say_true() {
        let xml = written("ec2", "reboot_instances", &Value::record());
        assert!(xml.ends_with("<requestId>id-1</requestId><return>true</return></RebootInstancesResponse>"), "{xml}");
    }

    #[test]
    fn query_answers_have_a_wrapper() {
        let xml = written("sts", "get_caller_identity", &record![("Account", "123456789012")]);
        assert!(
            xml.ends_with(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>id-1</RequestId>\
                 </ResponseMetadata></GetCallerIdentityResponse>"
            ),
            "{xml}"
        );
    }

    #[test]
    fn whatever_a_tag_says_comes_back_as_it_was() {
        let text = "a<b>&\"'\r\n\té\u{1F600} ]]>";
        let tag = record![("Key", "k"), ("Value", text.to_owned())];
        let xml = written("ec2", "describe_tags", &record![("Tags", vec![tag])]);
        let mut reader = quick_xml::Reader::from_str(&xml);
        let (mut inside, mut read) = (false, String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => inside = start.name().as_ref() == "value",
                Event::End(_) => inside = false,
                Event::Text(part) if inside => read.push_str(&part),
                Event::GeneralRef(part) if inside => {
                    read.push_str(&format!("&{};", &*part));
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(quick_xml::escape::unescape(&read).unwrap(), text);
        // What XML can't carry at all doesn't make the answer unreadable.
        assert_eq!(clean("a\u{0}\u{1b}b\u{ffff}"), "a\u{fffd}\u{fffd}b\u{fffd}");
        let error = failure(Protocol::Ec2Query, "A<", "B&", "id", false);
        assert!(error.contains("<Code>A&lt;</Code><Message>B&amp;</Message>"), "{error}");
    }

    #[test]
    fn members_are_found_in_any_order() {
        let state = record![("Name", "running"), ("Code", 16i64), ("Nonsense", 1i64)];
        let change = record![("PreviousState", state), ("InstanceId", "i-1")];
        let xml = written("ec2", "stop_instances", &record![("StoppingInstances", vec![change])]);
        assert!(
            xml.contains("<name>running</name><code>16</code></previousState><instanceId>i-1</instanceId>"),
            "{xml}"
        );
    }
}
