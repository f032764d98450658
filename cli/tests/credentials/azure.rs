//! Azure: a secret, a certificate, a workload's token, a managed identity, the Azure CLI; another cloud; an expired token.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

use crate::internet::{Asked, start};
use crate::{Bench, bearer, claims, rsa_key};

const LOOK: &str = "playbook look() {
    let machines = azure.compute.virtual_machines.list_all().value
    report { \"{machines.count()} machines\" }
}
";

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
const SUBSCRIPTION: &str = "33333333-3333-3333-3333-333333333333";
const TOKEN: &str = "token-that-nobody-may-see";

fn bench() -> Bench {
    Bench::new(LOOK).set("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)
}

fn token(token: &str) -> (u16, String) {
    (200, format!(r#"{{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"{token}"}}"#))
}

fn refused() -> (u16, String) {
    (401, r#"{"error":{"code":"AuthenticationFailed","message":"Authentication failed."}}"#.into())
}

/// Resource Manager, for whoever has one of these tokens.
fn manager(asked: &Asked, good: &[&str]) -> (u16, String) {
    if !good.contains(&bearer(asked)) {
        return refused();
    }
    match asked.path.split('?').next().unwrap() {
        path if path == format!("/subscriptions/{SUBSCRIPTION}") => {
            (200, format!(r#"{{"subscriptionId":"{SUBSCRIPTION}","state":"Enabled"}}"#))
        }
        _ => (200, r#"{"value":[]}"#.into()),
    }
}

fn is_token(asked: &Asked, host: &str) -> bool {
    asked.line() == format!("{host} POST /{TENANT}/oauth2/v2.0/token")
}

#[test]
fn by_a_secret() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match is_token(asked, "login.microsoftonline.com") {
        true if asked.form("client_secret").as_deref() != Some("hush-hush") => refused(),
        true => {
            assert_eq!(asked.form("client_id").as_deref(), Some(CLIENT));
            assert_eq!(asked.form("grant_type").as_deref(), Some("client_credentials"));
            assert_eq!(asked.form("scope").as_deref(), Some("https://management.azure.com/.default"));
            token(TOKEN)
        }
        false => manager(asked, &[TOKEN]),
    });
    let bench = bench.set("AZURE_TENANT_ID", TENANT).set("AZURE_CLIENT_ID", CLIENT);
    let wrong = Bench::new(LOOK)
        .set("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)
        .set("AZURE_TENANT_ID", TENANT)
        .set("AZURE_CLIENT_ID", CLIENT)
        .set("AZURE_CLIENT_SECRET", "wrong-secret");
    wrong.fails(&internet, "no Azure credentials");
    bench.set("AZURE_CLIENT_SECRET", "hush-hush").works(&internet, &["hush-hush", TOKEN]);
}

#[test]
fn by_a_secret_in_the_cloud_of_china() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match asked.host.as_str() {
        "login.chinacloudapi.cn" => {
            assert_eq!(asked.form("scope").as_deref(), Some("https://management.chinacloudapi.cn/.default"));
            token(TOKEN)
        }
        "management.chinacloudapi.cn" => manager(asked, &[TOKEN]),
        other => panic!("{other} was asked"),
    });
    let bench = bench.set("AZURE_TENANT_ID", TENANT).set("AZURE_CLIENT_ID", CLIENT);
    bench
        .set("AZURE_CLOUD", "AzureChinaCloud")
        .set("AZURE_CLIENT_SECRET", "hush-hush")
        .works(&internet, &["hush-hush"]);
}

#[test]
fn by_a_certificate() {
    let bench = bench();
    let pem = rsa_key(bench.folder.path());
    let key = KeyPair::from_pem(&pem).unwrap();
    let certificate = CertificateParams::new(vec!["escher".to_owned()]).unwrap().self_signed(&key).unwrap();
    let thumbprint = URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, certificate.der()));
    let public = key.der_bytes().to_vec();
    let internet = start(bench.folder.path(), move |asked| {
        if !is_token(asked, "login.microsoftonline.com") {
            return manager(asked, &[TOKEN]);
        }
        let statement = asked.form("client_assertion").unwrap();
        let (header, claims) = claims(&statement);
        assert_eq!((header["alg"].as_str(), header["x5t#S256"].as_str()), (Some("PS256"), Some(thumbprint.as_str())));
        assert_eq!(claims["aud"], format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"));
        assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(CLIENT), Some(CLIENT)));
        assert!(claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap() <= 600);
        let (signed, signature) = statement.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let judge = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &public);
        match judge.verify(signed.as_bytes(), &signature) {
            Ok(()) => token(TOKEN),
            Err(_) => refused(),
        }
    });
    let both = bench.write("both.pem", &format!("{pem}{}", certificate.pem()));
    let none = bench.write("none.pem", "nothing");
    let bench = bench.set("AZURE_TENANT_ID", TENANT).set("AZURE_CLIENT_ID", CLIENT);
    let bench = bench.set("AZURE_CLIENT_CERTIFICATE_PATH", none);
    bench.fails(&internet, "it holds no certificate as PEM");
    bench.set("AZURE_CLIENT_CERTIFICATE_PATH", both).works(&internet, &[TOKEN]);
}

