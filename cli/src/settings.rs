//! `escher.toml`: what a project decides. Unknown keys are errors, so that a slip is not silently without effect.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use escher_ir::Target;
use escher_ir::calendar::Calendar;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::failure::Failure;
use crate::limits::Limits;
use crate::pins::{self, Pin};
use crate::platform;

/// The settings of a project, or a user's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Edition of the language, such as `"2026"`.
    pub(crate) edition: Option<String>,
    /// Who you are: a principal of the allowed signers.
    pub(crate) principal: Option<String>,
    /// Approvals.
    pub(crate) approval: Approval,
    /// Principals by role.
    pub(crate) roles: BTreeMap<String, Vec<String>>,
    /// Who may do what.
    pub(crate) policy: PolicySettings,
    /// Times in which nothing is changed, by name.
    pub(crate) freeze: BTreeMap<String, Freeze>,
    /// Running.
    pub(crate) run: Run,
    /// Limits of this project's own.
    pub(crate) limits: Limits,
    /// Where state lives.
    pub(crate) state: State,
    /// Modules.
    pub(crate) modules: Modules,
    /// Files of operations in the place of those inside the program, by cloud.
    pub(crate) catalog: BTreeMap<String, Pin>,
    /// Groups of places, by name: what `targets("name")` gives.
    pub(crate) targets: BTreeMap<String, Vec<Place>>,
}

/// A place of `[targets]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// `aws`, `azure` or `gcp`.
    cloud: String,
    /// Account number, subscription or project.
    account: String,
    /// Region; empty for what is global.
    #[serde(default)]
    region: String,
    /// Role assumed for reads.
    #[serde(default)]
    read_role: Option<String>,
    /// Role assumed for changes.
    #[serde(default)]
    change_role: Option<String>,
}

/// `[approval]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Approval {
    /// One person alone may approve their own runs; the audit log says so each time.
    pub(crate) solo: bool,
    /// The allowed-signers file, relative to the settings.
    pub(crate) signers: PathBuf,
}

impl Default for Approval {
    fn default() -> Approval {
        Approval { solo: false, signers: "allowed_signers".into() }
    }
}

/// `[policy]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolicySettings {
    /// Rules of the project's own, relative to the settings.
    pub(crate) file: Option<PathBuf>,
    /// Time zone in whose hours and days rules speak.
    pub(crate) zone: Option<String>,
    /// Cases that the rules are judged by, relative to the settings.
    pub(crate) tests: Option<PathBuf>,
}

/// `[freeze.NAME]`: once, from and until; or again and again, by cron, for so long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Freeze {
    from: Option<String>,
    until: Option<String>,
    cron: Option<String>,
    lasts: Option<String>,
    #[serde(default = "utc")]
    zone: String,
}

fn utc() -> String {
    "UTC".into()
}

impl Freeze {
    /// As a calendar; why it is none, in words.
    fn calendar(&self) -> Result<Calendar, String> {
        let zone = self.zone.clone();
        let calendar = match (&self.from, &self.until, &self.cron, &self.lasts) {
            (Some(from), Some(until), None, None) => {
                Calendar::Between { from: from.clone(), until: until.clone(), zone }
            }
            (None, None, Some(cron), Some(lasts)) => {
                let time = escher_ir::units::parse_duration(lasts).and_then(|d| Duration::try_from(d).ok());
                let time = time.ok_or_else(|| format!("`lasts` is a duration such as \"62h\", not \"{lasts}\""))?;
                Calendar::Recurring { cron: cron.clone(), lasts_seconds: time.as_secs(), zone }
            }
            _ => return Err("it has `from` and `until`, or `cron` and `lasts`".into()),
        };
        calendar.check().map(|()| calendar)
    }
}

/// `[run]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Run {
    /// How old a reading may be when an item is about to be changed, such as `"30s"`.
    recheck_after: Option<String>,
}

/// `[modules]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Modules {
    /// Folders in which `use a.b` looks for `a/b.esc`, in order, relative to the settings; `.` where none are named.
    search: Vec<String>,
}

impl Modules {
    /// The folders, as the compiler names them: the project itself is empty.
    pub(crate) fn folders(&self) -> Vec<String> {
        if self.search.is_empty() {
            return vec![String::new()];
        }
        self.search.iter().map(|f| if f == "." { String::new() } else { f.clone() }).collect()
    }

