//! One chunk to one service.
//!
//! Total: any bytes give a [`Chunk`] or a [`CatalogError`]. This module does *not* decompress (see `pack`) and judges nothing
//! (see `class`): it hands out each operation's facts.

mod chunk;
mod columns;
mod operations;
mod shapes;
mod skim;
mod strings;

use std::sync::Arc;

pub(crate) use chunk::Chunk;
pub(crate) use columns::Bytes;
use columns::{Column, Columns};
pub(crate) use operations::Facts;

use crate::CatalogError;
use crate::model::{Protocol, ServiceMeta};

/// In the order of the importer's list.
const PROTOCOLS: [Protocol; 9] = [
    Protocol::AwsJson10,
    Protocol::AwsJson11,
    Protocol::AwsQuery,
    Protocol::Ec2Query,
    Protocol::RestJson,
    Protocol::RestXml,
    Protocol::RpcV2Cbor,
    Protocol::AzureRest,
    Protocol::GoogleRest,
];

fn meta(columns: &mut Columns<'_>, cloud: &str, name: &str) -> Result<(ServiceMeta, u32), CatalogError> {
    let service_id = columns.text(Column::Meta)?;
    let full_name = columns.text(Column::Meta)?;
    let api_version = columns.text(Column::Meta)?;
    let endpoint_prefix = columns.text(Column::Meta)?;
    let signing_name = columns.option(Column::Meta)?.unwrap_or_else(|| Arc::clone(&endpoint_prefix));
    let signature_version = columns.text(Column::Meta)?;
    let target_prefix = columns.option(Column::Meta)?;
    let count = columns.number(Column::Meta)?;
    let mut protocols = Vec::new();
    for _ in 0..count {
        let at = columns.small(Column::Meta)? as usize;
        protocols.push(*PROTOCOLS.get(at).ok_or(CatalogError::Malformed("a protocol"))?);
    }
    let protocol = *protocols.first().ok_or(CatalogError::Malformed("a service without protocol"))?;
    let spaced = columns.number(Column::Meta)? != 0;
    let xml_namespace = if spaced { columns.namespace(Column::Meta)? } else { None };
    let rule_set = columns.small(Column::Meta)?;
    let meta = ServiceMeta {
        cloud: Arc::from(cloud),
        name: Arc::from(name),
        service_id,
        full_name,
        api_version,
        protocol,
        protocols,
        endpoint_prefix,
        signing_name,
        signature_version,
        target_prefix,
        xml_namespace,
    };
    Ok((meta, rule_set))
}

#[cfg(test)]
mod tests {
    use super::Chunk;
    use crate::pack::Pack;

    fn pack() -> Pack {
        Pack::open(std::borrow::Cow::Borrowed(crate::AWS)).unwrap()
    }

    fn packs() -> [Pack; 3] {
        [crate::AWS, crate::AZURE, crate::GCP].map(|bytes| Pack::open(std::borrow::Cow::Borrowed(bytes)).unwrap())
    }

    /// All that was passed can be decoded.
    fn whole(chunk: &Chunk) {
        for id in 0..chunk.shape_count() {
            assert!(chunk.shape(id as u32).is_some(), "shape {id}");
        }
        for (at, name) in chunk.operation_names().iter().enumerate() {
            assert_eq!(chunk.operation(at).unwrap().0.name, *name);
        }
        assert!(chunk.shape(chunk.shape_count() as u32).is_none());
        assert!(chunk.operation(chunk.operation_names().len()).is_none());
    }

    #[test]
    fn what_is_passed_is_what_is_decoded() {
        for pack in packs() {
            for name in pack.services() {
                whole(&Chunk::open(pack.cloud(), name, pack.chunk(name).unwrap().unwrap()).unwrap().0);
            }
        }
    }

    /// Chunks are also protected by a checksum; this is what the decoder makes of damage that gets past it.
    #[test]
    fn any_bytes_give_a_service_or_an_error() {
        let pack = pack();
        let mut state = 7u64;
        let mut dice = move |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as usize) % limit
        };
        for name in ["sts", "s3", "sqs"] {
            let chunk = pack.chunk(name).unwrap().unwrap();
            assert!(Chunk::open("aws", name, chunk.clone()).is_ok());
            for _ in 0..400 {
                let mut bytes = chunk.clone();
                for _ in 0..=dice(3) {
                    let at = dice(bytes.len());
                    bytes[at] = dice(256) as u8;
                }
                if dice(4) == 0 {
                    bytes.truncate(dice(chunk.len()));
                }
                if let Ok((chunk, _)) = Chunk::open("aws", name, bytes) {
                    whole(&chunk);
                }
            }
        }
        assert!(Chunk::open("aws", "none", Vec::new()).is_err());
        assert!(Chunk::open("aws", "none", vec![0xff; 64]).is_err());
    }
}
