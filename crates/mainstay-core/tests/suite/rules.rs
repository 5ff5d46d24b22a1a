//! Rules of every kind, and what callers' expressions may see under them.
use std::{collections::BTreeMap, sync::Arc};

use mainstay_core::{Answered, Caller, Identity, List, Operation, Target, Update};
use mainstay_expr::Value;

use crate::house::{House, anonymous, by, link, parse, plain, selection, tell, user};

const SDL: &str = r#"
extend schema @claim(name: "org", type: UUID)
type Org @rules(read: "true") { name: String! }
type Plan @rules(read: "org == auth.claims.org", update: "org == auth.claims.org") { org: Org! name: String! @unique }
type Room @rules(read: "true", list: "auth != null") { name: String! }
type Note @rules(read: "owner == auth.id") { owner: ID! text: String! }
type Post @rules(read: "true") { title: String! note: Note }
type Ticket
  @rules(read: "true", update: "state.open || state.next.exists(s, s.open)")
{ title: String! state: State! }
type State @rules(read: "true") { open: Boolean! next: [State!]! @many }
"#;

fn member(org: &str) -> Caller {
    let org = mainstay_expr::wire::parse_uuid(org).unwrap();
    let claims = BTreeMap::from([(Arc::from("org"), Value::Uuid(org))]);
    Caller::User(Arc::new(Identity { id: "m".into(), roles: Arc::from([]), claims }))
}

