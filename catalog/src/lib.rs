//! Every operation of the clouds: names, types, effects, risk, paging, waiting.
//!
//! The data is generated (`cargo xtask catalog`) and embedded. A service is unpacked on first use; its shapes and operations
//! are decoded when they are asked for.
//! This crate does no IO, knows no clock and no async.

pub mod argument;
mod class;
mod codec;
pub mod commands;
pub mod endpoints;
pub mod equivalents;
mod error;
mod identity;
pub mod model;
pub mod names;
mod pack;
mod permission;
mod record;
pub mod risk;
pub mod search;
mod service;
mod shape;

pub use error::CatalogError;
pub use model::{
    Class, Effect, Member, Operation, Operations, Paging, Protocol, Provenance, Record, Repeat, Risk, Service,
    ServiceMeta, Shape, ShapeId, ShapeKind, Shapes, Waiter,
};

pub use permission::Permission;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use endpoints::{EndpointRules, Partitions};
use pack::Pack;

/// AWS, as `cargo xtask catalog` wrote it.
static AWS: &[u8] = include_bytes!("../data/aws.bin");

/// Azure Resource Manager, likewise.
static AZURE: &[u8] = include_bytes!("../data/azure.bin");

/// Google Cloud, likewise.
static GCP: &[u8] = include_bytes!("../data/gcp.bin");

/// What [`Catalog::install`] was given; none from when the embedded one was first used.
static CURRENT: OnceLock<Option<Catalog>> = OnceLock::new();

/// Decoded services by cloud and name; a service that is damaged is kept as such.
type Decoded = HashMap<(Box<str>, Box<str>), Result<Arc<Service>, CatalogError>>;

/// The endpoint rules of a cloud, unpacked: partitions, and the text of each rule set.
type RuleTexts = Result<(Arc<Partitions>, Arc<[String]>), CatalogError>;

/// What stands in a shared rule set for the service's own endpoint prefix.
const PREFIX_MARK: &str = "\u{1}";

/// A catalogue: the embedded one, or one loaded from bytes.
#[derive(Debug, Default)]
pub struct Catalog {
    packs: Vec<Pack>,
    decoded: RwLock<Decoded>,
    records: RwLock<HashMap<Box<str>, Arc<Record>>>,
    rules: RwLock<HashMap<Box<str>, RuleTexts>>,
}

