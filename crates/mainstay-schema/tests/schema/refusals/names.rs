//! Names that are taken, or too long.
use mainstay_schema::{Schema, Source};

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

#[test]
fn a_name_that_a_database_would_cut_is_refused() {
    let (most, more) = ("a".repeat(55), "a".repeat(56));
    let (field, longer) = ("b".repeat(63), "b".repeat(64));
    let sdl = |name: &str, field: &str| format!("type {name} {{ {field}: Int }}");
    let longest = sdl(&most, &field);
    assert!(Schema::load(&[Source { name: "schema.graphql", text: &longest }]).is_ok());
    let told = crate::errors(&sdl(&more, "x"));
    let expected = format!(
        "error[name_too_long]: type \"{more}\" has a table whose name is too long: \"{more}s\" has 57 characters, the most are 56"
    );
    assert!(told.contains(&expected), "{told}");
    let told = crate::errors(&sdl("T", &longer));
    let expected = format!(
        "error[name_too_long]: the column of \"T.{longer}\" has a name that is too long: 64 characters, the most are 63"
    );
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn a_name_that_postgresql_keeps_for_itself_is_refused() {
    for name in ["ctid", "xmin", "tableoid", "Cmax"] {
        let told = crate::errors(&format!("type T {{ {name}: Int }}"));
        let expected = format!(
            "error[reserved_name]: \"{name}\" cannot be the name of a field: PostgreSQL keeps that column for itself"
        );
        assert!(told.contains(&expected), "{told}");
    }
    let free = "type T { rowid: Int oid: Int }";
    assert!(Schema::load(&[Source { name: "schema.graphql", text: free }]).is_ok());
}

#[test]
fn a_type_has_so_many_fields_and_no_more() {
    let sdl = |count: usize| {
        let fields: String = (0..count).map(|at| format!(" f{at}: Int")).collect();
        format!("type T {{{fields} }}")
    };
    let most = sdl(400);
    assert!(Schema::load(&[Source { name: "schema.graphql", text: &most }]).is_ok());
    let told = crate::errors(&sdl(401));
    assert!(told.contains("error[too_many_fields]: \"T\" has 401 fields, the most are 400"), "{told}");
}
