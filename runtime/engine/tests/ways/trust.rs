//! The root of trust: settings that the root key has not signed, and what somebody may do to its record.

use escher_engine::{AllowedSigners, SigningKey};
use escher_ir::statement::Signed;
use escher_ir::trust::TrustEntry;
use jiff::SignedDuration;

use super::statements::sign;
use super::*;

fn root() -> SigningKey {
    key(50)
}

/// Approved under a root key that `init` pinned before anything else.
async fn rooted() -> Case {
    let bench = Bench::new(program(vec![batch_step(2)]));
    bench.engine.pin_root(&root().public_line().unwrap(), &gate(), "ada").unwrap();
    let fake = Fake::with_instances(2);
    let run = bench.plan(&fake).await.run;
    bench.approve(&run);
    Case { bench, fake, run }
}

type Edit = (&'static str, &'static str, fn(&mut Gate));

const EDITS: &[Edit] = &[
    ("a signer more", "the allowed signers are others", |g| {
        g.signers = with(&["mara:1", "mara:11", "ben:2", "eve:3", "mallory:9"])
    }),
    ("a signer less", "the allowed signers are others", |g| g.signers = with(&["mara:1", "ben:2", "eve:3"])),
    ("another key for a signer", "the allowed signers are others", |g| {
        g.signers = with(&["mara:9", "mara:11", "ben:2", "eve:3"])
    }),
    ("another name for a signer's key", "the allowed signers are others", |g| {
        g.signers = with(&["ben:1", "mara:11", "ben:2", "eve:3"])
    }),
    ("no signers", "the allowed signers are others", |g| g.signers = AllowedSigners::default()),
    ("a member more in a role", "role `manager` has other members", |g| {
        g.roles.get_mut("manager").unwrap().push("eve".into())
    }),
    ("a member less in a role", "role `manager` has other members", |g| {
        drop(g.roles.get_mut("manager").unwrap().pop())
    }),
    ("a role more", "role `director` has other members", |g| {
        drop(g.roles.insert("director".into(), vec!["eve".into()]))
    }),
    ("no roles", "role `manager` has other members", |g| g.roles.clear()),
    ("alone all of a sudden", "`solo` is another", |g| g.solo = true),
];

fn with(people: &[&str]) -> AllowedSigners {
    let line = |p: &&str| {
        let (who, seed) = p.split_once(':').unwrap();
        format!("{who} {}\n", key(seed.parse().unwrap()).public_line().unwrap())
    };
    AllowedSigners::parse(&people.iter().map(line).collect::<String>()).unwrap()
}

/// The entries of trust, changed, every hash worked out again.
fn rewrite(case: &Case, change: impl FnOnce(&mut Vec<TrustEntry>)) {
    let segments = case.bench.engine.store().read("trust", 0).unwrap();
    let mut entries: Vec<TrustEntry> = segments.iter().map(|s| codec::decode(&s.bytes).unwrap().1).collect();
    change(&mut entries);
    let segments: Vec<Vec<u8>> = entries.iter().map(|e| codec::encode(e).unwrap().1).collect();
    case.replace_stream("trust", &segments);
}

