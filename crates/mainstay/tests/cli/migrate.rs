//! `mainstay plan` and `mainstay apply`
use mainstay_test_db::{Engine, engine, postgres_only, sqlite_only};

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Project, Server};

const ONE: &str = "type A @rules(read: \"true\") { name: String }";
const MORE: &str = "type A @rules(read: \"true\") { name: String weight: Int } type B @rules(read: \"true\") { a: A }";
const LESS: &str = "type A @rules(read: \"true\") { weight: Int }";

#[test]
fn a_plan_shows_its_steps_and_says_so_in_its_exit_code() {
    let project = Project::with_schema(ONE);
    let ran = project.run(&["plan"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stdout.contains("-- additive: create table \"as\" for \"A\"") || ran.stdout.contains("create table"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("CREATE TABLE"), "{}", ran.stdout);
    let (code, json) = project.json(&["plan"]);
    assert_eq!(code, Some(2));
    assert_eq!(json["steps"][0]["class"], "additive");
    assert_eq!(json["steps"][0]["safe"], true);
    assert_eq!(json["from"], serde_json::Value::Null);
}

#[test]
fn applied_once_there_is_nothing_left_to_do() {
    let project = Project::with_schema(ONE);
    assert!(project.ok(&["apply", "--yes"]).contains("1 step carried out"));
    assert!(project.ok(&["apply"]).contains("nothing to do"));
    assert!(project.ok(&["plan"]).contains("nothing to do"));
    project.write("schema.graphql", MORE);
    let (code, json) = project.json(&["plan"]);
    assert_eq!(code, Some(2));
    assert!(json["steps"].as_array().unwrap().len() >= 2, "{json}");
    project.ok(&["apply", "--yes"]);
    assert_eq!(project.run(&["plan"]).code, Some(0));
}

#[test]
fn without_somebody_to_ask_nothing_is_done() {
    let project = Project::with_schema(ONE);
    let ran = project.run(&["apply"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("nothing was done"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    assert_eq!(project.run(&["plan"]).code, Some(2));
}

#[test]
fn a_plan_in_a_file_is_applied_as_it_was_made() {
    let project = Project::with_schema(ONE);
    assert_eq!(project.run(&["plan", "--out", "p.json"]).code, Some(2));
    assert!(project.ok(&["apply", "p.json"]).contains("1 step carried out"));
    let ran = project.run(&["apply", "p.json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("p.json: the database is no longer what the plan was made for"), "{}", ran.stderr);
    assert!(ran.stderr.contains("no longer to do: create table \"as\" for \"A\""), "{}", ran.stderr);
}

#[test]
fn a_plan_for_another_schema_is_refused() {
    let project = Project::with_schema(ONE);
    project.run(&["plan", "--out", "p.json"]);
    project.write("schema.graphql", MORE);
    let ran = project.run(&["apply", "p.json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("p.json: the schema is no longer what the plan leads to"), "{}", ran.stderr);
    assert!(ran.stderr.contains("only in the schema: create table \"bs\" for \"B\""), "{}", ran.stderr);
    assert_eq!(project.json(&["plan"]).1["from"], serde_json::Value::Null, "nothing was done");
}

#[test]
fn a_plan_that_was_changed_is_refused() {
    let project = Project::with_schema(ONE);
    project.run(&["plan", "--out", "p.json"]);
    let text = project.read("p.json");
    project.write("p.json", &text.replace("\"step\": \"create", "\"step\": \"drop"));
    let ran = project.run(&["apply", "p.json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the steps of the plan are not the ones"), "{}", ran.stderr);
    project.write("p.json", "{}");
    assert!(project.run(&["apply", "p.json"]).stderr.contains("p.json: this is no plan"));
}

#[test]
fn what_loses_data_is_asked_for_twice() {
    let project = Project::with_schema(ONE);
    project.ok(&["apply", "--yes"]);
    project.write("schema.graphql", LESS);
    let ran = project.run(&["apply", "--yes"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("drop column \"name\" of \"as\", with its values"), "{}", ran.stderr);
    assert!(ran.stderr.contains("mainstay apply --destructive"), "{}", ran.stderr);
    let (code, json) = project.json(&["plan", "--out", "p.json"]);
    assert_eq!(code, Some(2));
    let unsafe_steps: Vec<_> = json["steps"].as_array().unwrap().iter().filter(|step| step["safe"] == false).collect();
    assert_eq!(unsafe_steps.len(), 1, "{json}");
    assert_eq!(unsafe_steps[0]["class"], "destructive");
    assert_eq!(unsafe_steps[0]["kind"], "drop_column");
    assert_eq!(unsafe_steps[0]["why"], "its data is lost");
    assert_eq!(project.run(&["apply", "p.json"]).code, Some(1), "a plan in a file asks for it too");
    project.ok(&["apply", "p.json", "--destructive"]);
    assert_eq!(project.run(&["plan"]).code, Some(0));
}

#[test]
fn records_in_the_way_are_shown() {
    let project = Project::with_schema(ONE);
    project.ok(&["apply", "--yes"]);
    let records: Vec<String> =
        (0..12).map(|at| format!("{{\"name\": {}}}", if at < 11 { "null" } else { "\"x\"" })).collect();
    project.write("a.json", &format!("[{}]", records.join(",")));
    project.ok(&["import", "as", "a.json"]);
    project.write("schema.graphql", "type A @rules(read: \"true\") { name: String! }");
    let ran = project.run(&["plan"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stdout.contains("11 records of \"A\": \"A.name\" is required, and null here"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("{\"name\":null}").count(), 10, "{}", ran.stdout);
    assert!(ran.stdout.contains("  and 1 more"), "{}", ran.stdout);
    let (code, json) = project.json(&["apply", "--yes"]);
    assert_eq!(code, Some(1));
    assert_eq!(json["error"]["code"], "records_in_the_way");
    assert_eq!(json["error"]["detail"][0]["count"], 11);
    assert_eq!(json["error"]["detail"][0]["records"].as_array().unwrap().len(), 10);
    project.write("schema.graphql", "type A @rules(read: \"true\") { name: String! @backfill(expr: \"'nobody'\") }");
    project.ok(&["apply", "--yes"]);
    assert_eq!(project.run(&["plan"]).code, Some(0));
}

#[test]
fn serve_carries_out_additive_steps_alone() {
    let project = Project::with_schema(ONE);
    project.ok(&["apply", "--yes"]);
    project.write("schema.graphql", "type A @rules(read: \"true\") { name: String @check(expr: \"name != ''\") }");
    let project = project.env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    let ran = project.run(&["serve", "--apply", "safe"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("stop the other nodes, then: mainstay apply"), "{}", ran.stderr);
}

#[test]
fn changes_by_hand_are_told() {
    let project = Project::with_schema("type A @rules(read: \"true\") { name: String @unique size2: Int @index }")
        .env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    project.ok(&["apply", "--yes"]);
    project.sql("CREATE TABLE mine(x int); ALTER TABLE \"as\" ADD COLUMN note TEXT; DROP INDEX as_size2_idx");
    let text = project.ok(&["plan"]);
    assert!(text.contains("changed by hand: harmless: table \"as\" has a column \"note\" of its own"), "{text}");
    assert!(text.contains("changed by hand: weaker: the index of table \"as\" by \"size2\""), "{text}");
    let repair = match engine() {
        Engine::Sqlite => "CREATE INDEX \"as_size2_idx\" ON \"as\" (\"size2\", \"id\")",
        Engine::Postgres => "CREATE INDEX \"as_size2_idx\" ON \"as\" (size2 NULLS FIRST, id)",
    };
    assert!(text.contains(repair), "{text}");
    assert!(!text.contains("mine"), "a table of its own is nobody's business: {text}");
    let server = project.start(&["serve"]);
    assert!(server.said().contains("the tables were changed by hand"), "{}", server.said());
    drop(server);
    project.sql("DROP INDEX as_name_key");
    let ran = project.run(&["serve"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("broken: the unique of \"name\" of table \"as\" is gone"), "{}", ran.stderr);
    let (_, json) = project.json(&["plan"]);
    assert_eq!(json["drift"][0]["severity"], "broken");
}

#[test]
fn a_plan_is_not_carried_out_on_other_tables() {
    let project = Project::with_schema(ONE);
    project.ok(&["apply", "--yes"]);
    project.write("schema.graphql", MORE);
    project.run(&["plan", "--out", "p.json"]);
    project.sql("ALTER TABLE \"as\" ADD COLUMN note TEXT");
    let ran = project.run(&["apply", "p.json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("p.json: the tables were changed by hand since the plan was made"), "{}", ran.stderr);
    assert!(ran.stderr.contains("has a column \"note\" of its own"), "{}", ran.stderr);
}

#[test]
fn what_a_table_has_of_its_own_is_not_lost_unsaid() {
    let project = Project::with_schema(ONE);
    project.ok(&["apply", "--yes"]);
    project.sql("ALTER TABLE \"as\" ADD COLUMN note TEXT; CREATE TABLE bs(x int)");
    project.write(
        "schema.graphql",
        "type A @rules(read: \"true\") { name: Int } type B @rules(read: \"true\") { x: Int }",
    );
    let ran = project.run(&["apply", "--yes"]);
    assert_eq!(ran.code, Some(1));
    // A server changes a table where it stands: what it has of its own stays.
    let made_anew = ran.stderr.contains("table \"as\" has a column \"note\" of its own: the table is made anew");
    assert_eq!(made_anew, engine() == Engine::Sqlite, "{}", ran.stderr);
    assert!(ran.stderr.contains("there is a table \"bs\" already"), "{}", ran.stderr);
}

/// The tables and all records, as text.
fn dump(project: &Project) -> String {
    let database = rusqlite::Connection::open(project.path("data/mainstay.db")).unwrap();
    let text = |sql: &str| -> String { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let check = text("PRAGMA integrity_check");
    let tables = text(
        "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema WHERE tbl_name LIKE 'b%' ORDER BY name)",
    );
    let rows =
        text("SELECT count(*) || ' ' || sum(length(quote(name))) || ' ' || min(typeof(n)) || max(typeof(n)) FROM bs");
    format!("{check}\n{tables}\n{rows}")
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_the_new_schema() {
    sqlite_only!("the moments are lengths of its log");
    let old = "type B @rules(read: \"true\") { name: String! n: Int @index }";
    let new = "type B @rules(read: \"true\") { name: String! @unique n: String @index kind: Int! @default(value: 1) }";
    let project = Project::with_schema(old);
    project.ok(&["apply", "--yes"]);
    let database = rusqlite::Connection::open(project.path("data/mainstay.db")).unwrap();
    database
        .execute_batch(
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)
            INSERT INTO bs(id, name, n, created_at, updated_at, version)
            SELECT printf('00000000-0000-7000-8000-%012d', i), 'name ' || i, i, '', '', 1 FROM c",
        )
        .unwrap();
    drop(database);
    let before = dump(&project);
    project.write("schema.graphql", new);
    for round in 0_u64.. {
        let mut apply = project.spawn(&["apply", "--yes"]);
        // The moment is chosen by how far the log has grown, not by a clock.
        let log = project.path("data/mainstay.db-wal");
        let ended = loop {
            let length = std::fs::metadata(&log).map_or(0, |file| file.len());
            if length >= round * 400_000 && length > 0 {
                apply.signal("KILL");
                break !apply.wait().success();
            }
            if apply.has_ended() {
                break false;
            }
            std::thread::yield_now();
        };
        let after = dump(&project);
        if !ended {
            break;
        }
        if after != before {
            break;
        }
        assert_eq!(project.json(&["plan"]).0, Some(2), "nothing of it is done");
    }
    project.run(&["apply", "--yes"]);
    assert_eq!(project.run(&["plan"]).code, Some(0));
    assert!(dump(&project).ends_with("texttext"), "{}", dump(&project));
}

#[tokio::test]
async fn names_of_the_longest_length_are_kept_whole_and_can_change() {
    let (table, field, link) = ("A".repeat(55), "b".repeat(63), "c".repeat(60));
    let schema = |was: &str, table: &str, field: &str| {
        format!(
            "enum E {{ X Y }} type {table} @rules(read: \"true\", write: \"true\") {was} {{ {field}: String! @unique \
             {field_of}: E! {link}: [B!]! @many one: B }} type B @rules(read: \"true\", write: \"true\") {{ n: Int! @index }}",
            field_of = field.replace('b', "d"),
        )
    };
    let project = Project::with_schema(&schema("", &table, &field)).env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    project.ok(&["apply", "--yes"]);
    project.ok(&["plan"]);
    let (renamed, was) = ("W".repeat(55), format!("@was(name: \"{table}\")"));
    project.write("schema.graphql", &schema(&was, &renamed, &field));
    project.ok(&["apply", "--yes"]);
    assert!(project.ok(&["plan"]).contains("nothing to do"));
    let server = project.start(&["serve"]);
    let (enumerated, path) = (field.replace('b', "d"), format!("/api/{}s", renamed.to_lowercase()));
    let body = json!({field.as_str(): "x", enumerated.as_str(): "Y", "one": {"n": 1}, link.as_str(): [{"n": 2}]});
    let (status, record) = server.post(&path, &body, None).await;
    assert_eq!(status, StatusCode::CREATED, "{record}");
    let (filter, fields) = (format!("{field} == 'x' && size({link}) == 1"), format!("{enumerated},{link}(n),one(n)"));
    let (_, page) = server.get(&path, &[("filter", filter.as_str()), ("fields", fields.as_str())], None).await;
    let expected = json!([{enumerated.as_str(): "Y", link.as_str(): [{"n": 2}], "one": {"n": 1}}]);
    assert_eq!(page["items"], expected, "{page}");
    let (status, again) = server.post(&path, &body, None).await;
    assert_eq!((status, &again["code"]), (StatusCode::CONFLICT, &json!("not_unique")), "{again}");
}

#[test]
fn of_several_that_apply_at_once_one_does_and_the_others_find_it_done() {
    postgres_only!("an embedded database has one process");
    let project = Project::with_schema(MORE);
    let mut all: Vec<Server> = (0..4).map(|_| project.spawn(&["apply", "--yes"])).collect();
    for one in &mut all {
        assert_eq!(one.wait().code(), Some(0), "{}", one.said());
    }
    assert!(project.ok(&["plan"]).contains("nothing to do"));
}

/// The elements come back, each as a value of its type; what is none is told, and no array becomes one text.
#[test]
fn a_list_becomes_json_and_a_list_again() {
    let schema = |ty: &str| format!("enum Size {{ s m }} type Box @embedded {{ w: Int! }} type Item {{ x: {ty} }}");
    for (ty, value) in [
        ("[String!]!", r#"["a", "b"]"#),
        ("[Int!]!", "[1, 2]"),
        ("[Long!]!", r#"["9007199254740993"]"#),
        ("[Date!]!", r#"["2026-01-02", "2026-02-03"]"#),
        ("[Decimal!]! @decimal(precision: 10, scale: 2)", r#"["1.50"]"#),
        ("[Size!]!", r#"["m", "s"]"#),
        ("[Box!]!", r#"[{"w": 1}, {"w": 2}]"#),
        ("[String!]!", "[]"),
    ] {
        let project = Project::applied(&schema(ty));
        project.write("items.ndjson", &format!("{{\"x\": {value}}}\n"));
        project.ok(&["import", "items.ndjson"]);
        for ty in ["JSON!", ty] {
            project.write("schema.graphql", &schema(ty));
            project.ok(&["apply", "--yes"]);
        }
        let wanted: serde_json::Value = serde_json::from_str(value).unwrap();
        assert_eq!(crate::import::stored(&project, "items", &["x"]), [serde_json::json!({"x": wanted})], "{ty}");
        project.write("items.ndjson", "{\"x\": [{\"none\": 1}]}\n");
        project.write("schema.graphql", &schema("JSON!"));
        project.ok(&["apply", "--yes"]);
        project.ok(&["import", "items.ndjson", "--again"]);
        project.write("schema.graphql", &schema(ty));
        let ran = project.run(&["apply", "--yes"]);
        assert!(ran.code != Some(0) && format!("{ran:?}").contains("none"), "{ty}: {ran:?}");
    }
}
