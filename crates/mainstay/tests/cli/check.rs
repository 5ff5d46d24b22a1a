//! `mainstay check`
use crate::support::Project;

const BROKEN: &str = r#"type Skill @rules(read: "publshed") {
  name: Strng!
  published: Boolean!
}
"#;

#[test]
fn errors_are_shown_with_their_place_all_at_once() {
    let ran = Project::with_schema(BROKEN).run(&["check"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("--> schema.graphql:1:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--> schema.graphql:2:9"), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 |   name: Strng!"), "{}", ran.stderr);
    assert!(ran.stderr.contains("published") && ran.stderr.contains("String"), "{}", ran.stderr);
    assert!(ran.stderr.contains("error: the schema has 2 errors"), "{}", ran.stderr);
}

#[test]
fn errors_come_as_json_too() {
    let (code, json) = Project::with_schema(BROKEN).json(&["check"]);
    assert_eq!(code, Some(1));
    assert_eq!(json["error"]["code"], "schema");
    let diagnostics = json["error"]["diagnostics"].as_array().unwrap();
    assert_eq!(diagnostics.len(), 2, "{json}");
    let second = &diagnostics[1];
    assert_eq!((&second["file"], &second["line"], &second["column"]), (&"schema.graphql".into(), &2.into(), &9.into()));
    assert!(second["hint"].as_str().unwrap().contains("String"), "{second}");
}

#[test]
fn the_files_of_a_folder_are_one_schema() {
    let project = Project::empty();
    project.write("schema/b.graphql", "type B @rules(read: \"true\") { a: A! }");
    project.write("schema/a.graphql", "type A @rules(read: \"true\") { name: String }");
    project.write("schema/notes.txt", "not a schema");
    let (code, json) = project.json(&["check"]);
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(json["collections"], serde_json::json!(["A", "B"]));
    project.write("schema.graphql", "type C { a: Int }");
    let ran = project.run(&["check"]);
    assert!(ran.stderr.contains("there are both schema.graphql and files in schema/"), "{}", ran.stderr);
}
