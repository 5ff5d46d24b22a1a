//! The example applications: their rule tests pass and reach every clause.
use crate::support::Project;

fn check(name: &str) {
    let project = Project::template(name);
    let (code, report) = project.json(&["test", "--clauses", "100", "--explained"]);
    let failed: Vec<_> = report["tests"].as_array().unwrap().iter().filter(|test| test["passed"] != true).collect();
    assert!(failed.is_empty(), "{name}: {failed:#?}");
    assert_eq!(report["coverage"]["missing"].as_array().map(Vec::len), Some(0), "{name}: {report:#}");
    assert_eq!(code, Some(0), "{name}");
    assert!(!project.path("data").exists(), "the project's own database is not touched");
}

#[test]
fn the_rules_of_skillmap_are_tested_clause_by_clause() {
    check("skillmap");
}

#[test]
fn the_rules_of_tracker_are_tested_clause_by_clause() {
    check("tracker");
}

#[test]
fn the_rules_of_shop_are_tested_clause_by_clause() {
    check("shop");
}
