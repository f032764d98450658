//! How a run of the real binary ends before its time: by Ctrl-C, by a disk that is full or only reads, by state that this
//! program can't read, by a machine that is gone. Each says what is wrong and what to do, and nothing is lost or done twice.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::fs::Permissions;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use common::{Cloud, Desk, copy, signal, text};
use escher_engine::{Head, SqliteStore, StateStore};
use escher_ir::{Stored, codec};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const MACHINES: usize = 12;

const STOP: &str = r#"/// Stop the machines one by one.
@risk(high)
@approval(by: "manager")
playbook stop_each(limit: int(1..=20) = 20) {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")

    step stop "Stop the machine" for m in machines max limit {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    undo { aws.ec2.start_instances(instance_ids: [m.instance_id]) }
}
"#;

/// A practice cloud in which each machine takes so long to stop.
fn cloud(folder: &Path, machines: usize, stopping: u64, latency: &str) -> Cloud {
    let seed = format!(
        "[timing]\nstopping = {stopping}\n[[instances]]\nname = \"m-{{n}}\"\ncount = {machines}\n\
         [[azure.machines]]\nname = \"m-{{n}}\"\ncount = {machines}\n[[gcp.instances]]\nname = \"m-{{n}}\"\ncount = {machines}\n"
    );
    let path = folder.join("seed.toml");
    std::fs::write(&path, seed).unwrap();
    Cloud::seeded(&path, latency)
}

/// Each machine began to stop, once.
fn each_once(cloud: &Cloud) {
    let moves = cloud.moves();
    assert_eq!(moves.len(), MACHINES, "{moves:?}");
    assert!(moves.values().all(|count| *count == 1), "{moves:?}");
}

fn whole(report: &Value) {
    assert_eq!((&report["status"], &report["totals"]["done"]), (&"done".into(), &MACHINES.into()), "{report}");
}

/// The process has ended, and soon enough.
fn ended(process: Child, within: Duration) -> Output {
    let began = Instant::now();
    let output = process.wait_with_output().unwrap();
    assert!(began.elapsed() < within, "it took {:?}", began.elapsed());
    output
}

/// It ended with this code, which it names, and whose page there is.
fn told(desk: &Desk, output: &Output, exit: i32, code: &str, words: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert!(said.contains(&format!("[{code}]")) && said.contains(words) && said.contains("help: "), "{said}");
    assert!(text(&desk.well(&["explain", code]).stdout).contains(code));
}

#[test]
fn one_ctrl_c_finishes_what_is_in_flight_and_says_how_to_go_on() {
    for name in ["INT", "TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let cloud = cloud(folder.path(), MACHINES, 50, "60ms");
        let desk = Desk::new(&cloud, STOP);
        let run = desk.start();
        cloud.wait_for_moves(2);
        signal(&run, name);
        let output = ended(run, Duration::from_secs(10));
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains(&format!("escher resume {}", desk.run)), "{said}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let totals = &report["totals"];
        assert_eq!((&report["status"], &totals["unknown"]), (&"cancelled".into(), &0.into()));
        let done = cloud.moves().len();
        assert_eq!(totals["done"], done, "what was sent is done");
        assert!((2..MACHINES).contains(&done), "{done}");
        whole(&desk.resume());
        each_once(&cloud);
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_the_run_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), MACHINES, 50, "10ms");
    let desk = Desk::new(&cloud, STOP);
    cloud.send(
        "POST",
        "faults",
        r#"{"rules":[{"action":"StopInstances","fault":"latency","milliseconds":60000,"skip":2,"times":1}]}"#,
    );
    let mut run = desk.start();
    cloud.wait_for_moves(2);
    // The third call hangs.
    common::until("the third call", || cloud.ask("GET", "faults").contains("\"fired\":1"));
    let mut said = BufReader::new(run.stderr.take().unwrap());
    signal(&run, "INT");
    let mut line = String::new();
    while !line.contains("Ctrl-C again ends at once") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it does not say what a second one does");
    }
    assert!(run.try_wait().unwrap().is_none(), "it waits for what is in flight");
    signal(&run, "INT");
    let output = ended(run, Duration::from_secs(3));
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    assert!(rest.contains("escher resume"), "{rest}");
    assert_eq!(desk.shown()["status"], "running", "until its lease is over it may be alive");
    whole(&desk.resume());
    each_once(&cloud);
}

