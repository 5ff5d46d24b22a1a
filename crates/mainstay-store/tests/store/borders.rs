//! Numbers at the ends of their range, on every engine: an outcome is the one of the machine, or there is none.
use mainstay_expr::Value;
use mainstay_plan::{Count, Output, OutputValue, Query};
use mainstay_store::{Step, StoreError};

use crate::world::{World, load, uuid};

const SDL: &str = r#"
type Pair @rules(read: "true", write: "true") {
  x: Float! y: Float! fsum: Float fdiff: Float fprod: Float fquot: Float
  a: Long! b: Long! sum: Long diff: Long prod: Long quot: Long rest: Long
}

type Counted @rules(read: "true", write: "true") {
  id: Int!
  parts: [Counted!]! @many
}
"#;

const FLOATS: [f64; 16] = [
    0.0,
    1.0,
    -1.0,
    0.1,
    3.0,
    1e-200,
    -1e200,
    1e308,
    f64::MAX,
    f64::MIN,
    8.98846567431158e307,
    9.979_201_547_673_6e291,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    2e-162,
];
const LONGS: [i64; 10] = [0, 1, -1, 2, -3, 3_037_000_500, i64::MAX, i64::MIN, i64::MIN + 1, 1 << 62];

/// What a float operation comes to.
fn float(value: f64) -> Value {
    if value.is_finite() { Value::Float(if value == 0.0 { 0.0 } else { value }) } else { Value::Null }
}

fn long(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}

fn steps(world: &World) -> Vec<Step> {
    let mut steps = Vec::new();
    for (at, x) in FLOATS.into_iter().enumerate() {
        for (beside, y) in FLOATS.into_iter().enumerate() {
            let (a, b) = (LONGS[at % LONGS.len()], LONGS[beside % LONGS.len()]);
            let quotient = if y == 0.0 { Value::Null } else { float(x / y) };
            let fields = [
                ("x", Value::Float(x)),
                ("y", Value::Float(y)),
                ("fsum", float(x + y)),
                ("fdiff", float(x - y)),
                ("fprod", float(x * y)),
                ("fquot", quotient),
                ("a", Value::Int(a)),
                ("b", Value::Int(b)),
                ("sum", long(a.checked_add(b))),
                ("diff", long(a.checked_sub(b))),
                ("prod", long(a.checked_mul(b))),
                ("quot", long(a.checked_div(b))),
                ("rest", long(a.checked_rem(b))),
            ];
            steps.push(world.create_step("Pair", uuid((at * FLOATS.len() + beside + 1) as u128), &fields));
        }
    }
    steps
}

#[tokio::test]
async fn arithmetic_has_the_outcome_of_the_machine_or_none() {
    let world = World::with_schema(load(SDL), |_| {});
    world.store.write(steps(&world)).await.unwrap();
    for (operation, outcome) in [
        ("x + y", "fsum"),
        ("x - y", "fdiff"),
        ("x * y", "fprod"),
        ("x / y", "fquot"),
        ("a + b", "sum"),
        ("a - b", "diff"),
        ("a * b", "prod"),
        ("a / b", "quot"),
        ("a % b", "rest"),
    ] {
        let fields = ["x", "y", "a", "b", outcome];
        let other = format!("{outcome} != null && !({operation} == {outcome})");
        assert_eq!(world.show("Pair", &other, &fields).await, "", "{operation}: another outcome");
        let lost = world.query("Pair", &format!("{outcome} != null"), &["x"]);
        let found = world.query("Pair", &format!("{operation} == {outcome}"), &["x"]);
        let (lost, found) = (world.read(&lost, Vec::new()).await.rows, world.read(&found, Vec::new()).await.rows);
        assert_eq!(lost, found, "{operation}: no outcome");
        let any = &operation[..1];
        let some = format!("{outcome} == null && ({operation} == {any} || {operation} != {any})");
        assert_eq!(world.show("Pair", &some, &fields).await, "", "{operation}: an outcome of none");
    }
}

#[tokio::test]
async fn whole_numbers_and_floats_compare_exactly() {
    let world = World::with_schema(load(SDL), |_| {});
    let cases: [(i64, f64); 5] = [
        (9_007_199_254_740_993, 9_007_199_254_740_992.0),
        (i64::MAX, 9_223_372_036_854_775_808.0),
        (i64::MIN, -9_223_372_036_854_775_808.0),
        (3, 3.5),
        (0, 5e-324),
    ];
    let step = |(at, (a, x)): (usize, (i64, f64))| {
        let fields = [("x", Value::Float(x)), ("y", Value::Float(x)), ("a", Value::Int(a)), ("b", Value::Int(a))];
        world.create_step("Pair", uuid(at as u128 + 1), &fields)
    };
    world.store.write(cases.into_iter().enumerate().map(step).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(world.show("Pair", "a > x", &["a"]).await, r#"{"a":"9007199254740993"}"#);
    assert_eq!(world.show("Pair", "a == x", &["a"]).await, r#"{"a":"-9223372036854775808"}"#);
    let below = r#"{"a":"9223372036854775807"},{"a":"3"},{"a":"0"}"#;
    assert_eq!(world.show("Pair", "a < x", &["a"]).await, below);
}

#[tokio::test]
async fn counted_keys_go_on_behind_those_that_are_given() {
    let world = World::with_schema(load(SDL), |_| {});
    world.write(world.create_step("Counted", Value::Int(41), &[])).await;
    world.write(world.create_step("Counted", Value::Int(7), &[])).await;
    let (mut plan, mut values) = world.create("Counted", Value::Null, &[]);
    plan.columns.remove(0);
    values.remove(0);
    let written = world.write(world.step(mainstay_plan::WritePlan::Create(plan), values)).await;
    assert_eq!(written.key, Value::Int(42));
}

#[tokio::test]
async fn nested_records_are_bounded_while_they_are_built() {
    let most = 5;
    let world = World::with_schema(load(SDL), |settings| settings.answer_nested_max = most);
    for number in 1..=4 {
        world.write(world.create_step("Counted", Value::Int(number), &[])).await;
    }
    let link = |from: i64, to: i64| format!("INSERT INTO counteds_parts (from_id, to_id) VALUES ({from}, {to})");
    for (from, to) in [(1, 2), (1, 3), (2, 3), (2, 4), (3, 4)] {
        world.database.execute(&link(from, to));
    }
    let inner = world.nested("Counted", "parts", &["id"]);
    let mut outer = world.nested("Counted", "parts", &["id"]);
    outer.select.push(Output { name: "parts".into(), value: OutputValue::Many(inner.into()) });
    let query = |condition: &str| Query {
        select: vec![Output { name: "parts".into(), value: OutputValue::Many(outer.clone().into()) }],
        count: Count::No,
        order: vec![world.order("Counted", "id", false)],
        ..world.query("Counted", condition, &[])
    };
    // Two parts with three of their own are all that fit.
    let page = world.read(&query("id == '1'"), Vec::new()).await;
    let expected = r#"{"parts":[{"id":"2","parts":[{"id":"3"},{"id":"4"}]},{"id":"3","parts":[{"id":"4"}]}]}"#;
    assert_eq!(String::from_utf8_lossy(&page.json), expected);
    let error = world.try_read(&query("true"), Vec::new()).await.unwrap_err();
    assert!(matches!(error, StoreError::TooManyNested { limit } if limit == most), "{error:?}");
    // The next statement counts anew.
    assert_eq!(world.read(&query("id == '1'"), Vec::new()).await.rows, 1);
}
