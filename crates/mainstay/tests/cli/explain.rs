//! `mainstay explain`
use serde_json::json;

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
        assert!(json["sql"][0].as_str().unwrap().starts_with("SELECT"), "{json}");
        assert!(json["sql"].as_array().unwrap().len() > 1 && !json["plan"].as_array().unwrap().is_empty(), "{json}");
        let json = explained("anna", method, "monthsMin>2");
        assert!(json["refused"].as_str().unwrap().contains("refuses"), "{json}");
    }
    let all = project.json(&["explain", "--as", "admin", "DELETE", "/api/skills"]).1;
    assert!(all.to_string().contains("filter"), "{all}");
}