#[test]
fn by_a_workloads_token() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match is_token(asked, "login.microsoftonline.com") {
        true => {
            assert_eq!(asked.form("client_assertion").as_deref(), Some("the-cluster-says-so"));
            token(TOKEN)
        }
        false => manager(asked, &[TOKEN]),
    });
    let file = bench.write("workload", "the-cluster-says-so");
    let bench = bench.set("AZURE_TENANT_ID", TENANT).set("AZURE_CLIENT_ID", CLIENT);
    bench.set("AZURE_FEDERATED_TOKEN_FILE", file).works(&internet, &["the-cluster-says-so", TOKEN]);
}

#[test]
fn by_a_managed_identity() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match asked.path.split('?').next() {
        Some("/msi/token") => {
            assert_eq!(asked.headers.get("x-identity-header").map(String::as_str), Some("of-this-machine"));
            assert!(asked.path.contains("resource=https%3A%2F%2Fmanagement.azure.com"), "{}", asked.path);
            (
                200,
                format!(
                    r#"{{"access_token":"{TOKEN}","expires_on":"4102444800","resource":"x","token_type":"Bearer"}}"#
                ),
            )
        }
        _ => manager(asked, &[TOKEN]),
    });
    let endpoint = format!("http://127.0.0.1:{}/msi/token", internet.port);
    bench
        .set("IDENTITY_ENDPOINT", endpoint)
        .set("IDENTITY_HEADER", "of-this-machine")
        .works(&internet, &["of-this-machine", TOKEN]);
}

#[test]
fn by_the_azure_cli() {
    let bench = Bench::new(LOOK);
    let internet = start(bench.folder.path(), |asked| manager(asked, &[TOKEN]));
    let says = format!(
        r#"{{"accessToken":"{TOKEN}","expires_on":4102444800,"expiresOn":"2100-01-01 00:00:00.000000","tokenType":"Bearer"}}"#
    );
    bench.tool("az", &format!("echo \"$@\" >> $HOME/az.log\necho '{says}'"));
    bench.write(
        ".azure/azureProfile.json",
        &format!(r#"{{"subscriptions":[{{"id":"x"}},{{"id":"{SUBSCRIPTION}","isDefault":true}}]}}"#),
    );
    bench.works(&internet, &[TOKEN]);
    let asked = std::fs::read_to_string(bench.path("az.log")).unwrap();
    assert!(asked.contains("account get-access-token") && asked.contains("https://management.azure.com"), "{asked}");

    bench.tool("az", "echo 'ERROR: Please run \"az login\" to setup account.' >&2; exit 1");
    bench.fails(&internet, "run `az login`");
}

/// The first token is refused by Resource Manager although it should hold: another one is asked for, once.
#[test]
fn a_token_that_ends_before_its_time() {
    let bench = bench();
    let tokens = AtomicUsize::new(0);
    let internet = start(bench.folder.path(), move |asked| match is_token(asked, "login.microsoftonline.com") {
        true => token(&format!("number-{}", tokens.fetch_add(1, Ordering::SeqCst))),
        // Good for who asks what it may see, then no more.
        false if asked.path.contains("/providers/") => manager(asked, &["number-1"]),
        false => manager(asked, &["number-0", "number-1"]),
    });
    let bench = bench.set("AZURE_TENANT_ID", TENANT).set("AZURE_CLIENT_ID", CLIENT);
    bench.set("AZURE_CLIENT_SECRET", "hush-hush").works(&internet, &["number-0", "number-1"]);
    let tokens = internet.asked().iter().filter(|a| is_token(a, "login.microsoftonline.com")).count();
    assert_eq!(tokens, 2);
}
