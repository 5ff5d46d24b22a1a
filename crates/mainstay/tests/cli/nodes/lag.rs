//! How far each node is: with the change feed, and with the tables.
use mainstay_test_db::{Engine, engine, postgres_only};
use serde_json::{Value, json};

use super::{SCHEMA, nodes, project, quick, seed};
use crate::support::{Project, Server};

/// One node, by its name.
fn node(project: &Project, name: &str) -> Value {
    let all = nodes(project);
    let found = all.iter().find(|node| node["name"] == json!(name));
    found.unwrap_or_else(|| panic!("no {name}: {all:?}")).clone()
}

/// Waits until a node is listed as it should be.
fn until(project: &Project, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let node = node(project, name);
        if fits(&node) {
            return node;
        }
    }
}

fn at_the_end(node: &Value) -> bool {
    node["changesBehind"] == json!(0)
}

/// The line of a node in the table.
fn line(project: &Project, name: &str) -> String {
    let table = project.ok(&["nodes"]);
    table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{table}")).to_owned()
}

/// Waits until the feed has so many changes, and gives the position of the last. A transaction of somebody else may hold it back for
/// a moment.
fn end(project: &Project, changes: usize) -> Value {
    loop {
        let told = project.ok(&["changes"]);
        if told.lines().count() == changes {
            return serde_json::from_str::<Value>(told.lines().last().unwrap()).unwrap()["position"].clone();
        }
    }
}

#[tokio::test]
async fn a_node_tells_where_the_feed_was_and_that_the_tables_are_its_own() {
    let project = quick();
    let server = project.start(&["serve", "--apply", "safe"]);
    let first = until(&project, "one", at_the_end);
    assert!(first["position"].is_string(), "{first}");
    seed(&server, 3).await;
    let end = end(&project, 3);
    let node = until(&project, "one", |node| node["position"] == end);
    assert_eq!((&node["stepsBehind"], &node["unfit"]), (&json!(0), &Value::Null), "{node}");
    assert_ne!(node["position"], first["position"]);
    assert!(line(&project, "one").contains("  at its end  "), "{}", line(&project, "one"));
}

/// Another node of the same database, with so long between its signs of life.
fn another(project: &Project, name: &str, heartbeat_ms: &str) -> Server {
    let mut command = project.command_of(env!("CARGO_BIN_EXE_mainstay"));
    command.env("MAINSTAY_SERVER_NODE", name).env("MAINSTAY_NODES_HEARTBEAT_MS", heartbeat_ms).arg("serve");
    let server = Server::of(command);
    server.wait_for("listening on ");
    server
}

#[tokio::test]
async fn a_node_that_gives_no_signs_falls_behind() {
    postgres_only!("several nodes need a server");
    let project = quick().env("MAINSTAY_NODES_GONE_AFTER_MS", "3600000");
    let one = project.start(&["serve", "--apply", "safe"]);
    seed(&one, 2).await;
    let first = end(&project, 2);
    until(&project, "one", |node| node["position"] == first);
    // It gives its first sign, and no other one.
    let _two = another(&project, "two", "1800000");
    let before = node(&project, "two");
    seed(&one, 3).await;
    let last = end(&project, 5);
    until(&project, "one", |node| node["position"] == last && at_the_end(node));
    // Somebody else's transaction may have held the feed back when it gave that.
    let missed = if before["position"] == first { 3 } else { 5 };
    let node = until(&project, "two", |node| node["changesBehind"] == json!(missed));
    assert_eq!(node["position"], before["position"], "{node}");
    let told = format!("  {missed} behind  ");
    assert!(line(&project, "two").contains(&told), "{}", line(&project, "two"));
    // Past a bound nobody counts.
    project.sql(
        "INSERT INTO mainstay_changes (collection, record, op, version, time) \
         SELECT 'notes', at::text, 0, 1, 0 FROM generate_series(1, 10001) AS at",
    );
    until(&project, "two", |node| node["changesBehind"] == json!(10_000));
    assert!(line(&project, "two").contains("  10000 behind, or more  "), "{}", line(&project, "two"));
}

#[tokio::test]
async fn a_node_tells_how_many_steps_the_tables_have_gone_on_and_why_it_answers_nothing() {
    postgres_only!("another process changes the tables");
    let project = quick();
    let _old = project.start(&["serve", "--apply", "safe"]);
    until(&project, "one", |node| node["current"] == json!(true));
    project.write("schema.graphql", &SCHEMA.replace("text: String!", "text: String! more: Int much: Int"));
    project.ok(&["apply", "--yes"]);
    let node = until(&project, "one", |node| node["stepsBehind"] != json!(0));
    assert_eq!((&node["stepsBehind"], &node["current"]), (&json!(2), &json!(false)), "{node}");
    assert!(line(&project, "one").ends_with("(not the database's: 2 steps behind)"), "{}", line(&project, "one"));
    // What starts on it is told of from its first sign on, or the next.
    let late = another_of(&project, "late", SCHEMA);
    until(&project, "late", |node| node["stepsBehind"] == json!(2));
    drop(late);
    project
        .write("schema.graphql", &SCHEMA.replace("text: String!", "text: String! must: Int! @backfill(expr: \"1\")"));
    project.ok(&["apply", "--yes", "--destructive"]);
    let node = until(&project, "one", |node| node["unfit"].is_string());
    assert_eq!((&node["stepsBehind"], &node["current"]), (&Value::Null, &json!(false)), "{node}");
    let told = format!("(not the database's, answers nothing: {})", node["unfit"].as_str().unwrap());
    assert!(line(&project, "one").ends_with(&told), "{}", line(&project, "one"));
}

/// Another node with a schema of its own.
fn another_of(project: &Project, name: &str, schema: &str) -> Server {
    let present = project.read("schema.graphql");
    project.write("schema.graphql", schema);
    let server = another(project, name, "50");
    project.write("schema.graphql", &present);
    server
}

#[test]
fn a_table_of_nodes_of_an_earlier_version_is_read_and_widened() {
    let project = project();
    project.ok(&["apply", "--yes"]);
    for column in ["behind", "unfit"] {
        project.sql(&format!("ALTER TABLE mainstay_nodes DROP COLUMN {column}"));
    }
    assert_eq!(project.ok(&["nodes"]).trim(), "no node serves this database");
    let row = "'an-id', 'before', '0.0.9', 'none', 0, 0";
    project.sql(&format!("INSERT INTO mainstay_nodes (id, name, version, schema, started, seen) VALUES ({row})"));
    if engine() == Engine::Postgres {
        let before = node(&project, "before");
        let told = (&before["position"], &before["changesBehind"], &before["stepsBehind"]);
        assert_eq!(told, (&Value::Null, &Value::Null, &json!(0)), "{before}");
        assert!(line(&project, "before").contains("  unknown  "), "{}", line(&project, "before"));
    }
    let _server = project.start(&["serve"]);
    assert_eq!(node(&project, "one")["stepsBehind"], json!(0));
    let _ = project.ok(&["plan"]);
}
