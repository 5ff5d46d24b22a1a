//! `mainstay types`
use crate::support::Project;

#[test]
fn the_types_of_records_inputs_and_errors() {
    let project = Project::with_schema(
        r#"enum State { OPEN DONE }
"Where somebody lives: a */ in a comment."
type Place @embedded { street: String! floor: Int }
"A thing to do."
type Task @unique(fields: ["owner", "number"]) {
  "Who does it."
  owner: ID! @set(create: "auth.id")
  number: Int!
  state: State! @default(value: OPEN)
  place: Place
  price: Decimal! @decimal(precision: 6, scale: 2)
  tags: [String!]!
  list: List!
  after: [Task!]! @many
}
type List { id: Int! name: String! tasks: [Task!]! @inverse(field: "list") }
type Collections { a: JSON }"#,
    );
    let text = project.ok(&["types", "ts"]);
    assert_eq!(text, project.ok(&["types", "ts"]), "the same each time");
    for part in [
        "export type State = \"OPEN\" | \"DONE\";",
        "/** Where somebody lives: a *\u{2060}/ in a comment. */\nexport interface Place {\n  street: string;\n  floor?: number | null;\n}",
        "/** A thing to do. */\nexport interface Task {\n  id: string;\n",
        "  /** Who does it. */\n  owner: string;\n  number: number;\n  state: State;\n  place: Place | null;\n  price: string;\n",
        "export type TaskLink = string | { by: { owner: string; number: number } } | { ref: string };",
        "export interface TaskCreate {\n  id?: string;\n  number: number;\n  state?: State;\n  place?: Place | null;\n  price: string | number;\n  tags: string[];\n  list: ListLink | ListCreate;\n  after?: (TaskLink | TaskCreate)[];\n}",
        "export interface TaskUpdate {\n  number?: number | { add: number };\n",
        "  after?: TaskLink[] | { add?: TaskLink[]; remove?: TaskLink[] };\n",
        "  tasks?: Omit<TaskCreate, \"list\">[];\n",
        "  \"tasks\": { record: Task; create: TaskCreate; update: TaskUpdate; page: TaskPage };",
        "export interface Collections_ {",
        "  a: Json | null;",
        "  | \"not_found\"\n",
        "export interface Problem {",
    ] {
        assert!(text.contains(part), "{part}\n── is not in\n{text}");
    }
}

#[test]
fn only_languages_that_are_there_are_taken() {
    let ran = Project::with_schema("type A { b: String }").run(&["types", "cobol"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("ts"), "{}", ran.stderr);
}
