//! `mainstay import`
use reqwest::StatusCode;
use serde_json::json;

use crate::support::Project;

const SECRET: &str = "a secret of the tests that is long enough";

#[test]
fn the_example_is_imported_with_its_links() {
    let project = Project::skillmap();
    project.ok(&["apply", "--yes"]);
    let (code, json) = project.json(&["import", "seed/skillmap.json"]);
    assert_eq!(code, Some(0), "{json}");
    let created = json["collections"].as_array().unwrap();
    let counts: Vec<_> =
        created.iter().map(|one| (one["collection"].as_str().unwrap(), one["created"].as_u64().unwrap())).collect();
    assert_eq!(counts, [("Category", 3), ("Skill", 32)]);
}

#[tokio::test]
async fn csv_and_ndjson_go_into_the_collection_that_is_named() {
    let project = Project::skillmap().env("MAINSTAY_AUTH_JWT_SECRET", SECRET);
    project.ok(&["apply", "--yes"]);
    project.write("categories.csv", "slug,name,position\nnew,\"New, and more\",4\nnewer,Newer,5\n");
    project.write("more.ndjson", concat!(
        "{\"slug\": \"a\", \"name\": \"A\", \"category\": \"new\", \"practice\": \"p\", \"technologies\": [], \"requires\": [\"b\"]}\n",
        "{\"slug\": \"b\", \"name\": \"B\", \"category\": \"newer\", \"practice\": \"p\", \"technologies\": [\"x\"], \"requires\": []}\n",
    ));
    assert!(project.ok(&["import", "categories.csv"]).contains("categories.csv: 2 Category created"));
    assert!(project.ok(&["import", "skills", "more.ndjson"]).contains("more.ndjson: 2 Skill created"));
    let server = project.start(&["serve"]);
    let fields = ("fields", "name,category(name),requires(slug)");
    let (status, skill) = server.get("/api/skills/by/slug/a", &[fields], None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(skill, json!({"name": "A", "category": {"name": "New, and more"}, "requires": [{"slug": "b"}]}));
}

#[test]
fn wrong_records_are_named_with_their_place() {
    let project = Project::skillmap();
    project.ok(&["apply", "--yes"]);
    project.write("categories.ndjson", "{\"slug\": \"ok\", \"name\": \"n\", \"position\": 1}\n{\"slug\": \"Not so\", \"name\": \"n\", \"position\": 1}\n");
    let ran = project.run(&["import", "categories.ndjson"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("categories.ndjson:2: Category"), "{ran:?}");
    assert!(ran.stdout.contains("small letters, digits and dashes"), "{ran:?}");
}

#[test]
fn what_is_neither_a_collection_nor_a_file_is_told() {
    let project = Project::skillmap();
    project.ok(&["apply", "--yes"]);
    let said = |arguments: &[&str]| {
        let ran = project.run(&[&["import"], arguments].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.stderr
    };
    assert!(said(&["skils", "x.csv"]).contains("\"skils\" is neither a collection nor a file"));
    assert!(said(&["skils", "x.csv"]).contains("do you mean \"skills\"?"));
    assert!(said(&["skills"]).contains("collection \"skills\" is named, and no file"));
    assert!(said(&["skills", "missing.csv"]).contains("missing.csv"));
    project.write("unnamed.csv", "slug\nx\n");
    assert!(said(&["unnamed.csv"]).contains("there is no collection \"unnamed\""));
    project.write("skills.xml", "<x/>");
    assert!(said(&["skills.xml"]).contains("its form is not known"));
}

#[test]
fn nothing_is_imported_into_a_database_that_does_not_match() {
    let ran = Project::skillmap().run(&["import", "seed/skillmap.json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the database does not match the schema"), "{}", ran.stderr);
}
