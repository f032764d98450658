//! Google Cloud: a service account's key, a person's login, federation, impersonation, the metadata server, the gcloud CLI; an
//! expired token.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PublicKeyData};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use crate::internet::{Asked, start};
use crate::{Bench, bearer, claims, rsa_key};

const LOOK: &str = "playbook look() {
    let zones = gcp.compute.zones.list(project: \"shop\").items
    report { \"{zones.count()} zones\" }
}
";

const TOKEN: &str = "token-that-nobody-may-see";

fn bench() -> Bench {
    Bench::new(LOOK).set("GOOGLE_CLOUD_PROJECT", "shop")
}

fn token(token: &str) -> (u16, String) {
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    (
        200,
        format!(r#"{{"access_token":"{token}","issued_token_type":"{kind}","expires_in":3600,"token_type":"Bearer"}}"#),
    )
}

fn refused() -> (u16, String) {
    let words = r#"{"error":{"code":401,"message":"Invalid Credentials","status":"UNAUTHENTICATED"}}"#;
    (401, words.into())
}

/// The API, for whoever has one of these tokens.
fn api(asked: &Asked, good: &[&str]) -> (u16, String) {
    if !good.contains(&bearer(asked)) {
        return refused();
    }
    match asked.path.contains("/zones") {
        true => (200, r#"{"kind":"compute#zoneList","items":[{"name":"europe-west1-b"}]}"#.into()),
        false => (200, r#"{"projectId":"shop","name":"projects/1","state":"ACTIVE"}"#.into()),
    }
}

fn credentials(bench: Bench, json: &str) -> Bench {
    let file = bench.write("credentials.json", json);
    bench.set("GOOGLE_APPLICATION_CREDENTIALS", file)
}

#[test]
fn by_the_key_of_a_service_account() {
    let bench = bench();
    let pem = rsa_key(bench.folder.path());
    let public = KeyPair::from_pem(&pem).unwrap().der_bytes().to_vec();
    let internet = start(bench.folder.path(), move |asked| {
        // It signs its own tokens.
        let statement = bearer(asked);
        let Some((signed, signature)) = statement.rsplit_once('.') else { return refused() };
        let (_, claims) = claims(statement);
        assert_eq!(claims["iss"], "stopper@shop.iam.gserviceaccount.com");
        assert!(claims["scope"].as_str().unwrap().contains("cloud-platform"), "{claims}");
        let judge = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
        match judge.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()) {
            Ok(()) => api(asked, &[statement]),
            Err(_) => refused(),
        }
    });
    let key = serde_json::json!({
        "type": "service_account", "project_id": "shop", "private_key_id": "k1", "private_key": pem,
        "client_email": "stopper@shop.iam.gserviceaccount.com", "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    let secret = pem.lines().nth(3).unwrap().to_owned();
    credentials(bench, &key.to_string()).works(&internet, &[&secret, "Bearer ey"]);
}

#[test]
fn by_a_persons_login() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match asked.line().as_str() {
        "oauth2.googleapis.com POST /token" => {
            assert!(asked.body.contains("of-a-person"), "{}", asked.body);
            token(TOKEN)
        }
        _ => {
            assert_eq!(asked.headers.get("x-goog-user-project").map(String::as_str), Some("billed"));
            api(asked, &[TOKEN])
        }
    });
    let login = r#"{"type":"authorized_user","client_id":"c","client_secret":"not-so-secret","refresh_token":"of-a-person","quota_project_id":"billed"}"#;
    credentials(bench, login).works(&internet, &["of-a-person", "not-so-secret", TOKEN]);
}

#[test]
fn by_federation() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match asked.line().as_str() {
        "sts.googleapis.com POST /v1/token" => {
            assert!(asked.body.contains("another-cloud-says-so"), "{}", asked.body);
            token(TOKEN)
        }
        _ => api(asked, &[TOKEN]),
    });
    let subject = bench.write("subject", "another-cloud-says-so");
    let federation = serde_json::json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": { "file": subject },
    });
    credentials(bench, &federation.to_string()).works(&internet, &["another-cloud-says-so", TOKEN]);
}

