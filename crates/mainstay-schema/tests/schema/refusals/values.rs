//! Values, keys and indexes that do not fit.
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
fn what_no_unique_can_be_made_by() {
    check!(
        r#"
extend schema @claim(name: "org", type: String)
type A @rules(read: "true") @unique(fields: ["a"], where: "true") @unique(fields: ["a", "b"], where: "b.name == 'x'") {
  a: String @unique(where: "a.startsWith('x')")
  b: B
  c: Int @unique(where: "c + 1 > 2") @unique(where: "org == 1") @unique(where: "c > d")
  d: Float @unique(where: "createdAt < request.time") @unique(fields: ["a"], where: "d > 1.0")
  e: Int @unique(where: "e > 1") @unique(where: "e > 1")
}
type B @rules(read: "true") { name: String }
"#,
        @r#"
    error[invalid_where]: no unique can be made where "true"
     --> schema.graphql:3:60
      |
    3 | type A @rules(read: "true") @unique(fields: ["a"], where: "true") @unique(fields: ["a", "b"], where: "b.name == 'x'") {
      |                                                            ^^^^
      = hint: compare the record's own fields with constants: "!archived", "status == 'OPEN' && deletedAt == null"

    error[invalid_where]: no unique can be made where "b.name == 'x'"
     --> schema.graphql:3:103
      |
    3 | type A @rules(read: "true") @unique(fields: ["a"], where: "true") @unique(fields: ["a", "b"], where: "b.name == 'x'") {
      |                                                                                                       ^^^^^^^^^^^^^
      = hint: compare the record's own fields with constants: "!archived", "status == 'OPEN' && deletedAt == null"

    error[invalid_where]: no unique can be made where "a.startsWith('x')"
     --> schema.graphql:4:29
      |
    4 |   a: String @unique(where: "a.startsWith('x')")
      |                             ^^^^^^^^^^^^^^^^^
      = hint: compare the record's own fields with constants: "!archived", "status == 'OPEN' && deletedAt == null"

    error[invalid_where]: no unique can be made where "c + 1 > 2"
     --> schema.graphql:6:26
      |
    6 |   c: Int @unique(where: "c + 1 > 2") @unique(where: "org == 1") @unique(where: "c > d")
      |                          ^^^^^^^^^
      = hint: compare the record's own fields with constants: "!archived", "status == 'OPEN' && deletedAt == null"

    error[unknown_name]: no field named "org" in "A"
     --> schema.graphql:6:54
      |
    6 |   c: Int @unique(where: "c + 1 > 2") @unique(where: "org == 1") @unique(where: "c > d")
      |                                                      ^^^

    error[invalid_where]: no unique can be made where "c > d"
     --> schema.graphql:6:81
      |
    6 |   c: Int @unique(where: "c + 1 > 2") @unique(where: "org == 1") @unique(where: "c > d")
      |                                                                                 ^^^^^
      = hint: compare the record's own fields with constants: "!archived", "status == 'OPEN' && deletedAt == null"

    error[invalid_where]: the where of a unique reads the caller or the request
     --> schema.graphql:7:27
      |
    7 |   d: Float @unique(where: "createdAt < request.time") @unique(fields: ["a"], where: "d > 1.0")
      |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^
      = hint: compare the record's own fields with constants: "!archived", "status == 'OPEN' && deletedAt == null"

    error[unknown_argument]: on a field, @unique takes no fields
     --> schema.graphql:7:63
      |
    7 |   d: Float @unique(where: "createdAt < request.time") @unique(fields: ["a"], where: "d > 1.0")
      |                                                               ^^^^^^^^^^^^^
      = hint: put it on the type to name several fields

    error[name_collision]: the same @unique stands twice
     --> schema.graphql:8:34
      |
    8 |   e: Int @unique(where: "e > 1") @unique(where: "e > 1")
      |                                  ^^^^^^^^^^^^^^^^^^^^^^^
      = hint: remove one of them
    "#
    );
}

#[test]
fn texts_that_are_too_long_together() {
    check!(r#"
type A @rules(read: "true") @unique(fields: ["a", "b", "c"]) @index(fields: ["a", "b"]) { a: String! b: String c: ID! }
type B @rules(read: "true") @index(fields: ["a", "b"]) { id: String! a: String b: String n: Int @index }
type C @rules(read: "true") @unique(fields: ["a", "b"]) @index(fields: ["a"]) { a: String @check(expr: "size(a) <= 325") b: String @check(expr: "size(b) <= 325") }
"#, @r#"
    error[too_long]: "a", "b", "c" stand in one index and may have 3060 bytes, 4 for a character
     --> schema.graphql:2:91
      |
    2 | type A @rules(read: "true") @unique(fields: ["a", "b", "c"]) @index(fields: ["a", "b"]) { a: String! b: String c: ID! }
      |                                                                                           ^
      = hint: every database can index 2600: @check(expr: "size(a) <= 216")

    error[too_long]: "a", "b", "id" stand in one index and may have 3060 bytes, 4 for a character
     --> schema.graphql:3:70
      |
    3 | type B @rules(read: "true") @index(fields: ["a", "b"]) { id: String! a: String b: String n: Int @index }
      |                                                                      ^
      = hint: every database can index 2600: @check(expr: "size(a) <= 197")
    "#);
}
