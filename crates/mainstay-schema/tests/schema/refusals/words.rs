//! Words that the language does not have, or not yet.
#[test]
fn words_that_are_to_come() {
    check!(r#"
type A @rules(read: "true") {
  a: String @vector
  b: String @search(weight: 1)
  c: String @hiden
}
interface B { a: Int }
union C = A
input D { a: Int }
scalar E
directive @f on OBJECT
"#, @r#"
    error[not_available]: @vector is not available yet
     --> schema.graphql:3:14
      |
    3 |   a: String @vector
      |              ^^^^^^

    error[not_available]: @search is not available yet
     --> schema.graphql:4:14
      |
    4 |   b: String @search(weight: 1)
      |              ^^^^^^

    error[unknown_directive]: no directive named "@hiden"
     --> schema.graphql:5:14
      |
    5 |   c: String @hiden
      |              ^^^^^
      = hint: did you mean "@hidden"?

    error[not_available]: interface is not available yet: "B"
     --> schema.graphql:7:11
      |
    7 | interface B { a: Int }
      |           ^
      = hint: declare each type with its own fields

    error[not_available]: union is not available yet: "C"
     --> schema.graphql:8:7
      |
    8 | union C = A
      |       ^
      = hint: declare each type with its own fields

    error[not_available]: input is not available yet: "D"
     --> schema.graphql:9:7
      |
    9 | input D { a: Int }
      |       ^
      = hint: what is sent has the fields of the type; a value inside a record is a type with @embedded

    error[not_available]: scalar is not available yet: "E"
      --> schema.graphql:10:8
       |
    10 | scalar E
       |        ^
       = hint: a scalar with rules of its own is a String with a @check

    error[not_available]: directive is not available yet: "f"
      --> schema.graphql:11:12
       |
    11 | directive @f on OBJECT
       |            ^
       = hint: the directives are those of "mainstay sdl --prelude"
    "#);
}

#[test]
fn what_graphql_itself_refuses() {
    check!("\"d\" extend type A { a: Int }", @r#"
    error[syntax]: a description does not belong on an extension
     --> schema.graphql:1:1
      |
    1 | "d" extend type A { a: Int }
      | ^^^
      = hint: write it as a comment: # …
    "#);
    check!("type A { a: Int } extend type B { x: Int }", @r#"
    error[invalid_schema]: type extension for undefined type "B"
     --> schema.graphql:1:31
      |
    1 | type A { a: Int } extend type B { x: Int }
      |                               ^
    "#);
    check!("type A {}", @r#"
    error[syntax]: expected Field Definition
     --> schema.graphql:1:9
      |
    1 | type A {}
      |         ^
    "#);
    check!("type A { a: Int", @r#"
    error[syntax]: expected "}", got the end of the file
     --> schema.graphql:1:16
      |
    1 | type A { a: Int
      |                ^
    "#);
    check!("type A { a: Int } §", @r#"
    error[syntax]: unexpected character "§"
     --> schema.graphql:1:19
      |
    1 | type A { a: Int } §
      |                   ^
    "#);
    check!("type A { a: Int @check(expr: 5) @check }", @r#"
    error[invalid_schema]: expected value of type String!, found an integer
     --> schema.graphql:1:30
      |
    1 | type A { a: Int @check(expr: 5) @check }
      |                              ^

    error[invalid_schema]: the required argument "@check(expr:)" is not provided
     --> schema.graphql:1:33
      |
    1 | type A { a: Int @check(expr: 5) @check }
      |                                 ^^^^^^
    "#);
    check!("type A @rules(read: \"true\") @rules(read: \"false\") { a: Int @immutable @immutable }", @r#"
    error[invalid_schema]: @rules stands here twice
     --> schema.graphql:1:29
      |
    1 | type A @rules(read: "true") @rules(read: "false") { a: Int @immutable @immutable }
      |                             ^^^^^^^^^^^^^^^^^^^^^

    error[invalid_schema]: @immutable stands here twice
     --> schema.graphql:1:71
      |
    1 | type A @rules(read: "true") @rules(read: "false") { a: Int @immutable @immutable }
      |                                                                       ^^^^^^^^^^
    "#);
    check!("schema { query: Query } { a }", @r#"
    error[invalid_schema]: the schema itself is defined by the server
     --> schema.graphql:1:1
      |
    1 | schema { query: Query } { a }
      | ^^^^^^
      = hint: write "extend schema" with its directives

    error[invalid_schema]: operations do not belong into a schema
     --> schema.graphql:1:25
      |
    1 | schema { query: Query } { a }
      |                         ^^^^^
    "#);
    check!("type A implements B { __a: Int }", @r#"
    error[not_available]: interface is not available yet: "B"
     --> schema.graphql:1:19
      |
    1 | type A implements B { __a: Int }
      |                   ^
      = hint: declare each type with its own fields

    error[invalid_schema]: a field cannot be named "__a" as names starting with two underscores are reserved
     --> schema.graphql:1:23
      |
    1 | type A implements B { __a: Int }
      |                       ^^^
    "#);
    check!("enum E @rules(read: \"x\") { A @immutable }", @r#"
    error[misplaced_directive]: @rules does not belong on an enum
     --> schema.graphql:1:9
      |
    1 | enum E @rules(read: "x") { A @immutable }
      |         ^^^^^
      = hint: it belongs on a type and a field

    error[misplaced_directive]: @immutable does not belong on a value of an enum
     --> schema.graphql:1:31
      |
    1 | enum E @rules(read: "x") { A @immutable }
      |                               ^^^^^^^^^
      = hint: it belongs on a field
    "#);
}

#[test]
fn a_backslash_in_a_plain_string() {
    check!("type A {\n  a: String @check(expr: \"a.matches('\\d+')\", message: \"x\")\n  b: String\n  c: }\n", @r#"
    error[syntax]: a plain string has no such escape
     --> schema.graphql:2:38
      |
    2 |   a: String @check(expr: "a.matches('\d+')", message: "x")
      |                                      ^^
      = hint: write the expression in a block string, where a backslash is a backslash: """name.matches(r'\d+')"""
    "#);
}

#[test]
fn where_the_parser_stumbles_first() {
    check!("typ A { a: Int }\ntype B { b: Int }", @r#"
    error[syntax]: expected definition
     --> schema.graphql:1:1
      |
    1 | typ A { a: Int }
      | ^^^
      = hint: did you mean "type"?
    "#);
    check!("type A {\n  a: Int\n\ntype B { b: Int }", @r#"
    error[syntax]: expected a type
     --> schema.graphql:4:6
      |
    4 | type B { b: Int }
      |      ^
      = hint: is the "}" missing of what stands before?
    "#);
    check!("type A @rules(read: \"a == \"x\"\") {\n  a: String\n}", @r#"
    error[syntax]: expected ")", got ""
     --> schema.graphql:1:29
      |
    1 | type A @rules(read: "a == "x"") {
      |                             ^^
      = hint: inside of an expression a text stands in single quotes: 'text'
    "#);
}

#[test]
fn several_files_are_one_schema() {
    let files =
        [("a.graphql", "type A { b: B! x: Nope }\nextend type C { c: Int }"), ("b.graphql", "type B { y: Nope }")];
    let sources: Vec<_> = files.iter().map(|(name, text)| mainstay_schema::Source { name, text }).collect();
    let errors = mainstay_schema::Schema::load(&sources).unwrap_err();
    insta::assert_snapshot!(errors, @r#"
    error[unknown_type]: no type named "Nope"
     --> a.graphql:1:19
      |
    1 | type A { b: B! x: Nope }
      |                   ^^^^
      = hint: scalars are String, Int, Float, Boolean, ID, Long, Decimal, Date, Time, DateTime, UUID, Email, URL, JSON, Bytes

    error[invalid_schema]: type extension for undefined type "C"
     --> a.graphql:2:13
      |
    2 | extend type C { c: Int }
      |             ^

    error[unknown_type]: no type named "Nope"
     --> b.graphql:1:13
      |
    1 | type B { y: Nope }
      |             ^^^^
      = hint: scalars are String, Int, Float, Boolean, ID, Long, Decimal, Date, Time, DateTime, UUID, Email, URL, JSON, Bytes
    "#);
    insta::assert_snapshot!(errors.to_json(), @r#"
    [
      {
        "code": "unknown_type",
        "message": "no type named \"Nope\"",
        "file": "a.graphql",
        "line": 1,
        "column": 19,
        "end_line": 1,
        "end_column": 23,
        "source_line": "type A { b: B! x: Nope }",
        "hint": "scalars are String, Int, Float, Boolean, ID, Long, Decimal, Date, Time, DateTime, UUID, Email, URL, JSON, Bytes"
      },
      {
        "code": "invalid_schema",
        "message": "type extension for undefined type \"C\"",
        "file": "a.graphql",
        "line": 2,
        "column": 13,
        "end_line": 2,
        "end_column": 14,
        "source_line": "extend type C { c: Int }",
        "hint": null
      },
      {
        "code": "unknown_type",
        "message": "no type named \"Nope\"",
        "file": "b.graphql",
        "line": 1,
        "column": 13,
        "end_line": 1,
        "end_column": 17,
        "source_line": "type B { y: Nope }",
        "hint": "scalars are String, Int, Float, Boolean, ID, Long, Decimal, Date, Time, DateTime, UUID, Email, URL, JSON, Bytes"
      }
    ]
    "#);
}

#[test]
fn rules_of_fields() {
    check!(r#"
type A @rules(read: "true") {
  a: String @rules
  b: String @rules(read: "true", create: "true")
  c: String @hidden @rules(read: "true")
  d: String @set(create: "auth.id") @rules(write: "true")
  e: String @rules(read: "b == c && nothing")
  f: String @rules(read: "e.matches('a')")
}
"#, @r#"
    error[missing_argument]: @rules says nothing
     --> schema.graphql:3:14
      |
    3 |   a: String @rules
      |              ^^^^^
      = hint: give a condition: @rules(read: "isEditor")

    error[unknown_argument]: on a field, @rules has no argument named "create"
     --> schema.graphql:4:34
      |
    4 |   b: String @rules(read: "true", create: "true")
      |                                  ^^^^^^^^^^^^^^
      = hint: it has read and write, on a @many link add and remove too

    error[misplaced_directive]: @hidden leaves nobody to read the field, so that @rules(read:) does nothing
     --> schema.graphql:5:22
      |
    5 |   c: String @hidden @rules(read: "true")
      |                      ^^^^^
      = hint: remove one of them

    error[misplaced_directive]: the server alone writes this field, so that @rules(write:) does nothing
     --> schema.graphql:6:38
      |
    6 |   d: String @set(create: "auth.id") @rules(write: "true")
      |                                      ^^^^^
      = hint: remove the argument

    error[unknown_name]: no field named "nothing" in "A"
     --> schema.graphql:7:37
      |
    7 |   e: String @rules(read: "b == c && nothing")
      |                                     ^^^^^^^

    error[memory_only]: "e.matches('a')" uses matches(), which not every database answers alike
     --> schema.graphql:8:27
      |
    8 |   f: String @rules(read: "e.matches('a')")
      |                           ^^^^^^^^^^^^^^
      = hint: a rule is asked in SQL: compare with ==, <, contains, startsWith, endsWith or size, or put it into a @check
    "#);
}
