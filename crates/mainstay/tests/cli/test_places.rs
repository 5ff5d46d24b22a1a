//! `mainstay test`: where the clauses stand that no request reached.
use crate::support::Project;

const SCHEMA: &str = r#"type Doc
  @define(name: "isBoss", expr: "'boss' in auth.roles")
  @define(name: "mine", expr: "owner == auth.id")
  @rules(
    read: "public || owner == auth.id"
    create: "owner == auth.id || mine"
    update: "owner == auth.id"
    delete: "owner == auth.id || isBoss"
  )
{
  public: Boolean!
  owner: ID!
  price: Int @rules(write: "owner == auth.id")
}
type Line
  @rules(
    read: """
      can(doc, 'read')
      && (n > 1 ||
        n < 0)
    """
    write: "n == 1\n&& n == 2"
    delete: "can(doc, 'delete')"
  )
{
  n: Int!
  doc: Doc!
}
"#;

/// The rule, the line and the clause of each.
#[test]
fn clauses_are_told_in_their_own_line() {
    let project = Project::with_schema(SCHEMA);
    let request = "[[test.request]]\nget = \"/api/docs\"\nas = \"admin\"\n";
    project.write("tests/a.toml", &format!("[[test]]\nname = \"none\"\n{request}"));
    let (code, report) = project.json(&["test"]);
    assert_eq!(code, Some(0), "{report:#}");
    let missing = report["coverage"]["missing"].as_array().unwrap().iter();
    let told: Vec<String> = missing
        .map(|one| {
            let word = |name: &str| one[name].as_str().unwrap().to_owned();
            format!("{}:{} {} {}", word("file"), one["line"], word("rule"), word("clause"))
        })
        .map(|told| told.trim_start_matches("schema.graphql:").to_owned())
        .collect();
    let expected = [
        "5 Doc.read public",
        "5 Doc.read owner == auth.id",
        "6 Doc.create owner == auth.id",
        "6 Doc.create mine",
        "7 Doc.update owner == auth.id",
        "8 Doc.delete owner == auth.id",
        "8 Doc.delete isBoss",
        "13 Doc.price.write owner == auth.id",
        "18 Line.read can(doc, 'read'), part 1 of 2",
        "18 Line.read can(doc, 'read'), part 2 of 2",
        "19 Line.read n > 1",
        "20 Line.read n < 0",
        "22 Line.create n == 1",
        "22 Line.create n == 2",
        "23 Line.delete can(doc, 'delete'), part 1 of 2",
        "23 Line.delete can(doc, 'delete'), part 2 of 2",
    ];
    assert_eq!(told, expected);
}
