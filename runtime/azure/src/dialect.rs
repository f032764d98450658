//! What Azure Resource Manager has of its own: hosts, API versions, tokens, pages.

use escher_catalog::Record;
use escher_ir::Target;
use escher_provider::{CallError, ErrorKind};
use escher_rest::{Dialect, Draft, Http, Next, Ongoing, Place, Reply, Step, Url};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::credentials::Chain;
use crate::{cloud, errors, ongoing, subscription};

/// What the command line and the settings may say; everything else comes from the environment and Azure's own files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where Resource Manager answers, before any setting of the environment.
    pub endpoint: Option<String>,
    /// A practice cloud: called with a token that means nothing, whatever the environment holds.
    pub practice: bool,
}

impl Options {
    /// For a practice cloud at this endpoint.
    pub fn practice(endpoint: impl Into<String>) -> Options {
        Options { endpoint: Some(endpoint.into()), practice: true }
    }
}

/// Azure Resource Manager.
#[derive(Debug)]
pub struct Azure {
    options: Options,
    chain: Chain,
}

impl Azure {
    pub(crate) fn new(options: Options) -> Azure {
        let chain = Chain::new(&manager(&options, None));
        Azure { options, chain }
    }

    fn place(&self, target: &Target) -> Result<Place, CallError> {
        Place::of(&manager(&self.options, target.endpoint.as_deref()))
    }

    fn practice(&self, place: &Place) -> bool {
        self.options.practice || place.practice
    }
}

/// Resource Manager of the cloud that is meant.
fn manager(options: &Options, target: Option<&str>) -> String {
    if let Some(url) = options.endpoint.as_deref().or(target) {
        return url.to_string();
    }
    match cloud::named().as_str() {
        "azureusgovernment" => "https://management.usgovcloudapi.net",
        "azurechinacloud" => "https://management.chinacloudapi.cn",
        _ => "https://management.azure.com",
    }
    .to_string()
}

/// A page of a list, under either of the names that services give it.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "nextLink", alias = "@odata.nextLink", alias = "@nextLink")]
    next_link: Option<String>,
}

impl Dialect for Azure {
    fn cloud(&self) -> &'static str {
        "azure"
    }

    fn base(&self, _: &Record, target: &Target) -> Result<Url, CallError> {
        self.place(target).map(|place| place.url)
    }

    fn also(&self) -> &'static [&'static str] {
        &["management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"]
    }

    fn dress(&self, record: &Record, _: &Target, draft: &mut Draft) {
        if let Some(version) = &record.operation.api_version
            && !draft.query.iter().any(|(name, _)| name == "api-version")
        {
            draft.query.push(("api-version".into(), version.to_string()));
        }
    }

    fn token<'a>(&'a self, target: &'a Target, changes: bool, fresh: bool) -> BoxFuture<'a, Result<String, CallError>> {
        let role = if changes { &target.change_role } else { &target.read_role };
        if role.is_some() {
            let words = "Azure has no roles to assume: choose the credentials instead (AZURE_CLIENT_ID, `az login`)";
            return std::future::ready(Err(CallError::unsent(ErrorKind::Invalid, words))).boxed();
        }
        async move {
            let place = self.place(target)?;
            self.chain.token(self.practice(&place), fresh).await
        }
        .boxed()
    }

    fn resolve<'a>(&'a self, http: &'a Http, mut target: Target) -> BoxFuture<'a, Result<Target, CallError>> {
        async move {
            if target.endpoint.is_none() {
                target.endpoint.clone_from(&self.options.endpoint);
            }
            let place = self.place(&target)?;
            let practice = self.practice(&place);
            if target.account.is_empty() {
                target.account = subscription::chosen(practice)?;
            }
            let token = self.chain.token(practice, false).await?;
            subscription::seen(http, &place.url, &target.account, &token).await?;
            Ok(target)
        }
        .boxed()
    }

    fn refusal(&self, reply: &Reply) -> CallError {
        errors::refusal(reply)
    }

    fn next(&self, _: &Record, reply: &Reply) -> Option<Next> {
        let link = reply.json::<Page>()?.next_link?;
        if link.is_empty() { None } else { Some(Next::Link(link)) }
    }

    fn step(&self, ongoing: &mut Ongoing<'_>, reply: &Reply) -> Result<Step, CallError> {
        ongoing::step(ongoing, reply, self.also())
    }
}
