//! The client against the practice cloud: pages, operations that take their time, request ids.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use escher_catalog::Catalog;
use escher_gcp::{Client, Options, client};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{CallError, Change, ErrorKind, Read, Request, Sent};
use escher_sandbox::{Seed, World, serve};
use tokio::net::TcpListener;

const SEED: &str = r#"{
    "timing": { "starting": 300, "stopping": 300 },
    "gcp": { "instances": [
        { "name": "a-{n}", "count": 30, "zone": "europe-west1-b", "labels": { "env": "dev" } },
        { "name": "a-{n}", "count": 20, "zone": "us-central1-a", "deletion_protection": true }
    ] }
}"#;

struct Cloud {
    client: Client,
    target: Arc<Target>,
}

impl Cloud {
    async fn start() -> Cloud {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = World::from_seed(&Seed::parse(SEED).unwrap()).unwrap();
        tokio::spawn(serve(listener, world, std::future::pending::<()>()));
        let client = client(Options::practice(&url), None);
        let target = client.resolve(Target { cloud: "gcp".into(), ..Target::default() }).await.unwrap();
        Cloud { client, target: Arc::new(target) }
    }

    fn request(&self, operation: &str, token: Option<&str>, arguments: &[(&str, Value)]) -> Request {
        let project = ("project".to_owned(), Value::text("practice"));
        let own = arguments.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Request {
            record: Catalog::embedded().record(&format!("gcp.compute.instances.{operation}")).unwrap(),
            arguments: own.chain([project]).collect(),
            target: Arc::clone(&self.target),
            reads: Projection::All,
            token: token.map(str::to_owned),
            timeout: Duration::from_secs(20),
            patience: Duration::from_secs(60),
            permit: Default::default(),
        }
    }

    async fn read(&self, operation: &str, arguments: &[(&str, Value)]) -> Result<Vec<Value>, CallError> {
        let mut pages = self.client.read(self.request(operation, None, arguments));
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.push(page.value);
        }
        Ok(all)
    }

    async fn change(
        &self,
        operation: &str,
        token: &str,
        name: &str,
        more: &[(&str, Value)],
    ) -> Result<Value, CallError> {
        let own = [("zone", Value::text("europe-west1-b")), ("instance", Value::text(name))];
        let arguments: Vec<_> = own.into_iter().chain(more.iter().cloned()).collect();
        Ok(self.client.change(self.request(operation, Some(token), &arguments)).await?.value)
    }

    async fn get(&self, name: &str, member: &str) -> Value {
        let arguments = [("zone", Value::text("europe-west1-b")), ("instance", Value::text(name))];
        let found = self.read("get", &arguments).await.unwrap().remove(0);
        found.as_record().unwrap().get(member).cloned().unwrap()
    }
}

#[tokio::test]
async fn every_instance_is_on_one_page() {
    let cloud = Cloud::start().await;
    let pages = cloud.read("aggregated_list", &[("max_results", Value::Int(20))]).await.unwrap();
    assert_eq!(pages.len(), 3);
    let of_page = |page: &Value| {
        let Some(Value::Map(zones)) = page.as_record().unwrap().get("items").cloned() else { panic!("no map") };
        zones.values().map(|z| z.as_record().unwrap().get("instances").unwrap().as_list().unwrap().len()).sum::<usize>()
    };
    assert_eq!(pages.iter().map(of_page).sum::<usize>(), 50);
    let zone = [("zone", Value::text("us-central1-a"))];
    let listed = cloud.read("list", &zone).await.unwrap().remove(0);
    let items = listed.as_record().unwrap().get("items").unwrap().as_list().unwrap().to_vec();
    assert_eq!(items.len(), 20);
    // A number of nineteen digits travels as text and is a number.
    assert!(matches!(items[0].as_record().unwrap().get("id"), Some(Value::Int(n)) if *n >= 1_000_000_000_000_000_000));
    assert_eq!(Catalog::embedded().identity("gcp.compute.Instance").as_deref(), Some("self_link"));
}

#[tokio::test]
async fn a_call_has_ended_when_what_it_began_has() {
    let cloud = Cloud::start().await;
    assert_eq!(cloud.get("a-1", "status").await, Value::text("RUNNING"));
    let operation = cloud.change("stop", "r-1", "a-1", &[]).await.unwrap();
    assert_eq!(operation.as_record().unwrap().get("status"), Some(&Value::text("DONE")));
    assert_eq!(cloud.get("a-1", "status").await, Value::text("TERMINATED"));

    // Started again with the id of the stop: the cloud has done that already.
    cloud.change("start", "r-2", "a-1", &[]).await.unwrap();
    cloud.change("stop", "r-1", "a-1", &[]).await.unwrap();
    assert_eq!(cloud.get("a-1", "status").await, Value::text("RUNNING"));

    let labels = |fingerprint: Value| {
        let labels = Value::map([("env", Value::text("test"))]);
        Value::record([("labels", labels), ("label_fingerprint", fingerprint)])
    };
    let stale = cloud.change("set_labels", "r-3", "a-1", &[("body", labels(Value::text("x")))]).await.unwrap_err();
    assert_eq!((stale.kind, stale.sent), (ErrorKind::Conflict, Sent::Refused));
    let print = cloud.get("a-1", "label_fingerprint").await;
    cloud.change("set_labels", "r-4", "a-1", &[("body", labels(print))]).await.unwrap();
    assert_eq!(cloud.get("a-1", "labels").await, Value::map([("env", Value::text("test"))]));

    let kind =
        [("body", Value::record([("machine_type", Value::text("zones/europe-west1-b/machineTypes/e2-medium"))]))];
    assert_eq!(cloud.change("set_machine_type", "r-5", "a-1", &kind).await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(cloud.change("stop", "r-6", "a-99", &[]).await.unwrap_err().kind, ErrorKind::Missing);
}

#[tokio::test]
async fn what_is_protected_stays() {
    let cloud = Cloud::start().await;
    let arguments = [("zone", Value::text("us-central1-a")), ("instance", Value::text("a-1"))];
    let refused = cloud.client.change(cloud.request("delete", Some("r-1"), &arguments)).await.unwrap_err();
    assert_eq!((refused.kind, refused.sent), (ErrorKind::Conflict, Sent::Refused));
    cloud.change("delete", "r-2", "a-1", &[]).await.unwrap();
    let arguments = [("zone", Value::text("europe-west1-b")), ("instance", Value::text("a-1"))];
    assert_eq!(cloud.read("get", &arguments).await.unwrap_err().kind, ErrorKind::Missing);
}
