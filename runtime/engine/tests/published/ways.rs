//! Ways past the gate through templates, schedules and settings, a row each: refused with exit 3 and an audit record, and
//! nothing is sent. The same steps without the tampering succeed.

use super::*;
use escher_engine::AllowedSigners;
use escher_ir::audit::AuditEvent;
use escher_ir::calendar::Calendar;
use escher_ir::journal::{Entry, Event, Segment};
use escher_ir::plan::Plan;
use escher_ir::published::Publication;
use escher_ir::statement::{Signed, Statement, StatementKind};
use escher_policy::Policy;
use rusqlite::{Connection, params};

fn sign(seed: u8, statement: &[u8]) -> String {
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
    let signed = ssh_key::PrivateKey::from(pair).sign("escher-approval", ssh_key::HashAlg::Sha512, statement);
    signed.unwrap().to_pem(ssh_key::LineEnding::LF).unwrap()
}

/// What somebody does, the words with which it is refused, and how it is done.
type Row<T> = (&'static str, &'static str, fn(&mut T));

#[derive(Default)]
struct Table {
    rows: Vec<String>,
}

impl Table {
    fn refused<T>(&mut self, what: &str, words: &str, shop: &Shop, result: Result<T, EngineError>) {
        let error = match result {
            Ok(_) => panic!("{what}: it got past the gate"),
            Err(error) => error,
        };
        assert_eq!(error.exit_code(), 3, "{what}: {error}");
        let reason = error.to_string();
        assert!(reason.contains(words), "{what}: {reason}");
        let log = shop.bench.engine.audit(0).unwrap();
        match &log.last().unwrap().event {
            AuditEvent::Refused { reason: told, .. } => assert_eq!(*told, reason, "{what}"),
            other => panic!("{what}: the last audit record is {other:?}"),
        }
        assert!(shop.fake.arrived().is_empty(), "{what}: something was sent");
        assert!(!self.rows.contains(&what.to_string()), "{what} stands twice");
        self.rows.push(what.to_string());
    }
}

impl Shop {
    /// With a template, twice a day, that mara published.
    fn open() -> Shop {
        let shop = Shop::new(2);
        shop.publish(&shop.template(2));
        shop
    }

    fn sql(&self, change: impl FnOnce(&Connection)) {
        change(&Connection::open(self.bench.state().join("state.db")).unwrap());
    }

