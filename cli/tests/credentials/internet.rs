//! The clouds' own hosts, all on this machine: a proxy that answers for every name over TLS with certificates of its own
//! authority, and what a machine's metadata service says without TLS. Everything asked is written down.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Hosts that are answered for.
const HOSTS: [&str; 12] = [
    "ec2.eu-west-1.amazonaws.com",
    "portal.sso.eu-west-1.amazonaws.com",
    "sts.eu-west-1.amazonaws.com",
    "login.microsoftonline.com",
    "login.chinacloudapi.cn",
    "management.azure.com",
    "management.chinacloudapi.cn",
    "oauth2.googleapis.com",
    "sts.googleapis.com",
    "iamcredentials.googleapis.com",
    "compute.googleapis.com",
    "cloudresourcemanager.googleapis.com",
];

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    /// Who is asked for what: `login.microsoftonline.com POST /t/oauth2/v2.0/token`.
    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.host, self.method, self.path)
    }

    /// A member of a body that is a form.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        let pair = self.body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
        let (bytes, mut plain, mut at) = (pair.as_bytes(), Vec::new(), 0);
        while at < bytes.len() {
            match bytes[at] {
                b'%' => {
                    plain.push(u8::from_str_radix(&pair[at + 1..at + 3], 16).unwrap());
                    at += 3;
                }
                b'+' => {
                    plain.push(b' ');
                    at += 1;
                }
                other => {
                    plain.push(other);
                    at += 1;
                }
            }
        }
        Some(String::from_utf8(plain).unwrap())
    }
}

type Answer = dyn Fn(&Asked) -> (u16, String) + Send + Sync;

/// The clouds, as long as the test lasts.
pub(crate) struct Internet {
    pub(crate) port: u16,
    /// The authority's certificate.
    pub(crate) authority: PathBuf,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Internet {
    /// Everything that was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Starts them; `folder` keeps the authority's certificate.
pub(crate) fn start(folder: &Path, answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Internet {
    let (config, pem) = certificates();
    let authority = folder.join("authority.pem");
    std::fs::write(&authority, pem).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let internet = Internet { port, authority, asked: Arc::clone(&asked) };
    let answer: Arc<Answer> = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, asked, answer) = (Arc::clone(&config), Arc::clone(&asked), Arc::clone(&answer));
            std::thread::spawn(move || serve(stream, config, &asked, &*answer));
        }
    });
    internet
}

fn certificates() -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let names = HOSTS.map(str::to_owned);
    let certificate = CertificateParams::new(names.to_vec()).unwrap().signed_by(&own, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    (Arc::new(config), authority.pem())
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, asked: &Mutex<Vec<Asked>>, answer: &Answer) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let Some(first) = read(&mut stream) else { return };
    if first.method != "CONNECT" {
        return reply(&mut stream, first, asked, answer);
    }
    let host = first.path.split(':').next().unwrap_or_default().to_owned();
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    if let Some(request) = read(&mut tls) {
        reply(&mut tls, Asked { host, ..request }, asked, answer);
        tls.conn.send_close_notify();
        let _ = tls.flush();
    }
}

fn reply(stream: &mut impl Write, request: Asked, asked: &Mutex<Vec<Asked>>, answer: &Answer) {
    let (status, body) = answer(&request);
    asked.lock().unwrap().push(request);
    let kind = if body.starts_with('<') { "text/xml" } else { "application/json" };
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nMetadata-Flavor: Google\r\nContent-Length: {}\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    let _ = stream.flush();
}

/// The next request; nothing where the other side hung up.
fn read(stream: &mut impl Read) -> Option<Asked> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let host = headers.get("host").cloned().unwrap_or_default();
    Some(Asked { host, method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
