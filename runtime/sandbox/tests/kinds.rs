//! Resources of Azure and Google Cloud over HTTP: made, read, listed, changed, refused, deleted; and AWS's JSON, CBOR and REST.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod client;

use client::{Answer, Lab};
use escher_sandbox::{Options, Seed};
use serde_json::{Value as Json, json};

const SEED: &str = r#"{ "timing": { "starting": 0, "stopping": 0, "terminating": 0, "volume": 0, "snapshot": 0 },
    "azure": { "machines": [{ "name": "web-{n}", "count": 3, "group": "front", "tags": { "env": "dev" } }] },
    "gcp": { "instances": [{ "name": "web-{n}", "count": 3, "labels": { "env": "dev" } }] } }"#;

fn lab() -> Lab {
    Lab::start(Seed::parse(SEED).unwrap(), Options::default())
}

fn rest(lab: &Lab, method: &str, path: &str, body: &Json) -> (u16, Json) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer x");
    let answer = Answer::parse(&lab.raw(&format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())));
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/front";
const VERSION: &str = "?api-version=2026-01-01";

#[test]
fn every_kind_of_azure_lives_and_ends() {
    let lab = lab();
    let open = json!({ "location": "westeurope", "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 8,
        "administratorLogin": "keeper", "administratorLoginPassword": "practice-1234" },
        "sku": { "name": "Standard_LRS" }, "kind": "StorageV2", "tags": { "env": "dev" } });
    let kinds = [
        "Microsoft.Compute/disks",
        "Microsoft.Compute/images",
        "Microsoft.Compute/sshPublicKeys",
        "Microsoft.Network/virtualNetworks",
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.Network/networkSecurityGroups",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.Sql/servers",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
    ];
    for kind in kinds {
        let (path, all) =
            (format!("{GROUP}/providers/{kind}/one{VERSION}"), format!("{GROUP}/providers/{kind}{VERSION}"));
        assert_eq!(rest(&lab, "GET", &path, &Json::Null).1["error"]["code"], "ResourceNotFound", "{kind}");
        let (status, made) = rest(&lab, "PUT", &path, &open);
        assert!((200..=202).contains(&status), "{kind}: {status} {made}");
        let shown = rest(&lab, "GET", &path.replace("front", "FRONT"), &Json::Null).1;
        assert_eq!(
            (&shown["name"], &shown["type"], &shown["tags"]["env"]),
            (&json!("one"), &json!(kind), &json!("dev"))
        );
        assert!(!shown.to_string().contains("practice-1234"), "{kind} shows a password");
        assert_eq!(rest(&lab, "GET", &all, &Json::Null).1["value"].as_array().unwrap().len(), 1, "{kind}");
        let deleted = rest(&lab, "DELETE", &path, &Json::Null).0;
        assert!((200..=204).contains(&deleted), "{kind}: {deleted}");
        assert_eq!(rest(&lab, "GET", &path, &Json::Null).0, 404, "{kind}");
    }
    let lost = rest(
        &lab,
        "PUT",
        &format!("{}/providers/Microsoft.Compute/disks/d{VERSION}", GROUP.replace("front", "none")),
        &open,
    );
    assert_eq!((lost.0, &lost.1["error"]["code"]), (404, &json!("ResourceGroupNotFound")));
    let unsaid = rest(&lab, "PUT", &format!("{GROUP}/providers/Microsoft.Compute/disks/d{VERSION}"), &json!({}));
    assert_eq!((unsaid.0, &unsaid.1["error"]["code"]), (400, &json!("LocationRequired")));
    let unserved = rest(&lab, "GET", &format!("{GROUP}/providers/Microsoft.Compute/galleries{VERSION}"), &Json::Null);
    assert_eq!((unserved.0, &unserved.1["error"]["code"]), (400, &json!("UnsupportedOperation")));
    let filtered = rest(
        &lab,
        "GET",
        "/subscriptions/00000000-0000-0000-0000-000000000001/resources?api-version=1&$filter=name%20ne%20'x'",
        &Json::Null,
    );
    assert_eq!(filtered.0, 400, "a filter that is not served is refused");
}

