//! `mainstay openapi`, `mainstay sdl`, and the help.
use serde_json::Value;

use crate::support::Project;

#[test]
fn the_description_of_the_api_is_of_this_schema() {
    let document: Value = serde_json::from_str(&Project::skillmap().ok(&["openapi"])).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["title"], "Skillmap");
    assert!(document["paths"]["/api/skills"]["get"].is_object());
}

#[test]
fn the_schema_is_printed_as_one_text() {
    let project = Project::empty();
    project.write("schema/a.graphql", "type A @rules(read: \"true\") { name: String }\n");
    project.write("schema/b.graphql", "type B @rules(read: \"true\") { a: A! }\n");
    let sdl = project.ok(&["sdl"]);
    project.write("one.graphql", &sdl);
    assert!(sdl.contains("type A") && sdl.contains("type B"), "{sdl}");
    let copy = Project::with_schema(&sdl);
    assert_eq!(copy.run(&["check"]).code, Some(0));
}

#[test]
fn the_prelude_defines_what_schemas_are_written_in() {
    let prelude = Project::skillmap().ok(&["sdl", "--prelude"]);
    for word in ["directive @rules", "directive @unique", "scalar DateTime", "type Query", "type Mutation"] {
        assert!(prelude.contains(word), "{word}");
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let project = Project::empty();
    for command in ["new", "dev", "serve", "check", "plan", "apply", "import", "token", "explain", "openapi", "sdl"] {
        let help = project.ok(&[command, "--help"]);
        assert!(help.contains("Example:") && help.contains(&format!("mainstay {command}")), "{help}");
    }
    assert_ne!(project.run(&["chekc"]).code, Some(0));
    assert!(project.run(&["chekc"]).stderr.contains("check"));
}
