//! The wire protocols: which of the SDK's protocols serves a service, and what it has to be told.
//!
//! This module does *not* write requests or read answers; see `request` and `answer`.

use aws_smithy_cbor::protocol::RpcV2CborProtocol;
use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_json::protocol::aws_rest_json_1::AwsRestJsonProtocol;
use aws_smithy_query::protocol::AwsQueryProtocol;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_schema::protocol::{ClientProtocol, ServiceShapeName, ServiceVersion};
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_xml::protocol::aws_rest_xml::AwsRestXmlProtocol;
use escher_catalog::model::ServiceMeta;
use escher_catalog::{Protocol, Record};

/// The SDK's protocol for a service.
pub(crate) fn protocol(service: &ServiceMeta) -> Box<dyn ClientProtocol> {
    let target = service.target_prefix.as_deref().unwrap_or_default().to_owned();
    match service.protocol {
        Protocol::AwsJson10 => Box::new(AwsJsonRpcProtocol::aws_json_1_0().with_target_prefix(target)),
        Protocol::AwsJson11 => Box::new(AwsJsonRpcProtocol::aws_json_1_1().with_target_prefix(target)),
        Protocol::AwsQuery | Protocol::Ec2Query => {
            Box::new(AwsQueryProtocol::new().with_service_version(&*service.api_version))
        }
        // The other clouds' operations were refused before (`client::ours`).
        Protocol::RestJson | Protocol::AzureRest | Protocol::GoogleRest => Box::new(AwsRestJsonProtocol::new()),
        Protocol::RestXml => Box::new(AwsRestXmlProtocol::new()),
        Protocol::RpcV2Cbor => Box::new(RpcV2CborProtocol::new()),
    }
}

/// Whether answers are XML.
pub(crate) fn is_xml(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::AwsQuery | Protocol::Ec2Query | Protocol::RestXml)
}

/// Whether members travel in paths, headers and whole bodies; the other protocols know one body alone.
pub(crate) fn is_rest(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::RestJson | Protocol::RestXml)
}

/// Names that a protocol reads from its configuration.
pub(crate) fn settings(record: &Record) -> ConfigBag {
    let service = &record.service;
    let mut layer = Layer::new("escher");
    layer.store_put(Metadata::new(record.operation.official.to_string(), service.service_id.to_string()));
    let shape = service.target_prefix.as_deref().unwrap_or(&service.service_id);
    layer.store_put(ServiceShapeName::new(shape.to_owned()));
    layer.store_put(ServiceVersion::new(service.api_version.to_string()));
    ConfigBag::of_layers(vec![layer])
}

/// What the model of a service says beyond its catalogue record, and few services need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// Bodies from [`COMPRESS_FROM`] bytes on are sent compressed.
    pub(crate) gzip: bool,
    /// The service spoke Query once; with this header its errors keep the codes that people know.
    pub(crate) query_mode: bool,
}

/// Smaller bodies aren't worth the work; the size is that of AWS's own SDKs.
pub(crate) const COMPRESS_FROM: usize = 10_240;

/// Services and operations with quirks, by service and official operation (`*` for all).
const QUIRKS: &[(&str, &str, Quirks)] = &[
    // `requestcompression` in the model: metrics come in bulk.
    ("cloudwatch", "PutMetricData", Quirks { gzip: true, query_mode: true }),
    // `awsQueryCompatible` in the model.
    ("cloudwatch", "*", Quirks { gzip: false, query_mode: true }),
    ("sqs", "*", Quirks { gzip: false, query_mode: true }),
];

impl Quirks {
    /// Those of an operation.
    pub(crate) fn of(record: &Record) -> Quirks {
        let (service, operation) = (&*record.service.name, &*record.operation.official);
        let row = QUIRKS.iter().find(|(s, o, _)| *s == service && (*o == "*" || *o == operation));
        row.map(|(.., quirks)| *quirks).unwrap_or_default()
    }
}