#[tokio::test]
async fn claims_are_compared_with_keys() {
    let house = House::new(SDL);
    let mut orgs = Vec::new();
    for name in ["a", "b"] {
        let org = house.seed("orgs", &format!(r#"{{"name": "{name}"}}"#)).await;
        house.seed("plans", &format!(r#"{{"org": "{org}", "name": "{name}"}}"#)).await;
        orgs.push(org);
    }
    let list = || List { selection: selection(&[plain("name")]), ..house.list_of("plans") };
    assert_eq!(house.list(&member(&orgs[1]), list()).await, r#"{"items":[{"name":"b"}],"next":null}"#);
    let refused = "Forbidden: the rule \"read\" of \"Plan\" refuses";
    assert_eq!(house.list(&user("nobody"), list()).await, refused);
    assert!(house.list(&anonymous(), list()).await.starts_with("Unauthenticated: "));
}

#[tokio::test]
async fn a_list_rule_is_asked_as_well_as_the_read_rule() {
    let house = House::new(SDL);
    let room = house.seed("rooms", r#"{"name": "a"}"#).await;
    assert!(house.get(&anonymous(), "rooms", &room, &[]).await.contains(r#""name":"a""#));
    let told = house.list(&anonymous(), house.list_of("rooms")).await;
    assert_eq!(told, "Unauthenticated: the rule \"list\" of \"Room\" refuses (sign in: send a bearer token)");
    assert!(house.list(&user("a"), house.list_of("rooms")).await.contains(r#""name":"a""#));
}

#[tokio::test]
async fn what_lies_behind_a_hidden_record_sorts_as_null_on_every_page() {
    let house = House::new(SDL);
    for (title, owner, text) in [("1", "anna", "z"), ("2", "bob", "y"), ("3", "anna", "x"), ("4", "bob", "w")] {
        let note = house.seed("notes", &format!(r#"{{"owner": "{owner}", "text": "{text}"}}"#)).await;
        house.seed("posts", &format!(r#"{{"title": "{title}", "note": "{note}"}}"#)).await;
    }
    for (caller, sort, expected) in
        [(user("anna"), "note.text", "2431"), (user("anna"), "-note.text", "1342"), (user("bob"), "note.text", "1342")]
    {
        let mut titles = String::new();
        let mut after = None;
        loop {
            let fields = selection(&[plain("title"), link("note", &["text"])]);
            let list =
                List { sort: vec![by(sort)], limit: Some(1), after, selection: fields, ..house.list_of("posts") };
            let told = house.list(&caller, list).await;
            let json: serde_json::Value = serde_json::from_str(&told).unwrap();
            titles.push_str(json["items"][0]["title"].as_str().unwrap());
            after = json["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(titles, expected, "{sort}");
    }
}

#[tokio::test]
async fn a_link_is_compared_with_a_key_that_is_sent() {
    let house = House::new(SDL);
    let org = house.seed("orgs", r#"{"name": "a"}"#).await;
    house.seed("plans", &format!(r#"{{"org": "{org}", "name": "a"}}"#)).await;
    let told = async |key: &str| {
        let params = vec![("org".to_owned(), key.to_owned())];
        let filter = vec!["org == p.org".to_owned()];
        let fields = selection(&[plain("name")]);
        house.list(&member(&org), List { filter, params, selection: fields, ..house.list_of("plans") }).await
    };
    assert_eq!(told(&org).await, r#"{"items":[{"name":"a"}],"next":null}"#);
    assert_eq!(told("019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f").await, r#"{"items":[],"next":null}"#);
    assert!(told("no key").await.starts_with("InvalidArgument: the value \"p.org\" does not fit: "));
}

#[tokio::test]
async fn an_update_by_a_unique_that_it_changes() {
    let house = House::new(SDL);
    let org = house.seed("orgs", r#"{"name": "a"}"#).await;
    let other = house.seed("orgs", r#"{"name": "b"}"#).await;
    house.seed("plans", &format!(r#"{{"org": "{org}", "name": "old"}}"#)).await;
    let collection = house.id("plans");
    let name = house.core.schema().collection(collection).by_name["name"];
    let update = |value: &str, patch: &'static str| {
        let target = Target::Unique { fields: vec![name], values: vec![value.to_owned()] };
        Operation::Update(Update {
            collection,
            target,
            version: None,
            patch: parse(patch),
            answered: Answered { selection: selection(&[plain("name")]), params: Vec::new() },
        })
    };
    assert_eq!(tell(house.run(&member(&org), update("old", r#"{"name": "new"}"#)).await), r#"{"name":"new"}"#);
    assert_eq!(tell(house.run(&member(&org), update("old", r#"{"name": "x"}"#)).await), "NotFound: no such \"Plan\"");
    let moved = format!(r#"{{"org": "{other}"}}"#);
    let target = Target::Unique { fields: vec![name], values: vec!["new".to_owned()] };
    let moving = Update { collection, target, version: None, patch: parse(&moved), answered: Answered::default() };
    let told = tell(house.run(&member(&org), Operation::Update(moving)).await);
    assert_eq!(told, "Forbidden: the rule \"update\" of \"Plan\" refuses");
}

#[tokio::test]
async fn a_rule_through_links_holds_after_the_link_changes() {
    let house = House::new(SDL);
    let open = house.seed("states", r#"{"open": true}"#).await;
    let shut = house.seed("states", r#"{"open": false}"#).await;
    let half = house.seed("states", &format!(r#"{{"open": false, "next": ["{open}"]}}"#)).await;
    let ticket = house.seed("tickets", &format!(r#"{{"title": "a", "state": "{open}"}}"#)).await;
    let patch =
        async |state: &str| house.patch(&user("a"), "tickets", &ticket, &format!(r#"{{"state": "{state}"}}"#)).await;
    assert_eq!(patch(&shut).await, "Forbidden: the rule \"update\" of \"Ticket\" refuses");
    assert!(patch(&half).await.contains(&half));
    assert!(house.patch(&user("a"), "tickets", &ticket, r#"{"title": "b"}"#).await.contains(r#""title":"b""#));
    assert_eq!(patch(&shut).await, "Forbidden: the rule \"update\" of \"Ticket\" refuses");
    assert!(patch(&open).await.contains(&open));
}

#[tokio::test]
async fn a_filter_that_reads_the_caller_fits_nobody_who_is_not_there() {
    let house = House::new(SDL);
    house.seed("orgs", r#"{"name": "a"}"#).await;
    assert_eq!(house.filter(&anonymous(), "orgs", "name == auth.id", "name").await, r#"{"items":[],"next":null}"#);
    assert_eq!(house.filter(&anonymous(), "orgs", "!(name == auth.id)", "name").await, r#"{"items":[],"next":null}"#);
    assert!(house.filter(&user("a"), "orgs", "name == auth.id", "name").await.contains(r#""a""#));
}