/// What takes minutes in the cloud is left soon: it goes on there, and the run goes on with it later.
#[test]
fn ctrl_c_breaks_off_waiting_in_each_cloud() {
    let list = |read: &str, call: &str| {
        format!(
            "/// Stop them.\n@risk(high)\n@approval(by: \"manager\")\nplaybook stop_all(limit: int(1..=20) = 20) {{\n    let machines = {read}\n\n    \
             step stop \"Stop the machine\" for m in machines max limit, at_once 2 {{\n        {call}\n    }}\n}}\n"
        )
    };
    let aws = list(
        "aws.ec2.describe_instances().reservations.flat_map(.instances).filter(m => m.state.name == \"running\")",
        "aws.ec2.stop_instances(instance_ids: [m.instance_id])\n        \
         wait aws.ec2.instance_stopped(instance_ids: [m.instance_id]) timeout 10m",
    );
    let sleeps = aws.replace("wait aws.ec2.instance_stopped(instance_ids: [m.instance_id]) timeout 10m", "sleep 12s");
    assert_ne!(sleeps, aws);
    let azure = list(
        "azure.compute.virtual_machines.list_all().value",
        "let group = m.id.split(\"/\").skip(4).first()\n        require group != none\n        \
         azure.compute.virtual_machines.deallocate(resource_group_name: group, vm_name: m.name)",
    );
    let gcp = list(
        "gcp.compute.instances.aggregated_list(project: \"practice\").items.values().flat_map(.instances)\n        \
         .filter(m => m.status == \"RUNNING\")",
        "let zone = m.zone.split(\"/\").last()\n        require zone != none\n        \
         gcp.compute.instances.stop(project: \"practice\", zone: zone, instance: m.name)",
    );
    std::thread::scope(|scope| {
        for playbook in [&aws, &sleeps, &azure, &gcp] {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let cloud = cloud(folder.path(), 2, 15_000, "10ms");
                let desk = Desk::new(&cloud, playbook);
                let run = desk.start();
                cloud.wait_for_moves(2);
                signal(&run, "INT");
                let output = ended(run, Duration::from_secs(8));
                let said = text(&output.stderr);
                assert_eq!(output.status.code(), Some(130), "{playbook}{said}");
                let report: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(report["totals"]["unknown"], 2, "begun, and not ended: {report}");
                assert!(said.contains(&format!("escher resume {}", desk.run)), "{said}");
                let report = desk.resume();
                assert_eq!((&report["status"], &report["totals"]["done"]), (&"done".into(), &2.into()), "{report}");
                let moves = cloud.moves();
                assert!(moves.len() == 2 && moves.values().all(|count| *count == 1), "{playbook}{moves:?}");
            });
        }
    });
}

/// A process that is not root, which nothing is forbidden to.
fn nobody(desk: &Desk, folder: &Path, arguments: &[&str]) -> Command {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root {
        return desk.escher(arguments);
    }
    let program = folder.join("escher");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_escher"), &program).unwrap();
    }
    for path in [folder, desk.folder.parent().unwrap()] {
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = desk.command(&program, arguments);
    command.uid(65_534).gid(65_534);
    command
}

#[test]
fn state_that_only_reads_is_told_and_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), MACHINES, 50, "0ms");
    let desk = Desk::new(&cloud, STOP);
    let state = desk.folder.join(".escher");
    let modes = |file: u32, dir: u32| {
        for entry in std::fs::read_dir(&state).unwrap() {
            std::fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(file)).unwrap();
        }
        std::fs::set_permissions(&state, Permissions::from_mode(dir)).unwrap();
    };
    modes(0o444, 0o555);
    let output = nobody(&desk, folder.path(), &["run", "plan.json", "--yes"]).output().unwrap();
    told(&desk, &output, 1, "E0607", "cannot write state");
    assert!(!cloud.touched());
    modes(0o600, 0o700);
    whole(&serde_json::from_slice(&desk.well(&["run", "plan.json", "--yes", "--format", "json"]).stdout).unwrap());
    each_once(&cloud);
}

/// A limit on the size of files stands for a quota: the write in the middle of the run is refused.
#[test]
fn a_disk_that_refuses_writes_ends_the_run_and_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), MACHINES, 50, "0ms");
    let desk = Desk::new(&cloud, STOP);
    // Blocks of 512 bytes; the signal that usually comes with the refusal is ignored.
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    let program = env!("CARGO_BIN_EXE_escher");
    let arguments = ["-c", script, program, "run", "plan.json", "--yes", "--endpoint-url", &cloud.url];
    let output = desk.command(Path::new("sh"), &arguments).output().unwrap();
    told(&desk, &output, 1, "E0607", "escher resume");
    let sent = cloud.moves().len();
    assert!((1..MACHINES).contains(&sent), "{sent} were sent");
    whole(&desk.resume());
    each_once(&cloud);
}

