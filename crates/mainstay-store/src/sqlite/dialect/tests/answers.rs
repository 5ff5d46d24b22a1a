//! What the database builds as JSON is what we would have written.
use mainstay_expr::{Decimal, Value};
use mainstay_plan::OutputValue;
use mainstay_schema::{Migration, Schema};
use uuid::Uuid;

use super::{Database, post};
use crate::sql::tests::fixture::{Plans, output, schema, size};

/// Extreme values, with the JSON that they are.
fn extremes() -> Vec<(&'static str, Value, String)> {
    let controls: String = (1..0x20).map(char::from).collect();
    let text = format!("{controls}\"\\/\u{7f}\u{2028} é 漢字 👩‍💻");
    let mut escaped = Vec::new();
    mainstay_schema::json_string(&mut escaped, &text);
    let escaped = String::from_utf8(escaped).expect("JSON is UTF-8");
    let json = r#"{"a":[1,2.5e300,"\u0001é👩‍💻",null,true],"b":{"":-0.1}}"#;
    let decimal = |units| Value::Decimal(Decimal { units, scale: 2 });
    vec![
        ("body", Value::text(text), escaped),
        ("score", Value::Int(-2_147_483_648), "-2147483648".into()),
        ("big", Value::Int(i64::MAX), r#""9223372036854775807""#.into()),
        ("ratio", Value::Float(0.1 + 0.2), "0.30000000000000004".into()),
        ("price", decimal(-5), r#""-0.05""#.into()),
        ("flagged", Value::Bool(false), "false".into()),
        ("due", Value::Date(0), r#""1970-01-01""#.into()),
        ("at", Value::Time(1), r#""00:00:00.000001""#.into()),
        ("seen", Value::Timestamp(-1), r#""1969-12-31T23:59:59.999999Z""#.into()),
        ("ref", Value::Uuid(Uuid::from_u128(7)), r#""00000000-0000-0000-0000-000000000007""#.into()),
        ("blob", Value::Bytes([0, 255, 62].into()), r#""AP8+""#.into()),
        ("meta", Value::Json(json.into()), json.into()),
        ("words", Value::List(["\"".into(), "é".into()].map(Value::Text).into()), r#"["\"","é"]"#.into()),
        ("bigs", Value::List([Value::Int(i64::MIN)].into()), r#"["-9223372036854775808"]"#.into()),
        ("prices", Value::List([decimal(150)].into()), r#"["1.50"]"#.into()),
    ]
}

fn database<'a>(schema: &'a Schema, values: &[(&'static str, Value, String)]) -> Database<'a> {
    let database = Database::new(schema);
    database.insert("Org", &[("id", Value::text("org")), ("name", Value::text("o"))]);
    let mut fields = post("p");
    fields.extend(values.iter().map(|(name, value, _)| (*name, value.clone())));
    database.insert("Post", &fields);
    let visit = [("id", Value::Int(i64::MAX)), ("at", Value::Timestamp(0)), ("post", Value::text("post-p"))];
    database.insert("Visit", &visit);
    database
}

#[test]
fn leaves_built_by_the_database_are_those_written_by_us() {
    let schema = schema();
    let extremes = extremes();
    let database = database(&schema, &extremes);
    let names: Vec<&str> = extremes.iter().map(|(name, ..)| *name).collect();
    let expected: Vec<String> = extremes.iter().map(|(name, _, json)| format!("\"{name}\":{json}")).collect();
    let expected = format!("{{{}}}", expected.join(","));
    let mut plans = Plans::new(&schema);
    let plan = plans.query("Post", "true", &names);
    assert_eq!(database.read(&plan, &[]), [expected.as_str()], "at the top");
    let mut plan = plans.query("Visit", "true", &["id"]);
    let nested = plans.nested("Visit", "post", "true", &names);
    plan.select.push(output("post", OutputValue::One(nested.into())));
    assert_eq!(database.read(&plan, &[]), [format!(r#"{{"id":"9223372036854775807","post":{expected}}}"#)], "nested");
}

#[test]
fn floats_are_as_short_as_they_read_back_the_same() {
    let schema = schema();
    for value in [0.1, 1.0, 5e-324, f64::MAX, 1e21, 123_456_789.123_456_79, -2.5e-7, 0.0] {
        let mut expected = Vec::new();
        mainstay_schema::json_float(&mut expected, value);
        let expected = String::from_utf8(expected).expect("JSON is UTF-8");
        let database = database(&schema, &[("ratio", Value::Float(value), String::new())]);
        let mut plans = Plans::new(&schema);
        let mut plan = plans.query("Visit", "true", &[]);
        let nested = plans.nested("Visit", "post", "true", &["ratio"]);
        plan.select.push(output("post", OutputValue::One(nested.into())));
        assert_eq!(database.read(&plan, &[]), [format!(r#"{{"post":{{"ratio":{expected}}}}}"#)]);
    }
}

#[test]
fn nulls_and_empty_lists() {
    let schema = schema();
    let database = database(&schema, &[]);
    let mut plans = Plans::new(&schema);
    let names = ["body", "big", "ratio", "price", "flagged", "blob", "meta", "words", "numbers"];
    let mut plan = plans.query("Visit", "true", &[]);
    let mut nested = plans.nested("Visit", "post", "true", &names);
    nested.select.push(output("tags", OutputValue::Many(plans.nested("Post", "tags", "true", &["id"]).into())));
    nested.select.push(output("r", OutputValue::One(plans.nested("Post", "reviewer", "true", &["id"]).into())));
    nested.select.push(output("n", size(plans.nested("Post", "tags", "true", &[]))));
    plan.select.push(output("post", OutputValue::One(nested.into())));
    let expected = concat!(
        r#"{"post":{"body":null,"big":null,"ratio":null,"price":null,"flagged":null,"blob":null,"meta":null,"#,
        r#""words":null,"numbers":[],"tags":[],"r":null,"n":0}}"#
    );
    assert_eq!(database.read(&plan, &[]), [expected]);
}

#[test]
fn nested_lists_keep_their_order_and_limit() {
    let schema = schema();
    let database = Database::new(&schema);
    database.insert("Org", &[("id", Value::text("org")), ("name", Value::text("o"))]);
    for user in ["c", "a", "b", "d"] {
        let id = Value::text(format!("m-{user}"));
        database.insert("Member", &[("id", id), ("org", Value::text("org")), ("user", Value::text(user))]);
    }
    let mut plans = Plans::new(&schema);
    let read = |plans: &mut Plans<'_>, order: &str, limit: Option<u32>| {
        let mut plan = plans.query("Org", "true", &[]);
        let mut members = plans.nested("Org", "members", "true", &["user"]);
        members.order = plans.order("Member", order);
        members.limit = limit;
        plan.select.push(output("m", OutputValue::Many(members.into())));
        database.read(&plan, &[]).join("")
    };
    assert_eq!(read(&mut plans, "-user,id", Some(2)), r#"{"m":[{"user":"d"},{"user":"c"}]}"#);
    assert_eq!(read(&mut plans, "user,id", None), r#"{"m":[{"user":"a"},{"user":"b"},{"user":"c"},{"user":"d"}]}"#);
}

#[test]
fn every_order_pages_through_each_record_once() {
    let schema = schema();
    let database = Database::new(&schema);
    database.insert("Org", &[("id", Value::text("org")), ("name", Value::text("o"))]);
    for (title, score) in [("a", None), ("b", Some(1)), ("c", Some(1)), ("d", None), ("e", Some(2)), ("f", Some(-1))] {
        let mut fields = post(title);
        fields.push(("score", score.map_or(Value::Null, Value::Int)));
        database.insert("Post", &fields);
    }
    for order in ["score,title", "-score,title", "score,-title", "-score,-title", "title", "-title", "org.owner,-title"]
    {
        let mut plans = Plans::new(&schema);
        let mut plan = plans.query("Post", "true", &["title"]);
        plan.order = plans.order("Post", order);
        let all = database.read(&plan, &plans.values);
        assert_eq!(all.len(), 6);
        for (at, keys) in keys(&database, &plan, &plans.values).iter().enumerate() {
            let mut plans = Plans::new(&schema);
            let value = |value: &Value| (!value.is_null()).then(|| plans.value(value.clone()));
            let after = Some(keys.iter().map(value).collect());
            let behind = mainstay_plan::Query { after, ..plan.clone() };
            assert_eq!(database.read(&behind, &plans.values), all[at + 1..], "{order} after {}", all[at]);
        }
    }
}

/// The sort keys of each record of a read.
fn keys(database: &Database<'_>, plan: &mainstay_plan::Query, values: &[Value]) -> Vec<Vec<Value>> {
    let read = crate::sql::query(database.schema, &super::SqliteDialect, plan).expect("it renders");
    let decode = |row: &rusqlite::Row<'_>| {
        read.keys.iter().map(|key| crate::sqlite::row::decode(row, *key).expect("it decodes")).collect()
    };
    database.rows(&read.page, values, decode)
}

#[test]
fn an_enum_grows_and_its_records_stay() {
    let load = |text: &str| {
        let text = format!("{text} type T @rules(read: \"true\") {{ s: S! @unique  other: T }}");
        let source = mainstay_schema::Source { name: "s", text: &text };
        Schema::load(&[source]).unwrap_or_else(|error| panic!("{error:?}"))
    };
    let (before, after) = (load("enum S { A }"), load("enum S { A B }"));
    let database = Database::new(&before);
    database.insert("T", &[("id", Value::text("1")), ("s", Value::text("A"))]);
    database.connection.pragma_update(None, "foreign_keys", false).expect("it is a pragma");
    database.apply(&Migration::between(Some(&before.snapshot()), &after), &after);
    database.connection.pragma_update(None, "foreign_keys", true).expect("it is a pragma");
    let fields = [("id", Value::text("2")), ("s", Value::text("B")), ("other", Value::text("1"))];
    Database { schema: &after, connection: database.connection }.insert("T", &fields);
}
