//! The client against the practice cloud: pages, machines that take their time, faults with state behind them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use escher_azure::{Client, Options, client};
use escher_catalog::Catalog;
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{CallError, Change, ErrorKind, Read, Request, Sent};
use escher_sandbox::{Seed, World, serve};
use tokio::net::TcpListener;

const SEED: &str = r#"{
    "timing": { "starting": 300, "stopping": 300 },
    "azure": { "machines": [{ "name": "web-{n}", "count": 205, "group": "Front", "tags": { "env": "dev" } }] }
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
        let target = client.resolve(Target { cloud: "azure".into(), ..Target::default() }).await.unwrap();
        Cloud { client, target: Arc::new(target) }
    }

    fn request(&self, operation: &str, arguments: &[(&str, Value)]) -> Request {
        let name = format!("azure.compute.virtual_machines.{operation}");
        Request {
            record: Catalog::embedded().record(&name).unwrap(),
            arguments: arguments.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            target: Arc::clone(&self.target),
            reads: Projection::All,
            token: None,
            timeout: Duration::from_secs(20),
            patience: Duration::from_secs(60),
            permit: Default::default(),
        }
    }

    async fn read(&self, operation: &str, arguments: &[(&str, Value)]) -> Result<Vec<Value>, CallError> {
        let mut pages = self.client.read(self.request(operation, arguments));
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.push(page.value);
        }
        Ok(all)
    }

    async fn change(&self, operation: &str, name: &str, more: &[(&str, Value)]) -> Result<Value, CallError> {
        let own = [("resource_group_name", Value::text("front")), ("vm_name", Value::text(name))];
        let arguments: Vec<_> = own.into_iter().chain(more.iter().cloned()).collect();
        Ok(self.client.change(self.request(operation, &arguments)).await?.value)
    }

    async fn power(&self, name: &str) -> String {
        let arguments = [("resource_group_name", Value::text("FRONT")), ("vm_name", Value::text(name))];
        let view = self.read("instance_view", &arguments).await.unwrap().remove(0);
        let statuses = view.as_record().unwrap().get("statuses").unwrap().as_list().unwrap().to_vec();
        let code = statuses.iter().filter_map(|s| s.as_record()?.get("code")?.as_str().map(str::to_owned));
        code.filter_map(|code| code.strip_prefix("PowerState/").map(str::to_owned)).next().unwrap()
    }
}

fn names(page: &Value) -> Vec<String> {
    let value = page.as_record().unwrap().get("value").unwrap();
    value
        .as_list()
        .unwrap()
        .iter()
        .map(|m| m.as_record().unwrap().get("name").unwrap().as_str().unwrap().into())
        .collect()
}

#[tokio::test]
async fn every_machine_is_on_one_page() {
    let cloud = Cloud::start().await;
    let pages = cloud.read("list_all", &[]).await.unwrap();
    assert_eq!(pages.iter().map(|p| names(p).len()).collect::<Vec<_>>(), [100, 100, 5]);
    let mut all: Vec<String> = pages.iter().flat_map(names).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 205);
    let group = [("resource_group_name", Value::text("front"))];
    assert_eq!(cloud.read("list", &group).await.unwrap().len(), 3);
    let nothing = [("resource_group_name", Value::text("back"))];
    assert!(names(&cloud.read("list", &nothing).await.unwrap()[0]).is_empty());
}

#[tokio::test]
async fn a_call_has_ended_when_what_it_began_has() {
    let cloud = Cloud::start().await;
    assert_eq!(cloud.power("web-1").await, "running");
    cloud.change("deallocate", "web-1", &[]).await.unwrap();
    assert_eq!(cloud.power("web-1").await, "deallocated");
    // Again: nothing to do, and nothing wrong.
    cloud.change("deallocate", "web-1", &[]).await.unwrap();
    let size = Value::record([(
        "properties",
        Value::record([("hardware_profile", Value::record([("vm_size", Value::text("Standard_D4s_v5"))]))]),
    )]);
    let resized = cloud.change("update", "web-1", &[("body", size.clone())]).await.unwrap();
    let shown = resized.as_record().unwrap().get("properties").unwrap().as_record().unwrap().get("hardware_profile");
    assert_eq!(shown.unwrap().as_record().unwrap().get("vm_size"), Some(&Value::text("Standard_D4s_v5")));
    cloud.change("start", "web-1", &[]).await.unwrap();
    assert_eq!(cloud.power("web-1").await, "running");

    let refused = cloud.change("update", "web-2", &[("body", size)]).await.unwrap_err();
    assert_eq!((refused.kind, refused.sent), (ErrorKind::Conflict, Sent::Refused));
    let gone = cloud.change("start", "web-999", &[]).await.unwrap_err();
    assert_eq!((gone.kind, gone.code.as_deref()), (ErrorKind::Missing, Some("ResourceNotFound")));
    cloud.change("delete", "web-3", &[]).await.unwrap();
    cloud.change("delete", "web-3", &[]).await.unwrap();
    let arguments = [("resource_group_name", Value::text("front")), ("vm_name", Value::text("web-3"))];
    assert_eq!(cloud.read("get", &arguments).await.unwrap_err().kind, ErrorKind::Missing);
}

#[tokio::test]
async fn another_subscription_is_none_of_ours() {
    let cloud = Cloud::start().await;
    let elsewhere = Target { account: "00000000-0000-0000-0000-00000000ffff".into(), ..(*cloud.target).clone() };
    assert_eq!(cloud.client.resolve(elsewhere).await.unwrap_err().kind, ErrorKind::Denied);
    let odd = Target { account: "../x".into(), ..(*cloud.target).clone() };
    assert_eq!(cloud.client.resolve(odd).await.unwrap_err().kind, ErrorKind::Invalid);
    let role = Target { change_role: Some("operator".into()), ..(*cloud.target).clone() };
    let mut request =
        cloud.request("start", &[("resource_group_name", Value::text("front")), ("vm_name", Value::text("web-1"))]);
    request.target = Arc::new(role);
    assert_eq!(cloud.client.change(request).await.unwrap_err().kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn patience_ends_and_what_was_begun_goes_on() {
    let cloud = Cloud::start().await;
    let arguments = [("resource_group_name", Value::text("front")), ("vm_name", Value::text("web-1"))];
    let mut request = cloud.request("deallocate", &arguments);
    request.patience = Duration::from_millis(100);
    let failed = cloud.client.change(request).await.unwrap_err();
    assert_eq!((failed.kind, failed.sent), (ErrorKind::Timeout, Sent::Maybe));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(cloud.power("web-1").await, "deallocated");
}
