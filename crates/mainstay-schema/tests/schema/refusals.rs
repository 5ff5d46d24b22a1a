//! What is refused, with its words.
use crate::errors;

macro_rules! check {
    ($sdl:expr, @$expected:literal) => {
        insta::assert_snapshot!(errors($sdl), @$expected)
    };
}

#[test]
fn words_that_are_to_come() {
    check!(r#"
type A @rules(read: "true", add: "true") {
  a: String @hidden
  b: String @computed(expr: "1") @rules(read: "true")
  c: String @unique(where: "true") @hiden
}
interface B { a: Int }
union C = A
input D { a: Int }
scalar E
directive @f on OBJECT
"#, @r#"
    error[not_available]: @rules(add:) is not available yet
     --> schema.graphql:2:29
      |
    2 | type A @rules(read: "true", add: "true") {
      |                             ^^^

    error[not_available]: @hidden is not available yet
     --> schema.graphql:3:14
      |
    3 |   a: String @hidden
      |              ^^^^^^

    error[not_available]: @computed is not available yet
     --> schema.graphql:4:14
      |
    4 |   b: String @computed(expr: "1") @rules(read: "true")
      |              ^^^^^^^^

    error[not_available]: @rules on fields is not available yet
     --> schema.graphql:4:35
      |
    4 |   b: String @computed(expr: "1") @rules(read: "true")
      |                                   ^^^^^

    error[not_available]: @unique(where:) is not available yet
     --> schema.graphql:5:21
      |
    5 |   c: String @unique(where: "true") @hiden
      |                     ^^^^^

    error[unknown_directive]: no directive named "@hiden"
     --> schema.graphql:5:37
      |
    5 |   c: String @unique(where: "true") @hiden
      |                                     ^^^^^
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
fn types_that_are_not_there() {
    check!(r#"
type A {
  a: Strng
  b: File
  c: [String]
  d: [[Int!]!]
  e: Whatever!
  f: Decimal
  g: Decimal @decimal(precision: 30, scale: 2)
  h(x: Int): Int
  i: Int @decimal(precision: 3, scale: 1)
  j: [JSON!]
}
"#, @r#"
    error[unknown_type]: no type named "Strng"
     --> schema.graphql:3:6
      |
    3 |   a: Strng
      |      ^^^^^
      = hint: did you mean "String"?

    error[not_available]: File is not available yet
     --> schema.graphql:4:6
      |
    4 |   b: File
      |      ^^^^

    error[invalid_type]: the elements of a list are never null
     --> schema.graphql:5:7
      |
    5 |   c: [String]
      |       ^^^^^^
      = hint: write [String!]

    error[invalid_type]: a list of lists is not available yet
     --> schema.graphql:6:8
      |
    6 |   d: [[Int!]!]
      |        ^^^
      = hint: a field of type JSON holds any JSON

    error[unknown_type]: no type named "Whatever"
     --> schema.graphql:7:6
      |
    7 |   e: Whatever!
      |      ^^^^^^^^
      = hint: scalars are String, Int, Float, Boolean, ID, Long, Decimal, Date, Time, DateTime, UUID, Email, URL, JSON, Bytes

    error[missing_directive]: "f" is a Decimal without its size
     --> schema.graphql:8:6
      |
    8 |   f: Decimal
      |      ^^^^^^^
      = hint: add @decimal(precision: 12, scale: 2): all digits, and those behind the point

    error[invalid_value]: no Decimal has 30 digits with 2 behind the point
     --> schema.graphql:9:14
      |
    9 |   g: Decimal @decimal(precision: 30, scale: 2)
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = hint: precision is 1 to 18, scale 0 to precision

    error[invalid_schema]: field "h" takes no arguments
      --> schema.graphql:10:5
       |
    10 |   h(x: Int): Int
       |     ^^^^^^

    error[misplaced_directive]: @decimal belongs on a Decimal, not on "Int"
      --> schema.graphql:11:11
       |
    11 |   i: Int @decimal(precision: 3, scale: 1)
       |           ^^^^^^^

    error[invalid_type]: a list of JSON is one JSON value
      --> schema.graphql:12:7
       |
    12 |   j: [JSON!]
       |       ^^^^
       = hint: write JSON
    "#);
}

#[test]
fn names_that_collide() {
    check!(r#"
type A { auth: Int fooBar: Int foo_bar: Int createdAt: DateTime size: Int }
type Query { a: Int }
type Batch @path(name: "batch") { a: Int }
type X @path(name: "as") { a: Int }
type Y @path(name: "no/path") { a: Int }
type Category { a: Int }
type Categorie { a: Int }
type Action { a: Int a: Int }
type A { b: Int }
enum E { A B A }
"#, @r#"
    error[reserved_name]: "auth" cannot be the name of a field: it means something else in conditions
     --> schema.graphql:2:10
      |
    2 | type A { auth: Int fooBar: Int foo_bar: Int createdAt: DateTime size: Int }
      |          ^^^^
      = hint: rename the field

    error[name_collision]: "A.foo_bar" has the same column as another field: "foo_bar"
     --> schema.graphql:2:32
      |
    2 | type A { auth: Int fooBar: Int foo_bar: Int createdAt: DateTime size: Int }
      |                                ^^^^^^^
      = hint: rename one of them

    error[reserved_name]: every record has "createdAt" without declaring it
     --> schema.graphql:2:45
      |
    2 | type A { auth: Int fooBar: Int foo_bar: Int createdAt: DateTime size: Int }
      |                                             ^^^^^^^^^
      = hint: remove the field, the server gives it its value

    error[reserved_name]: "size" cannot be the name of a field: it means something else in conditions
     --> schema.graphql:2:65
      |
    2 | type A { auth: Int fooBar: Int foo_bar: Int createdAt: DateTime size: Int }
      |                                                                 ^^^^
      = hint: rename the field

    error[reserved_name]: type "Query" is made by the server
     --> schema.graphql:3:6
      |
    3 | type Query { a: Int }
      |      ^^^^^
      = hint: collections are read and written without declaring it

    error[reserved_name]: the path "/api/batch" of type "Batch" is taken by the server
     --> schema.graphql:4:24
      |
    4 | type Batch @path(name: "batch") { a: Int }
      |                        ^^^^^^^
      = hint: give the type another path: @path(name: "…")

    error[name_collision]: type "X" has the same path as type "A": "/api/as"
     --> schema.graphql:5:20
      |
    5 | type X @path(name: "as") { a: Int }
      |                    ^^^^
      = hint: give one of them another path: @path(name: "…")

    error[invalid_value]: "no/path" is no path
     --> schema.graphql:6:20
      |
    6 | type Y @path(name: "no/path") { a: Int }
      |                    ^^^^^^^^^
      = hint: a path begins with a letter and goes on with letters, digits, dashes and underscores

    error[name_collision]: type "Categorie" has the same path as type "Category": "/api/categories"
     --> schema.graphql:8:6
      |
    8 | type Categorie { a: Int }
      |      ^^^^^^^^^
      = hint: give one of them another path: @path(name: "…")

    error[name_collision]: type "Categorie" has the same table as type "Category": "categories"
     --> schema.graphql:8:6
      |
    8 | type Categorie { a: Int }
      |      ^^^^^^^^^
      = hint: rename one of them

    error[reserved_name]: the path "/api/actions" of type "Action" is taken by the server
     --> schema.graphql:9:6
      |
    9 | type Action { a: Int a: Int }
      |      ^^^^^^
      = hint: give the type another path: @path(name: "…")

    error[invalid_schema]: duplicate definitions for the "a" field of object type "Action"
     --> schema.graphql:9:22
      |
    9 | type Action { a: Int a: Int }
      |                      ^^^^^^

    error[invalid_schema]: the type "A" is defined multiple times in the schema
      --> schema.graphql:10:6
       |
    10 | type A { b: Int }
       |      ^

    error[invalid_schema]: duplicate definitions for the "A" value of enum type "E"
      --> schema.graphql:11:14
       |
    11 | enum E { A B A }
       |              ^
    "#);
}

#[test]
fn links_that_lead_nowhere() {
    check!(r#"
type A {
  b: [B!]!
  c: [B!] @many
  d: [B!]! @inverse(field: "aa")
  e: [B!]! @inverse(field: "x")
  f: B @many
  g: B! @onDelete(do: SET_NULL)
  h: Int @onDelete(do: CASCADE)
  i: B @onDelete(do: CASCAD)
  j: [B!]! @many @inverse(field: "a")
  k: [B!]! @many @unique
}
type B { a: A x: Int }
"#, @r#"
    error[missing_directive]: "A.b" does not say how it links to many
     --> schema.graphql:3:3
      |
    3 |   b: [B!]!
      |   ^
      = hint: add @many for a link of its own, or @inverse(field: "…") for the other side of a link of "B"

    error[invalid_type]: "A.c" is a list of links and never null
     --> schema.graphql:4:3
      |
    4 |   c: [B!] @many
      |   ^
      = hint: write [B!]!

    error[unknown_field]: "B" has no field "aa"
     --> schema.graphql:5:28
      |
    5 |   d: [B!]! @inverse(field: "aa")
      |                            ^^^^
      = hint: did you mean "a"?

    error[unknown_field]: "B.x" is no link to one "A"
     --> schema.graphql:6:28
      |
    6 |   e: [B!]! @inverse(field: "x")
      |                            ^^^
      = hint: did you mean "a"?

    error[misplaced_directive]: @many belongs on a list of a type with an address, "A.f" is none
     --> schema.graphql:7:9
      |
    7 |   f: B @many
      |         ^^^^
      = hint: it is a link to one

    error[invalid_value]: "g" is required: it cannot become null
     --> schema.graphql:8:23
      |
    8 |   g: B! @onDelete(do: SET_NULL)
      |                       ^^^^^^^^
      = hint: remove the "!" of its type, or choose CASCADE or RESTRICT

    error[misplaced_directive]: @onDelete belongs on a link to one, "A.h" is none
     --> schema.graphql:9:11
      |
    9 |   h: Int @onDelete(do: CASCADE)
      |           ^^^^^^^^
      = hint: it is a scalar

    error[invalid_schema]: value "CASCAD" does not exist on "OnDelete"
      --> schema.graphql:10:22
       |
    10 |   i: B @onDelete(do: CASCAD)
       |                      ^^^^^^
       = hint: did you mean CASCADE?

    error[misplaced_directive]: "A.j" is either @many or @inverse
      --> schema.graphql:11:3
       |
    11 |   j: [B!]! @many @inverse(field: "a")
       |   ^
       = hint: remove one of them

    error[misplaced_directive]: @unique does nothing here: "A.k" is a list of links
      --> schema.graphql:12:19
       |
    12 |   k: [B!]! @many @unique
       |                   ^^^^^^
       = hint: remove the directive
    "#);
}

#[test]
fn expressions_point_into_the_file() {
    check!(r#"
extend schema @define(name: "isEditor", expr: "'editor' in auth.role")
type A
  @rules(read: "tilte == 'x' || isEditor", update: """
    published &&
      name > 3
  """, delete: "name.matches('a')")
{
  title: String @check(expr: "size(\"é\") == titel") @default(expr: "title")
  name: String @check(expr: "other.title == 'x'") @check(expr: "name == auth.id")
  other: A
  status: Status @check(expr: "status == 'drafft'")
  published: Boolean
}
enum Status { draft live }
"#, @r#"
    error[unknown_name]: the caller has no "role"
     --> schema.graphql:2:60
      |
    2 | extend schema @define(name: "isEditor", expr: "'editor' in auth.role")
      |                                                            ^^^^^^^^^
      = hint: did you mean "roles"?

    error[unknown_name]: no field named "tilte" in "A"
     --> schema.graphql:4:17
      |
    4 |   @rules(read: "tilte == 'x' || isEditor", update: """
      |                 ^^^^^
      = hint: did you mean "title"?

    error[type_mismatch]: a String is compared with an Int
     --> schema.graphql:6:7
      |
    6 |       name > 3
      |       ^^^^^^^^

    error[memory_only]: "name.matches('a')" uses matches(), which not every database answers alike
     --> schema.graphql:7:17
      |
    7 |   """, delete: "name.matches('a')")
      |                 ^^^^^^^^^^^^^^^^^
      = hint: a rule is asked in SQL: compare with ==, <, contains, startsWith, endsWith or size, or put it into a @check

    error[unknown_name]: no field named "titel" in "A"
     --> schema.graphql:9:46
      |
    9 |   title: String @check(expr: "size(\"é\") == titel") @default(expr: "title")
      |                                              ^^^^^
      = hint: did you mean "title"?

    error[unknown_name]: no value named "title"
     --> schema.graphql:9:70
      |
    9 |   title: String @check(expr: "size(\"é\") == titel") @default(expr: "title")
      |                                                                      ^^^^^

    error[invalid_check]: a check reads the record's own fields only, this one follows a link
      --> schema.graphql:10:29
       |
    10 |   name: String @check(expr: "other.title == 'x'") @check(expr: "name == auth.id")
       |                             ^^^^^^^^^^^^^^^^^^^^
       = hint: what depends on more belongs into @rules

    error[invalid_check]: a check reads the record's own fields only, this one reads the caller or the request
      --> schema.graphql:10:64
       |
    10 |   name: String @check(expr: "other.title == 'x'") @check(expr: "name == auth.id")
       |                                                                ^^^^^^^^^^^^^^^^^
       = hint: what depends on more belongs into @rules

    error[unknown_enum_value]: "drafft" is no value of Status
      --> schema.graphql:12:42
       |
    12 |   status: Status @check(expr: "status == 'drafft'")
       |                                          ^^^^^^^^
       = hint: did you mean "draft"?
    "#);
}

#[test]
fn a_backslash_in_a_plain_string() {
    check!("type A {\n  a: String @check(expr: \"a.matches('\\d+')\")\n  b: }\n", @r#"
    error[syntax]: a plain string has no such escape
     --> schema.graphql:2:38
      |
    2 |   a: String @check(expr: "a.matches('\d+')")
      |                                      ^^
      = hint: write the expression in a block string, where a backslash is a backslash: """name.matches(r'\d+')"""

    error[syntax]: expected a Type
     --> schema.graphql:3:6
      |
    3 |   b: }
      |      ^
    "#);
}

#[test]
fn values_that_do_not_fit() {
    check!(r#"
extend schema @claim(name: "org", type: UUI) @claim(name: "1", type: UUID)
type A {
  a: Int @default(value: "x")
  b: Status @default(value: LIVE)
  c: Int @default
  d: Int @default(value: 1, expr: "1")
  e: Int @default(value: 5000000000)
  f: String @set(create: "1")
  g: ID! @set(update: "auth.id")
  h: ID @set(write: "auth.id") @default(value: "x") @immutable
  i: A @default(value: "x")
  j: Int @default(value: null)
  k: [Int!] @default(value: [1, "x"])
}
type B @rules @embedded { a: Int @unique b: A }
type C @unique @unique(fields: ["aa"]) @index(fields: ["b"]) { a: Int b: JSON c: Int @unique(fields: ["a"]) id: Float }
type D @embedded { d: D }
enum Status { draft live }
"#, @r#"
    error[invalid_schema]: value "UUI" does not exist on "ClaimType"
     --> schema.graphql:2:41
      |
    2 | extend schema @claim(name: "org", type: UUI) @claim(name: "1", type: UUID)
      |                                         ^^^
      = hint: did you mean UUID?

    error[invalid_value]: "1" is no name for a claim
     --> schema.graphql:2:59
      |
    2 | extend schema @claim(name: "org", type: UUI) @claim(name: "1", type: UUID)
      |                                                           ^^^
      = hint: a name begins with a letter and goes on with letters, digits and underscores

    error[invalid_value]: the default of "A.a" does not fit: expected a whole number, got a text
     --> schema.graphql:4:26
      |
    4 |   a: Int @default(value: "x")
      |                          ^^^

    error[invalid_value]: the default of "A.b" does not fit: "Status" has no value "LIVE"
     --> schema.graphql:5:29
      |
    5 |   b: Status @default(value: LIVE)
      |                             ^^^^
      = hint: did you mean "live"?

    error[missing_argument]: @default says nothing
     --> schema.graphql:6:11
      |
    6 |   c: Int @default
      |           ^^^^^^^
      = hint: give value: a constant, or expr: an expression

    error[invalid_value]: @default is either a value or an expression
     --> schema.graphql:7:11
      |
    7 |   d: Int @default(value: 1, expr: "1")
      |           ^^^^^^^
      = hint: remove one of them

    error[invalid_value]: the default of "A.e" does not fit: the number 5000000000 does not fit into 32 bits
     --> schema.graphql:8:26
      |
    8 |   e: Int @default(value: 5000000000)
      |                          ^^^^^^^^^^
      = hint: a field of type Long holds 64 bits

    error[type_mismatch]: this is an Int, a String is expected
     --> schema.graphql:9:27
      |
    9 |   f: String @set(create: "1")
      |                           ^

    error[missing_argument]: "A.g" is required, but nothing gives it a value on a create
      --> schema.graphql:10:11
       |
    10 |   g: ID! @set(update: "auth.id")
       |           ^^^
       = hint: set it on create too: @set(write: "…")

    error[misplaced_directive]: "A.h" is @immutable and set on every update
      --> schema.graphql:11:10
       |
    11 |   h: ID @set(write: "auth.id") @default(value: "x") @immutable
       |          ^^^
       = hint: remove @immutable, or set it on create alone

    error[misplaced_directive]: the default of "A.h" is never used: the server sets it on every create
      --> schema.graphql:11:10
       |
    11 |   h: ID @set(write: "auth.id") @default(value: "x") @immutable
       |          ^^^
       = hint: remove @default

    error[invalid_value]: "A.i" is a link and has no constant default
      --> schema.graphql:12:24
       |
    12 |   i: A @default(value: "x")
       |                        ^^^
       = hint: use @default(expr: "…"), or make the link optional

    error[invalid_value]: a default of null does nothing
      --> schema.graphql:13:26
       |
    13 |   j: Int @default(value: null)
       |                          ^^^^
       = hint: an optional field that is not sent is null

    error[invalid_value]: the default of "A.k" does not fit at "/1": expected a whole number, got a text
      --> schema.graphql:14:29
       |
    14 |   k: [Int!] @default(value: [1, "x"])
       |                             ^^^^^^^^

    error[misplaced_directive]: @rules does not belong on the embedded type "B"
      --> schema.graphql:16:9
       |
    16 | type B @rules @embedded { a: Int @unique b: A }
       |         ^^^^^
       = hint: put it on the type that embeds it

    error[misplaced_directive]: @unique does not belong on a member of the embedded type "B"
      --> schema.graphql:16:35
       |
    16 | type B @rules @embedded { a: Int @unique b: A }
       |                                   ^^^^^^
       = hint: put it on the field that holds the value

    error[invalid_type]: an embedded type holds no links: "A"
      --> schema.graphql:16:45
       |
    16 | type B @rules @embedded { a: Int @unique b: A }
       |                                             ^
       = hint: put the link on the type that embeds it

    error[missing_argument]: on a type, @unique names its fields
      --> schema.graphql:17:9
       |
    17 | type C @unique @unique(fields: ["aa"]) @index(fields: ["b"]) { a: Int b: JSON c: Int @unique(fields: ["a"]) id: Float }
       |         ^^^^^^
       = hint: write @unique(fields: ["…"])

    error[unknown_field]: "C" has no field "aa"
      --> schema.graphql:17:33
       |
    17 | type C @unique @unique(fields: ["aa"]) @index(fields: ["b"]) { a: Int b: JSON c: Int @unique(fields: ["a"]) id: Float }
       |                                 ^^^^
       = hint: did you mean "a"?

    error[misplaced_directive]: "C.b" cannot be unique or indexed: it is JSON
      --> schema.graphql:17:56
       |
    17 | type C @unique @unique(fields: ["aa"]) @index(fields: ["b"]) { a: Int b: JSON c: Int @unique(fields: ["a"]) id: Float }
       |                                                        ^^^

    error[unknown_argument]: on a field, @unique takes no fields
      --> schema.graphql:17:94
       |
    17 | type C @unique @unique(fields: ["aa"]) @index(fields: ["b"]) { a: Int b: JSON c: Int @unique(fields: ["a"]) id: Float }
       |                                                                                              ^^^^^^^^^^^^^
       = hint: put it on the type to name several fields

    error[invalid_type]: "id" cannot be of type "Float"
      --> schema.graphql:17:113
       |
    17 | type C @unique @unique(fields: ["aa"]) @index(fields: ["b"]) { a: Int b: JSON c: Int @unique(fields: ["a"]) id: Float }
       |                                                                                                                 ^^^^^
       = hint: it is ID!, Int!, Long! or String!

    error[invalid_type]: the embedded type "D" holds itself
      --> schema.graphql:18:23
       |
    18 | type D @embedded { d: D }
       |                       ^
       = hint: make it a collection and link to it
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
      = hint: it belongs on a type

    error[misplaced_directive]: @immutable does not belong on a value of an enum
     --> schema.graphql:1:31
      |
    1 | enum E @rules(read: "x") { A @immutable }
      |                               ^^^^^^^^^
      = hint: it belongs on a field
    "#);
}

#[test]
fn rules_that_sql_cannot_ask() {
    check!(r#"
type A @define(name: "d", expr: "size(name) > 3 && name.matches('a')") @rules(read: "d", write: "b.name.trim() == 'x'") {
  name: String
  b: A
}
"#, @r#"
    error[memory_only]: "d" uses matches(), which not every database answers alike
     --> schema.graphql:2:86
      |
    2 | type A @define(name: "d", expr: "size(name) > 3 && name.matches('a')") @rules(read: "d", write: "b.name.trim() == 'x'") {
      |                                                                                      ^
      = hint: a rule is asked in SQL: compare with ==, <, contains, startsWith, endsWith or size, or put it into a @check

    error[memory_only]: "b.name.trim()" uses trim(), which not every database answers alike
     --> schema.graphql:2:98
      |
    2 | type A @define(name: "d", expr: "size(name) > 3 && name.matches('a')") @rules(read: "d", write: "b.name.trim() == 'x'") {
      |                                                                                                  ^^^^^^^^^^^^^
      = hint: a rule is asked in SQL: compare with ==, <, contains, startsWith, endsWith or size, or put it into a @check
    "#);
}

#[test]
fn named_conditions_that_go_nowhere() {
    check!(r#"
extend schema
  @define(name: "x", expr: "nope")
  @define(name: "y", expr: "z")
  @define(name: "z", expr: "y")
  @define(name: "auth", expr: "true")
  @define(name: "title", expr: "true")
  @define(name: "x", expr: "true")
type A @rules(read: "x && titel == 'a'", write: "") { title: String @unique @check(expr: "size(title) <= 1000") }
"#, @r#"
    error[unknown_name]: no value named "nope"
     --> schema.graphql:3:29
      |
    3 |   @define(name: "x", expr: "nope")
      |                             ^^^^

    error[define_cycle]: in "y": "z" is defined by itself
     --> schema.graphql:4:29
      |
    4 |   @define(name: "y", expr: "z")
      |                             ^

    error[define_cycle]: in "z": "y" is defined by itself
     --> schema.graphql:5:29
      |
    5 |   @define(name: "z", expr: "y")
      |                             ^

    error[reserved_name]: "auth" means something else in conditions
     --> schema.graphql:6:17
      |
    6 |   @define(name: "auth", expr: "true")
      |                 ^^^^^^
      = hint: choose another name

    error[name_collision]: "title" is also a field of "A"
     --> schema.graphql:7:17
      |
    7 |   @define(name: "title", expr: "true")
      |                 ^^^^^^^
      = hint: choose another name

    error[name_collision]: "x" is defined twice
     --> schema.graphql:8:17
      |
    8 |   @define(name: "x", expr: "true")
      |                 ^^^
      = hint: choose another name

    error[unknown_name]: no field named "titel" in "A"
     --> schema.graphql:9:27
      |
    9 | type A @rules(read: "x && titel == 'a'", write: "") { title: String @unique @check(expr: "size(title) <= 1000") }
      |                           ^^^^^
      = hint: did you mean "title"?

    error[syntax]: the expression is empty
     --> schema.graphql:9:50
      |
    9 | type A @rules(read: "x && titel == 'a'", write: "") { title: String @unique @check(expr: "size(title) <= 1000") }
      |                                                  ^

    error[too_long]: "title" is unique or indexed and may have 1000 characters
     --> schema.graphql:9:55
      |
    9 | type A @rules(read: "x && titel == 'a'", write: "") { title: String @unique @check(expr: "size(title) <= 1000") }
      |                                                       ^^^^^
      = hint: every database can index 768: @check(expr: "size(title) <= 768")
    "#);
}

#[test]
fn a_link_table_is_nobody_elses() {
    check!("type A { bs: [B!]! @many } type AsB { x: Int } type B { x: Int }", @r#"
    error[name_collision]: the link table of "A.bs" has the same name as another table: "as_bs"
     --> schema.graphql:1:10
      |
    1 | type A { bs: [B!]! @many } type AsB { x: Int } type B { x: Int }
      |          ^^
      = hint: rename the field
    "#);
    check!("type MainstaySchema { x: Int }", @r#"
    error[reserved_name]: type "MainstaySchema" has a name that is kept for the server's own tables
     --> schema.graphql:1:6
      |
    1 | type MainstaySchema { x: Int }
      |      ^^^^^^^^^^^^^^
      = hint: rename the type
    "#);
}
