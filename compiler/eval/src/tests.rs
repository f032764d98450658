use std::collections::BTreeMap;

use std::sync::Arc;

use escher_catalog::Risk;
use escher_ir::program::{
    BinaryOp, Block, Call, Expr, Method, Playbook, Program, Projection, RecordPart, StepPart, TextPart,
};
use escher_ir::{Type, Value};
use proptest::prelude::*;

use super::*;

fn program() -> Program {
    Program {
        edition: escher_ir::EDITION,
        playbook: Playbook {
            name: "p".into(),
            doc: None,
            params: vec![],
            returns: Type::None,
            risk: Risk::Read,
            declared_risk: Risk::Read,
            approval: None,
            blast_radius: None,
            freeze_exempt: false,
            body: Block::default(),
        },
        functions: BTreeMap::new(),
        operations: BTreeMap::new(),
        waiters: BTreeMap::new(),
    }
}

fn lit(v: Value) -> Expr {
    Expr::Literal(v)
}

fn lambda(body: Expr) -> Expr {
    Expr::Lambda { params: vec!["x".into()], body: Box::new(body) }
}

fn member(name: &str) -> Expr {
    Expr::Member { base: Box::new(Expr::Local("x".into())), name: name.into(), optional: false }
}

fn method(base: Expr, method: Method, arguments: Vec<Expr>) -> Expr {
    Expr::Method { base: Box::new(base), method, arguments }
}

/// Answers calls from a table and remembers what it was asked.
#[derive(Default)]
struct Table {
    answers: BTreeMap<String, Value>,
    asked: Vec<String>,
}

impl Host for Table {
    fn call(&mut self, request: CallRequest<'_>) -> Reply {
        self.asked.push(request.path.clone());
        self.answers.get(&request.path).cloned().map_or(Reply::Pending, Reply::Value)
    }
    fn fixed(&mut self, _: String, _: Fixed) -> Reply {
        Reply::Pending
    }
    fn step(&mut self, _: &str, _: StepPart) -> Reply {
        Reply::Pending
    }
    fn step_of(&mut self, _: &str, _: &Value) -> Reply {
        Reply::Pending
    }
}

fn eval(expr: &Expr) -> Result<Option<Value>, EvalError> {
    Evaluator::new(&program(), &mut NoHost, "t").expr(expr)
}

#[test]
fn absent_members_compare_and_otherwise_fail_naming_themselves() {
    let items = lit(Value::list(vec![
        Value::record([("state", Value::text("up"))]),
        Value::record([("other", Value::Int(1))]),
    ]));
    let same = Expr::Binary(BinaryOp::Equal, Box::new(member("state")), Box::new(lit(Value::text("up"))));
    let kept = eval(&method(items.clone(), Method::Filter, vec![lambda(same)])).unwrap().unwrap();
    assert_eq!(kept.as_list().unwrap().len(), 1);

    let upper = method(member("state"), Method::Upper, vec![]);
    let shouted = Expr::Binary(BinaryOp::Equal, Box::new(upper), Box::new(lit(Value::text("UP"))));
    let filter = method(items, Method::Filter, vec![lambda(shouted)]);
    assert_eq!(eval(&filter).unwrap_err().absent.as_deref(), Some("state"));

    let program = program();
    let mut host = NoHost;
    let mut ev = Evaluator::new(&program, &mut host, "t").skip_absent(true);
    assert_eq!(ev.expr(&filter).unwrap().unwrap().as_list().unwrap().len(), 1);
    assert_eq!(ev.skipped().len(), 1);
}

#[test]
fn pending_calls_of_all_elements_are_asked_for_in_one_round() {
    let call = Expr::Call(Arc::new(Call {
        site: "describe".into(),
        operation: "aws.ec2.describe_volumes".into(),
        arguments: BTreeMap::new(),
        changes: false,
        reads: Projection::All,
        catch: vec![],
        probe: None,
    }));
    let places = lit(Value::list(vec![Value::Int(1), Value::Int(2)]));
    let expr = method(places, Method::FlatMap, vec![lambda(call)]);
    let program = program();
    let mut host = Table::default();
    assert_eq!(Evaluator::new(&program, &mut host, "volumes").expr(&expr).unwrap(), None);
    assert_eq!(host.asked, ["volumes[0]/describe", "volumes[1]/describe"]);
    for path in std::mem::take(&mut host.asked) {
        host.answers.insert(path.clone(), Value::list(vec![Value::text(path)]));
    }
    let value = Evaluator::new(&program, &mut host, "volumes").expr(&expr).unwrap().unwrap();
    assert_eq!(value.as_list().unwrap().len(), 2);
}

