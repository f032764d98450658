//! The neutral model of a cloud's API: services, operations, shapes.
//!
//! One model for all clouds; what only the wire needs stands in columns of its own (`Member::location`, `wire_name` …).
//! Names that people write (`snake`) are derived from the official ones by [`crate::names`], never stored twice.
//! This module does *not* read files and does not know how the data is packed (see `codec`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::service::{Operations, Service, Shapes};

/// Index of a shape in its service's (or record's) table.
pub type ShapeId = u32;

/// A wire protocol of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// AWS JSON 1.0.
    AwsJson10,
    /// AWS JSON 1.1.
    AwsJson11,
    /// AWS Query: form in, XML out.
    AwsQuery,
    /// The EC2 dialect of Query.
    Ec2Query,
    /// REST with JSON bodies.
    RestJson,
    /// REST with XML bodies.
    RestXml,
    /// Smithy RPC v2 with CBOR bodies.
    RpcV2Cbor,
    /// Azure Resource Manager: JSON, an API version in the query.
    AzureRest,
    /// Google's REST: JSON, URI templates.
    GoogleRest,
}

/// What all operations of a service share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceMeta {
    /// `aws`, `azure` or `gcp`.
    pub cloud: Arc<str>,
    /// The name people write, such as `ec2`; snake case of botocore's folder name.
    pub name: Arc<str>,
    /// The official identifier, such as `EC2`.
    pub service_id: Arc<str>,
    /// The full title, such as `Amazon Elastic Compute Cloud`.
    pub full_name: Arc<str>,
    /// Version of the API, such as `2016-11-15`.
    pub api_version: Arc<str>,
    /// The wire protocol.
    pub protocol: Protocol,
    /// All protocols that the service speaks, `protocol` first: a client may pick one that it knows.
    pub protocols: Vec<Protocol>,
    /// Host prefix of the plain endpoint, such as `ec2`.
    pub endpoint_prefix: Arc<str>,
    /// Service name in the signature; the endpoint prefix where the model has none.
    pub signing_name: Arc<str>,
    /// `v4`, `s3`, `bearer`, `v2` … as the model says.
    pub signature_version: Arc<str>,
    /// Prefix of `X-Amz-Target`, for the JSON protocols.
    pub target_prefix: Option<Arc<str>>,
    /// XML namespace of request bodies: URI and prefix.
    pub xml_namespace: Option<(Arc<str>, Option<Arc<str>>)>,
}

/// Kind of a shape, with what belongs to that kind alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeKind {
    /// A record.
    Structure(Vec<Member>),
    /// A record of which exactly one member is present.
    Union(Vec<Member>),
    /// A list; `wire_name` is the element's name in XML.
    List {
        /// Shape of an element.
        item: ShapeId,
        /// Name of an element in XML where it is not `member`.
        wire_name: Option<Arc<str>>,
    },
    /// A map with text keys.
    Map {
        /// Shape of the keys.
        key: ShapeId,
        /// Shape of the values.
        value: ShapeId,
        /// Name of the key in XML where it is not `key`.
        key_wire_name: Option<Arc<str>>,
        /// Name of the value in XML where it is not `value`.
        value_wire_name: Option<Arc<str>>,
    },
    /// Text; closed to `values` where that is not empty.
    String {
        /// The allowed values, empty where any text will do.
        values: Vec<Arc<str>>,
    },
    /// 32-bit integer.
    Integer,
    /// 64-bit integer.
    Long,
    /// 32-bit float.
    Float,
    /// 64-bit float.
    Double,
    /// True or false.
    Boolean,
    /// An instant.
    Timestamp,
    /// Bytes.
    Blob,
    /// Any JSON.
    Document,
}

/// Format of a timestamp on the wire where it is not the protocol's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampFormat {
    /// RFC 3339.
    Iso8601,
    /// IMF-fixdate.
    Rfc822,
    /// Seconds since the epoch.
    UnixTimestamp,
}

/// One type of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Official name, such as `Instance`; kept for structures, unions and enumerations, empty for others.
    pub name: Arc<str>,
    /// What it is.
    pub kind: ShapeKind,
    /// Never to be shown, logged or journaled.
    pub sensitive: bool,
    /// XML lists and maps without a wrapper.
    pub flattened: bool,
    /// Smallest number, length or size.
    pub min: Option<i64>,
    /// Largest number, length or size.
    pub max: Option<i64>,
    /// Regular expression of texts.
    pub pattern: Option<Arc<str>>,
    /// Wire format of timestamps.
    pub timestamp_format: Option<TimestampFormat>,
    /// Member that is the whole body (`payload`), by official name.
    pub payload: Option<Arc<str>>,
    /// For error shapes: code on the wire and HTTP status.
    pub error: Option<ErrorTrait>,
    /// XML namespace of this shape: URI and prefix.
    pub xml_namespace: Option<(Arc<str>, Option<Arc<str>>)>,
    /// A body that is streamed.
    pub streaming: bool,
    /// An event stream.
    pub event_stream: bool,
    /// JSON text inside a header or string.
    pub json_value: bool,
    /// A whole number that JSON carries as text, as Google's 64-bit numbers.
    #[serde(default, skip_serializing_if = "no")]
    pub number_as_text: bool,
}