impl Catalog {
    /// The catalogue inside the program. Cheap: nothing but the index is read.
    pub fn embedded() -> &'static Catalog {
        static EMBEDDED: OnceLock<Catalog> = OnceLock::new();
        // The embedded bytes are tested; an empty catalogue is what remains of a damaged program.
        EMBEDDED.get_or_init(|| Catalog::from_packs([AWS, AZURE, GCP].map(Cow::Borrowed)).unwrap_or_default())
    }

    /// The catalogue that this process works with: the one installed, else the embedded one.
    pub fn current() -> &'static Catalog {
        CURRENT.get_or_init(|| None).as_ref().unwrap_or_else(|| Catalog::embedded())
    }

    /// Makes this the catalogue of the process, once, before anything was looked up. Says whether it is.
    pub fn install(self) -> bool {
        CURRENT.set(Some(self)).is_ok()
    }

    /// The embedded catalogue with these files in the place of its own for the same clouds.
    ///
    /// Errors: a file that is none, of a cloud that the program does not know, or a second one of one cloud.
    pub fn embedded_with(files: impl IntoIterator<Item = Vec<u8>>) -> Result<Catalog, CatalogError> {
        let mut packs: Vec<Pack> = Vec::new();
        for file in files {
            let pack = Pack::open(Cow::Owned(file))?;
            if Catalog::embedded().pack(pack.cloud()).is_none() {
                return Err(CatalogError::Malformed("a cloud that is not known here"));
            }
            if packs.iter().any(|other| other.cloud() == pack.cloud()) {
                return Err(CatalogError::Malformed("two files of one cloud"));
            }
            packs.push(pack);
        }
        for own in [AWS, AZURE, GCP] {
            let own = Pack::open(Cow::Borrowed(own))?;
            if packs.iter().all(|other| other.cloud() != own.cloud()) {
                packs.push(own);
            }
        }
        packs.sort_by(|a, b| a.cloud().cmp(b.cloud()));
        Ok(Catalog { packs, ..Catalog::default() })
    }

    /// Decodes all that is not inside the program. Errors: the first thing that is damaged.
    pub fn verify(&self) -> Result<(), CatalogError> {
        for pack in self.packs.iter().filter(|p| !p.is_embedded()) {
            // Only AWS has rules.
            if !pack.extra()?.is_empty() {
                rule_texts(pack)?;
            }
            for name in pack.services() {
                let service = decode(pack, name)?.ok_or(CatalogError::Malformed("a service without a chunk"))?;
                if service.operations.iter().count() != service.operations.len()
                    || service.shapes.iter().count() != service.shapes.len()
                {
                    return Err(CatalogError::Malformed("a service with parts that can't be read"));
                }
            }
        }
        Ok(())
    }

    /// A catalogue of one file per cloud, as the importer writes them.
    pub fn from_packs(files: impl IntoIterator<Item = Cow<'static, [u8]>>) -> Result<Catalog, CatalogError> {
        let packs = files.into_iter().map(Pack::open).collect::<Result<_, _>>()?;
        Ok(Catalog { packs, ..Catalog::default() })
    }

    fn pack(&self, cloud: &str) -> Option<&Pack> {
        self.packs.iter().find(|p| p.cloud() == cloud)
    }

    /// The clouds that are in this catalogue.
    pub fn clouds(&self) -> Vec<&str> {
        self.packs.iter().map(Pack::cloud).collect()
    }

    /// Names of the services of a cloud (`aws`), sorted, without decoding any.
    pub fn services(&self, cloud: &str) -> Vec<&str> {
        self.pack(cloud).map(|p| p.services().collect()).unwrap_or_default()
    }

    /// The clouds whose operations are not those inside the program.
    pub fn replaced(&self) -> Vec<&str> {
        self.packs.iter().filter(|p| !p.is_embedded()).map(Pack::cloud).collect()
    }

    /// Number of operations of a cloud, without decoding any service.
    pub fn operation_count(&self, cloud: &str) -> usize {
        self.pack(cloud).map_or(0, Pack::operation_count)
    }

    /// A service by cloud and snake-case name, decoded on first use and kept. None where there is none, or it is damaged.
    pub fn service(&self, cloud: &str, name: &str) -> Option<Arc<Service>> {
        self.try_service(cloud, name).ok().flatten()
    }

    /// As [`Catalog::service`], but says what is wrong with a damaged one.
    pub fn try_service(&self, cloud: &str, name: &str) -> Result<Option<Arc<Service>>, CatalogError> {
        let key = (Box::from(cloud), Box::from(name));
        if let Some(kept) = self.decoded.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return kept.clone().map(Some);
        }
        let Some(pack) = self.pack(cloud) else { return Ok(None) };
        let decoded = match decode(pack, name) {
            Ok(None) => return Ok(None),
            Ok(Some(service)) => Ok(Arc::new(service)),
            Err(error) => Err(error),
        };
        let mut all = self.decoded.write().unwrap_or_else(PoisonError::into_inner);
        // Two threads may have decoded it; all get the first.
        all.entry(key).or_insert(decoded).clone().map(Some)
    }

    /// Snake-case names of the operations of a service, sorted.
    pub fn operations(&self, cloud: &str, service: &str) -> Vec<Arc<str>> {
        let service = self.service(cloud, service);
        service.map(|s| s.operations.names().to_vec()).unwrap_or_default()
    }

    /// The self-contained record of an operation, by its full name `aws.ec2.stop_instances`.
    pub fn record(&self, operation: &str) -> Option<Arc<Record>> {
        if let Some(kept) = self.records.read().unwrap_or_else(PoisonError::into_inner).get(operation) {
            return Some(Arc::clone(kept));
        }
        let (service, name) = self.split(operation)?;
        let made = Arc::new(record::record(&service, service.operation(name)?));
        let mut all = self.records.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(all.entry(operation.into()).or_insert(made)))
    }

    /// The permissions that an operation needs, by its full name; none of them where it needs none.
    pub fn permissions(&self, operation: &str) -> Option<Vec<Permission>> {
        let (service, name) = self.split(operation)?;
        service.permissions(name)
    }

    /// Size of the data of a cloud, as it stands in the program.
    pub fn data_size(&self, cloud: &str) -> usize {
        self.pack(cloud).map_or(0, Pack::size)
    }

    /// The member that identifies a shape, such as `instance_id` for `aws.ec2.Instance`.
    pub fn identity(&self, shape: &str) -> Option<Arc<str>> {
        let (service, name) = self.split(shape)?;
        identity::identity(&service, name)
    }

    /// The waiter of this full name, such as `aws.ec2.instance_stopped`.
    pub fn waiter(&self, name: &str) -> Option<Waiter> {
        let (service, name) = self.split(name)?;
        service.waiter(name).cloned()
    }

    /// The endpoint rules of a service. None where it has none, or they are damaged.
    pub fn endpoint_rules(&self, cloud: &str, service: &str) -> Option<EndpointRules> {
        let service = self.service(cloud, service)?;
        let (partitions, texts) = self.rule_texts(cloud)?;
        let text = texts.get((service.rule_set as usize).checked_sub(1)?)?;
        EndpointRules::parse(&text.replace(PREFIX_MARK, &service.meta.endpoint_prefix), partitions).ok()
    }

    fn rule_texts(&self, cloud: &str) -> Option<(Arc<Partitions>, Arc<[String]>)> {
        if let Some(kept) = self.rules.read().unwrap_or_else(PoisonError::into_inner).get(cloud) {
            return kept.clone().ok();
        }
        let made = rule_texts(self.pack(cloud)?);
        let mut all = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(cloud.into()).or_insert(made).clone().ok()
    }

    /// The service of a full name, and the last part of the name.
    fn split<'a>(&self, name: &'a str) -> Option<(Arc<Service>, &'a str)> {
        let (cloud, rest) = name.split_once('.')?;
        let (service, last) = rest.split_once('.')?;
        Some((self.service(cloud, service)?, last))
    }
}

fn decode(pack: &Pack, name: &str) -> Result<Option<Service>, CatalogError> {
    let Some(chunk) = pack.chunk(name)? else { return Ok(None) };
    Service::open(pack.cloud(), name, chunk).map(Some)
}

fn rule_texts(pack: &Pack) -> RuleTexts {
    let text = String::from_utf8(pack.extra()?).map_err(|_| CatalogError::Malformed("text that is not UTF-8"))?;
    let mut parts = text.split('\0');
    let partitions = Partitions::parse(parts.next().unwrap_or_default());
    let partitions = partitions.map_err(|_| CatalogError::Malformed("partitions"))?;
    Ok((Arc::new(partitions), parts.map(str::to_owned).collect()))
}
