//! `mainstay explain`
use serde_json::json;

use mainstay_test_db::{Engine, engine, postgres_only, sqlite_only};

use crate::support::Project;

fn project() -> Project {
    let project = Project::skillmap();
    project.ok(&["apply", "--yes"]);
    project.ok(&["import", "seed/skillmap.json"]);
    project
}

#[test]
fn a_read_is_explained_with_its_rule_its_sql_and_its_plan() {
    let project = project();
    let (code, json) = project.json(&["explain", "--as", "anna", "GET", "/api/skills?sort=name&filter=monthsMin>2"]);
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(json["rules"][0]["name"], "Skill.read");
    assert_eq!(json["rules"][0]["outcome"], "per_record");
    assert_eq!(json["refused"], json!(null));
    assert!(json["statements"][0]["sql"].as_str().unwrap().contains("SELECT"), "{json}");
    assert!(!json["statements"][0]["plan"].as_array().unwrap().is_empty(), "{json}");
    let text = project.ok(&["explain", "--as", "anna:editor", "get", "/api/skills"]);
    assert!(text.contains("Skill.read") && text.contains("SQL") && text.contains("query plan"), "{text}");
}

#[test]
fn a_refused_write_names_the_clause_and_its_values() {
    let project = project();
    let body = r#"{"slug": "x", "name": "X", "position": 9}"#;
    let (code, json) = project.json(&["explain", "--as", "bob:reader", "POST", "/api/categories", body]);
    assert_eq!(code, Some(0), "{json}");
    assert!(json["refused"].is_string(), "{json}");
    let rule = json["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "Category.create").unwrap();
    assert_eq!(rule["outcome"], "false", "{json}");
    let (_, json) = project.json(&["explain", "--as", "eva:editor", "POST", "/api/categories", body]);
    assert_eq!(json["refused"], json!(null), "{json}");
    assert_eq!(project.json(&["plan"]).0, Some(0));
}

#[test]
fn nothing_is_written() {
    let project = project();
    let body = r#"{"slug": "x", "name": "X", "position": 9}"#;
    for _ in 0..2 {
        let (code, json) = project.json(&["explain", "--as", "admin", "POST", "/api/categories", body]);
        assert_eq!((code, &json["refused"]), (Some(0), &json!(null)), "{json}");
    }
}

#[test]
fn what_is_no_call_is_told() {
    let project = project();
    let said = |arguments: &[&str]| {
        let ran = project.run(&[&["explain", "--as", "anna"], arguments].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.stderr
    };
    assert!(said(&["GET", "/api/skils"]).contains("skills"));
    assert!(said(&["GET", "/api/skills?filter=nme=='x'"]).contains("name"));
    assert!(said(&["PUT", "/api/skills"]).contains("PUT"));
    assert!(said(&["POST", "/api/skills", "{"]).contains("error: "));
}

#[test]
fn a_write_of_all_that_match_is_explained_and_not_done() {
    let project = project();
    let explained = |caller: &str, method: &str, filter: &str| {
        let address = format!("/api/skills?filter={filter}");
        let (code, json) = project.json(&["explain", "--as", caller, method, &address, r#"{"monthsMin": 1}"#]);
        assert_eq!(code, Some(0), "{json}");
        json
    };
    for (method, rule) in [("PATCH", "Skill.update"), ("DELETE", "Skill.delete")] {
        let json = explained("eva:editor", method, "monthsMin>2");
        assert_eq!(json["refused"], json!(null), "{json}");
        let rules = json["rules"].as_array().unwrap();
        assert!(rules.iter().any(|explained| explained["name"] == rule), "{json}");
        assert!(json["statements"][0]["sql"].as_str().unwrap().starts_with("SELECT"), "{json}");
        assert!(json["statements"].as_array().unwrap().len() > 1, "{json}");
        assert!(json["changes"][0]["collection"] == "Skill", "{json}");
        let json = explained("anna", method, "monthsMin>2");
        assert!(json["refused"].as_str().unwrap().contains("refuses"), "{json}");
    }
    let all = project.json(&["explain", "--as", "admin", "DELETE", "/api/skills"]).1;
    assert!(all.to_string().contains("filter"), "{all}");
}

fn explain(project: &Project, caller: &str, arguments: &[&str]) -> serde_json::Value {
    let (code, json) = project.json(&[&["explain", "--as", caller], arguments].concat());
    assert_eq!(code, Some(0), "{json}");
    json
}

#[test]
fn every_kind_of_call_is_explained_and_nothing_of_it_is_done() {
    let project = project();
    let fingerprint = |project: &Project| project.ok(&["export", "skills", "--out", "-"]);
    let before = fingerprint(&project);
    let category = r#"{"slug": "x", "name": "X", "position": 9}"#;
    let nested = r#"{"slug": "x", "name": "X", "practice": "p", "technologies": [], "category": {"slug": "y", "name": "Y", "position": 8}}"#;
    let by =
        r#"{"slug": "x", "name": "X", "practice": "p", "technologies": [], "category": {"by": {"slug": "nothing"}}}"#;
    let batch = r#"{"ops": [{"op": "create", "in": "categories", "as": "c", "data": {"slug": "x", "name": "X", "position": 9}}, {"op": "create", "in": "skills", "data": {"slug": "x", "name": "X", "practice": "p", "technologies": [], "category": {"ref": "c"}}}]}"#;
    let array = format!("[{category}, {}]", category.replace("\"x\"", "\"y\""));
    let calls: &[(&str, &[&str], u64)] = &[
        ("anonymous", &["GET", "/api/skills?count=true&limit=2"], 200),
        ("anonymous", &["GET", "/api/skills/by/slug/nothing"], 404),
        ("anonymous", &["GET", "/api/skills?group=published&select=count"], 200),
        (
            "anonymous",
            &["POST", "/api/query", r#"{"from": "skills", "filter": "name == p.n", "params": {"n": "x"}}"#],
            200,
        ),
        ("anonymous", &["POST", "/api/categories", category], 401),
        ("bob", &["POST", "/api/categories", category], 403),
        ("eva:editor", &["POST", "/api/categories", category], 201),
        ("eva:editor", &["POST", "/api/categories", &array], 201),
        ("eva:editor", &["POST", "/api/categories?upsert=slug", category], 201),
        ("eva:editor", &["POST", "/api/skills", nested], 201),
        ("eva:editor", &["POST", "/api/skills", by], 422),
        ("eva:editor", &["POST", "/api/batch", batch], 200),
        ("bob", &["POST", "/api/batch", batch], 403),
        ("eva:editor", &["PATCH", "/api/skills/by/slug/caching", r#"{"name": "Caches"}"#], 200),
        (
            "eva:editor",
            &["--header", "If-Match: \"77\"", "PATCH", "/api/skills/by/slug/caching", r#"{"name": "C"}"#],
            412,
        ),
        ("eva:editor", &["PATCH", "/api/skills?filter=true", r#"{"monthsMin": 1, "monthsMax": 2}"#], 200),
        ("bob", &["DELETE", "/api/skills?filter=true"], 403),
    ];
    for (caller, arguments, status) in calls {
        let json = explain(&project, caller, arguments);
        assert_eq!(json["status"], json!(status), "{caller} {arguments:?}: {json:#}");
        assert_eq!(json["refused"].is_string(), *status >= 400, "{json:#}");
        assert!(!json["rules"].as_array().unwrap().is_empty(), "{json:#}");
    }
    // What the API says of a tag that no version can meet is said here too.
    let weak = ["--header", "If-Match: W/\"1\"", "PATCH", "/api/skills/by/slug/caching", "{}"];
    let json = explain(&project, "eva:editor", &weak);
    let refused = json["refused"].as_str().unwrap();
    assert!(refused.contains("is weak, and no weak tag ever matches"), "{json:#}");
    assert!(json["hint"].as_str().unwrap().contains("read the record with its \"version\""), "{json:#}");
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn what_a_write_touches_is_counted_and_what_holds_a_record_is_named() {
    let project = project();
    let json = explain(&project, "admin", &["DELETE", "/api/categories/by/slug/core"]);
    assert_eq!((&json["status"], &json["code"]), (&json!(409), &json!("restricted")), "{json:#}");
    assert_eq!(json["held_by"][0]["collection"], "Skill", "{json:#}");
    assert!(json["held_by"][0]["records"].as_u64().unwrap() > 1, "{json:#}");
    let body = r#"[{"slug": "x", "name": "X", "position": 8}, {"slug": "y", "name": "Y", "position": 9}]"#;
    let json = explain(&project, "admin", &["POST", "/api/categories", body]);
    let changes = json!([{"collection": "Category", "created": 2, "changed": 0, "deleted": 0}]);
    assert_eq!((&json["tried"], &json["changes"]), (&json!(true), &changes), "{json:#}");
    let body = r#"{"slug": "core", "name": "X", "position": 8}"#;
    let json = explain(&project, "admin", &["POST", "/api/categories", body]);
    assert_eq!((&json["status"], &json["code"]), (&json!(409), &json!("not_unique")), "{json:#}");
}

#[test]
fn what_a_delete_takes_along_and_lets_go_is_counted() {
    let rules = "@rules(read: \"true\", write: \"true\")";
    let project = Project::with_schema(&format!(
        "type Rack {rules} {{ name: String! @unique }}
         type Book {rules} {{ rack: Rack! @onDelete(do: CASCADE) }}
         type Page {rules} {{ book: Book! @onDelete(do: CASCADE) }}
         type Lamp {rules} {{ rack: Rack @onDelete(do: SET_NULL) }}"
    ));
    project.ok(&["apply", "--yes"]);
    let key = |at: u32| format!("00000000-0000-7000-8000-{at:012}");
    let of = |from: u32, count: u32, rest: String| -> Vec<serde_json::Value> {
        let record = |at| serde_json::from_str(&format!("{{\"id\": {:?}, {rest}}}", key(from + at))).unwrap();
        (0..count).map(record).collect()
    };
    let racks = json!([{"id": key(1), "name": "a"}, {"id": key(2), "name": "b"}]);
    let mut lamps = of(30, 2, format!("\"rack\": {:?}", key(1)));
    lamps.extend(of(40, 1, format!("\"rack\": {:?}", key(2))));
    let seed = json!({
        "racks": racks, "lamps": lamps,
        "books": of(10, 3, format!("\"rack\": {:?}", key(1))),
        "pages": of(20, 5, format!("\"book\": {:?}", key(11))),
    });
    project.write("seed.json", &seed.to_string());
    project.ok(&["import", "seed.json"]);
    let counted = |collection: &str, changed: u32, deleted: u32| json!({"collection": collection, "created": 0, "changed": changed, "deleted": deleted});
    let taken = [counted("Rack", 0, 1), counted("Book", 0, 3), counted("Page", 0, 5), counted("Lamp", 2, 0)];
    for call in ["/api/racks/by/name/a", "/api/racks?filter=name=='a'"] {
        let json = explain(&project, "anna", &["DELETE", call]);
        assert_eq!(json["refused"], json!(null), "{json:#}");
        let changes = json["changes"].as_array().unwrap();
        assert!(taken.iter().all(|expected| changes.contains(expected)) && changes.len() == 4, "{call}: {changes:#?}");
    }
    assert_eq!(project.ok(&["export", "lamps", "--out", "-"]).matches(&key(1)).count(), 2);
}

#[test]
fn a_change_is_explained_before_and_after_with_its_checks() {
    let project = project();
    let body = r#"{"monthsMin": 9, "monthsMax": 3}"#;
    let text = project.ok(&["explain", "--as", "eva:editor", "PATCH", "/api/skills/by/slug/caching", body]);
    assert!(text.contains("refused: 422"), "{text}");
    assert!(text.contains("Skill @check"), "{text}");
    assert!(text.contains("monthsMax is 3, monthsMin is 9"), "{text}");
    let text = project.ok(&["explain", "--as", "bob", "PATCH", "/api/skills/by/slug/caching", r#"{"name": "C"}"#]);
    assert!(text.contains("Skill.update, of the record as it was: isEditor"), "{text}");
    assert!(text.contains("Skill.update, of the record as it becomes: isEditor"), "{text}");
}

const FLIGHTS: &str = r#"
type Carrier @rules(read: "true") { code: String! @unique name: String! }
type Flight @rules(read: "true") @index(fields: ["hour"]) {
  carrier: Carrier!
  month: Int!
  day: Int!
  hour: Int!
  delay: Int
}
"#;

/// The plan in words, and the missing indexes, of a page of flights.
fn planned(project: &Project, query: &str) -> (Vec<String>, Vec<String>) {
    let json = explain(project, "anonymous", &["GET", &format!("/api/flights{query}")]);
    let texts = |json: &serde_json::Value| -> Vec<String> {
        json.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let missing = json["missing_indexes"].as_array().unwrap();
    let missing = missing.iter().map(|index| index["directive"].as_str().unwrap().to_owned()).collect();
    (texts(&json["statements"][0]["words"]), missing)
}

#[test]
fn plans_are_told_in_words_with_the_index_that_is_missing() {
    sqlite_only!("plans in its own words");
    let project = Project::with_schema(FLIGHTS);
    project.ok(&["apply", "--yes"]);
    let check = |query: &str, words: &[&str], missing: &[&str]| {
        assert_eq!(planned(&project, query), (strings(words), strings(missing)), "{query}");
    };
    let in_order = "reads flights (0) one after the other, in the order of their keys, until the page is full";
    check("", &[in_order], &[]);
    check(
        "?sort=month,day",
        &["reads every record of flights (0)", "sorts all that it found in memory, because no index gives month, day"],
        &[r#"@index(fields: ["month", "day"])"#],
    );
    check(
        "?sort=hour",
        &["reads flights (0) one after the other, in the order of the index of hour, until the page is full"],
        &[],
    );
    check("?filter=hour==3", &["finds flights by hour, by the index of hour"], &[]);
    check("?filter=month==3", &[in_order], &[r#"@index(fields: ["month"])"#]);
    check(
        "?filter=month==3&sort=day",
        &["reads every record of flights (0)", "sorts all that it found in memory, because no index gives day"],
        &[r#"@index(fields: ["month", "day"])"#],
    );
    check(
        "?filter=carrier=='019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'",
        &["finds flights by carrier, by the index of carrier"],
        &[],
    );
    check(
        "?filter=carrier=='019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'&sort=month",
        &[
            "finds flights by carrier, by the index of carrier",
            "sorts all that it found in memory, because no index gives month",
        ],
        &[r#"@index(fields: ["carrier", "month"])"#],
    );
    check("?filter=delay>60", &[in_order], &[]);
    check(
        "?filter=delay>60&sort=delay",
        &["reads every record of flights (0)", "sorts all that it found in memory, because no index gives delay"],
        &[r#"@index(fields: ["delay"])"#],
    );
    check(
        "?group=hour",
        &[
            "first:",
            "  reads every record of flights (0), by the index of hour",
            "goes through what that gave",
            "sorts the groups in memory",
        ],
        &[],
    );
    check(
        "?group=month",
        &[
            "first:",
            "  reads every record of flights (0)",
            "  puts them into groups in memory, because no index gives month",
            "goes through what that gave",
            "sorts the groups in memory",
        ],
        &[r#"@index(fields: ["month"])"#],
    );
    check("?fields=month,carrier(name)", &[in_order, "for each of them:", "  finds carriers by their key"], &[]);
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn an_index_that_is_pasted_is_taken_and_no_longer_missing() {
    let project = Project::with_schema(FLIGHTS);
    project.ok(&["apply", "--yes"]);
    let (_, missing) = planned(&project, "?filter=month==3&sort=day");
    project.write("schema.graphql", &FLIGHTS.replace("@index(fields: [\"hour\"])", &missing[0]));
    project.ok(&["apply", "--yes"]);
    let (words, missing) = planned(&project, "?filter=month==3&sort=day");
    // PostgreSQL reads an empty table as it likes.
    if engine() == Engine::Sqlite {
        assert_eq!(words, ["finds flights by month, by the index of month, day"]);
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn on_a_server_the_missing_index_is_judged_by_the_plan_and_said_to_be() {
    postgres_only!("on SQLite it is tried");
    let project = Project::with_schema(FLIGHTS);
    project.ok(&["apply", "--yes"]);
    let judged = "the missing index is judged by this plan; it was not tried".to_owned();
    for (query, expected) in [
        ("", None),
        ("?sort=month,day", Some(r#"@index(fields: ["month", "day"])"#)),
        ("?sort=hour", None),
        ("?filter=hour==3", None),
        ("?filter=month==3", Some(r#"@index(fields: ["month"])"#)),
        ("?filter=month==3&sort=day", Some(r#"@index(fields: ["month", "day"])"#)),
        ("?filter=carrier=='019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'", None),
        (
            "?filter=carrier=='019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'&sort=month",
            Some(r#"@index(fields: ["carrier", "month"])"#),
        ),
        ("?filter=delay>60", None),
        ("?filter=delay>60&sort=delay", Some(r#"@index(fields: ["delay"])"#)),
        ("?group=month", None),
        ("?fields=month,carrier(name)", None),
    ] {
        let (words, missing) = planned(&project, query);
        assert_eq!(missing, expected.as_slice(), "{query}");
        assert_eq!(words.contains(&judged), expected.is_some(), "{query}: {words:?}");
    }
    // A table that is known to be small is read whole in any case.
    project.sql(
        "INSERT INTO carriers (id, code, name, created_at, updated_at, version) \
         VALUES ('019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f', 'a', 'a', now(), now(), 1); \
         INSERT INTO flights (id, carrier, month, day, hour, created_at, updated_at, version) SELECT gen_random_uuid(), \
         '019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f', n % 12, n % 30, n % 24, now(), now(), 1 FROM generate_series(1, 900) AS n; \
         ANALYZE flights",
    );
    assert_eq!(planned(&project, "?filter=month==3").1, [""; 0]);
}

#[test]
fn a_page_is_measured() {
    let project = project();
    let json = explain(&project, "admin", &["--run=3", "GET", "/api/skills?sort=monthsMin"]);
    assert_eq!((&json["measured"]["times"], &json["measured"]["rows"]), (&json!(3), &json!(32)), "{json:#}");
    let text = project.ok(&["explain", "--as", "admin", "--run", "GET", "/api/skills?sort=monthsMin"]);
    assert!(text.contains("the median of 5 runs"), "{text}");
}
