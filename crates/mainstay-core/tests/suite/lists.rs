//! Pages: filters, orders, cursors, counts.
use mainstay_core::{Answer, List, Operation};

use crate::{
    house::{House, admin, anonymous, by, plain, selection, tell, user},
    reads::SDL,
};

async fn skills(house: &House) {
    let core = house.seed("categories", r#"{"slug": "core", "name": "Core"}"#).await;
    let soft = house.seed("categories", r#"{"slug": "soft", "name": "Soft"}"#).await;
    for (slug, rank, category) in
        [("a", "1", Some(&soft)), ("b", "null", Some(&core)), ("c", "3", None), ("d", "2", Some(&core))]
    {
        let category = category.map_or("null".to_owned(), |id| format!("{id:?}"));
        let body = format!(r#"{{"slug": "{slug}", "owner": "anna", "rank": {rank}, "category": {category}}}"#);
        house.seed("skills", &body).await;
    }
    house.seed("skills", r#"{"slug": "z", "owner": "bob", "published": false, "rank": 9}"#).await;
}

fn slugs(house: &House) -> List {
    List { selection: selection(&[plain("slug")]), ..house.list_of("skills") }
}

/// The slugs of a page, and its end.
fn short(told: &str) -> String {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(told) else { return told.to_owned() };
    let items = json["items"].as_array().unwrap();
    let mut out: String = items.iter().map(|item| item["slug"].as_str().unwrap()).collect();
    out.push_str(if json["next"].is_null() { "." } else { "…" });
    if let Some(count) = json.get("count") {
        out.push_str(&format!(" of {count}"));
    }
    out
}

#[tokio::test]
async fn an_empty_page() {
    let house = House::new(SDL);
    let list = List { count: true, ..house.list_of("skills") };
    assert_eq!(house.list(&anonymous(), list).await, r#"{"items":[],"next":null,"count":0}"#);
}

#[tokio::test]
async fn orders_are_total_and_null_is_smallest() {
    let house = House::new(SDL);
    skills(&house).await;
    for (sort, expected) in [
        (vec!["slug"], "abcd."),
        (vec!["-slug"], "dcba."),
        (vec!["rank"], "badc."),
        (vec!["-rank"], "cdab."),
        (vec!["category.slug", "-slug"], "cdba."),
        (vec!["-category.slug", "slug"], "abdc."),
        (vec![], "abcd."),
    ] {
        let list = List { sort: sort.iter().map(|path| by(path)).collect(), ..slugs(&house) };
        assert_eq!(short(&house.list(&anonymous(), list).await), expected, "{sort:?}");
    }
}

#[tokio::test]
async fn wrong_orders_are_refused() {
    let house = House::new(SDL);
    for (sort, expected) in [
        (vec!["slgu"], "no field named \"slgu\" in \"Skill\" (did you mean \"slug\"?)"),
        (vec!["slug", "-slug"], "\"slug\" is sorted by twice"),
        (vec!["extra"], "\"extra\" of \"Skill\" is JSON, which has no order"),
        (vec!["tags"], "\"tags\" of \"Skill\" is a list, which has no order"),
        (vec!["requires"], "\"requires\" of \"Skill\" is a list of links, which has no order"),
        (vec!["requires.slug"], "\"requires\" of \"Skill\" is no to-one link to go through"),
    ] {
        let list = List { sort: sort.iter().map(|path| by(path)).collect(), ..slugs(&house) };
        assert_eq!(house.list(&anonymous(), list).await, format!("InvalidArgument: {expected}"));
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_every_order() {
    let house = House::new(SDL);
    skills(&house).await;
    for sort in
        [vec![], vec!["rank"], vec!["-rank"], vec!["category.slug", "-slug"], vec!["-category.name"], vec!["category"]]
    {
        let list = || List { sort: sort.iter().map(|path| by(path)).collect(), ..slugs(&house) };
        let whole = short(&house.list(&anonymous(), list()).await);
        let mut pages = String::new();
        let mut after = None;
        for _ in 0..5 {
            let page = List { limit: Some(1), after: after.take(), count: true, ..list() };
            let Ok(Answer::Page(page)) = house.run(&anonymous(), Operation::List(page)).await else {
                panic!("no page")
            };
            let told = short(&String::from_utf8(page.json).unwrap());
            assert!(told.ends_with(" of 4"), "{told}");
            pages.push_str(&told[..1]);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pages + ".", whole, "{sort:?}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_request() {
    let house = House::new(SDL);
    skills(&house).await;
    let list = || List { limit: Some(1), sort: vec![by("rank")], ..slugs(&house) };
    let Ok(Answer::Page(page)) = house.run(&anonymous(), Operation::List(list())).await else { panic!("no page") };
    let after = page.next;
    assert!(after.is_some());
    let wrong = "InvalidCursor: the cursor does not belong to this request \
                 (send what \"next\" held, with the same sort, filter and token; or start again without \"after\")";
    let others = [
        (anonymous(), List { after: after.clone(), sort: vec![by("-rank")], ..list() }),
        (anonymous(), List { after: after.clone(), filter: vec!["rank == null".into()], ..list() }),
        (user("anna"), List { after: after.clone(), ..list() }),
        (admin(), List { after: after.clone(), ..list() }),
        (anonymous(), List { after: Some("AAAA".into()), ..list() }),
        (anonymous(), List { after: after.as_ref().map(|cursor| cursor.replace('A', "B") + "x"), ..list() }),
    ];
    for (caller, list) in others {
        assert_eq!(house.list(&caller, list).await, wrong);
    }
    // Another selection or limit is the same walk.
    let list = List { after, limit: Some(10), selection: None, ..list() };
    assert_eq!(short(&house.list(&anonymous(), list).await), "adc.");
}

#[tokio::test]
async fn filters_and_their_values() {
    let house = House::new(SDL);
    skills(&house).await;
    let check = async |filters: &[&str], params: &[(&str, &str)], expected: &str| {
        let filter = filters.iter().map(|text| (*text).to_owned()).collect();
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let list = List { filter, params, ..slugs(&house) };
        assert_eq!(short(&house.list(&anonymous(), list).await), expected);
    };
    check(&["rank == null"], &[], "b.").await;
    check(&["rank > p.least"], &[("least", "1")], "cd.").await;
    check(&["category.slug == p.slug", "rank != null"], &[("slug", "core")], "d.").await;
    check(&["slug.contains(p.q)"], &[("q", "'; DROP")], ".").await;
    check(&["requires.exists(r, r.slug == 'a')"], &[], ".").await;
    check(&["state == p.state"], &[("state", "OPEN")], ".").await;
    check(&["state == p.state"], &[("state", "OPN")], "InvalidArgument: the value \"p.state\" does not fit: \"OPN\" is no value of \"State\" (did you mean \"OPEN\"?)").await;
    check(
        &["rank > p.least"],
        &[("least", "x")],
        "InvalidArgument: the value \"p.least\" does not fit: \"x\" is no whole number of 64 bits",
    )
    .await;
    check(
        &["rank > p.least"],
        &[],
        "InvalidArgument: the filter reads \"p.least\", which was not sent (send it along: &p.least=…, in a body \"params\": {\"least\": …})",
    )
    .await;
    check(&["rank > p.least"], &[("least", "1"), ("lest", "1")], "InvalidArgument: the value \"p.lest\" is not used by any filter (use it in a filter: filter=name.contains(p.lest))").await;
    check(
        &["rank > p.least"],
        &[("least", "1"), ("least", "2")],
        "InvalidArgument: the value \"p.least\" was sent twice",
    )
    .await;
}

#[tokio::test]
async fn a_wrong_filter_is_shown_in_its_place() {
    let house = House::new(SDL);
    let told = house.filter(&anonymous(), "skills", "rank > 1 && slgu == 'a'", "slug").await;
    assert!(told.starts_with("InvalidArgument: the filter is not valid: "), "{told}");
    assert!(told.contains("at column 13 (\"slgu\") of \"rank > 1 && slgu == 'a'\""), "{told}");
    assert!(told.contains("(did you mean \"slug\"?)"), "{told}");
    for in_memory in ["slug.matches('a')", "rank > 1 && slug.trim() == 'a'"] {
        let told = house.filter(&anonymous(), "skills", in_memory, "slug").await;
        assert!(told.starts_with("InvalidArgument: ") && told.contains("answers this alike"), "{told}");
    }
    let many = List { filter: vec!["true".into(); 21], ..slugs(&house) };
    assert_eq!(
        tell(house.run(&anonymous(), Operation::List(many)).await),
        "LimitExceeded: 21 filters are more than the 20 that one request may have (join them by &&)"
    );
}

#[tokio::test]
async fn counts_count_what_the_caller_may_see() {
    let house = House::new(SDL);
    skills(&house).await;
    for (caller, expected) in [(anonymous(), "ab… of 4"), (user("bob"), "ab… of 5"), (admin(), "ab… of 5")] {
        let list = List { count: true, limit: Some(2), ..slugs(&house) };
        assert_eq!(short(&house.list(&caller, list).await), expected);
    }
}

/// A cursor says of each sort key whether it is null; there is room for so many, whatever the settings say.
#[tokio::test]
async fn more_sort_keys_than_a_cursor_has_room_for_are_refused() {
    let names: Vec<String> = (0..40).map(|at| format!("f{at}")).collect();
    let fields: Vec<String> = names.iter().map(|name| format!("{name}: Int")).collect();
    let sdl = format!("type Wide @rules(read: \"true\") {{ {} }}", fields.join(" "));
    let house = House::with(&sdl, |settings| {
        (settings.limits.sort_max, settings.limits.group_max) = (100, 100);
    });
    house.seed("wides", r#"{"f39": 1}"#).await;
    house.seed("wides", r#"{"f39": 2}"#).await;
    let list = |keys: &[String], after: Option<String>| List {
        sort: keys.iter().map(|name| by(name)).collect(),
        selection: selection(&[plain("f30")]),
        limit: Some(1),
        after,
        ..house.list_of("wides")
    };
    let first: serde_json::Value = serde_json::from_str(&house.list(&admin(), list(&names[..31], None)).await).unwrap();
    let next = first["next"].as_str().map(str::to_owned);
    assert_eq!(house.list(&admin(), list(&names[..31], next)).await, r#"{"items":[{"f30":null}],"next":null}"#);
    let told = house.list(&admin(), list(&names, None)).await;
    assert_eq!(told, "LimitExceeded: 40 sort keys are more than the 31 that one request may have");
}
