//! What lies in the store, written anew by whoever owns the file: plan, program, journal, records, and the catalogue.

use std::sync::Arc;

use escher_catalog::{Effect, Record, Risk, Waiter};
use escher_engine::Operations;
use escher_ir::Value;
use escher_ir::plan::{PlannedArgument, Replaced, Rollback};
use escher_ir::program::Program;

use super::*;

type Forge = (&'static str, fn(&mut Plan));

/// A field of the plan, another after the approval.
const FIELDS: &[Forge] = &[
    ("program", |p| p.program = Digest([3; 32])),
    ("playbook", |p| p.playbook = "other".into()),
    ("risk", |p| p.risk = Risk::Low),
    ("approval: none", |p| p.approval = None),
    ("approval: another role", |p| p.approval.as_mut().unwrap().by = "intern".into()),
    ("approval: nobody", |p| p.approval.as_mut().unwrap().of = 0),
    ("approval: for a year", |p| p.approval.as_mut().unwrap().valid_seconds = 31_536_000),
    ("a parameter", |p| drop(p.parameters.insert("limit".into(), Value::Int(2)))),
    ("a parameter out of bounds", |p| drop(p.parameters.insert("limit".into(), Value::Int(5_000)))),
    ("a parameter of another type", |p| drop(p.parameters.insert("limit".into(), Value::text("all")))),
    ("a parameter more", |p| drop(p.parameters.insert("force".into(), Value::Bool(true)))),
    ("a parameter less", |p| p.parameters.clear()),
    ("account", |p| p.targets[0].account = "999999999999".into()),
    ("region", |p| p.targets[0].region = "us-east-1".into()),
    ("endpoint", |p| p.targets[0].endpoint = Some("http://127.0.0.1:10".into())),
    ("role for reads", |p| p.targets[0].read_role = Some("admin".into())),
    ("role for changes", |p| p.targets[0].change_role = Some("admin".into())),
    ("a place more", |p| p.targets.push(p.targets[0].clone())),
    ("a catalogue record's hash", |p| *p.operations.values_mut().next().unwrap() = Digest([4; 32])),
    ("an operation less", |p| drop(p.operations.pop_first())),
    ("an operation more", |p| {
        let _ = p.operations.insert("aws.ec2.terminate_instances".into(), Digest([5; 32]));
    }),
    ("how old a reading may be", |p| p.recheck_after_ms = Some(86_400_000)),
    ("that it does not say how old", |p| p.recheck_after_ms = None),
    ("an answer that was replaced", |p| {
        let (path, kind) = ("machines/describe_instances".into(), "denied".into());
        p.replaced.push(Replaced { path, kind, code: None });
    }),
    ("the policy", |p| p.policy = "roles/0".into()),
    ("no steps", |p| p.steps.clear()),
    ("a step twice", |p| p.steps.push(p.steps[0].clone())),
    ("a step's name", |p| p.steps[0].name = "start".into()),
    ("a step's title", |p| p.steps[0].title = Some("Nothing much".into())),
    ("a step's bound", |p| p.steps[0].max = 100_000),
    ("a step's open number", |p| p.steps[0].up_to = Some(1_000)),
    ("how a step is taken back", |p| p.steps[0].rollback = Rollback::None),
    ("an item less", |p| drop(p.steps[0].items.pop())),
    ("an item more: the grown set", |p| {
        let mut more = p.steps[0].items[0].clone();
        more.item.id = "i-9".into();
        p.steps[0].items.push(more);
    }),
    ("an item's id", |p| p.steps[0].items[0].item.id = "i-0".into()),
    ("an item's kind", |p| p.steps[0].items[0].item.kind = "aws.ec2.Volume".into()),
    ("an item's place", |p| p.steps[0].items[0].item.target = 7),
    ("an item without calls", |p| p.steps[0].items[0].calls.clear()),
    ("a call twice", |p| {
        let again = p.steps[0].items[0].calls[0].clone();
        p.steps[0].items[0].calls.push(again);
    }),
    ("a call's operation", |p| p.steps[0].items[0].calls[0].operation = "aws.ec2.terminate_instances".into()),
    ("a call's site", |p| p.steps[0].items[0].calls[0].site = "elsewhere".into()),
    ("a call's place", |p| p.steps[0].items[0].calls[0].target = 7),
    ("a call's effects", |p| p.steps[0].items[0].calls[0].effects = vec![Effect::Observe]),
    ("a call's risk", |p| p.steps[0].items[0].calls[0].risk = Risk::Read),
    ("an argument", |p| {
        let ids = PlannedArgument::Item(Value::list(vec![Value::text("i-9")]));
        drop(p.steps[0].items[0].calls[0].arguments.insert("instance_ids".into(), ids));
    }),
    ("an argument's mark", |p| {
        let hole = PlannedArgument::Hole(Value::Hole("any".into()));
        drop(p.steps[0].items[0].calls[0].arguments.insert("instance_ids".into(), hole));
    }),
    ("an argument more", |p| {
        let force = PlannedArgument::Constant(Value::Bool(true));
        drop(p.steps[0].items[0].calls[0].arguments.insert("force".into(), force));
    }),
    ("an argument less", |p| p.steps[0].items[0].calls[0].arguments.clear()),
];

/// What no plan of this program can be, even where a manager approved it.
const UNFIT: &[(&str, &str)] = &[
    ("program", "another program"),
    ("playbook", "another playbook, risk or approval"),
    ("risk", "another playbook, risk or approval"),
    ("approval: none", "another playbook, risk or approval"),
    ("approval: another role", "another playbook, risk or approval"),
    ("approval: nobody", "another playbook, risk or approval"),
    ("approval: for a year", "another playbook, risk or approval"),
    ("a parameter out of bounds", "parameter `limit` is a `int(1..=1000)`"),
    ("a parameter of another type", "parameter `limit` is a `int(1..=1000)`"),
    ("a parameter more", "no parameter `force`"),
    ("a parameter less", "no parameter `limit`"),
    ("a catalogue record's hash", "other operations"),
    ("an operation less", "other operations"),
    ("an operation more", "other operations"),
    ("a step's name", "does not have step `stop` once"),
    ("no steps", "does not have step `stop` once"),
    ("a step twice", "does not have step `stop` once"),
    ("a step's bound", "more than 1000 things"),
    ("a call's operation", "does not list `aws.ec2.terminate_instances`"),
    ("a call's place", "has no place"),
];

/// A catalogue in which one operation is another than in the fake's.
struct Newer(&'static str, fn(&mut Record));

impl Operations for Newer {
    fn record(&self, operation: &str) -> Option<Arc<Record>> {
        let mut record = (*FakeOperations.record(operation)?).clone();
        if operation == self.0 {
            (self.1)(&mut record);
            if &*record.operation.name == "gone" {
                return None;
            }
        }
        Some(Arc::new(record))
    }
    fn waiter(&self, cloud: &str, service: &str, name: &str) -> Option<Arc<Waiter>> {
        FakeOperations.waiter(cloud, service, name)
    }
}

pub(crate) async fn plans(table: &mut Table) {
    // Written anew and unchanged, it runs.
    let control = Case::approved().await;
    control.forge_plan(|_| {});
    control.start().await.unwrap();
    for (what, forge) in FIELDS {
        let case = Case::approved().await;
        let before = case.plan();
        case.forge_plan(forge);
        assert_ne!(case.plan(), before, "{what}");
        table.refused(&format!("in the stored plan: {what}"), "", &case, case.start().await);
    }
}

pub(crate) async fn approved(table: &mut Table) {
    for (what, words) in UNFIT {
        let case = Case::planned().await;
        case.forge_plan(FIELDS.iter().find(|(name, _)| name == what).unwrap().1);
        // Whatever can be approved of it is; that alone may be refused already, and does not help.
        let _ = case.approve(1, "mara", &gate());
        table.refused(&format!("in a plan that was approved so: {what}"), words, &case, case.start().await);
    }
}

pub(crate) async fn programs(table: &mut Table) {
    type Edit = (&'static str, &'static str, fn(&mut Program));
    let edits: &[Edit] = &[
        ("a program without its approval", "another program", |p| p.playbook.approval = None),
        ("a program with a literal changed", "another program", |p| p.playbook.params[0].default = Some(int(1))),
        ("a program with another documentation", "another program", |p| p.playbook.doc = Some("harmless".into())),
        ("a program with another step's bound", "another program", |p| p.playbook.blast_radius = Some(1)),
    ];
    for (what, words, edit) in edits {
        let case = Case::approved().await;
        let mut program = (*case.bench.program).clone();
        edit(&mut program);
        let digest = case.put(codec::encode(&program).unwrap());
        case.rewrite_journal(|events| {
            if let Event::Planned { program, .. } = &mut events[0].event {
                *program = digest;
            }
        });
        table.refused(what, words, &case, case.start().await);
    }
    // An IR from elsewhere that plays its risk down, planned here.
    for (what, words, edit) in [
        (
            "a program of lower risk than its operations",
            "a lower risk than its operations",
            (|p| {
                p.playbook.risk = Risk::Low;
                p.playbook.approval = None;
            }) as fn(&mut Program),
        ),
        ("a program that takes an operation for harmless", "a lower risk of `aws.ec2.", |p| {
            p.playbook.risk = Risk::Read;
            p.playbook.approval = None;
            p.operations.values_mut().for_each(|used| used.risk = Risk::Read);
        }),
    ] {
        let mut program = program(vec![batch_step(2)]);
        edit(&mut program);
        let bench = Bench::new(program);
        let fake = Fake::with_instances(2);
        let run = bench.plan(&fake).await.run;
        let case = Case { bench, fake, run };
        table.refused(what, words, &case, case.start().await);
    }
    catalogues(table).await;
}

async fn catalogues(table: &mut Table) {
    for (what, operation, change) in [
        (
            "a newer catalogue: another wire name",
            "aws.ec2.stop_instances",
            (|r: &mut Record| r.operation.official = "Stop".into()) as fn(&mut Record),
        ),
        ("a newer catalogue: another risk", "aws.ec2.stop_instances", |r| r.operation.class.risk = Risk::Critical),
        ("a newer catalogue: another version of the service", "aws.ec2.describe_instances", |r| {
            let mut service = r.service.clone();
            service.api_version = "2030-01-01".into();
            r.service = service;
        }),
        ("a newer catalogue without an operation", "aws.ec2.stop_instances", |r| r.operation.name = "gone".into()),
    ] {
        let case = Case::approved().await;
        let engine = case.bench.engine.clone().with_operations(Arc::new(Newer(operation, change)));
        let result = engine.run(&case.run, &case.fake, &case.bench.options()).await;
        table.refused(what, &format!("`{operation}`"), &case, result);
        case.start().await.unwrap();
    }
    let case = Case::planned().await;
    let engine = case.bench.engine.clone().with_operations(Arc::new(Newer("aws.ec2.stop_instances", |r| {
        r.operation.official = "Stop".into();
    })));
    let options =
        escher_engine::PlanOptions::new("otto", escher_ir::Target { cloud: "aws".into(), ..Default::default() });
    let result = engine.plan(case.bench.program.clone(), Default::default(), &case.fake, &options).await;
    table.refused("a program planned with another catalogue", "`aws.ec2.stop_instances`", &case, result);
}

pub(crate) async fn journals(table: &mut Table) {
    let stream = |case: &Case| format!("run/{}", case.run);
    type Tamper = (&'static str, fn(&Case, &str));
    let tampers: &[Tamper] = &[
        ("a byte of the journal", |case, stream| {
            case.sql(|db| {
                let sql = "UPDATE segments SET bytes = substr(bytes, 1, 60) || x'ff' || substr(bytes, 62) WHERE stream = ?1 AND seq = 0";
                assert_eq!(db.execute(sql, [stream]).unwrap(), 1);
            });
        }),
        ("a byte of the journal, hashes worked out again", |case, stream| {
            let mut bytes = case.bench.engine.store().read(stream, 0).unwrap().remove(0).bytes;
            bytes[60] ^= 1;
            case.replace_stream(stream, &[bytes]);
        }),
        ("the journal's beginning gone", |case, stream| {
            case.sql(|db| {
                assert_eq!(db.execute("DELETE FROM segments WHERE stream = ?1 AND seq = 0", [stream]).unwrap(), 1)
            });
        }),
        ("the journal's approval gone from its rows", |case, stream| {
            case.sql(|db| {
                assert_eq!(db.execute("DELETE FROM segments WHERE stream = ?1 AND seq = 1", [stream]).unwrap(), 1)
            });
        }),
        ("the journal's approval gone", |case, _| {
            case.rewrite_journal(|events| events.retain(|e| !matches!(e.event, Event::Approved { .. })))
        }),
        ("a journal that begins with its approval", |case, _| case.rewrite_journal(|events| events.rotate_right(1))),
        ("a journal without a plan", |case, _| case.rewrite_journal(|events| drop(events.remove(0)))),
        ("another planner in the journal", |case, _| {
            case.rewrite_journal(|events| {
                if let Event::Planned { principal, .. } = &mut events[0].event {
                    *principal = "eve".into();
                }
            });
        }),
        ("another end of the journal", |case, stream| {
            case.sql(|db| {
                let sql = "UPDATE segments SET head = zeroblob(32) WHERE stream = ?1 AND seq = 1";
                assert_eq!(db.execute(sql, [stream]).unwrap(), 1);
            });
        }),
        ("a journal that says the run has begun", |case, _| {
            case.rewrite_journal(|events| {
                let plan = case.bench.engine.planned(&case.run).unwrap();
                let (plan, program) = (plan.digest, plan.plan.program);
                let event =
                    Event::Started { plan, program, approvals: vec![], principal: "otto".into(), undo_of: None };
                events.push(Entry { at: events[0].at, event });
            });
        }),
        ("the plan gone", |case, _| gone(case, case.bench.engine.planned(&case.run).unwrap().digest)),
        ("the program gone", |case, _| gone(case, case.plan().program)),
        ("the approval's statement gone", |case, _| gone(case, case.bench.engine.signed(&case.run).unwrap()[0].0)),
        ("a byte of the plan", |case, _| damaged(case, case.bench.engine.planned(&case.run).unwrap().digest)),
        ("a byte of the program", |case, _| damaged(case, case.plan().program)),
        ("a byte of the approval's statement", |case, _| {
            damaged(case, case.bench.engine.signed(&case.run).unwrap()[0].0)
        }),
        ("a program in the plan's place", |case, _| {
            let (plan, program) = (case.bench.engine.planned(&case.run).unwrap().digest, case.plan().program);
            instead(case, plan, program);
        }),
        ("a plan in the approval's place", |case, _| {
            let (plan, signed) = (
                case.bench.engine.planned(&case.run).unwrap().digest,
                case.bench.engine.signed(&case.run).unwrap()[0].0,
            );
            instead(case, signed, plan);
        }),
    ];
    for (what, tamper) in tampers {
        let case = Case::approved().await;
        tamper(&case, &stream(&case));
        table.refused(what, "", &case, case.start().await);
    }
    let case = Case::approved().await;
    case.rewrite_journal(|_| {});
    case.start().await.unwrap();
    // The whole store under another name: what was signed for the one is not for the other.
    let case = Case::approved().await;
    case.sql(|db| assert_eq!(db.execute("UPDATE meta SET value = 's-another' WHERE name = 'store'", []).unwrap(), 1));
    let other = Bench::engine_on(open(&case.bench.state()), &case.bench.clock);
    let result = other.run(&case.run, &case.fake, &case.bench.options()).await;
    table.refused("the state under another store's name", "another state store", &case, result);
}

fn gone(case: &Case, object: Digest) {
    case.sql(|db| assert_eq!(db.execute("DELETE FROM objects WHERE digest = ?1", [&object.0[..]]).unwrap(), 1));
}

fn damaged(case: &Case, object: Digest) {
    let mut bytes = case.bench.engine.store().get(&object).unwrap().unwrap();
    bytes[40] ^= 1;
    case.sql(|db| {
        let sql = "UPDATE objects SET bytes = ?2 WHERE digest = ?1";
        assert_eq!(db.execute(sql, params![&object.0[..], bytes]).unwrap(), 1);
    });
}

fn instead(case: &Case, object: Digest, by: Digest) {
    let bytes = case.bench.engine.store().get(&by).unwrap().unwrap();
    case.sql(|db| {
        let sql = "UPDATE objects SET bytes = ?2 WHERE digest = ?1";
        assert_eq!(db.execute(sql, params![&object.0[..], bytes]).unwrap(), 1);
    });
}
