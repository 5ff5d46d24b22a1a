//! `mainstay token`
use std::os::unix::fs::PermissionsExt;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::Project;

const SCHEMA: &str = r#"
extend schema @claim(name: "org", type: UUID)
type Note @rules(read: "owner == auth.id || 'reader' in auth.roles || org == auth.claims.org") {
  owner: ID!
  org: UUID
}
"#;
const ORG: &str = "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";

#[tokio::test]
async fn tokens_open_what_the_rules_say() {
    let project = Project::with_schema(SCHEMA);
    let root = project.token(&["--sub", "root", "--admin"]);
    let anna = project.token(&["--sub", "anna"]);
    let reader = project.token(&["--sub", "bob", "--role", "reader", "--role", "other"]);
    let member = project.token(&["--sub", "eva", "--claim", &format!("org={ORG}"), "--ttl", "5m"]);
    let server = project.start(&["dev"]);
    for record in [json!({"owner": "anna"}), json!({"owner": "zoe", "org": ORG})] {
        assert_eq!(server.post("/api/notes", &record, Some(&root)).await.0, StatusCode::CREATED);
        assert_eq!(server.post("/api/notes", &record, Some(&anna)).await.0, StatusCode::FORBIDDEN);
    }
    for (token, seen) in [(&root, 2), (&anna, 1), (&reader, 2), (&member, 1)] {
        let (status, page) = server.get("/api/notes", &[], Some(token)).await;
        assert_eq!((status, page["items"].as_array().unwrap().len()), (StatusCode::OK, seen));
    }
    let forged = format!("{}x", anna);
    assert_eq!(server.get("/api/notes", &[], Some(&forged)).await.0, StatusCode::UNAUTHORIZED);
}

#[test]
fn the_secret_of_development_is_kept_for_its_owner_alone() {
    let project = Project::with_schema(SCHEMA);
    project.token(&["--sub", "anna"]);
    let secret = project.read("data/jwt_secret");
    assert_eq!(secret.len(), 64);
    let mode = std::fs::metadata(project.path("data/jwt_secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    project.token(&["--sub", "anna"]);
    assert_eq!(project.read("data/jwt_secret"), secret);
}

#[test]
fn what_cannot_be_a_token_is_not_made() {
    let project = Project::with_schema(SCHEMA);
    let refused = |arguments: &[&str]| {
        let ran = project.run(&[&["token", "--sub", "anna"], arguments].concat());
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        ran.stderr
    };
    assert!(refused(&["--claim", "orgg=x"]).contains("the schema declares no claim \"orgg\": do you mean \"org\"?"));
    assert!(refused(&["--claim", "org=x"]).contains("claim \"org\": \"x\" is no UUID"));
    assert!(refused(&["--claim", "org"]).contains("expected NAME=VALUE"));
    assert!(refused(&["--ttl", "soon"]).contains("expected a time like 90s"));
}

/// `mainstay dev` goes on with the last good schema while the files have an error: its callers get tokens all the same.
#[tokio::test]
async fn an_error_of_the_schema_is_in_the_way_of_claims_alone() {
    let project = Project::with_schema(SCHEMA);
    let server = project.start(&["dev"]);
    project.write("schema.graphql", &SCHEMA.replace("ID!", "Nothing!"));
    let anna = project.token(&["--sub", "anna", "--role", "reader"]);
    assert_eq!(server.get("/api/notes", &[], Some(&anna)).await.0, StatusCode::OK);
    let ran = project.run(&["token", "--sub", "eva", "--claim", &format!("org={ORG}")]);
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains("schema.graphql:4"), "{}", ran.stderr);
    std::fs::remove_file(project.path("schema.graphql")).unwrap();
    let ran = project.run(&["token", "--sub", "eva"]);
    assert!(ran.code != Some(0) && ran.stderr.contains("there is no schema.graphql here"), "{}", ran.stderr);
}

#[test]
fn a_token_comes_as_json_too() {
    let (code, json) = Project::with_schema(SCHEMA).json(&["token", "--sub", "anna", "--ttl", "2h"]);
    assert_eq!((code, &json["expiresIn"]), (Some(0), &json!(7_200)));
    assert_eq!(json["token"].as_str().unwrap().matches('.').count(), 2);
}
