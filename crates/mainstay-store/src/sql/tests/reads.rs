//! Reads as SQL.
use mainstay_expr::Value;
use mainstay_plan::{Count, OutputValue, Query};
use mainstay_schema::Schema;

use crate::{
    PostgresDialect, SqliteDialect,
    postgres::tests::Server,
    sql::{
        Bind, Decode, Encode, ReadSql, query,
        tests::{
            fixture::{Plans, output, schema, size},
            shows,
        },
        writer::Writer,
    },
};

/// The read for the embedded engine; a server has to understand its own.
fn render(schema: &Schema, plan: &Query) -> ReadSql {
    if let Some(server) = Server::with(schema) {
        let read = query(schema, &PostgresDialect, plan).unwrap_or_else(|error| panic!("{error}"));
        server.understands(&read.page);
        read.count.iter().for_each(|count| server.understands(count));
    }
    query(schema, &SqliteDialect, plan).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_folded_away_leaves_no_bind_behind() {
    let schema = schema();
    let mut writer = Writer::new(&schema, &SqliteDialect);
    let marks = [0, 1, 2].map(|number| writer.bind(Bind::Value(number)));
    let read = writer.finish(format!("SELECT {}, {}, {}", marks[2], marks[0], marks[2]));
    assert_eq!(read.text, "SELECT ?2, ?1, ?2");
    assert_eq!(read.binds, [Bind::Value(0), Bind::Value(2)]);
}

/// The text of a read, and its binds; names are shown without quotes.
fn text(read: &ReadSql) -> String {
    format!("{}\n{:?}\n", read.page.text.replace('"', ""), read.page.binds)
}

#[test]
fn one_by_key() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let id = "id == '019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'";
    let plan = plans.query("Post", id, &["id", "title", "org", "score", "big", "words", "version"]);
    let read = render(&schema, &plan);
    assert_eq!(read.version, Some(6));
    let encodes: Vec<Encode> = read.columns.iter().map(|column| column.encode).collect();
    use Encode::{Int, Json, Long, Plain, Text};
    assert_eq!(encodes, [Plain, Text, Plain, Int, Long, Json, Int]);
    let prefixes: Vec<u8> = read.columns.iter().take(2).flat_map(|column| column.prefix.clone()).collect();
    assert_eq!(prefixes, br#"{"id":,"title":"#);
    shows!(text(&read));
}

#[test]
fn a_page_with_its_count() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let mut plan = plans.query("Post", "published && owner == auth.id", &["id", "title"]);
    plan.order = plans.order("Post", "-createdAt,-id");
    plan.after = Some(vec![Some(plans.value(Value::Timestamp(0))), Some(plans.value(Value::text("x")))]);
    plan.limit = Some(plans.value(Value::Int(50)));
    plan.count = Count::Too;
    let read = render(&schema, &plan);
    assert_eq!(read.keys.iter().map(|key| key.decode).collect::<Vec<_>>(), [Decode::Timestamp, Decode::Uuid]);
    assert_eq!(read.page.binds.last(), Some(&Bind::Limit(3)));
    let count = read.count.as_ref().expect("it was asked for").text.replace('"', "");
    shows!(format!("{}{count}\n", text(&read)));
}

#[test]
fn pages_begin_after_the_last_record() {
    let schema = schema();
    let mut out = String::new();
    for (order, after) in [
        ("title,id", [Some(1), Some(1)]),
        ("-title,id", [Some(1), Some(1)]),
        ("score,id", [Some(1), Some(1)]),
        ("score,id", [None, Some(1)]),
        ("-score,id", [Some(1), Some(1)]),
        ("-score,id", [None, Some(1)]),
        ("org.owner,id", [Some(1), Some(1)]),
    ] {
        let mut plans = Plans::new(&schema);
        let mut plan = plans.query("Post", "true", &["id"]);
        plan.order = plans.order("Post", order);
        plan.after = Some(after.map(|value| value.map(|value| plans.value(Value::Int(value)))).to_vec());
        out.push_str(&format!("{order} after {after:?}\n{}", text(&render(&schema, &plan))));
    }
    shows!(out);
}

#[test]
fn links_in_answers() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let mut plan = plans.query("Post", "true", &["id"]);
    let mut org = plans.nested("Post", "org", "owner == auth.id", &["id", "name", "createdAt"]);
    let mut members = plans.nested("Org", "members", "role != null", &["user", "org"]);
    members.order = plans.order("Member", "user,id");
    members.limit = Some(5);
    org.select.push(output("members", OutputValue::Many(members.into())));
    let mut tags = plans.nested("Post", "tags", "true", &["id"]);
    tags.order = plans.order("Tag", "-label,id");
    let visits = plans.nested("Post", "visits", "true", &["id", "at"]);
    plan.select.push(output("in", OutputValue::One(org.into())));
    plan.select.push(output("tags", OutputValue::Many(tags.into())));
    plan.select.push(output("visits", OutputValue::Many(visits.clone().into())));
    plan.select.push(output("n", size(visits)));
    shows!(text(&render(&schema, &plan)));
}

#[test]
fn leaves_of_every_kind() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let mut plan = plans.query("Visit", "true", &["id"]);
    let leaves = [
        "title",
        "score",
        "big",
        "ratio",
        "price",
        "published",
        "status",
        "due",
        "at",
        "seen",
        "ref",
        "blob",
        "meta",
        "words",
        "address",
    ];
    let post = plans.nested("Visit", "post", "true", &leaves);
    plan.select.push(output("post", OutputValue::One(post.into())));
    shows!(text(&render(&schema, &plan)));
}

#[test]
fn a_nested_record_has_so_many_members_and_no_more() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let mut plan = plans.query("Post", "true", &["id"]);
    let org = plans.nested("Post", "org", "true", &["id"; 501]);
    plan.select.push(output("org", OutputValue::One(org.into())));
    let error = query(&schema, &SqliteDialect, &plan).map(|_| ()).map_err(|error| error.to_string());
    let message = "the plan cannot be written as SQL: a nested record has 501 members, at most 500 are written";
    assert_eq!(error, Err(message.to_owned()));
}