    /// Puts these segments in the place of a stream's, every hash worked out again.
    fn replace_stream(&self, stream: &str, segments: &[Vec<u8>]) {
        self.sql(|db| {
            db.execute("DELETE FROM segments WHERE stream = ?1", [stream]).unwrap();
            db.execute("DELETE FROM heads WHERE stream = ?1", [stream]).unwrap();
            let mut head = escher_engine::Head::EMPTY;
            for bytes in segments {
                let after = head.after(bytes);
                let row = params![stream, head.count, &head.digest.0[..], &after.digest.0[..], bytes];
                db.execute("INSERT INTO segments VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
                let last = params![stream, head.count, &after.digest.0[..]];
                db.execute("INSERT OR REPLACE INTO heads VALUES (?1, ?2, ?3)", last).unwrap();
                head = after;
            }
        });
    }

    /// What is published under a name says another item.
    fn forge(&self, name: &str, change: impl FnOnce(&mut Standing)) {
        let published = self.bench.engine.published().unwrap().into_iter().find(|p| p.name == name).unwrap();
        let mut standing = published.standing.clone();
        change(&mut standing);
        let digest = self.put(codec::encode(&standing).unwrap());
        self.entries(name, |entry| {
            if let Publication::Published { standing, .. } = entry {
                *standing = digest;
            }
        });
    }

    fn entries(&self, name: &str, mut change: impl FnMut(&mut Publication)) {
        let stream = format!("published/{name}");
        let all = self.bench.engine.store().read(&stream, 0).unwrap();
        let all = all.iter().map(|segment| {
            let (_, mut entry): (_, Publication) = codec::decode(&segment.bytes).unwrap();
            change(&mut entry);
            codec::encode(&entry).unwrap().1
        });
        let all: Vec<Vec<u8>> = all.collect();
        self.replace_stream(&stream, &all);
    }

    /// The statement under what is published is another, under the signature of its own.
    fn forge_statement(&self, name: &str, change: impl FnOnce(&mut Statement), resign: Option<u8>) {
        let published = self.bench.engine.published().unwrap().into_iter().find(|p| p.name == name).unwrap();
        let bytes = self.bench.engine.store().get(&published.signed[0].0).unwrap().unwrap();
        let (_, mut signed): (_, Signed) = codec::decode(&bytes).unwrap();
        let mut statement: Statement = serde_json::from_str(&signed.statement).unwrap();
        change(&mut statement);
        signed.statement = String::from_utf8(statement.to_bytes()).unwrap();
        if let Some(seed) = resign {
            signed.signature = sign(seed, signed.statement.as_bytes());
        }
        let digest = self.put(codec::encode(&signed).unwrap());
        self.entries(name, |entry| {
            if let Publication::Published { statement, .. } = entry {
                *statement = digest;
            }
        });
    }

    /// The plan of a run is another, every hash worked out again.
    fn forge_plan(&self, run: &str, change: impl FnOnce(&mut Plan)) {
        let mut plan = (*self.bench.engine.planned(run).unwrap().plan).clone();
        change(&mut plan);
        let forged = self.put(codec::encode(&plan).unwrap());
        let stream = format!("run/{run}");
        let mut whole = Segment { first: 0, events: Vec::<Entry>::new(), objects: Vec::new() };
        for segment in self.bench.engine.store().read(&stream, 0).unwrap() {
            let (_, segment) = codec::decode::<Segment>(&segment.bytes).unwrap();
            whole.events.extend(segment.events);
            whole.objects.extend(segment.objects);
        }
        for entry in &mut whole.events {
            if let Event::Planned { plan, .. } = &mut entry.event {
                *plan = forged;
            }
        }
        self.replace_stream(&stream, &[codec::encode(&whole).unwrap().1]);
    }
}

#[tokio::test]
async fn ways_past_what_was_published() {
    let mut table = Table::default();
    let shop = Shop::open();
    let planned = shop.plan("eli", &[]).await.unwrap();
    assert_eq!(escher_engine::plan_json(&planned)["published"]["name"], "some");
    assert_eq!(shop.start("eli", &planned).await.unwrap().standing.word(), "done");
    people(&mut table).await;
    parameters(&mut table).await;
    moments(&mut table).await;
    rates(&mut table).await;
    publications(&mut table).await;
    stores(&mut table).await;
    plans(&mut table).await;
    settings(&mut table).await;
    schedules(&mut table).await;
    println!("{} ways past what was published, each refused with exit 3 and an audit record", table.rows.len());
    assert!(table.rows.len() >= 80, "{} rows", table.rows.len());
}

/// What no signature shows, because whoever owns the store wrote every hash anew, the audit log shows.
#[tokio::test]
async fn what_was_rewritten_is_found_by_the_log() {
    let first_only = |shop: &Shop, stream: &str| {
        let first = shop.bench.engine.store().read_one(stream, 0).unwrap().unwrap();
        shop.replace_stream(stream, &[first.bytes]);
    };
    for (stream, whole) in
        [("uses/some", true), ("uses/some", false), ("published/some", true), ("published/some", false), ("halt", true)]
    {
        let shop = Shop::open();
        shop.extend("eli").await.unwrap();
        shop.extend("eli").await.unwrap();
        shop.withdraw("some");
        shop.bench.engine.set_halted(true, "", &shop.gate, "eli").unwrap();
        assert_eq!(shop.bench.engine.verify_audit().unwrap().problems, []);
        if whole {
            shop.replace_stream(stream, &[])
        } else {
            first_only(&shop, stream)
        }
        let problems = shop.bench.engine.verify_audit().unwrap().problems;
        let told = |reason: &str| reason.contains("is gone") || reason.contains("different signatures or uses");
        assert!(problems.iter().any(|p| p.at == stream && told(&p.reason)), "{stream}: {problems:?}");
    }
}

async fn people(table: &mut Table) {
    let shop = Shop::open();
    table.refused("a viewer", "no rule of the policy lets `vera` plan", &shop, shop.plan("vera", &[]).await);
    table.refused("nobody's role", "no rule of the policy lets `zoe` plan", &shop, shop.plan("zoe", &[]).await);
    table.refused("a name in other letters", "lets `Eli` plan", &shop, shop.plan("Eli", &[]).await);
    table.refused("a name with a role in it", "plan", &shop, shop.plan("eli\" in Role::\"manager", &[]).await);
    table.refused("who signed it", "nobody approves their own", &shop, shop.extend("mara").await);
    let planned = shop.plan("eli", &[]).await.unwrap();
    let result = shop.start("mara", &planned).await;
    table.refused("who signed it starts what another planned", "nobody approves their own", &shop, result);
    let result = shop.start("vera", &planned).await;
    table.refused("a viewer starts what another planned", "lets `vera` extend", &shop, result);
    for (what, seed, who, words) in [
        ("published by a signer without the role", 3, "eve", "does not have the role `manager`"),
        ("published with another's key", 3, "mara", "is not for `mara`"),
        ("published for another manager", 1, "ben", "is not for `ben`"),
        ("published for an executor", 1, "eli", "is not for `eli`"),
        ("published with a key that nobody knows", 9, "mara", "not among the allowed signers"),
    ] {
        let other = Standing { name: "other".into(), ..shop.template(2) };
        table.refused(what, words, &shop, shop.publish_as(&other, seed, who));
    }
    let mut shop = Shop::open();
    shop.gate.solo = true;
    table.refused("`solo` turned on by who signed it", "`solo` is another", &shop, shop.extend("mara").await);
    // Two are needed, and one signed; or one with two keys.
    for (what, with) in [("one of two signatures", 1), ("two keys of one person", 11)] {
        let shop = Shop::new(2);
        let mut two = shop.template(2);
        two.program.playbook.approval.as_mut().unwrap().of = 2;
        shop.publish_as(&two, 1, "mara").unwrap();
        if with == 11 {
            shop.bench.clock.advance(1);
            shop.publish_as(&two, with, "mara").unwrap();
        }
        table.refused(what, "needs 2 of role `manager` to publish it, and has 1", &shop, shop.extend("eli").await);
        if with == 11 {
            shop.publish_as(&two, 2, "ben").unwrap();
            shop.extend("eli").await.unwrap();
        }
    }
    let shop = Shop::new(2);
    let mut critical = shop.template(2);
    critical.program.playbook.risk = escher_catalog::Risk::Critical;
    shop.publish(&critical);
    table.refused("one signature under what is critical", "needs 2 of role", &shop, shop.extend("eli").await);
}

async fn parameters(table: &mut Table) {
    let shop = Shop::open();
    for (what, name, value, words) in [
        ("what is fixed set to another", "env", Value::text("prod"), "`env` is fixed"),
        ("what is fixed set to nothing", "env", Value::None, "`env` is fixed"),
        ("what is fixed set to a list", "env", Value::list(vec![Value::text("dev")]), "`env` is fixed"),
        ("what is fixed in other letters", "env", Value::text("Dev"), "`env` is fixed"),
    ] {
        table.refused(what, words, &shop, shop.plan("eli", &[(name, value)]).await);
    }
    for (what, value) in [
        ("more than it is narrowed to", Value::Int(21)),
        ("less than it is narrowed to", Value::Int(0)),
        ("a negative one", Value::Int(-1)),
        ("the greatest number", Value::Int(i64::MAX)),
        ("a text for a number", Value::text("5")),
        ("nothing for a number", Value::None),
    ] {
        let planned = shop.plan("eli", &[("limit", Value::Int(5))]).await.unwrap();
        shop.forge_plan(&planned.run, |plan| {
            plan.parameters.insert("limit".into(), value);
        });
        table.refused(what, "parameter `limit`", &shop, shop.start("eli", &planned).await);
    }
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.forge_plan(&planned.run, |plan| {
        plan.parameters.insert("env".into(), Value::text("prod"));
    });
    table.refused("a fixed one in a plan that was written anew", "`env`", &shop, shop.start("eli", &planned).await);
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.forge_plan(&planned.run, |plan| drop(plan.parameters.remove("env")));
    table.refused("a fixed one left out of a plan", "`env`", &shop, shop.start("eli", &planned).await);
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.forge_plan(&planned.run, |plan| {
        plan.parameters.insert("more".into(), Value::Int(1));
    });
    table.refused("a parameter that there is not", "`more`", &shop, shop.start("eli", &planned).await);
}

async fn moments(table: &mut Table) {
    let shop = Shop::open();
    *shop.bench.clock.0.lock().unwrap() = "2027-04-01T00:00:00Z".parse().unwrap();
    table.refused("after its last day", "held until 2027-04-01T00:00:00Z", &shop, shop.plan("eli", &[]).await);
    let shop = Shop::open();
    *shop.bench.clock.0.lock().unwrap() = "2027-03-31T23:59:59Z".parse().unwrap();
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.bench.clock.advance(1);
    table.refused("planned on its last day, started after", "held until", &shop, shop.start("eli", &planned).await);
    let shop = Shop::new(2);
    shop.publish(&Standing { until: None, ..shop.template(2) });
    shop.bench.clock.advance(90 * 86_400 - 1);
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.bench.clock.advance(1);
    table.refused("ninety days on, where it does not say", "it ended at", &shop, shop.start("eli", &planned).await);
    let shop = Shop::new(2);
    let date = Some(Value::Date("2099-12-31".parse().unwrap()));
    shop.publish(&Standing { until: date, ..shop.template(2) });
    shop.bench.clock.advance(366 * 86_400);
    table.refused("more than a year on", "it ended at", &shop, shop.extend("eli").await);
    let shop = Shop::open();
    shop.bench.clock.advance(-600);
    table.refused("the clock set back", "the last audit record", &shop, shop.plan("eli", &[]).await);
    let shop = Shop::new(2);
    let ended = Standing { until: Some(Value::Date("2026-11-20".parse().unwrap())), ..shop.template(2) };
    table.refused("published when it had ended", "it ended at", &shop, shop.publish_as(&ended, 1, "mara"));
    let odd = Standing { until: Some(Value::text("for ever")), ..shop.template(2) };
    table.refused("until a text", "it ended at", &shop, shop.publish_as(&odd, 1, "mara"));
    let mut shop = Shop::open();
    let line = format!("mara valid-before=\"20261201\" {}", key(1).public_line().unwrap());
    shop.gate.signers = AllowedSigners::parse(&line).unwrap();
    shop.bench.engine.sign_trust(&key(1), &shop.gate, "mara").unwrap();
    *shop.bench.clock.0.lock().unwrap() = "2026-12-02T08:00:00Z".parse().unwrap();
    table.refused("its signer's key has ended", "no longer valid", &shop, shop.extend("eli").await);
}

async fn rates(table: &mut Table) {
    for (what, per, forward) in [
        ("twice in an hour", "hour", 3_500),
        ("twice a day", "day", 10 * 3_600),
        ("twice a week", "week", 30 * 3_600),
        ("twice a month", "month", 8 * 86_400),
    ] {
        let shop = Shop::new(0);
        shop.publish(&shop.rated(1, per));
        shop.extend("eli").await.unwrap();
        shop.bench.clock.advance(forward);
        table.refused(what, &format!("may run once a {per}, and has"), &shop, shop.extend("eli").await);
        shop.bench.clock.advance(31 * 86_400);
        shop.extend("eli").await.unwrap();
    }
    let shop = Shop::new(0);
    shop.publish(&shop.template(2));
    let planned = [
        shop.plan("eli", &[]).await.unwrap(),
        shop.plan("eli", &[]).await.unwrap(),
        shop.plan("eli", &[]).await.unwrap(),
    ];
    shop.start("eli", &planned[0]).await.unwrap();
    shop.start("otto", &planned[1]).await.unwrap();
    let result = shop.start("eli", &planned[2]).await;
    table.refused("planned before the others ran", "may run 2 times a day, and has", &shop, result);
    let result = shop.start("eli", &planned[0]).await;
    table.refused("a run of it started again", "a plan starts once", &shop, result);
    let result = shop.extend("otto").await;
    table.refused("another person's turn", "may run 2 times a day, and has", &shop, result);
    shop.publish(&Standing { doc: Some("the same again".into()), ..shop.template(2) });
    let result = shop.extend("eli").await;
    table.refused("published anew to count from nothing", "may run 2 times a day, and has", &shop, result);
    let zero = Shop::new(0);
    zero.publish(&zero.template(0));
    table.refused("a rate of none", "may run 0 times a day, and has", &zero, zero.extend("eli").await);
}

async fn publications(table: &mut Table) {
    let shop = Shop::open();
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.withdraw("some");
    table.refused("withdrawn", "nothing is published here as `some`", &shop, shop.plan("eli", &[]).await);
    let result = shop.start("eli", &planned).await;
    table.refused("withdrawn after it was planned", "nothing is published here as `some`", &shop, result);
    let options = PublishOptions { principal: "ben".into(), ..PublishOptions::default() };
    let result = shop.bench.engine.withdraw("some", &key(2), &options, &shop.gate);
    table.refused("withdrawn twice", "nothing is published here", &shop, result);
    let shop = Shop::open();
    let options = PublishOptions { principal: "eve".into(), ..PublishOptions::default() };
    let result = shop.bench.engine.withdraw("some", &key(3), &options, &shop.gate);
    table.refused("withdrawn by who may not", "does not have the role `manager`", &shop, result);
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.publish(&shop.template(5));
    let result = shop.start("eli", &planned).await;
    table.refused("published anew after it was planned", "published anew since", &shop, result);
    // The signature of what was replaced, handed in again.
    let shop = Shop::new(2);
    let (first, options) = (shop.template(9), PublishOptions { principal: "mara".into(), ..PublishOptions::default() });
    let statement = shop.bench.engine.publication_for(&first, &options).unwrap().to_bytes();
    let signature = sign(1, &statement);
    let hand_in = || shop.bench.engine.add_publication(&first, &statement, &signature, &options, &shop.gate);
    hand_in().unwrap();
    shop.publish(&shop.template(2));
    table.refused("what was replaced, handed in again", "withdrawn or published anew", &shop, hand_in());
    shop.withdraw("some");
    table.refused("what was withdrawn, handed in again", "withdrawn or published anew", &shop, hand_in());
    // Statements that were signed well, for something else.
    let shop = Shop::new(2);
    for (what, words, change) in [
        ("a statement of a plan", "of another kind", (|s| s.kind = StatementKind::Plan) as fn(&mut Statement)),
        ("a statement of a schedule for a template", "of another kind", |s| s.kind = StatementKind::Standing),
        ("a statement of an end", "of another kind", |s| s.kind = StatementKind::Revocation),
        ("a statement of another name", "it was signed for `other`", |s| s.run = "other".into()),
        ("a statement of another playbook", "for another `some`", |s| s.playbook = "other".into()),
        ("a statement of another digest", "for another `some`", |s| s.digest = Digest([1; 32])),
        ("a statement of another state", "another state store", |s| s.store = "elsewhere".into()),
        ("a statement of no quorum", "it was signed for 0 approvers", |s| s.quorum = 0),
        ("a statement that ended", "it ended at", |s| s.expires = "2026-11-20T00:00:00Z".parse().unwrap()),
        ("a statement from tomorrow", "it holds from", |s| s.signed = "2026-11-22T08:00:00Z".parse().unwrap()),
        ("a statement beyond the item's end", "holds longer than", |s| {
            s.expires = "2027-05-01T00:00:00Z".parse().unwrap()
        }),
        ("a statement for years", "holds longer than", |s| s.expires = "2036-05-01T00:00:00Z".parse().unwrap()),
        ("a statement of another schema", "of another kind", |s| s.schema = "escher.statement/1".into()),
    ] {
        let standing = shop.template(2);
        let mut statement = shop.bench.engine.publication_for(&standing, &options).unwrap();
        change(&mut statement);
        let statement = statement.to_bytes();
        let signature = sign(1, &statement);
        let result = shop.bench.engine.add_publication(&standing, &statement, &signature, &options, &shop.gate);
        table.refused(what, words, &shop, result);
    }
    let standing = shop.template(2);
    let statement = shop.bench.engine.publication_for(&standing, &options).unwrap().to_bytes();
    let signature = sign(1, &statement);
    let publish = |standing: &Standing, statement: &[u8], signature: &str| {
        shop.bench.engine.add_publication(standing, statement, signature, &options, &shop.gate)
    };
    let mut spaced = statement.clone();
    spaced.insert(1, b' ');
    table.refused("a statement in another spelling", "canonical", &shop, publish(&standing, &spaced, &signature));
    let mut twice = signature.clone();
    twice.push_str(&signature);
    table.refused(
        "two signatures in one",
        "this publication does not count",
        &shop,
        publish(&standing, &statement, &twice),
    );
    table.refused("no signature", "its signature cannot be read", &shop, publish(&standing, &statement, ""));
    let wide = Standing {
        program: {
            let mut p = standing.program.clone();
            p.playbook.params[0].ty = Type::INT;
            p
        },
        ..standing.clone()
    };
    table.refused(
        "a wider item under the signature",
        "for another `some`",
        &shop,
        publish(&wide, &statement, &signature),
    );
    let odd = Standing { name: "../some".into(), ..standing.clone() };
    table.refused("a name with a path in it", "this is no name", &shop, publish(&odd, &statement, &signature));
    publish(&standing, &statement, &signature).unwrap();
    shop.extend("eli").await.unwrap();
}

async fn stores(table: &mut Table) {
    let rows: &[Row<Standing>] = &[
        ("a wider parameter in the store", "for another `some`", |s| {
            s.program.playbook.params[0].ty = Type::Int { min: Some(1), max: Some(1_000) };
        }),
        ("a higher rate in the store", "for another `some`", |s| {
            if let StandingKind::Template { rate, .. } = &mut s.kind {
                *rate = None;
            }
        }),
        ("a later end in the store", "for another `some`", |s| s.until = None),
        ("no approval needed, in the store", "does not count", |s| s.program.playbook.approval = None),
        ("nothing fixed, in the store", "for another `some`", |s| {
            if let StandingKind::Template { fixed, .. } = &mut s.kind {
                fixed.clear();
            }
        }),
        ("another playbook in the store", "for another `some`", |s| s.program.playbook.name = "other".into()),
        ("other places in the store", "for another `some`", |s| {
            s.groups.insert("dev".into(), vec![Target::default()]);
        }),
        ("made a schedule in the store", "of another kind", |s| {
            s.kind = StandingKind::Schedule {
                arguments: BTreeMap::new(),
                when: When::EveryMs(1),
                overlap: "skip".into(),
                missed: "skip".into(),
                within_ms: None,
                jitter_ms: None,
            };
        }),
    ];
    for (what, words, change) in rows {
        let shop = Shop::open();
        shop.forge("some", change);
        table.refused(what, words, &shop, shop.extend("eli").await);
    }
    for (what, words, resign, change) in [
        (
            "a longer validity in the store",
            "signature",
            None,
            (|s| s.expires = "2027-03-31T00:00:00Z".parse().unwrap()) as fn(&mut Statement),
        ),
        ("another signer's name in the store", "signature", None, |s| s.principal = "ben".into()),
        ("signed anew by who may not", "does not have the role", Some(3), |s| s.principal = "eve".into()),
        ("signed anew by nobody", "not among the allowed signers", Some(9), |_| {}),
    ] {
        let shop = Shop::open();
        shop.forge_statement("some", change, resign);
        table.refused(what, words, &shop, shop.extend("eli").await);
    }
    let shop = Shop::open();
    shop.sql(|db| assert_eq!(db.execute("DELETE FROM segments WHERE stream = 'trust'", []).unwrap(), 1));
    table.refused("the root of trust deleted", "root of trust", &shop, shop.extend("eli").await);
}

async fn plans(table: &mut Table) {
    let rows: &[Row<Plan>] = &[
        ("a plan that says it is of nothing published", "needs 1 of role `manager` to approve it", |p| p.under = None),
        ("a plan of another name", "nothing is published here as `other`", |p| {
            p.under.as_mut().unwrap().name = "other".into();
        }),
        ("a plan of another item", "", |p| p.under.as_mut().unwrap().standing = Digest([7; 32])),
        ("a plan of another program", "", |p| p.program = Digest([7; 32])),
        ("a plan of lower risk", "states another playbook, risk or approval", |p| p.risk = escher_catalog::Risk::Read),
        ("a plan that needs no approval", "states another playbook, risk or approval", |p| p.approval = None),
        ("a plan of another policy", "the policy is another", |p| p.policy = "none".into()),
        ("a plan with a higher `max`", "would touch more than", |p| p.steps[0].max = 10_000),
        ("a plan of more items than its `max`", "would touch more than", |p| {
            let item = p.steps[0].items[0].clone();
            p.steps[0].items = vec![item; 501];
        }),
        ("a plan with a step more", "", |p| {
            let mut step = p.steps[0].clone();
            step.name = "another".into();
            p.steps.push(step);
        }),
        ("a plan without its step", "does not have step", |p| p.steps.clear()),
        ("a plan with another call", "does not list", |p| {
            p.steps[0].items[0].calls[0].operation = "aws.ec2.terminate_instances".into();
        }),
        ("a plan of no place", "has no place", |p| p.targets.clear()),
        ("a plan with fewer operations", "lists other operations", |p| p.operations.clear()),
    ];
    for (what, words, change) in rows {
        let shop = Shop::open();
        let planned = shop.plan("eli", &[]).await.unwrap();
        shop.forge_plan(&planned.run, change);
        table.refused(what, words, &shop, shop.start("eli", &planned).await);
    }
}

async fn settings(table: &mut Table) {
    let rows: &[Row<Gate>] = &[
        ("an executor more", "the role `executor` has other members", |g| {
            g.roles.get_mut("executor").unwrap().push("vera".into());
        }),
        ("a manager more", "the role `manager` has other members", |g| {
            g.roles.get_mut("manager").unwrap().push("eli".into());
        }),
        ("a role more", "the role `boss` has other members", |g| {
            g.roles.insert("boss".into(), vec!["eli".into()]);
        }),
        ("no viewers, so that everybody may", "the role `viewer` has other members", |g| {
            g.roles.remove("viewer");
        }),
        ("a signer more", "the allowed signers are others", |g| {
            g.signers = AllowedSigners::parse(&format!(
                "mara {}\nzoe {}",
                key(1).public_line().unwrap(),
                key(8).public_line().unwrap()
            ))
            .unwrap();
        }),
        ("a policy of one's own", "the policy is another", |g| {
            g.policy = Policy::with("permit (principal, action, resource);").unwrap();
        }),
        ("another zone of the policy", "the time zone of the policy is another", |g| g.zone = "Asia/Tokyo".into()),
        ("a freeze more", "the freeze `all` is another", |g| {
            // It does not hold now: that it is there is enough.
            let far = Calendar::Between { from: "2090-01-01".into(), until: "2090-01-02".into(), zone: "UTC".into() };
            g.freezes.insert("all".into(), far);
        }),
        ("a catalogue of one's own", "the files of `[catalog]` are others", |g| {
            g.catalog.insert("aws".into(), "00".into());
        }),
    ];
    for (what, words, change) in rows {
        let mut shop = Shop::open();
        if *what == "a policy of one's own" {
            // It decides before it is asked who signed it; the plan says which it was made under.
            change(&mut shop.gate);
            let planned = shop.plan("zoe", &[]).await.unwrap();
            table.refused(what, words, &shop, shop.start("zoe", &planned).await);
            continue;
        }
        let planned = shop.plan("eli", &[]).await.unwrap();
        change(&mut shop.gate);
        table.refused(what, words, &shop, shop.start("eli", &planned).await);
    }
    // A freeze that the root key signed holds; taking it out again is no way.
    let mut shop = Shop::open();
    let now = Calendar::Between { from: "2026-11-01".into(), until: "2026-11-30".into(), zone: "UTC".into() };
    shop.gate.freezes.insert("november".into(), now);
    shop.bench.engine.sign_trust(&key(1), &shop.gate, "mara").unwrap();
    table.refused("while a freeze holds", "rule `freeze`", &shop, shop.extend("eli").await);
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.gate.freezes.clear();
    let result = shop.start("eli", &planned).await;
    table.refused("a freeze taken out of the settings", "the freeze `november` is another", &shop, result);
    let shop = Shop::open();
    let planned = shop.plan("eli", &[]).await.unwrap();
    shop.bench.engine.set_halted(true, "", &shop.gate, "eli").unwrap();
    table.refused("while it is halted", "rule `halted`", &shop, shop.start("eli", &planned).await);
    let result = shop.bench.engine.set_halted(false, "", &shop.gate, "eli");
    table.refused("an executor lifts the halt", "lets `eli` lift", &shop, result);
    let mut shop = shop;
    shop.gate.roles.get_mut("manager").unwrap().push("eli".into());
    let result = shop.bench.engine.set_halted(false, "", &shop.gate, "eli");
    table.refused("who made a manager of themselves lifts it", "the role `manager` has other members", &shop, result);
}

async fn schedules(table: &mut Table) {
    let at = |shop: &Shop, time: &str| *shop.bench.clock.0.lock().unwrap() = time.parse().unwrap();
    let planned = async |shop: &Shop, due: Option<&str>| {
        shop.publish(&shop.schedule("skip", "run_once", Some(2)));
        at(shop, "2026-11-21T20:00:00Z");
        // As a look plans it.
        let planned = shop
            .bench
            .engine
            .extend("nightly", BTreeMap::new(), &shop.fake, &shop.planning("schedule:nightly"))
            .await
            .unwrap();
        shop.forge_plan(&planned.run, |plan| plan.under.as_mut().unwrap().due = due.map(|due| due.parse().unwrap()));
        planned
    };
    let shop = Shop::new(2);
    let good = planned(&shop, Some("2026-11-21T20:00:00Z")).await;
    let start = async |shop: &Shop, planned: &Planned| shop.start("schedule:nightly", planned).await;
    start(&shop, &good).await.unwrap();
    for (what, words, due) in [
        ("started by hand", "does not say when it was due", None),
        ("at a time that is none of it", "is not due at", Some("2026-11-21T19:30:00Z")),
        ("before its time", "and it is", Some("2026-11-22T20:00:00Z")),
        ("too late", "which is too long ago", Some("2026-11-20T20:00:00Z")),
    ] {
        let shop = Shop::new(2);
        let run = planned(&shop, due).await;
        table.refused(what, words, &shop, start(&shop, &run).await);
    }
    let shop = Shop::new(0);
    let (one, other) = {
        let one = planned(&shop, Some("2026-11-21T20:00:00Z")).await;
        let other = shop
            .bench
            .engine
            .extend("nightly", BTreeMap::new(), &shop.fake, &shop.planning("schedule:nightly"))
            .await
            .unwrap();
        shop.forge_plan(&other.run, |plan| {
            plan.under.as_mut().unwrap().due = Some("2026-11-21T20:00:00Z".parse().unwrap())
        });
        (one, other)
    };
    start(&shop, &one).await.unwrap();
    table.refused("the same time twice", "has been decided of", &shop, start(&shop, &other).await);
    let shop = Shop::new(2);
    let run = planned(&shop, Some("2026-11-21T20:00:00Z")).await;
    shop.bench.engine.pause("nightly", true, &shop.gate, "eli").unwrap();
    table.refused("while it is paused", "is paused by `eli`", &shop, start(&shop, &run).await);
    let result = shop.bench.engine.pause("nightly", false, &shop.gate, "vera");
    table.refused("a viewer lets it go on", "lets `vera` pause", &shop, result);
    let shop = Shop::new(2);
    let standing = shop.schedule("skip", "run_once", None);
    table.refused("published by an executor", "does not have the role", &shop, shop.publish_as(&standing, 3, "eve"));
}