/// Whether a flag that most records do not have may be left out of them.
fn no(flag: &bool) -> bool {
    !*flag
}

/// What an error shape says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorTrait {
    /// Code on the wire, where it differs from the shape's name.
    pub code: Option<Arc<str>>,
    /// HTTP status, 0 where the model has none.
    pub status: u16,
}

/// Where a member travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// In the body.
    #[default]
    Body,
    /// In the path.
    Uri,
    /// In the query string.
    Query,
    /// In a header.
    Header,
    /// In all headers that start with the wire name.
    PrefixHeaders,
    /// The status code of the answer.
    Status,
}

/// One member of a structure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Official name, such as `InstanceIds`.
    pub official: Arc<str>,
    /// The name people write, such as `instance_ids`.
    pub name: Arc<str>,
    /// Its shape.
    pub shape: ShapeId,
    /// Must be given.
    pub required: bool,
    /// The service takes it to recognise a repeated request.
    pub idempotency_token: bool,
    /// Where it travels.
    pub location: Location,
    /// `locationName`, where it differs from the official name.
    pub wire_name: Option<Arc<str>>,
    /// `queryName` of the EC2 protocol.
    pub query_name: Option<Arc<str>>,
    /// Flattened on the member.
    pub flattened: bool,
    /// An XML attribute.
    pub xml_attribute: bool,
    /// Part of the host name.
    pub host_label: bool,
    /// Streamed.
    pub streaming: bool,
    /// JSON text inside a header.
    pub json_value: bool,
    /// XML namespace of this member: URI and prefix.
    pub xml_namespace: Option<(Arc<str>, Option<Arc<str>>)>,
    /// A list of key/value pairs that the model calls tags: in Escher a `map<string>`.
    pub tags: Option<TagNames>,
    /// Parameter of the endpoint rules that this member's value fills.
    pub context_param: Option<Arc<str>>,
    /// Only answers hold it.
    #[serde(default, skip_serializing_if = "no")]
    pub read_only: bool,
    /// Filled in from the target of the call where it is left out, as Azure's subscription.
    #[serde(default, skip_serializing_if = "no")]
    pub ambient: bool,
}

/// Official names of the two members of a tag's structure, such as `Key` and `Value`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagNames {
    /// Member that holds the key.
    pub key: Arc<str>,
    /// Member that holds the value.
    pub value: Arc<str>,
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Looks.
    Observe,
    /// Adds something.
    Create,
    /// Changes something.
    Modify,
    /// Interrupts something that runs.
    Interrupt,
    /// Removes something.
    Delete,
    /// Opens something to others.
    Expose,
    /// Gives or changes rights.
    Grant,
    /// Commits money.
    Spend,
    /// Hands out a secret.
    Reveal,
    /// Runs code.
    Exec,
}

/// Level of risk, from the table of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Observes.
    Read,
    /// Adds, or changes what costs nothing to put back.
    Low,
    /// Interrupts or changes something running, without losing data.
    Medium,
    /// Loses availability or recoverable data.
    High,
    /// Cannot be put back, or opens access.
    Critical,
}

/// How an operation may be repeated when its answer was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// A read: always.
    Read,
    /// With the same idempotency token, in the input member of this official name.
    Token(Arc<str>),
    /// The same call twice has the effect of one.
    Idempotent,
    /// Not without asking first.
    Unsafe,
}

/// Why an operation is classed as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A line of the overrides table.
    Curated,
    /// The provider's own access level.
    AccessLevel,
    /// A trait of the model.
    Trait,
    /// The HTTP method.
    HttpMethod,
    /// The verb of the name.
    Verb,
    /// Nothing said; classed as the worst.
    Unknown,
}

/// Effects, risk and repetition of one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// What it does, sorted, never empty.
    pub effects: Vec<Effect>,
    /// How risky one call on one target is.
    pub risk: Risk,
    /// Whether it may be sent twice.
    pub repeat: Repeat,
    /// Where the classification comes from.
    pub provenance: Provenance,
    /// Why, in words, where curated.
    pub reason: Option<Arc<str>>,
}