#[test]
fn every_kind_of_google_lives_and_ends() {
    let lab = lab();
    let zone = "/compute/v1/projects/practice/zones/europe-west1-b";
    let global = "/compute/v1/projects/practice/global";
    let rule = json!({ "name": "one", "allowed": [{ "IPProtocol": "tcp", "ports": ["22"] }] });
    for (collection, name, body) in [
        (format!("{zone}/disks"), "one", json!({ "name": "one", "sizeGb": "20" })),
        (format!("{zone}/instances"), "one", json!({ "name": "one", "machineType": "zones/z/machineTypes/e2-small" })),
        (format!("{global}/firewalls"), "one", rule),
        (format!("{global}/images"), "one", json!({ "name": "one" })),
        (format!("{global}/networks"), "one", json!({ "name": "one" })),
        ("/compute/v1/projects/practice/regions/europe-west1/addresses".into(), "one", json!({ "name": "one" })),
        ("/storage/v1/b?project=practice".into(), "one-bucket", json!({ "name": "one-bucket" })),
        (
            "/v1/projects/practice/instances".into(),
            "one",
            json!({ "name": "one", "settings": { "tier": "db-f1-micro" } }),
        ),
        (
            "/v1/projects/practice/serviceAccounts".into(),
            "keeper@practice.iam.gserviceaccount.com",
            json!({ "accountId": "keeper" }),
        ),
        ("/v1/projects/practice/secrets?secretId=one".into(), "one", json!({ "replication": { "automatic": {} } })),
    ] {
        let before = rest(&lab, "POST", &collection, &body);
        assert_eq!(before.0, 200, "{collection}: {}", before.1);
        assert_eq!(rest(&lab, "POST", &collection, &body).0, 409, "{collection} twice");
        let bare = collection.split('?').next().unwrap();
        let path = format!("{bare}/{name}");
        assert_eq!(rest(&lab, "GET", &path, &Json::Null).0, 200, "{path}");
        assert!(rest(&lab, "GET", &collection, &Json::Null).1.to_string().contains(name), "{collection}");
        assert!((200..=204).contains(&rest(&lab, "DELETE", &path, &Json::Null).0), "{path}");
        let gone = rest(&lab, "GET", &path, &Json::Null);
        assert_eq!((gone.0, &gone.1["error"]["status"]), (404, &json!("NOT_FOUND")), "{path}");
    }
    let strange = rest(&lab, "POST", &format!("{zone}/disks"), &json!({ "name": "two", "colour": "red" }));
    assert!(strange.0 == 400 && strange.1.to_string().contains("Unknown name"), "{}", strange.1);
    assert_eq!(rest(&lab, "GET", &format!("{zone}/nodeGroups"), &Json::Null).0, 501);
    assert_eq!(rest(&lab, "GET", &format!("{zone}/instances?filter=name%20%3E%203"), &Json::Null).0, 400);
    let some = rest(&lab, "GET", &format!("{zone}/instances?filter=name%20%3D%20web-2"), &Json::Null).1;
    assert_eq!(some["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_other_protocols_of_aws() {
    let lab = lab();
    let signed = |method: &str, path: &str, service: &str, headers: &str, body: &[u8]| {
        let scope = format!("AKID/20260115/us-east-1/{service}/aws4_request");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Authorization: AWS4-HMAC-SHA256 \
             Credential={scope}, SignedHeaders=host, Signature={}\r\nContent-Length: {}\r\n\r\n",
            "ab".repeat(32),
            body.len()
        );
        Answer::parse(&lab.try_raw(&[head.as_bytes(), body].concat()).unwrap())
    };
    let ssm = |action: &str, body: Json| {
        signed("POST", "/", "ssm", &format!("X-Amz-Target: AmazonSSM.{action}\r\n"), body.to_string().as_bytes())
    };
    let put = json!({ "Name": "/a", "Value": "hush-hush", "Type": "SecureString" });
    assert_eq!(ssm("PutParameter", put.clone()).json()["Version"], 1);
    assert_eq!(ssm("PutParameter", put).json()["__type"], "ParameterAlreadyExists");
    let open = ssm("GetParameter", json!({ "Name": "/a", "WithDecryption": true })).json();
    assert_eq!(open["Parameter"]["Value"], "hush-hush");
    assert!(open["Parameter"]["LastModifiedDate"].is_number(), "{open}");
    assert!(!ssm("GetParameter", json!({ "Name": "/a" })).body.contains("hush-hush"));
    assert_eq!(ssm("GetParameter", json!({})).json()["__type"], "MissingParameter");
    assert_eq!(ssm("LaunchRocket", json!({})).json()["__type"], "UnknownOperationException");
    let log = lab.get("/_sandbox/activity").body;
    assert!(log.contains("PutParameter") && !log.contains("hush-hush"), "a secret is in the log");

    assert_eq!(signed("PUT", "/one-bucket", "s3", "", b"").status, 200);
    let block = signed("GET", "/one-bucket?publicAccessBlock", "s3", "", b"");
    assert_eq!(block.all("BlockPublicAcls"), ["true"]);
    let none = signed("GET", "/no-bucket?tagging", "s3", "", b"");
    assert_eq!((none.status, none.all("Code")), (404, vec!["NoSuchBucket".to_owned()]));
    assert_eq!(signed("DELETE", "/one-bucket", "s3", "", b"").status, 204);
    for broken in [&b"<"[..], b"<a>", b"\xff\xfe", b"<a><b></a>"] {
        signed("PUT", "/two-bucket", "s3", "", b"");
        assert_eq!(signed("PUT", "/two-bucket?tagging", "s3", "", broken).status, 400);
    }
    let path = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    let cbor = signed("POST", path, "monitoring", "smithy-protocol: rpc-v2-cbor\r\n", &[0xa0]);
    assert_eq!((cbor.status, cbor.header("content-type")), (200, Some("application/cbor")));
    for broken in [&[0xff][..], &[0x9f; 5000], b"{}"] {
        assert_eq!(signed("POST", path, "monitoring", "", broken).status, 400);
    }
}
