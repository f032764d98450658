//! AWS: keys of the environment and of a profile, a process, single sign-on, a role from another profile, a web identity, a
//! container, an instance.

use crate::Bench;
use crate::internet::{Asked, Internet, start};

const LOOK: &str = "playbook look() {
    let regions = aws.ec2.describe_regions().regions
    report { \"{regions.count()} regions\" }
}
";

const ROLE: &str = "arn:aws:iam::123456789012:role/stopper";
const EXPIRY: &str = "2100-01-01T00:00:00Z";

fn bench() -> Bench {
    Bench::new(LOOK).set("AWS_REGION", "eu-west-1").set("AWS_EC2_METADATA_DISABLED", "true")
}

/// The key that a request is signed with.
fn key(asked: &Asked) -> Option<&str> {
    let signed = asked.headers.get("authorization")?;
    signed.split("Credential=").nth(1)?.split('/').next()
}

fn assumed(kind: &str, key: &str) -> (u16, String) {
    let keys = format!(
        "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret-of-the-role</SecretAccessKey>\
         <SessionToken>session-of-the-role</SessionToken><Expiration>{EXPIRY}</Expiration></Credentials>"
    );
    let who = format!("<AssumedRoleUser><AssumedRoleId>A:e</AssumedRoleId><Arn>{ROLE}</Arn></AssumedRoleUser>");
    (
        200,
        format!(
            "<{kind}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{kind}Result>{keys}{who}</{kind}Result></{kind}Response>"
        ),
    )
}

/// STS and EC2, for whoever signs with this key; `more` has the first word.
fn clouds(
    bench: &Bench,
    good: &'static str,
    more: impl Fn(&Asked) -> Option<(u16, String)> + Send + Sync + 'static,
) -> Internet {
    start(bench.folder.path(), move |asked| {
        if let Some(answer) = more(asked) {
            return answer;
        }
        if key(asked) != Some(good) {
            return (
                403,
                "<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors></Response>"
                    .into(),
            );
        }
        if asked.body.contains("Action=GetCallerIdentity") {
            return (200, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>".into());
        }
        assert_eq!(asked.host, "ec2.eu-west-1.amazonaws.com");
        (200, "<DescribeRegionsResponse><requestId>r</requestId><regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo></DescribeRegionsResponse>".into())
    })
}

#[test]
fn by_the_environment() {
    let bench = bench();
    let internet = clouds(&bench, "AKIAENVIRONMENT", |_| None);
    let bench =
        bench.set("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT").set("AWS_SECRET_ACCESS_KEY", "secret-of-the-environment");
    bench.works(&internet, &["secret-of-the-environment"]);
}

#[test]
fn by_a_profile() {
    let bench = bench();
    let internet = clouds(&bench, "AKIAPROFILE", |_| None);
    bench.write(
        ".aws/credentials",
        "[work]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret-of-the-profile\n",
    );
    bench.set("AWS_PROFILE", "work").works(&internet, &["secret-of-the-profile"]);
}

#[test]
fn by_a_process() {
    let bench = bench();
    let internet = clouds(&bench, "AKIAPROCESS", |_| None);
    bench.tool("vault", &format!("echo '{{\"Version\":1,\"AccessKeyId\":\"AKIAPROCESS\",\"SecretAccessKey\":\"secret-of-the-process\",\"SessionToken\":\"t\",\"Expiration\":\"{EXPIRY}\"}}'"));
    bench.write(".aws/config", "[profile work]\ncredential_process = vault\n");
    bench.set("AWS_PROFILE", "work").works(&internet, &["secret-of-the-process"]);
}

#[test]
fn by_the_role_of_a_profile() {
    let bench = bench();
    let internet = clouds(&bench, "ASIAROLE", |asked| {
        asked.body.contains("Action=AssumeRole&").then(|| {
            assert_eq!((asked.host.as_str(), key(asked)), ("sts.eu-west-1.amazonaws.com", Some("AKIASOURCE")));
            assumed("AssumeRole", "ASIAROLE")
        })
    });
    bench.write(
        ".aws/credentials",
        "[base]\naws_access_key_id = AKIASOURCE\naws_secret_access_key = secret-of-the-source\n",
    );
    bench.write(".aws/config", &format!("[profile work]\nrole_arn = {ROLE}\nsource_profile = base\n"));
    bench
        .set("AWS_PROFILE", "work")
        .works(&internet, &["secret-of-the-source", "secret-of-the-role", "session-of-the-role"]);
}

#[test]
fn by_a_web_identity() {
    let bench = bench();
    let internet = clouds(&bench, "ASIAWEB", |asked| {
        asked.body.contains("Action=AssumeRoleWithWebIdentity").then(|| {
            assert_eq!(asked.form("WebIdentityToken").as_deref(), Some("the-cluster-says-so"));
            assumed("AssumeRoleWithWebIdentity", "ASIAWEB")
        })
    });
    let file = bench.write("token", "the-cluster-says-so");
    let bench = bench.set("AWS_WEB_IDENTITY_TOKEN_FILE", file).set("AWS_ROLE_ARN", ROLE);
    bench.works(&internet, &["the-cluster-says-so", "secret-of-the-role"]);
}

#[test]
fn by_single_sign_on() {
    let bench = bench();
    let internet = clouds(&bench, "ASIASSO", |asked| {
        (asked.host == "portal.sso.eu-west-1.amazonaws.com").then(|| {
            assert!(asked.path.starts_with("/federation/credentials?"), "{}", asked.path);
            assert_eq!(asked.headers.get("x-amz-sso_bearer_token").map(String::as_str), Some("login-of-this-morning"));
            (200, r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"secret-of-sso","sessionToken":"s","expiration":4102444800000}}"#.into())
        })
    });
    bench.write(
        ".aws/config",
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n\
         [profile work]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = stopper\nregion = eu-west-1\n",
    );
    // The AWS CLI names the file by the SHA-1 of the session's name.
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, b"corp");
    let file: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    bench.write(
        &format!(".aws/sso/cache/{file}.json"),
        &format!(r#"{{"startUrl":"https://corp.awsapps.com/start","region":"eu-west-1","accessToken":"login-of-this-morning","expiresAt":"{EXPIRY}"}}"#),
    );
    bench.set("AWS_PROFILE", "work").works(&internet, &["login-of-this-morning", "secret-of-sso"]);
}

