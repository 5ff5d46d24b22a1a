//! What PostgreSQL's planner makes of statements: reads by key, pages, filters, rules go over their indexes.
use mainstay_expr::{Type, Value};
use mainstay_plan::Query;
use mainstay_test_db::postgres_only;

use crate::world::{World, load};

const SDL: &str = r#"
type Item @rules(read: "owner == auth.id", write: "owner == auth.id") @index(fields: ["score"]) @index(fields: ["rank"]) {
  owner: ID! @index
  code: String! @unique
  score: Int
  rank: Long! 
  flag: Boolean!
  parent: Item
  items: [Item!]! @inverse(field: "parent")
}
"#;

/// A table of records enough that an index is worth its while.
fn world() -> World {
    let world = World::with_schema(load(SDL), |_| {});
    world.database.execute(
        "INSERT INTO items (id, owner, code, score, rank, flag, parent, created_at, updated_at, version) SELECT \
         lpad(to_hex(n), 32, '0')::uuid, 'owner ' || n % 500, 'code ' || n, nullif(n % 3000, 0), n, n % 2 = 0, NULL, now(), \
         now(), 1 FROM generate_series(1, 6000) AS n; ANALYZE items",
    );
    world
}

/// The plan of a statement that is prepared for whatever values come.
fn plan(world: &World, query: &Query, values: &[&str]) -> String {
    let statement = world.store.prepare_read(&world.schema, query).unwrap();
    let values = values.join(", ");
    let call = if values.is_empty() { "asked".to_owned() } else { format!("asked({values})") };
    let text = format!(
        "SET plan_cache_mode = force_generic_plan; PREPARE asked AS {}; EXPLAIN (COSTS OFF) EXECUTE {call}",
        statement.sql()
    );
    let rows = world.database.rows(&text);
    rows.into_iter().map(|row| row.into_iter().flatten().collect::<String>() + "\n").collect()
}

/// A read of one page sorted by a field and the key, the same way.
fn page(world: &World, condition: &str, by: &str, descending: bool) -> Query {
    Query {
        order: vec![world.order("Item", by, descending), world.order("Item", "id", descending)],
        limit: Some(0),
        ..world.query("Item", condition, &["id", "code"])
    }
}

fn goes_over(plan: &str, index: &str) {
    assert!(plan.contains(index) && !plan.contains("Seq Scan") && !plan.contains("Sort"), "{index}:\n{plan}");
}

#[test]
fn a_record_is_found_by_its_key() {
    postgres_only!("its planner");
    let world = world();
    let mut values = Vec::new();
    let condition = world.key_is("Item", crate::world::uuid(7), &mut values);
    let query = Query { condition, ..world.query("Item", "true", &["id", "code"]) };
    let plan = plan(&world, &query, &["'00000000-0000-0000-0000-000000000007'"]);
    goes_over(&plan, "Index Scan using items_pkey");
}

#[test]
fn pages_are_read_in_the_order_of_an_index() {
    postgres_only!("its planner");
    let world = world();
    for descending in [false, true] {
        let by_key =
            Query { order: vec![world.order("Item", "id", descending)], ..page(&world, "true", "id", descending) };
        goes_over(&plan(&world, &by_key, &["20"]), "items_pkey");
        // One that may be null, and one that may not.
        goes_over(&plan(&world, &page(&world, "true", "score", descending), &["20"]), "items_score_idx");
        goes_over(&plan(&world, &page(&world, "true", "rank", descending), &["20"]), "items_rank_idx");
    }
}

#[test]
fn pages_begin_where_the_index_says() {
    postgres_only!("its planner");
    let world = world();
    let id = "'00000000-0000-0000-0000-000000000007'";
    let after = |query: Query| Query { after: Some(vec![Some(1), Some(2)]), ..query };
    let by_rank = plan(&world, &after(page(&world, "true", "rank", false)), &["7", id, "20"]);
    goes_over(&by_rank, "items_rank_idx");
    assert!(by_rank.contains("Index Cond: (ROW(rank, id) > ROW($1, $2))"), "{by_rank}");
    let by_score = plan(&world, &after(page(&world, "true", "score", false)), &["7", id, "20"]);
    goes_over(&by_score, "items_score_idx");
    assert!(by_score.contains("Index Cond: (score >= $1)"), "{by_score}");
}

#[test]
fn filters_and_rules_go_over_their_indexes() {
    postgres_only!("its planner");
    let world = world();
    for (condition, values, index) in [
        ("owner == auth.id", &["'anna'"][..], "items_owner_idx"),
        ("code == 'code 7'", &["'code 7'"], "items_code_key"),
        ("score == 7", &[], "items_score_idx"),
        ("rank > 5990", &[], "items_rank_idx"),
        (
            "parent == '00000000-0000-0000-0000-000000000007'",
            &["'00000000-0000-0000-0000-000000000007'"],
            "items_parent_idx",
        ),
    ] {
        let mut bound: Vec<Value> = Vec::new();
        let condition = world.expr("Item", condition, &Type::Bool, &mut bound);
        let query = Query { condition, ..world.query("Item", "true", &["id", "code"]) };
        let plan = plan(&world, &query, values);
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{index}:\n{plan}");
    }
}