    /// A folder that is none of the project.
    fn wrong(&self) -> Option<&String> {
        let inside = |word: &str| !word.is_empty() && word != "." && word != ".." && !word.contains(['\\', ':']);
        self.search.iter().find(|folder| *folder != "." && !folder.split('/').all(inside))
    }
}

/// `[state]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct State {
    /// Folder, relative to the settings.
    pub(crate) dir: Option<PathBuf>,
}

impl Settings {
    /// Reads a file; nothing where there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Settings>, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Failure::usage(format!("cannot read {}: {e}", path.display()))),
        };
        let settings: Settings = toml::from_str(&text).map_err(|e| {
            Failure::usage(format!("E0801: {} is not valid:\n{e}", path.display()))
                .help("the keys are described in the book under Settings")
        })?;
        settings.check(path)?;
        Ok(Some(settings))
    }

    fn check(&self, path: &Path) -> Result<(), Failure> {
        let wrong = |why: String| Err(Failure::usage(format!("E0802: {}: {why}", path.display())));
        if let Some(edition) = self.edition.as_ref().filter(|e| **e != escher_ir::EDITION.to_string()) {
            return wrong(format!("this Escher knows edition \"{}\", not \"{edition}\"", escher_ir::EDITION));
        }
        if let Some(folder) = self.modules.wrong() {
            return wrong(format!("`search` names folders of the project such as \"lib\", not \"{folder}\""));
        }
        for (group, places) in &self.targets {
            if let Some(place) = places.iter().find(|p| !matches!(p.cloud.as_str(), "aws" | "azure" | "gcp")) {
                return wrong(format!("a place of `{group}` is in cloud \"{}\": write aws, azure or gcp", place.cloud));
            }
        }
        if let Some(why) = pins::wrong(&self.catalog) {
            return wrong(why);
        }
        if let Err(why) = self.limits.check() {
            return wrong(why);
        }
        for (name, freeze) in &self.freeze {
            if let Err(why) = freeze.calendar() {
                return wrong(format!("freeze `{name}`: {why}"));
            }
        }
        if let Some(zone) = self.policy.zone.as_ref().filter(|zone| TimeZone::get(zone).is_err()) {
            return wrong(format!("there is no time zone \"{zone}\""));
        }
        match &self.run.recheck_after {
            Some(text) if escher_ir::units::parse_duration(text).is_none() => {
                wrong(format!("`recheck_after` is a duration such as \"30s\", not \"{text}\""))
            }
            _ => Ok(()),
        }
    }

    /// Times in which nothing is changed.
    pub(crate) fn freezes(&self) -> BTreeMap<String, Calendar> {
        // What is none was told when the settings were read.
        self.freeze.iter().filter_map(|(name, freeze)| Some((name.clone(), freeze.calendar().ok()?))).collect()
    }

    /// Groups of places, as a plan takes them.
    pub(crate) fn groups(&self) -> BTreeMap<String, Vec<Target>> {
        let target = |place: &Place| Target {
            cloud: place.cloud.clone(),
            account: place.account.clone(),
            region: place.region.clone(),
            endpoint: None,
            read_role: place.read_role.clone(),
            change_role: place.change_role.clone(),
        };
        self.targets.iter().map(|(name, places)| (name.clone(), places.iter().map(target).collect())).collect()
    }

    /// How old a reading may be when an item is about to be changed.
    pub(crate) fn recheck_after(&self) -> Duration {
        let text = self.run.recheck_after.as_deref().unwrap_or("30s");
        escher_ir::units::parse_duration(text).and_then(|d| d.try_into().ok()).unwrap_or(Duration::from_secs(30))
    }
}

/// Who is at the keyboard: `ESCHER_PRINCIPAL`, the project's or the user's settings, the one person of a solo project,
/// the user's name.
pub(crate) fn principal(project: &Settings) -> Result<String, Failure> {
    if let Some(principal) = platform::variable("ESCHER_PRINCIPAL").or_else(|| project.principal.clone()) {
        return Ok(principal);
    }
    if let Some(path) = platform::user_settings()
        && let Some(principal) = Settings::read(&path)?.and_then(|s| s.principal)
    {
        return Ok(principal);
    }
    let only = project.roles.values().flatten().next();
    match only.filter(|_| project.approval.solo) {
        Some(principal) => Ok(principal.clone()),
        None => Ok(platform::user()),
    }
}
