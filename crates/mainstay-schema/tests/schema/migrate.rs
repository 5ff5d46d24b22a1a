//! The difference of two schemas.
use mainstay_schema::{Migration, Schema, Snapshot};

use crate::load;

fn steps(old: Option<&str>, new: &str) -> String {
    let snapshot = |text: &str| {
        let snapshot = load(text).snapshot();
        let again = Snapshot::from_json(&snapshot.to_json()).unwrap();
        assert_eq!(again, snapshot);
        snapshot
    };
    let migration = Migration::between(old.map(snapshot).as_ref(), &load(new));
    migration.steps.iter().map(|step| format!("{:?}: {step}\n", step.class)).collect()
}

#[test]
fn an_empty_database_gets_everything() {
    insta::assert_snapshot!(steps(None, crate::design::EXAMPLE), @r#"
    Additive: create table "categories" for "Category"
    Additive: create table "skills" for "Skill"
    Additive: create table "progresses" for "Progress"
    Additive: create join table "skills_requires" from "skills" to "skills"
    "#);
    insta::assert_snapshot!(steps(Some(crate::design::EXAMPLE), crate::design::EXAMPLE), @"");
}

#[test]
fn additive_steps() {
    let old = "type A { a: Int b: B s: S } type B { x: Int y: A z: Int @index } enum S { one }";
    let new = r#"
type A @unique(fields: ["a", "n"]) { a: Int @index b: B s: S n: String @unique d: Int! @default(value: 5) l: C cs: [C!]! @many }
type B { x: Int y: A z: Int }
type C { c: Int! @default(value: 3) }
enum S { one two }
"#;
    insta::assert_snapshot!(steps(Some(old), new), @r#"
    Additive: add "two" to enum "S"
    Additive: drop the index of "bs" by "z"
    Additive: create table "cs" for "C"
    Additive: add column "n" to "as"
    Additive: add column "d" to "as"
    Additive: add column "l" to "as"
    Additive: make "a", "n" unique in "as"
    Additive: make "n" unique in "as"
    Additive: index "as" by "a"
    Additive: index "as" by "l"
    Additive: create join table "as_cs" from "as" to "cs"
    "#);
}

/// What is done for each value of an enum, or each field, does not look at all of them for each of them again: this would not end.
#[test]
fn large_enums_and_wide_types_are_compared() {
    let many = |first: &str| {
        let values: String = (1..3_000).map(|at| format!(" V{at}")).collect();
        let fields: String = (1..390).map(|at| format!(" f{at}: Int")).collect();
        format!("enum E {{ {first}{values} }} type A {{ e: E es: [E!]{fields} }}")
    };
    assert_eq!(steps(Some(&many("first")), &many("first")), "");
    let renamed = steps(Some(&many("first")), &many("one @was(name: \"first\")"));
    assert_eq!(renamed, "NeedsDrain: rename \"first\" of enum \"E\" to \"one\"\n");
}

/// What a step says of a type is its name, for lists, enums and embedded types too.
#[test]
fn types_are_told_by_their_names() {
    let old = "type A { s: [S!]! j: JSON m: M } enum S { x } enum T { x } type M @embedded { t: String j: JSON n: [N!] } type N @embedded { x: Int }";
    let new = "type A { s: JSON j: [M!] m: M } enum S { x } enum T { x } type M @embedded { t: T j: [S!] n: JSON } type N @embedded { x: Int }";
    insta::assert_snapshot!(steps(Some(old), new), @r#"
    NeedsDrain: change the type of member "M.t" from String to T
    NeedsDrain: change the type of member "M.j" from JSON to [S!]
    NeedsDrain: change the type of member "M.n" from [N!] to JSON
    NeedsDrain: change the type of "s" of "as" from [S!] to JSON, with its values
    NeedsDrain: make "s" of "as" optional
    NeedsDrain: change the type of "j" of "as" from JSON to [M!], with its values
    "#);
}

#[test]
fn every_kind_of_change_has_its_class() {
    let old = r#"
type A { a: Int b: B c: String d: Int! e: Int @unique f: Int @default(value: 1) g: [B!]! @many s: S m: M h: B i: [B!]! @many k: Int }
type B { x: Int } type C { x: Int } type D { id: Int! } type Gone { x: Int } type Old { x: Int }
enum S { one two three }
type M @embedded { a: Int b: Int c: Int x: Int }
"#;
    let new = r#"
type A @check(expr: "k > 1") {
  a: Long b: C c: String @unique d: Int e: Int f: Int @default(value: 2) r: Int! r2: Int! @backfill(expr: "d") g: [C!]! @many s: S m: M
  h: [B!]! @many i: B k: Int! @check(expr: "k > 0") @backfill(expr: "0")
}
type B { x: Int! } type D { y: Int } type C { z: Int } type New @was(name: "Old") { y: Int @was(name: "x") }
enum S { one drei @was(name: "three") four }
type M @embedded { a: Int! c: String d: Int! e: Int y: Int @was(name: "x") }
"#;
    insta::assert_snapshot!(steps(Some(old), new), @r#"
    NeedsDrain: drop "two" of enum "S"
    NeedsDrain: rename "three" of enum "S" to "drei"
    Additive: add "four" to enum "S"
    Destructive: drop member "M.b", with its values
    NeedsDrain: make member "M.a" required
    NeedsDrain: change the type of member "M.c" from Int to String
    NeedsDrain: add member "M.d", which is required
    Additive: add member "M.e"
    NeedsDrain: rename member "M.x" to "y"
    Destructive: drop table "gones" of "Gone", with all its records
    Destructive: drop column "x" of "cs", with its values
    Additive: add column "z" to "cs"
    NeedsDrain: make "x" of "bs" required
    NeedsDrain: change the type of "a" of "as" from Int to Long, with its values
    NeedsDrain: point "b" of "as" at "cs" instead of "bs"
    NeedsDrain: limit "c" of "as" to 255 characters, as it is unique or indexed
    NeedsDrain: make "d" of "as" optional
    Additive: the default of "f" of "as" is 2
    NeedsDrain: add column "r" to "as", which is required
    NeedsDrain: add column "r2" to "as", filled with d
    NeedsDrain: move the links of join table "as_i" to column "i" of "as"
    Additive: fill "k" of "as" where it is null: 0
    NeedsDrain: make "k" of "as" required
    NeedsDrain: "e" of "as" is no longer unique
    NeedsDrain: make "c" unique in "as"
    Additive: drop the index of "as" by "h (gone)"
    Additive: index "as" by "i"
    NeedsDrain: check "A": k > 1
    NeedsDrain: check "A.k": k > 0
    Refused: the kind of key of "D" cannot change
    Additive: add column "y" to "ds"
    NeedsDrain: rename "Old" to "New": table "news"
    NeedsDrain: rename column "x" of "news" to "y"
    NeedsDrain: point join table "as_g" at "cs" instead of "bs"
    NeedsDrain: move the links of column "h" to join table "as_h"
    "#);
}

#[test]
fn a_key_of_another_kind_is_refused() {
    insta::assert_snapshot!(steps(Some("type D { id: Int! a: Int }"), "type D { a: Int }"), @r#"
    Refused: the kind of key of "D" cannot change
    "#);
}

#[test]
fn a_former_name_counts_only_where_it_is_needed() {
    let new = r#"type B @was(name: "A") { y: Int @was(name: "x") } type A { x: Int }"#;
    insta::assert_snapshot!(steps(Some("type A { x: Int }"), new), @r#"
    NeedsDrain: rename "A" to "B": table "bs"
    NeedsDrain: rename column "x" of "bs" to "y"
    Additive: create table "as" for "A"
    "#);
    assert_eq!(steps(Some(new), new), "");
    assert_eq!(steps(Some(r#"type B { y: Int } type A { x: Int }"#), new), "");
    insta::assert_snapshot!(steps(None, new), @r#"
    Additive: create table "bs" for "B"
    Additive: create table "as" for "A"
    "#);
}

#[test]
fn checks_are_remembered_and_rules_and_documents_are_not() {
    let old = "type A { a: String }";
    let new = r#""Doc." type A @rules(read: "true") { "Doc." a: String @immutable }"#;
    assert_eq!(steps(Some(old), new), "");
    assert_eq!(load(old).fingerprint, load(new).fingerprint);
    let checked = r#"type A { a: String @check(expr: "size(a)<=80") }"#;
    insta::assert_snapshot!(steps(Some(old), checked), @r#"NeedsDrain: check "A.a": size(a) <= 80"#);
    insta::assert_snapshot!(steps(Some(checked), old), @r#"Additive: "A.a" is no longer checked: size(a) <= 80"#);
    let spaced = r#"type A { a: String @check(expr: "size( a ) <= 80", message: "too long") }"#;
    assert_eq!(steps(Some(checked), spaced), "");
}

#[test]
fn the_snapshot_of_an_older_version_is_read() {
    let text = r#"{"format":1,"tables":[{"collection":"Tag","table":"tags","key":"uuid","columns":[{"field":"id","column":"id","ty":{"scalar":"uuid"},"required":true},{"field":"name","column":"name","ty":{"scalar":"string"},"required":true,"length_max":255},{"field":"createdAt","column":"created_at","ty":{"scalar":"date_time"},"required":true},{"field":"updatedAt","column":"updated_at","ty":{"scalar":"date_time"},"required":true},{"field":"version","column":"version","ty":{"scalar":"int"},"required":true}],"uniques":[{"name":"tags_name_key","columns":["name"]}],"indexes":[],"foreign_keys":[]}],"joins":[{"table":"tags_similar","from_table":"tags","from_key":"uuid","to_table":"tags","to_key":"uuid"}],"enums":[]}"#;
    let old = Snapshot::from_json(text).unwrap();
    let way = |new: &str| -> Vec<String> {
        Migration::between(Some(&old), &load(new)).steps.iter().map(ToString::to_string).collect()
    };
    // What it did not remember is taken as known.
    let same = r#"type Tag { name: String! @unique @check(expr: "name != ''") similar: [Tag!]! @many }"#;
    assert_eq!(way(same), Vec::<String>::new());
    let renamed = r#"type Tag { name: String! @unique like: [Tag!]! @many @was(name: "similar") }"#;
    assert_eq!(way(renamed), [r#"rename join table "tags_similar" to "tags_like""#]);
}

#[test]
fn the_last_index_of_a_text_takes_its_limit_along() {
    insta::assert_snapshot!(steps(Some("type A { a: String @index }"), "type A { a: String }"), @r#"
    Additive: let "a" of "as" have any number of characters
    Additive: drop the index of "as" by "a"
    "#);
    let longer = r#"type A { a: String @index @check(expr: "size(a) <= 300") }"#;
    insta::assert_snapshot!(steps(Some("type A { a: String @index }"), longer), @r#"
    Additive: let "a" of "as" have 300 characters
    NeedsDrain: check "A.a": size(a) <= 300
    "#);
    insta::assert_snapshot!(steps(Some("type A { owner: String }"), r#"type A @rules(read: "owner == auth.id") { owner: String }"#), @r#"
    NeedsDrain: limit "owner" of "as" to 255 characters, as it is unique or indexed
    Additive: index "as" by "owner"
    "#);
}

#[test]
fn names_in_the_database_stay_short() {
    let field = "anExtremelyLongNameOfAFieldThatGoesOnAndOnAndOn";
    let schema: Schema = load(&format!("type VeryLongNameOfAType {{ {field}: Int @unique }}"));
    let name = &schema.snapshot().tables[0].uniques[0].name;
    assert!(name.len() <= 60, "{name}");
}

#[test]
fn defaults_are_values_again() {
    let schema = load(
        r#"
type A {
  a: Long @default(value: 5) b: [Int!] @default(value: [1]) c: S @default(value: one) d: Decimal @decimal(precision: 4, scale: 2) @default(value: 1.5)
  e: M @default(value: {x: 1}) f: DateTime @default(value: "2026-01-01T00:00:00Z") g: Boolean @default(value: false) h: JSON @default(value: {a: [1]})
}
enum S { one }
type M @embedded { x: Int }
"#,
    );
    let columns = &schema.snapshot().tables[0].columns;
    let defaults: Vec<_> =
        columns.iter().filter_map(|column| Some((column.default.clone()?, column.default_value()))).collect();
    insta::assert_debug_snapshot!(defaults, @r#"
    [
        (
            "\"5\"",
            Some(
                Int(
                    5,
                ),
            ),
        ),
        (
            "[1]",
            Some(
                List(
                    [
                        Int(
                            1,
                        ),
                    ],
                ),
            ),
        ),
        (
            "\"one\"",
            Some(
                Text(
                    "one",
                ),
            ),
        ),
        (
            "\"1.50\"",
            Some(
                Decimal(
                    Decimal {
                        units: 150,
                        scale: 2,
                    },
                ),
            ),
        ),
        (
            "{\"x\":1}",
            Some(
                Json(
                    "{\"x\":1}",
                ),
            ),
        ),
        (
            "\"2026-01-01T00:00:00.000000Z\"",
            Some(
                Timestamp(
                    1767225600000000,
                ),
            ),
        ),
        (
            "false",
            Some(
                Bool(
                    false,
                ),
            ),
        ),
        (
            "{\"a\":[1]}",
            Some(
                Json(
                    "{\"a\":[1]}",
                ),
            ),
        ),
    ]
    "#);
}

/// What a node with an old schema finds, when the database has gone on to a new one.
fn since(own: &str, database: &str) -> String {
    let snapshot = Snapshot::from_json(&load(database).snapshot().to_json()).unwrap();
    Migration::since(&load(own), &snapshot).iter().map(|step| format!("{:?}: {step}\n", step.class)).collect()
}

#[test]
fn a_node_finds_what_has_become_of_its_tables() {
    let own = r#"
type A { a: Int b: B s: S t: E title: String! @was(name: "name") }
type B { x: Int y: A }
type E @embedded { one: Int }
enum S { one }
"#;
    assert_eq!(since(own, own), "");
    let ahead = r#"
type A @unique(fields: ["a", "n"]) { a: Int @index b: B s: S t: E title: String! n: String d: Int! @default(value: 5) cs: [C!]! @many }
type B { x: Int y: A }
type C { c: Int! }
type E @embedded { one: Int two: Int }
enum S { one two }
"#;
    insta::assert_snapshot!(since(own, ahead), @r#"
    Additive: add "two" to enum "S"
    Additive: add member "E.two"
    Additive: add column "n" to "as"
    Additive: add column "d" to "as"
    Additive: make "a", "n" unique in "as"
    Additive: index "as" by "a"
    Additive: create table "cs" for "C"
    Additive: create join table "as_cs" from "as" to "cs"
    "#);
}

#[test]
fn a_node_finds_what_it_cannot_live_with() {
    let own = "type A { a: Int n: String } type B { x: Int }";
    insta::assert_snapshot!(since(own, "type A { a: Int! n: String r: Int! } type B { x: Int @unique }"), @r#"
    NeedsDrain: make "a" of "as" required
    NeedsDrain: add column "r" to "as", which is required
    NeedsDrain: make "x" unique in "bs"
    "#);
    insta::assert_snapshot!(since(own, r#"type A { b: Int @was(name: "a") n: Int } type Bee @was(name: "B") { x: Int }"#), @r#"
    Destructive: drop table "bs" of "B", with all its records
    Destructive: drop column "a" of "as", with its values
    Additive: add column "b" to "as"
    NeedsDrain: change the type of "n" of "as" from String to Int, with its values
    Additive: create table "bees" for "Bee"
    "#);
}