#[test]
fn by_impersonation() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match asked.host.as_str() {
        "oauth2.googleapis.com" => token("of-the-person"),
        "iamcredentials.googleapis.com" => {
            assert_eq!(
                asked.path,
                "/v1/projects/-/serviceAccounts/stopper@shop.iam.gserviceaccount.com:generateAccessToken"
            );
            assert_eq!(bearer(asked), "of-the-person");
            (200, format!(r#"{{"accessToken":"{TOKEN}","expireTime":"2100-01-01T00:00:00Z"}}"#))
        }
        _ => api(asked, &[TOKEN]),
    });
    let source = serde_json::json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url":
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/stopper@shop.iam.gserviceaccount.com:generateAccessToken",
        "source_credentials": { "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r-of-a-person" },
    });
    credentials(bench, &source.to_string()).works(&internet, &["r-of-a-person", "of-the-person", TOKEN]);
}

/// A role of the settings: read as one account.
#[test]
fn by_the_role_of_a_target() {
    let bench = Bench::new(
        "playbook look() {
    let all = targets(\"fleet\").flat_map(t => with t { gcp.compute.zones.list(project: \"shop\").items })
    report { \"{all.count()} zones\" }
}
",
    )
    .set("GOOGLE_CLOUD_PROJECT", "shop");
    bench.write(
        "escher.toml",
        "[[targets.fleet]]\ncloud = \"gcp\"\naccount = \"shop\"\nread_role = \"reader@shop.iam.gserviceaccount.com\"\n",
    );
    let internet = start(bench.folder.path(), |asked| match asked.host.as_str() {
        "oauth2.googleapis.com" => token("of-the-person"),
        "iamcredentials.googleapis.com" => {
            assert!(asked.path.contains("/serviceAccounts/reader@shop.iam.gserviceaccount.com:"), "{}", asked.path);
            assert_eq!(bearer(asked), "of-the-person");
            (200, format!(r#"{{"accessToken":"{TOKEN}","expireTime":"2100-01-01T00:00:00Z"}}"#))
        }
        _ => api(asked, &[TOKEN]),
    });
    let login = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r-of-a-person"}"#;
    credentials(bench, login).works(&internet, &["r-of-a-person", "of-the-person", TOKEN]);
    assert!(internet.asked().iter().any(|a| a.host == "iamcredentials.googleapis.com"));
}

#[test]
fn by_the_metadata_server() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| match asked.path.split('?').next() {
        Some("/computeMetadata/v1/instance/service-accounts/default/token") => {
            assert_eq!(asked.headers.get("metadata-flavor").map(String::as_str), Some("Google"));
            token(TOKEN)
        }
        Some(path) if path.starts_with("/computeMetadata") => (404, "{}".into()),
        _ => api(asked, &[TOKEN]),
    });
    let host = format!("127.0.0.1:{}", internet.port);
    bench.set("GCE_METADATA_HOST", host).works(&internet, &[TOKEN]);
}

#[test]
fn by_the_gcloud_cli() {
    let bench = bench();
    let internet = start(bench.folder.path(), |asked| api(asked, &[TOKEN]));
    bench.tool("gcloud", &format!("echo \"$@\" >> $HOME/gcloud.log\necho {TOKEN}"));
    bench.works(&internet, &[TOKEN]);
    let asked = std::fs::read_to_string(bench.path("gcloud.log")).unwrap();
    assert_eq!(asked, "auth print-access-token --quiet\n");
    bench
        .tool("gcloud", "echo 'ERROR: (gcloud.auth.print-access-token) You do not have an active account' >&2; exit 1");
    bench.fails(&internet, "gcloud auth application-default login");
}

#[test]
fn a_token_that_ends_before_its_time() {
    let bench = bench();
    let tokens = AtomicUsize::new(0);
    let internet = start(bench.folder.path(), move |asked| match asked.host.as_str() {
        "oauth2.googleapis.com" => token(&format!("number-{}", tokens.fetch_add(1, Ordering::SeqCst))),
        _ if asked.path.contains("/zones") => api(asked, &["number-1"]),
        _ => api(asked, &["number-0", "number-1"]),
    });
    let login = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r-of-a-person"}"#;
    credentials(bench, login).works(&internet, &["number-0", "number-1"]);
    assert_eq!(internet.asked().iter().filter(|a| a.host == "oauth2.googleapis.com").count(), 2);
}
