//! Types, names and links that do not fit.
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
