//! The environment in which the clouds' own tools go to a running sandbox, and the files that they want for it.
//!
//! A folder for each running sandbox: `sandbox/PORT/` in the state folder, with the certificate, a token that means nothing,
//! the tools' own settings (so that nobody's real login is touched) and `env.sh`. It goes when the sandbox ends.

use std::fs;
use std::path::{Path, PathBuf};

use escher_sandbox::Seed;

use crate::args::Common;
use crate::failure::Failure;
use crate::output;
use crate::project::Project;

/// The files of one sandbox.
pub(crate) struct Tools {
    folder: PathBuf,
}

/// APIs of Google Cloud that the practice cloud has, and where below its address.
const APIS: &[(&str, &str)] = &[
    ("COMPUTE", "compute/v1/"),
    ("STORAGE", "storage/v1/"),
    ("SQL", ""),
    ("IAM", ""),
    ("CLOUDRESOURCEMANAGER", ""),
    ("MONITORING", ""),
    ("SECRETMANAGER", ""),
];

impl Tools {
    /// Makes the folder and writes what does not come from the server.
    pub(crate) fn prepare(common: &Common, port: u16, seed: &Seed) -> Result<Tools, Failure> {
        let folder = folder(common)?.join(port.to_string());
        let failed = |e: std::io::Error| Failure::failed(format!("{}: {e}", folder.display()));
        for inner in ["azure", "gcloud"] {
            fs::create_dir_all(folder.join(inner)).map_err(failed)?;
        }
        fs::write(folder.join("token"), "practice").map_err(failed)?;
        fs::write(folder.join("env.sh"), environment(&folder, port, seed)).map_err(failed)?;
        Ok(Tools { folder })
    }

    /// Where the server writes the certificate of its authority.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Nobody answers there any more.
    pub(crate) fn forget(self) {
        let _ = fs::remove_dir_all(self.folder);
    }
}

/// Where the folders of running sandboxes are.
fn folder(common: &Common) -> Result<PathBuf, Failure> {
    Ok(Project::find(None, common)?.state_folder()?.join("sandbox"))
}

/// `escher sandbox env`
pub(crate) fn print(common: &Common, port: Option<u16>) -> Result<u8, Failure> {
    let folder = folder(common)?;
    let folder = match port {
        Some(port) => Some(folder.join(port.to_string())),
        None => newest(&folder),
    };
    let text = folder.and_then(|folder| fs::read_to_string(folder.join("env.sh")).ok());
    match text {
        Some(text) => {
            output::line(text.trim_end());
            Ok(0)
        }
        None => {
            Err(Failure::failed("no sandbox of this project is running there").help("start one with `escher sandbox`"))
        }
    }
}

/// The folder of the sandbox that started last.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path().join("env.sh"));
    let newest = entries.max_by_key(|file| file.metadata().and_then(|m| m.modified()).ok())?;
    newest.parent().map(Path::to_path_buf)
}

fn environment(folder: &Path, port: u16, seed: &Seed) -> String {
    let at = |name: &str| quoted(&folder.join(name).display().to_string());
    let url = format!("http://127.0.0.1:{port}");
    let region = seed.regions.first().map_or("us-east-1", String::as_str);
    let mut text = format!(
        "# The practice clouds at {url}, for aws, az and gcloud. Settings and logins of your own are left alone.\n\
         unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN GOOGLE_APPLICATION_CREDENTIALS\n\
         export AWS_ENDPOINT_URL={url} AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID=practice AWS_SECRET_ACCESS_KEY=practice AWS_EC2_METADATA_DISABLED=true AWS_PAGER=\n\
         export REQUESTS_CA_BUNDLE={ca}\n\
         export AZURE_CONFIG_DIR={azure} AZURE_CORE_COLLECT_TELEMETRY=false AZURE_CORE_SURVEY_MESSAGE=false\n\
         export IDENTITY_ENDPOINT={url}/metadata/identity/oauth2/token IDENTITY_HEADER=practice\n\
         export CLOUDSDK_CONFIG={gcloud} CLOUDSDK_AUTH_ACCESS_TOKEN_FILE={token} CLOUDSDK_CORE_PROJECT={project}\n\
         export CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1 CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1\n\
         export CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_SURVEY_DISABLE_PROMPTS=1\n",
        ca = at("ca.pem"),
        azure = at("azure"),
        gcloud = at("gcloud"),
        token = at("token"),
        project = quoted(&seed.gcp.project),
    );
    for (name, path) in APIS {
        text.push_str(&format!("export CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}={url}/{path}\n"));
    }
    text.push_str(&format!(
        "# az has to be told once of each sandbox:\n\
         #   az cloud register -n escher --endpoint-resource-manager https://localhost:{port} && az cloud set -n escher\n\
         #   az login --identity\n"
    ));
    text
}

/// A text as a shell takes it whole.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
