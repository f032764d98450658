//! What the three tools take with every command, and what becomes of it.

/// What becomes of an option that says nothing of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Common {
    /// It has no meaning in a playbook.
    Dropped,
    /// It is left out, and this says why.
    Said(&'static str),
    /// The region in which it runs.
    Region,
    /// The subscription in which it runs.
    Subscription,
    /// No more than so many are shown.
    Limit,
    /// Input as JSON.
    Input,
    /// Ids of resources.
    Ids,
    /// It asks for something that is no request.
    Refused(&'static str),
}

/// An option of a tool: names, whether a value follows, what becomes of it.
type Row = (&'static [&'static str], bool, Common);

const SHOWN: Common = Common::Said("what is shown, and how, is what the playbook's `report` says");
const FILTER: Common = Common::Said("it chooses among the answer: write `.filter(…)` in the playbook");
const WHO: Common = Common::Said("whose credentials are used is decided where the playbook is run");
const PAGES: Common = Common::Said("all pages are read");
const ENDS: Common = Common::Said("a step has ended when what it began has");
const ASKED: Common =
    Common::Said("nobody is asked on a terminal: the plan shows what is done, and an approval stands for the yes");

const AWS: &[Row] = &[
    (&["profile"], true, WHO),
    (&["region"], true, Common::Region),
    (&["output"], true, SHOWN),
    (&["query"], true, SHOWN),
    (&["endpoint-url"], true, Common::Said("give `--endpoint-url` to `escher plan` and `escher run`")),
    (&["max-items"], true, Common::Limit),
    (&["page-size"], true, PAGES),
    (&["starting-token"], true, PAGES),
    (&["no-paginate"], false, PAGES),
    (&["dry-run"], false, Common::Said("`escher plan` shows what would be done, and changes nothing")),
    (&["no-dry-run"], false, Common::Dropped),
    (&["cli-input-json"], true, Common::Input),
    (&["generate-cli-skeleton"], true, Common::Refused("it prints a form and calls nothing")),
    (&["no-sign-request"], false, WHO),
    (&["no-verify-ssl"], false, Common::Said("certificates are always verified")),
    (&["ca-bundle"], true, Common::Said("give it as `AWS_CA_BUNDLE` where the playbook is run")),
    (&["cli-read-timeout", "cli-connect-timeout"], true, Common::Said("how long a step may take is its `timeout`")),
    (&["cli-binary-format", "color"], true, Common::Dropped),
    (&["no-cli-pager", "no-cli-auto-prompt", "cli-auto-prompt", "debug", "no-color"], false, Common::Dropped),
];

const AZ: &[Row] = &[
    (&["output", "o"], true, SHOWN),
    (&["query"], true, SHOWN),
    (&["subscription"], true, Common::Subscription),
    (&["ids"], true, Common::Ids),
    (&["yes", "y"], false, ASKED),
    (&["no-wait"], false, ENDS),
    (&["max-items"], true, Common::Limit),
    (&["next-token"], true, PAGES),
    (&["verbose", "debug", "only-show-errors"], false, Common::Dropped),
    (&["help", "h"], false, Common::Refused("it shows help and calls nothing")),
];

const GCLOUD: &[Row] = &[
    (&["quiet", "q"], false, ASKED),
    (&["format", "flatten", "sort-by"], true, SHOWN),
    (&["uri"], false, SHOWN),
    (&["filter"], true, FILTER),
    (&["limit"], true, Common::Limit),
    (&["page-size"], true, PAGES),
    (&["async", "no-async"], false, ENDS),
    (&["account", "configuration", "impersonate-service-account", "access-token-file", "billing-project"], true, WHO),
    (&["project"], true, Common::Said("this operation is of no project")),
    (&["verbosity", "trace-token"], true, Common::Dropped),
    (&["log-http", "user-output-enabled", "no-user-output-enabled"], false, Common::Dropped),
    (&["help", "h"], false, Common::Refused("it shows help and calls nothing")),
];

fn table(tool: &str) -> &'static [Row] {
    match tool {
        "aws" => AWS,
        "az" => AZ,
        "gcloud" => GCLOUD,
        _ => &[],
    }
}

/// Whether a value follows an option that every command of a tool takes, and what becomes of it.
pub(crate) fn find(tool: &str, option: &str) -> Option<(bool, Common)> {
    table(tool).iter().find(|(names, ..)| names.contains(&option)).map(|(_, value, what)| (*value, *what))
}

/// Their names.
pub(crate) fn names(tool: &str) -> impl Iterator<Item = &'static str> {
    table(tool).iter().flat_map(|(names, ..)| names.iter().copied()).filter(|n| n.len() > 1)
}
