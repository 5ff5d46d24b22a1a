//! Expressions that are wrong, with their places.
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

    error[invalid_value]: "title" is computed from itself
     --> schema.graphql:9:55
      |
    9 |   title: String @check(expr: "size(\"é\") == titel") @default(expr: "title")
      |                                                       ^^^^^^^
      = hint: read other fields

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

/// What is wrong with a named expression is told where it stands, and not again of each that uses it.
#[test]
fn an_error_of_a_named_expression_is_told_once() {
    check!(r#"
type A
  @define(name: "late", expr: "due < request.tim")
  @define(name: "open", expr: "!late && nope")
  @rules(read: "open || late || total > 1", write: "late && titel == 'x'", list: "can(b, 'read') && broken")
{
  title: String @check(expr: "size(title) < 9 && total > 3")
  due: DateTime
  total: Int @computed(expr: "size(titel)")
  twice: Int @computed(expr: "total + total")
  b: B
}
type B @rules(read: "a.total > 0 || nam == ''") { a: A name: String }
"#, @r#"
    error[unknown_name]: the request has no "tim"
     --> schema.graphql:3:38
      |
    3 |   @define(name: "late", expr: "due < request.tim")
      |                                      ^^^^^^^^^^^
      = hint: did you mean "time"?

    error[unknown_name]: no field named "nope" in "A"
     --> schema.graphql:4:41
      |
    4 |   @define(name: "open", expr: "!late && nope")
      |                                         ^^^^

    error[unknown_name]: no field named "titel" in "A"
     --> schema.graphql:5:61
      |
    5 |   @rules(read: "open || late || total > 1", write: "late && titel == 'x'", list: "can(b, 'read') && broken")
      |                                                             ^^^^^
      = hint: did you mean "title"?

    error[unknown_name]: no field named "broken" in "A"
     --> schema.graphql:5:101
      |
    5 |   @rules(read: "open || late || total > 1", write: "late && titel == 'x'", list: "can(b, 'read') && broken")
      |                                                                                                     ^^^^^^

    error[unknown_name]: no field named "titel" in "A"
     --> schema.graphql:9:36
      |
    9 |   total: Int @computed(expr: "size(titel)")
      |                                    ^^^^^
      = hint: did you mean "title"?

    error[unknown_name]: no field named "nam" in "B"
      --> schema.graphql:13:37
       |
    13 | type B @rules(read: "a.total > 0 || nam == ''") { a: A name: String }
       |                                     ^^^
       = hint: did you mean "name"?
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

    error[define_cycle]: in "y": "z" is defined by itself, through "y"
     --> schema.graphql:4:29
      |
    4 |   @define(name: "y", expr: "z")
      |                             ^

    error[define_cycle]: in "z": "y" is defined by itself, through "z"
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
      = hint: every database can index 650: @check(expr: "size(title) <= 650")
    "#);
}
