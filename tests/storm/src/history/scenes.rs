//! What is recorded: a playbook each, and the moment at which its process dies.

use escher_ir::journal::Event;

use super::older::TODAY;
use crate::simulator::World;

/// A history to be recorded.
pub struct Scene {
    /// Name of its folder.
    pub name: &'static str,
    /// What it shows.
    pub(super) what: &'static str,
    pub(super) playbook: &'static str,
    /// Whether people sign, or a throw-away key.
    pub(super) signed: bool,
    /// Whether the run that dies takes another back.
    pub(super) undo: bool,
    /// Whether the process dies; else it ends by itself.
    pub(super) dies: bool,
    /// Of the journal's segments.
    pub(super) version: u16,
    /// Whether this is the moment.
    pub(super) moment: fn(&[Event], &World) -> bool,
}

const STOP: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook stop_all() {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")
    step stop "Stop" for m in machines max 10, tolerate all {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    undo { aws.ec2.start_instances(instance_ids: [m.instance_id]) }
    report "Stopped" { table(stop.items, columns: [.instance_id]) }
}
"#;

/// Two calls for each machine.
const TAG: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook tag_and_stop() {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")
    step stop "Stop" for m in machines max 10, tolerate all {
        aws.ec2.create_tags(resources: [m.instance_id], tags: { "by": "us" })
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
}
"#;

const COPY: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook copy_all() {
    let free = aws.ec2.describe_volumes().volumes
    step copy "Copy" for v in free max 10, tolerate all {
        let s = aws.ec2.create_snapshot(volume_id: v.volume_id, description: "history {run.id}") unless found(v)
        wait aws.ec2.snapshot_completed(snapshot_ids: [s.snapshot_id]) timeout 1h
        s
    }
    step delete "Delete" for v in copy.items max 10, tolerate all {
        aws.ec2.delete_volume(volume_id: v.volume_id) catch { missing => done }
    }
    undo { aws.ec2.create_volume(snapshot_id: copy.of(v).snapshot_id, availability_zone: v.availability_zone) }
}

action found(v: aws.ec2.Volume) -> aws.ec2.Snapshot? {
    aws.ec2.describe_snapshots(filters: [
        { name: "volume-id", values: [v.volume_id] },
        { name: "description", values: ["history {run.id}"] },
    ]).snapshots.first()
}
"#;

const ASK: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook stop_and_end() {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")
    step stop "Stop" for m in machines max 10, tolerate all {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
        wait aws.ec2.instance_stopped(instance_ids: [m.instance_id]) timeout 10m
    }
    let ours = stop.items.map(.instance_id)
    let stopped = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "stopped" and m.instance_id in ours)
    approve "End {stopped.count()}?" by "manager", of 2, within 7d
    step gone "End" for m in stopped max 10, tolerate all {
        aws.ec2.terminate_instances(instance_ids: [m.instance_id])
    }
}
"#;

const BESIDE: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook side_by_side() {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")
    let free = aws.ec2.describe_volumes().volumes
    parallel {
        step stop "Stop" for m in machines max 10, tolerate all {
            aws.ec2.stop_instances(instance_ids: [m.instance_id])
        }
        step drop "Delete" for v in free max 10, tolerate all {
            aws.ec2.delete_volume(volume_id: v.volume_id)
        }
    }
}
"#;

const EVERYWHERE: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook everywhere() {
    let on_aws = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")
    let on_azure = azure.compute.virtual_machines.list_all().value
    let on_gcp = gcp.compute.instances.list(project: "p", zone: "z").items.filter(m => m.status == "RUNNING")
    step stop_aws "Stop" for m in on_aws max 10, tolerate all {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    step stop_azure "Deallocate" for m in on_azure max 10, tolerate all {
        azure.compute.virtual_machines.deallocate(resource_group_name: "g", vm_name: m.name)
    }
    step stop_gcp "Stop" for m in on_gcp max 10, tolerate all {
        gcp.compute.instances.stop(project: "p", zone: "z", instance: m.name)
    }
}
"#;

const PAUSE: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook pause() {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")
    step stop "Stop" for m in machines max 10, tolerate all, temporary {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    undo { aws.ec2.start_instances(instance_ids: [m.instance_id]) }
    step copy "Copy" for v in aws.ec2.describe_volumes().volumes max 10, tolerate all, may_repeat {
        aws.ec2.create_snapshot(volume_id: v.volume_id)
    }
}
"#;

fn intents(events: &[Event], of: &str) -> usize {
    events.iter().filter(|e| matches!(e, Event::Intent { step, .. } if step == of)).count()
}

fn answers(events: &[Event]) -> usize {
    events.iter().filter(|e| matches!(e, Event::Answer { .. })).count()
}

fn at_an_intent(events: &[Event], step: &str, number: usize) -> bool {
    matches!(events.last(), Some(Event::Intent { .. })) && intents(events, step) == number
}

/// An intent of the second machine, which was never sent.
fn unsent(events: &[Event], world: &World) -> bool {
    at_an_intent(events, "stop", 2) && world.effects.len() == 1
}

/// The first call of the second machine is answered, and the intent of the second was never sent.
fn answered(events: &[Event], world: &World) -> bool {
    at_an_intent(events, "stop", 4) && answers(events) == 3 && world.effects.len() == 3
}

const PLAIN: Scene = Scene {
    name: "",
    what: "",
    playbook: STOP,
    signed: false,
    undo: false,
    dies: true,
    version: TODAY,
    moment: |_, _| false,
};

/// All of them.
pub const SCENES: &[Scene] = &[
    Scene { name: "intent", what: "died with an intent on the disk, before its call left", moment: unsent, ..PLAIN },
    Scene { name: "intent-1", what: "the same, in a journal of version 1", version: 1, moment: unsent, ..PLAIN },
    Scene {
        name: "answer",
        what: "died between the two calls of an item, with the answer of the first on the disk",
        playbook: TAG,
        moment: answered,
        ..PLAIN
    },
    Scene {
        name: "answer-2",
        what: "the same, in a journal of version 2",
        playbook: TAG,
        version: 2,
        moment: answered,
        ..PLAIN
    },
    Scene {
        name: "probe",
        what: "died while a call without a token was on its way: it arrived, and only its probe can tell",
        playbook: COPY,
        moment: |events, world| at_an_intent(events, "copy", 2) && world.count("snapshot", "vol-0002") == 1,
        ..PLAIN
    },
    Scene {
        name: "waiting",
        what: "waits for two managers to sign the rest",
        playbook: ASK,
        signed: true,
        dies: false,
        moment: |events, _| matches!(events.last(), Some(Event::Paused { .. })),
        ..PLAIN
    },
    Scene {
        name: "undo",
        what: "died while a run was taken back, with a call on its way",
        undo: true,
        moment: |events, world| at_an_intent(events, "stop", 2) && world.count("running", "i-0002") == 1,
        ..PLAIN
    },
    Scene {
        name: "parallel",
        what: "died with calls of two steps on their way, side by side",
        playbook: BESIDE,
        moment: |events, world| {
            let open = intents(events, "stop") + intents(events, "drop") - answers(events);
            open == 2 && intents(events, "stop") == 1 && world.effects.len() == 2
        },
        ..PLAIN
    },
    Scene {
        name: "three_clouds",
        what: "died in the second of three clouds, with a call on its way",
        playbook: EVERYWHERE,
        moment: |events, world| at_an_intent(events, "stop_azure", 1) && world.count("stopped", "az-0001") == 1,
        ..PLAIN
    },
    Scene {
        name: "temporary",
        what: "died while it owed what is temporary",
        playbook: PAUSE,
        moment: |events, _| at_an_intent(events, "copy", 1),
        ..PLAIN
    },
];

/// What there is before anything is done.
pub(super) fn world() -> World {
    let mut world = World::default();
    for id in ["i-0001", "i-0002", "i-0003", "az-0001", "az-0002", "gc-0001", "gc-0002"] {
        world.machine(id, "running", "dev");
    }
    for id in ["vol-0001", "vol-0002"] {
        world.volume(id, "dev");
    }
    world
}
