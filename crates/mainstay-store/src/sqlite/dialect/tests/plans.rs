//! Which indexes SQLite takes.
use mainstay_expr::Value;
use mainstay_plan::{OutputValue, Query};

use super::Database;
use crate::sql::tests::fixture::{Plans, output, schema};

fn explain(make: impl FnOnce(&mut Plans<'_>) -> Query) -> String {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let plan = make(&mut plans);
    Database::new(&schema).explain(&plan, &plans.values)
}

#[test]
fn a_page_newest_first_follows_its_index() {
    let plan = explain(|plans| {
        let mut plan = plans.query("Post", "true", &["id", "title"]);
        plan.order = plans.order("Post", "-createdAt,-id");
        plan.limit = Some(plans.value(Value::Int(20)));
        plan
    });
    assert_eq!(plan, "SCAN t0 USING INDEX posts_created_at_idx");
    let plan = explain(|plans| {
        let mut plan = plans.query("Post", "true", &["id", "title"]);
        plan.order = plans.order("Post", "-createdAt,-id");
        plan.after = Some(vec![Some(plans.value(Value::Timestamp(0))), Some(plans.value(Value::text("x")))]);
        plan
    });
    assert_eq!(plan, "SEARCH t0 USING INDEX posts_created_at_idx ((created_at,id)<(?,?))");
}

#[test]
fn a_page_behind_a_value_that_may_be_null_seeks_too() {
    let plan = explain(|plans| {
        let mut plan = plans.query("Post", "status == 'OPEN'", &["id"]);
        plan.order = plans.order("Post", "score,id");
        plan.after = Some(vec![Some(plans.value(Value::Int(3))), Some(plans.value(Value::text("x")))]);
        plan
    });
    assert_eq!(plan, "SEARCH t0 USING INDEX posts_status_score_idx (status=? AND score>?)");
}

#[test]
fn keys_uniques_and_owners_are_looked_up() {
    let by = |text: &'static str| explain(|plans| plans.query("Post", text, &["id", "body"]));
    let id = by("id == '019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f'");
    assert_eq!(id, "SEARCH t0 USING INDEX sqlite_autoindex_posts_1 (id=?)");
    assert_eq!(by("title == 'x'"), "SEARCH t0 USING INDEX posts_title_key (title=?)");
    assert_eq!(by("owner == auth.id"), "SEARCH t0 USING INDEX posts_owner_idx (owner=?)");
    assert_eq!(by("auth.id == owner"), "SEARCH t0 USING INDEX posts_owner_idx (owner=?)");
    let among = by("owner in auth.roles");
    assert!(among.starts_with("SEARCH t0 USING INDEX posts_owner_idx (owner=?)"), "{among}");
}

#[test]
fn membership_through_a_link_takes_the_unique_of_the_members() {
    let plan = explain(|plans| plans.query("Post", "org.members.exists(m, m.user == auth.id)", &["id"]));
    assert_eq!(plan, "SCAN t0\nSEARCH t1 EXISTS USING COVERING INDEX members_org_user_key (org=? AND user=?)");
}

#[test]
fn nested_lists_are_found_by_their_link() {
    let plan = explain(|plans| {
        let mut plan = plans.query("Post", "title == 'x'", &["id"]);
        let mut visits = plans.nested("Post", "visits", "true", &["at"]);
        visits.order = plans.order("Visit", "id");
        visits.limit = Some(5);
        plan.select.push(output("v", OutputValue::Many(visits.into())));
        plan
    });
    assert!(plan.contains("SEARCH t1 USING INDEX visits_post_idx (post=?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}