pub(crate) async fn rows(table: &mut Table) {
    let case = rooted().await;
    for (what, words, edit) in EDITS {
        let mut edited = gate();
        edit(&mut edited);
        table.refused(&format!("{what}, and then a run"), words, &case, case.start_under(edited.clone()).await);
        // Whoever is let in by the change approves under it: refused for the change, or for what is left.
        let seed = if what.starts_with("a signer more") { 9 } else { 2 };
        let who = if seed == 9 { "mallory" } else { "ben" };
        let result = case.approve(seed, who, &edited);
        table.refused(&format!("{what}, and then an approval"), "", &case, result);
    }
    let other = Gate { solo: true, ..gate() };
    let result = case.bench.engine.sign_trust(&key(1), &other, "mara");
    table.refused("settings signed by a manager", "another key than the root key", &case, result);
    let result = case.bench.engine.pin_root(&key(9).public_line().unwrap(), &other, "mallory");
    table.refused("a second root key", "has its root key already", &case, result);
    let statement = case.bench.engine.trust_statement(&gate()).unwrap();
    let mut signed =
        |what: &str, words: &str, change: &dyn Fn(&mut escher_ir::trust::TrustStatement), namespace: &str| {
            let mut changed = statement.clone();
            change(&mut changed);
            let bytes = changed.to_bytes();
            let signature = sign(&bytes, namespace, 50, ssh_key::HashAlg::Sha512);
            table.refused(what, words, &case, case.bench.engine.add_trust(&bytes, &signature, &gate(), "ada"));
        };
    signed("settings of another store", "for something else", &|s| s.store = "s-other".into(), "escher-trust");
    signed("settings out of turn", "for something else", &|s| s.number += 1, "escher-trust");
    signed("settings of an earlier turn", "for something else", &|s| s.number = 0, "escher-trust");
    signed("settings that say something else", "for something else", &|s| s.settings = Digest([1; 32]), "escher-trust");
    signed("settings of another schema", "for something else", &|s| s.schema = "escher.trust/9".into(), "escher-trust");
    signed("settings in the namespace of approvals", "namespace", &|_| {}, "escher-approval");
    let mut late = statement.clone();
    late.signed += SignedDuration::from_secs(1);
    let signature = sign(&statement.to_bytes(), "escher-trust", 50, ssh_key::HashAlg::Sha512);
    let result = case.bench.engine.add_trust(&late.to_bytes(), &signature, &gate(), "ada");
    table.refused("settings changed after they were signed", "does not fit", &case, result);
    let result = case.bench.engine.add_trust(b"{}", "none", &gate(), "ada");
    table.refused("settings without a signature", "cannot be read", &case, result);
    case.start().await.unwrap();

    // The record itself.
    type Forge = (&'static str, &'static str, fn(&mut Vec<TrustEntry>));
    let forges: &[Forge] = &[
        ("another root key in the record of trust", "pins another root key", |e| {
            e[0].root = key(9).public_line().unwrap()
        }),
        ("other settings in the record of trust", "than the root key has signed", |e| e[0].settings.solo = true),
        ("an entry of trust that nobody signed", "entry 1 is not signed", |e| {
            let settings = e[0].settings.clone();
            e.push(TrustEntry { number: 1, root: e[0].root.clone(), settings, signed: None });
        }),
        ("an entry of trust with another's signature", "entry 1", |e| {
            let signed = Signed { statement: "{}\n".into(), signature: String::new() };
            let settings = e[0].settings.clone();
            e.push(TrustEntry { number: 1, root: e[0].root.clone(), settings, signed: Some(signed) });
        }),
        ("an entry of trust out of turn", "is not the one that belongs there", |e| e[0].number = 1),
        ("no record of trust", "pins another root key", |e| e.clear()),
    ];
    for (what, words, forge) in forges {
        let case = rooted().await;
        rewrite(&case, |_| {});
        case.bench.engine.trust().unwrap().unwrap();
        rewrite(&case, forge);
        table.refused(what, words, &case, case.start().await);
    }
    let case = rooted().await;
    case.sql(|db| {
        let sql =
            "UPDATE segments SET bytes = substr(bytes, 1, 40) || x'00' || substr(bytes, 42) WHERE stream = 'trust'";
        assert_eq!(db.execute(sql, []).unwrap(), 1);
    });
    table.refused("a byte of the record of trust", "", &case, case.start().await);
    // Where the first approver's key became the root.
    let case = Case::approved().await;
    rewrite(&case, Vec::clear);
    table.refused(
        "the record of trust gone, with a plan approved",
        "the root of trust is gone",
        &case,
        case.start().await,
    );
    // An older record in the place of the newer one.
    let case = rooted().await;
    let mut wider = gate();
    wider.roles.get_mut("manager").unwrap().push("eve".into());
    case.bench.engine.sign_trust(&root(), &wider, "ada").unwrap();
    case.bench.engine.sign_trust(&root(), &gate(), "ada").unwrap();
    table.refused("settings that held before", "has other members", &case, case.start_under(wider.clone()).await);
    rewrite(&case, |entries| entries.swap(1, 2));
    table.refused(
        "entries of trust in another order",
        "is not the one that belongs there",
        &case,
        case.start_under(wider).await,
    );
}