#[test]
fn by_a_container() {
    let bench = bench();
    let internet = clouds(&bench, "ASIACONTAINER", |asked| {
        (asked.path == "/of-the-task").then(|| {
            assert_eq!(asked.headers.get("authorization").map(String::as_str), Some("word-of-the-task"));
            (200, format!(r#"{{"AccessKeyId":"ASIACONTAINER","SecretAccessKey":"secret-of-the-task","Token":"t","Expiration":"{EXPIRY}"}}"#))
        })
    });
    let address = format!("http://127.0.0.1:{}/of-the-task", internet.port);
    let bench = bench.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", address);
    bench
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "word-of-the-task")
        .works(&internet, &["secret-of-the-task", "word-of-the-task"]);
}

#[test]
fn by_an_instance() {
    let bench = Bench::new(LOOK).set("AWS_REGION", "eu-west-1");
    let internet = clouds(&bench, "ASIAINSTANCE", |asked| {
        let session = asked.headers.get("x-aws-ec2-metadata-token").map(String::as_str);
        match asked.path.as_str() {
            "/latest/api/token" => Some((200, "session-of-metadata".into())),
            path if path.starts_with("/latest/") && session != Some("session-of-metadata") => {
                Some((401, String::new()))
            }
            path if path.trim_end_matches('/').ends_with("security-credentials")
                || path.trim_end_matches('/').ends_with("security-credentials-extended") =>
            {
                Some((200, "stopper".into()))
            }
            path if path.ends_with("/stopper") => Some((
                200,
                format!(
                    r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAINSTANCE","SecretAccessKey":"secret-of-the-machine","Token":"t","AccountId":"123456789012","Expiration":"{EXPIRY}","LastUpdated":"2020-01-01T00:00:00Z"}}"#
                ),
            )),
            path if path.starts_with("/latest/") => Some((404, String::new())),
            _ => None,
        }
    });
    let endpoint = format!("http://127.0.0.1:{}", internet.port);
    bench
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)
        .works(&internet, &["secret-of-the-machine", "session-of-metadata"]);
}

#[test]
fn by_nothing() {
    let bench = bench();
    let internet = clouds(&bench, "none", |_| None);
    bench.fails(&internet, "credentials");
}