/// How pages are followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paging {
    /// Official names of the input members that take the token(s); none where the output token is the whole next request (a
    /// link), or where there is one page only.
    pub input_tokens: Vec<Arc<str>>,
    /// Paths (JMESPath of names and dots, `||` alternatives) of the output token(s).
    pub output_tokens: Vec<Arc<str>>,
    /// Paths of the lists that are joined over the pages.
    pub result_keys: Vec<Arc<str>>,
    /// Input member that limits a page.
    pub limit_key: Option<Arc<str>>,
    /// Output member that says whether more pages follow.
    pub more_results: Option<Arc<str>>,
}

/// One operation of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Official name, such as `StopInstances`.
    pub official: Arc<str>,
    /// The name people write, such as `stop_instances`.
    pub name: Arc<str>,
    /// HTTP method.
    pub method: Arc<str>,
    /// Path template of the request.
    pub uri: Arc<str>,
    /// Input structure.
    pub input: Option<ShapeId>,
    /// Name of the root element of the input where the model gives one.
    pub input_wire_name: Option<Arc<str>>,
    /// XML namespace of the input's root element.
    pub input_xml_namespace: Option<(Arc<str>, Option<Arc<str>>)>,
    /// Output structure.
    pub output: Option<ShapeId>,
    /// Element that wraps the output (`resultWrapper`).
    pub output_wrapper: Option<Arc<str>>,
    /// Error shapes.
    pub errors: Vec<ShapeId>,
    /// How pages are followed.
    pub paging: Option<Paging>,
    /// Prefix of the host name, such as `{AccountId}.`.
    pub host_prefix: Option<Arc<str>>,
    /// Sent without a signature.
    pub unsigned: bool,
    /// The body is not hashed for the signature.
    pub unsigned_payload: bool,
    /// A checksum of the body must be sent.
    pub checksum_required: bool,
    /// Replaced by something else.
    pub deprecated: bool,
    /// Parameters of the endpoint rules that this operation fixes: name and value as JSON.
    pub static_context: Vec<(Arc<str>, Arc<str>)>,
    /// Parameters of the endpoint rules that come out of the input: name and JMESPath.
    pub input_context: Vec<(Arc<str>, Arc<str>)>,
    /// Version of the API, where each operation has its own, as in Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Arc<str>>,
    /// Path template for uploads of bytes, where the operation takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Arc<str>>,
    /// Whether it can answer with bytes instead of JSON.
    #[serde(default, skip_serializing_if = "no")]
    pub download: bool,
    /// How what it begins is seen to have ended; none where it has ended with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
    /// Effects, risk and repetition.
    pub class: Class,
}

/// How a long-running operation is seen to have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// Azure Resource Manager: by the headers of the answer.
    Azure {
        /// Where the result is in the end (`azure-async-operation`, `location`, `original-uri`), where the model says.
        final_state_via: Option<Arc<str>>,
    },
    /// `google.longrunning.Operation`: until `done`.
    GoogleLongRunning {
        /// Official name of the operation of the same service that asks for it.
        poll: Option<Arc<str>>,
    },
    /// Operations with a `status`, as in Compute Engine and Cloud SQL: until `DONE`.
    GoogleStatus {
        /// Official name of the operation of the same service that asks for it.
        poll: Option<Arc<str>>,
    },
}

/// A named condition to wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiter {
    /// Official name, such as `InstanceStopped`.
    pub official: Arc<str>,
    /// The name people write, such as `instance_stopped`.
    pub name: Arc<str>,
    /// Official name of the operation it polls.
    pub operation: Arc<str>,
    /// Seconds between two polls.
    pub delay: u32,
    /// How often it polls at most.
    pub max_attempts: u32,
    /// What ends it, in order.
    pub acceptors: Vec<Acceptor>,
}

/// One rule of a waiter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acceptor {
    /// `path`, `pathAll`, `pathAny`, `status` or `error`.
    pub matcher: Arc<str>,
    /// JMESPath for the path matchers.
    pub argument: Option<Arc<str>>,
    /// Expected value as JSON.
    pub expected: Arc<str>,
    /// `success`, `failure` or `retry`.
    pub state: Arc<str>,
}

/// One operation with all that is needed to call it: the unit that an IR refers to by hash and a state store keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What all operations of the service share.
    pub service: ServiceMeta,
    /// The operation; its shape ids point into `shapes`.
    pub operation: Operation,
    /// The shapes it reaches, in order of first visit (input, output, errors), re-indexed.
    pub shapes: Vec<Shape>,
}

impl Record {
    /// Full name, such as `aws.ec2.stop_instances`.
    pub fn name(&self) -> String {
        format!("{}.{}.{}", self.service.cloud, self.service.name, self.operation.name)
    }

    /// The shape of this index.
    pub fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id as usize)
    }
}
