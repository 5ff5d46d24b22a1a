//! The difference of two schemas.
use mainstay_schema::{Schema, Snapshot, diff};

use crate::load;

fn steps(old: Option<&str>, new: &str) -> String {
    let snapshot = |text: &str| {
        let snapshot = load(text).snapshot();
        let again = Snapshot::from_json(&snapshot.to_json()).unwrap();
        assert_eq!(again, snapshot);
        snapshot
    };
    let steps = diff(old.map(snapshot).as_ref(), &snapshot(new));
    steps.iter().map(|step| format!("{:?}: {}\n", step.class, step.describe())).collect()
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

#[test]
fn what_is_not_available_yet_is_named() {
    let old = r#"
type A { a: Int b: B c: String d: Int! e: Int @unique f: Int @default(value: 1) g: [B!]! @many s: S m: M }
type B { x: Int } type C { x: Int } type D { id: Int! }
enum S { one two }
type M @embedded { a: Int b: Int c: Int }
"#;
    let new = r#"
type A { a: Long b: C c: String @unique d: Int e: Int f: Int @default(value: 2) r: Int! g: [C!]! @many s: S m: M }
type B { x: Int! } type D { y: Int } type C { z: Int }
enum S { one }
type M @embedded { a: Int! c: String d: Int! e: Int }
"#;
    insta::assert_snapshot!(steps(Some(old), new), @r#"
    NeedsDrain: dropping value "two" of enum "S" is not available yet
    NeedsDrain: making member "M.a" required is not available yet
    Destructive: dropping member "M.b" is not available yet
    NeedsDrain: changing the type of member "M.c" is not available yet
    NeedsDrain: adding required member "M.d" is not available yet
    Destructive: dropping field "C.x" is not available yet
    Additive: add column "z" to "cs"
    NeedsDrain: changing the type of field "A.a" is not available yet
    NeedsDrain: limiting field "A.c" to 255 characters, which its first index or unique asks for, is not available yet
    NeedsDrain: making field "A.d" optional is not available yet
    NeedsDrain: changing the default of field "A.f" is not available yet
    NeedsDrain: adding required field "A.r" without @default(value:) is not available yet
    Destructive: pointing "A.b" at table "cs" instead of "bs" is not available yet
    NeedsDrain: dropping the unique "e" of type "A" is not available yet
    NeedsDrain: making "c" of type "A" unique is not available yet
    NeedsDrain: making field "B.x" required is not available yet
    Destructive: changing the kind of key of type "D" is not available yet
    Additive: add column "y" to "ds"
    Destructive: changing the ends of link table "as_g" is not available yet
    "#);
}

#[test]
fn rules_checks_and_documents_change_no_table() {
    let old = "type A { a: String }";
    let new = r#""Doc." type A @rules(read: "true") { "Doc." a: String @check(expr: "size(a) <= 80") @immutable }"#;
    assert_eq!(steps(Some(old), new), "");
    assert_eq!(load(old).fingerprint, load(new).fingerprint);
}

#[test]
fn the_last_index_of_a_text_takes_its_limit_along() {
    insta::assert_snapshot!(steps(Some("type A { a: String @index }"), "type A { a: String }"), @r#"Additive: drop the index of "as" by "a""#);
    let longer = r#"type A { a: String @index @check(expr: "size(a) <= 300") }"#;
    insta::assert_snapshot!(steps(Some("type A { a: String @index }"), longer), @r#"NeedsDrain: changing the maximum length of field "A.a" is not available yet"#);
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
