//! The operator's evening on emulators of AWS: five hundred development machines are stopped, a hundred of production stay.

use std::path::Path;

use super::check;
use super::escher::{EXAMPLE, Project, anybody, targets};
use super::server::{Emulator, Fleet, Key, Kind, count};
use crate::Result;

const DEV: usize = 500;
const PROD: usize = 100;

/// The lab itself: without it, the scenarios below would judge nothing.
pub fn stands() -> Result<()> {
    let mut moto = Emulator::start(Kind::Moto)?;
    moto.seed(10, 5)?;
    let key = moto.judge_signatures()?;
    let fleet = moto.fleet()?;
    check::equal("running dev instances of moto", &count(&fleet, "dev", &["running"]), &10)?;
    let forged = Key { secret: "forged".to_owned(), ..key };
    check::that(moto.fleet_as(&forged).is_err(), "moto accepted a forged signature")?;
    let ministack = Emulator::start(Kind::Ministack)?;
    ministack.seed(10, 5)?;
    check::equal("running prod instances of ministack", &count(&ministack.fleet()?, "prod", &["running"]), &5)
}

/// On moto, which answers as AWS does.
pub fn moto(binary: &Path) -> Result<()> {
    let server = Emulator::start(Kind::Moto)?;
    server.seed(DEV as u32, PROD as u32)?;
    evening(&server, binary, "moto", anybody())
}

/// On moto that checks each signature, and whether the operator's policy allows the action.
pub fn moto_with_signatures(binary: &Path) -> Result<()> {
    let mut server = Emulator::start(Kind::Moto)?;
    server.seed(DEV as u32, PROD as u32)?;
    let key = server.judge_signatures()?;
    evening(&server, binary, "moto-signatures", key)
}

/// On ministack, which answers with more than was asked for.
pub fn ministack(binary: &Path) -> Result<()> {
    let server = Emulator::start(Kind::Ministack)?;
    server.seed(DEV as u32, PROD as u32)?;
    evening(&server, binary, "ministack", anybody())
}

fn evening(server: &Emulator, binary: &Path, name: &str, key: Key) -> Result<()> {
    let project = Project::new(name, EXAMPLE, binary, &server.url(), key)?;
    let before = server.fleet()?;

    let plan = project.plan()?;
    check::equal("targets of the plan", &targets(&plan)?, &ids(&before, "dev"))?;
    check::equal("the fleet after planning", &server.fleet()?, &before)?;

    project.run()?.exits(3)?;
    check::equal("the fleet after a refused run", &server.fleet()?, &before)?;

    project.approve()?;
    let run = project.run()?.exits(0)?.json()?;
    check::equal("instances done", &check::number(&run, "/totals/done")?, &(DEV as u64))?;
    stopped(&server.fleet()?)?;

    let again = project.plan()?;
    check::equal("targets of the second plan", &targets(&again)?.len(), &0)?;
    project.approve()?;
    let second = project.run()?.exits(0)?.json()?;
    check::equal("instances done by the second run", &check::number(&second, "/totals/done")?, &0)?;
    stopped(&server.fleet()?)?;

    project.call(&["undo", &check::text(&run, "/run")?])?.exits(0)?;
    let after = server.fleet()?;
    check::equal("dev running again", &count(&after, "dev", &["pending", "running"]), &DEV)?;
    check::equal("prod still running", &count(&after, "prod", &["running"]), &PROD)?;
    project.call(&["audit", "verify"])?.exits(0).map(drop)
}

fn ids(fleet: &Fleet, env: &str) -> std::collections::BTreeSet<String> {
    fleet.iter().filter(|(_, (e, _))| e == env).map(|(id, _)| id.clone()).collect()
}

fn stopped(fleet: &Fleet) -> Result<()> {
    check::equal("dev stopped", &count(fleet, "dev", &["stopping", "stopped"]), &DEV)?;
    check::equal("prod still running", &count(fleet, "prod", &["running"]), &PROD)
}