/// The same on a disk of its own that is full, where the machine lets us make one.
#[test]
fn a_full_disk_ends_the_run_and_it_goes_on() {
    let may = Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount a disk in a namespace; a limit on files stands for it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), MACHINES, 50, "0ms");
    let desk = Desk::new(&cloud, STOP);
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = r#"set -e
        disk=$1; escher=$2; url=$3; run=$4; state=$5
        mount -t tmpfs -o size=1m none "$disk"
        cp -r "$state" "$disk/state"
        free=$(df --output=avail -k "$disk" | tail -1)
        dd if=/dev/zero of="$disk/filler" bs=1k count=$((free - 80)) 2>/dev/null
        code=0
        "$escher" run plan.json --yes --state "$disk/state" --endpoint-url "$url" >&2 || code=$?
        rm "$disk/filler"
        echo "ended with $code" >&2
        start=$(date +%s)
        "$escher" resume "$run" --yes --format json --state "$disk/state" --endpoint-url "$url"
        echo "resumed in $(($(date +%s) - start)) s" >&2
        "$escher" audit verify --state "$disk/state" >/dev/null"#;
    let mut command = desk.command(Path::new("unshare"), &["-Urm", "sh", "-c", script, "sh"]);
    command.arg(&disk).arg(env!("CARGO_BIN_EXE_escher")).arg(&cloud.url).arg(&desk.run);
    let output = command.arg(desk.folder.join(".escher")).output().unwrap();
    let said = text(&output.stderr);
    assert!(said.contains("[E0608]") && said.contains("escher resume") && said.contains("ended with 1"), "{said}");
    assert!(output.status.success(), "{said}");
    // Whoever was stopped by the disk gave its lease back: fifteen seconds would have to pass.
    let took = said.split_once("resumed in ").and_then(|(_, rest)| rest.split_once(" s")).unwrap().0;
    assert!(took.parse::<u32>().unwrap() < 12, "{said}");
    assert!(text(&desk.well(&["explain", "E0608"]).stdout).contains("E0608"));
    whole(&serde_json::from_slice(&output.stdout).unwrap());
    each_once(&cloud);
}

/// Events of a journal as an Escher to come might write them.
#[derive(Serialize, Deserialize)]
struct Future {
    first: u64,
}

impl Stored for Future {
    const FORMAT: &'static str = "escher.journal";
    const VERSION: u16 = 99;
}

#[test]
fn a_journal_of_a_newer_escher_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), MACHINES, 50, "0ms");
    let desk = Desk::new(&cloud, STOP);
    let (state, before) = (desk.folder.join(".escher"), folder.path().join("before"));
    copy(&state, &before);
    let stream = format!("run/{}", desk.run);
    let store = SqliteStore::open(&state).unwrap();
    let head: Head = store.head(&stream).unwrap();
    store.append(&stream, head, codec::encode(&Future { first: 2 }).unwrap().1).unwrap();
    drop(store);
    for arguments in [["run", "plan.json"], ["resume", &desk.run], ["undo", &desk.run], ["cancel", &desk.run]] {
        told(&desk, &desk.call(&arguments), 1, "E0610", "newer");
    }
    assert!(!cloud.touched());
    // The Escher that wrote it can still go on: here, one that finds the journal as it was.
    std::fs::remove_dir_all(&state).unwrap();
    copy(&before, &state);
    whole(&serde_json::from_slice(&desk.well(&["run", "plan.json", "--yes", "--format", "json"]).stdout).unwrap());
}

#[test]
fn a_damaged_journal_is_refused_and_a_backup_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), MACHINES, 50, "40ms");
    let desk = Desk::new(&cloud, STOP);
    let mut run = desk.start();
    cloud.wait_for_moves(3);
    run.kill().unwrap();
    run.wait().unwrap();
    let (state, backup) = (desk.folder.join(".escher"), folder.path().join("backup"));
    // What lies in the log beside the file is put into it first.
    desk.well(&["runs", "list"]);
    copy(&state, &backup);
    let file = state.join("state.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let word = b"stop[";
    let places: Vec<usize> = (0..bytes.len() - word.len()).filter(|at| bytes[*at..].starts_with(word)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 1;
    }
    std::fs::write(&file, bytes).unwrap();
    // What was in flight arrives.
    std::thread::sleep(Duration::from_millis(300));
    let sent = cloud.moves();
    told(&desk, &desk.call(&["resume", &desk.run]), 3, "E0609", "was changed");
    let verdict = desk.call(&["audit", "verify"]);
    assert_eq!(verdict.status.code(), Some(1), "{}", text(&verdict.stdout));
    assert_eq!(cloud.moves(), sent, "nothing was sent");
    std::fs::remove_dir_all(&state).unwrap();
    copy(&backup, &state);
    whole(&desk.resume());
    each_once(&cloud);
}

/// A file that is no database, and one that was cut short.
#[test]
fn a_damaged_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), 1, 50, "0ms");
    let desk = Desk::new(&cloud, STOP);
    let file = desk.folder.join(".escher/state.db");
    let whole = std::fs::read(&file).unwrap();
    for bytes in [b"this is no database, whatever it is called".repeat(40), whole[..whole.len() / 2].to_vec()] {
        std::fs::write(&file, bytes).unwrap();
        let output = desk.call(&["runs", "list"]);
        told(&desk, &output, 1, "E0609", "damaged");
    }
    assert!(!cloud.touched());
}

/// Killed here, and taken up where nothing but the state is: another folder, another name of the machine, no plan file, no
/// playbook.
#[test]
fn a_run_goes_on_on_another_machine() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path(), MACHINES, 50, "40ms");
    let mut desk = Desk::new(&cloud, STOP);
    let mut run = desk.start();
    cloud.wait_for_moves(4);
    run.kill().unwrap();
    run.wait().unwrap();
    desk.move_away();
    let mut command = desk.escher(&["resume", &desk.run, "--yes", "--format", "json"]);
    let output = command.env("HOSTNAME", "elsewhere").env("USER", "mara").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    whole(&serde_json::from_slice(&output.stdout).unwrap());
    each_once(&cloud);
    desk.well(&["audit", "verify"]);
}