#[test]
fn holes_spread_but_do_not_hide_what_is_known() {
    let hole = lit(Value::Hole("run.id".into()));
    let text = Expr::Text(vec![TextPart::Literal("escher ".into()), TextPart::Hole(hole.clone())]);
    assert!(matches!(eval(&text).unwrap().unwrap(), Value::Hole(_)));
    let or = Expr::Binary(BinaryOp::Or, Box::new(hole), Box::new(lit(Value::Bool(true))));
    assert_eq!(eval(&or).unwrap().unwrap(), Value::Bool(true));
}

#[test]
fn endless_work_is_refused() {
    let numbers = lit(Value::list((0..1000).map(Value::Int).collect()));
    let inner = method(numbers.clone(), Method::Map, vec![lambda(Expr::Local("x".into()))]);
    let expr = method(numbers, Method::Map, vec![lambda(inner)]);
    let program = program();
    let mut host = NoHost;
    let limits = Limits { fuel: 10_000, depth: 100 };
    let error = Evaluator::new(&program, &mut host, "t").with_limits(limits).expr(&expr).unwrap_err();
    assert!(error.message.contains("limit"), "{error}");
}

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::Float),
        any::<i64>().prop_map(|ms| Value::Duration(jiff::SignedDuration::from_millis(ms))),
        any::<u64>().prop_map(Value::Size),
        (-253_402_207_200i64..253_402_207_200).prop_map(|s| Value::Instant(jiff::Timestamp::from_second(s).unwrap())),
    ]
}

proptest! {
    #[test]
    fn arithmetic_never_panics_and_never_makes_a_nan(a in numbers(), b in numbers()) {
        for op in [BinaryOp::Add, BinaryOp::Subtract, BinaryOp::Multiply, BinaryOp::Divide, BinaryOp::Less, BinaryOp::Range] {
            let expr = Expr::Binary(op, Box::new(lit(a.clone())), Box::new(lit(b.clone())));
            if let Ok(Some(Value::Float(f))) = eval(&expr) {
                prop_assert!(f.is_finite());
            }
        }
        let _ = eval(&method(lit(a), Method::Remainder, vec![lit(b)]));
    }

    #[test]
    fn a_quotient_and_its_remainder_make_the_number(a in any::<i64>(), b in any::<i64>()) {
        let quotient = eval(&Expr::Binary(BinaryOp::Divide, Box::new(lit(Value::Int(a))), Box::new(lit(Value::Int(b)))));
        let remainder = eval(&method(lit(Value::Int(a)), Method::Remainder, vec![lit(Value::Int(b))]));
        match (quotient, remainder) {
            (Ok(Some(Value::Int(q))), Ok(Some(Value::Int(r)))) => prop_assert_eq!(a, q * b + r),
            (quotient, remainder) => prop_assert!(b == 0 && quotient.is_err() && remainder.is_err()),
        }
    }
}

#[test]
fn a_text_that_is_an_instant_becomes_one() {
    for (text, known) in
        [("2026-11-21T08:00:00Z", true), (" 2026-11-21T08:00:00Z ", true), ("yesterday", false), ("", false)]
    {
        let e = method(lit(Value::text(text)), Method::ToInstant, vec![]);
        let found = eval(&e).unwrap().unwrap();
        assert_eq!(matches!(found, Value::Instant(_)), known, "{text}: {found:?}");
        assert!(known || found == Value::None);
    }
}

#[test]
fn texts_become_the_keys_of_a_map() {
    let keys = lit(Value::list(vec![Value::text("a"), Value::text("b")]));
    let e = method(keys, Method::ToMap, vec![lambda(lit(Value::Int(1)))]);
    assert_eq!(eval(&e).unwrap().unwrap(), Value::map([("a", Value::Int(1)), ("b", Value::Int(1))]));
}

#[test]
fn what_a_cloud_left_out_stays_out_of_a_record_until_it_is_used() {
    let items = lit(Value::list(vec![Value::record([("other", Value::Int(1))])]));
    let record = |name: &str| Expr::Record(vec![RecordPart::Field("copy".into(), member(name))]);
    let copied = method(items.clone(), Method::Map, vec![lambda(record("state"))]);
    let used = method(copied.clone(), Method::Map, vec![lambda(method(member("copy"), Method::Upper, vec![]))]);
    assert!(eval(&copied).is_ok());
    assert_eq!(eval(&used).unwrap_err().absent.as_deref(), Some("state"));

    // A cloud is never handed a record with a gap in it.
    let ask = Expr::Call(Arc::new(Call {
        site: "create".into(),
        operation: "aws.ec2.create_tags".into(),
        arguments: BTreeMap::from([("tags".into(), Expr::List(vec![record("state")]))]),
        changes: true,
        reads: Projection::All,
        catch: vec![],
        probe: None,
    }));
    let asked = method(items, Method::Map, vec![lambda(ask)]);
    let (program, mut host) = (program(), Table::default());
    let error = Evaluator::new(&program, &mut host, "t").expr(&asked).unwrap_err();
    assert_eq!(error.absent.as_deref(), Some("state"));
    assert!(host.asked.is_empty());
}
