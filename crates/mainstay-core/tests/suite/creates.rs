//! Creates: what was sent, defaults, checks, links, all errors at once.
use crate::house::{House, admin, anonymous, user};

const SDL: &str = r#"
type Place @embedded { street: String! number: Int }
type Team @rules(read: "true", write: "true") { name: String! members: [Person!]! @many tasks: [Task!]! @inverse(field: "team") }
type Person @rules(read: "published", write: "true") { name: String! published: Boolean! @default(value: true) }
type Task
  @rules(read: "owner == auth.id || public", create: "owner == auth.id && team.name != 'closed'", update: "owner == auth.id")
  @check(expr: "least == null || most == null || least <= most", message: "the most is below the least")
{
  owner: ID! @set(create: "auth.id")
  title: String! @unique @check(expr: "title.matches('^[a-z]+$')", message: "small letters")
  public: Boolean! @default(value: false)
  by: String @default(expr: "auth.id")
  least: Int
  most: Int @check(expr: "most < 100", message: "below 100", code: "most")
  team: Team!
  place: Place
  price: Decimal @decimal(precision: 6, scale: 2)
}
"#;

async fn house() -> (House, String) {
    let house = House::new(SDL);
    let team = house.seed("teams", r#"{"name": "a"}"#).await;
    (house, team)
}

#[tokio::test]
async fn the_answer_is_the_record_as_it_is_read() {
    let (house, team) = house().await;
    let anna = user("anna");
    let body = format!(r#"{{"title": "a", "team": "{team}", "place": {{"street": "x"}}, "price": "1.5", "most": 5}}"#);
    let told = house.create(&anna, "tasks", &body).await;
    let json: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (json["owner"].as_str(), json["by"].as_str(), json["version"].as_i64()),
        (Some("anna"), Some("anna"), Some(1))
    );
    assert_eq!(json["price"], "1.50");
    let id = json["id"].as_str().unwrap();
    assert_eq!(house.get(&anna, "tasks", id, &[]).await, told);
}

#[tokio::test]
async fn who_may_not_read_it_gets_its_id_alone() {
    let house = House::new(SDL);
    let told = house.create(&anonymous(), "persons", r#"{"name": "a", "published": false}"#).await;
    assert!(told.starts_with(r#"{"id":""#) && !told.contains("name"), "{told}");
    let told = house.create(&anonymous(), "persons", r#"{"name": "a"}"#).await;
    assert!(told.contains(r#""name":"a""#), "{told}");
}

#[tokio::test]
async fn everything_that_is_wrong_comes_at_once() {
    let (house, team) = house().await;
    let body = format!(
        r#"[{{"titel": "a", "owner": "bob", "team": "{team}", "least": "x", "version": 3, "public": null}},
            {{"title": "B", "team": "{team}", "least": 3, "most": 2}}, {{"title": "c", "team": "{team}", "most": 100}}]"#
    );
    let told = house.create(&user("anna"), "tasks", &body).await;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "InvalidRecord: this is no valid \"Task\"");
    for expected in [
        "/0/titel unknown_field: no field named \"titel\" in \"Task\" (did you mean \"title\"?)",
        "/0/owner read_only: \"owner\" is written by the server (leave it out)",
        "/0/version read_only: \"version\" is written by the server (leave it out)",
        "/0/public required: \"public\" is never null",
        "/0/title required: \"title\" is required",
        "/1/title check: small letters",
        "/1 check: the most is below the least",
        "/2/most most: below 100",
    ] {
        assert!(lines.contains(&expected), "{expected} is not in {told}");
    }
    assert!(lines.iter().any(|line| line.starts_with("/0/least ")), "{told}");
    assert_eq!(lines.len(), 10, "{told}");
}

#[tokio::test]
async fn a_rule_through_a_link_sees_the_new_record() {
    let house = House::with(SDL, |settings| settings.explain_refusals = true);
    let open = house.seed("teams", r#"{"name": "a"}"#).await;
    let closed = house.seed("teams", r#"{"name": "closed"}"#).await;
    let told = house.create(&user("anna"), "tasks", &format!(r#"{{"title": "a", "team": "{closed}"}}"#)).await;
    let clause = format!("`team.name != 'closed'` is false, where team is {closed} and team.name is \"closed\"");
    assert_eq!(told, format!("Forbidden: the rule \"create\" of \"Task\" refuses (Task.create: {clause})"));
    let told = house.create(&user("anna"), "tasks", &format!(r#"{{"title": "a", "team": "{open}"}}"#)).await;
    assert!(told.contains(r#""title":"a""#), "{told}");
}

#[tokio::test]
async fn all_or_none() {
    let (house, team) = house().await;
    let body = format!(r#"[{{"title": "a", "team": "{team}"}}, {{"title": "a", "team": "{team}"}}]"#);
    let told = house.create(&user("anna"), "tasks", &body).await;
    assert_eq!(
        told,
        "NotUnique: another \"Task\" has the same \"title\"\n/1/title unique: another \"Task\" has the same \"title\""
    );
    assert_eq!(house.list(&admin(), house.list_of("tasks")).await, r#"{"items":[],"next":null}"#);
}

#[tokio::test]
async fn links_lead_to_records_that_are_there_and_may_be_read() {
    let (house, _) = house().await;
    let nobody = "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";
    let told = house.create(&user("anna"), "tasks", &format!(r#"{{"title": "a", "team": "{nobody}"}}"#)).await;
    assert_eq!(
        told,
        "InvalidRecord: this is no valid \"Task\"\n/team link: no such \"Team\", or the caller may not read it"
    );
    let hidden = house.seed("persons", r#"{"name": "h", "published": false}"#).await;
    let shown = house.seed("persons", r#"{"name": "s"}"#).await;
    for (ids, good) in [(vec![&hidden], false), (vec![&shown, &hidden], false), (vec![&shown, &shown], true)] {
        let ids: Vec<String> = ids.into_iter().map(|id| format!("{id:?}")).collect();
        let told =
            house.create(&anonymous(), "teams", &format!(r#"{{"name": "t", "members": [{}]}}"#, ids.join(","))).await;
        assert_eq!(told.contains(r#""name":"t""#), good, "{told}");
        assert_eq!(told.contains("/members link: no such \"Person\""), !good, "{told}");
    }
}

#[tokio::test]
async fn the_server_cannot_set_what_the_caller_does_not_have() {
    let house = House::new(
        r#"type Note @rules(read: "true", write: "true") { owner: ID! @set(create: "auth.id") text: String }"#,
    );
    let told = house.create(&anonymous(), "notes", "{}").await;
    assert!(told.contains("/owner set: the server cannot write \"owner\""), "{told}");
    assert!(house.create(&user("anna"), "notes", "{}").await.contains(r#""owner":"anna""#));
}

#[tokio::test]
async fn keys_of_one_process_rise() {
    let (house, _) = house().await;
    let mut last = String::new();
    for _ in 0..50 {
        let id = house.seed("teams", r#"{"name": "a"}"#).await;
        assert!(id > last);
        last = id;
    }
    let own = "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";
    assert_eq!(house.seed("teams", &format!(r#"{{"id": "{own}", "name": "a"}}"#)).await, own);
}

#[tokio::test]
async fn an_empty_list_creates_nothing() {
    let (house, _) = house().await;
    assert_eq!(house.create(&user("anna"), "tasks", "[]").await, "");
}

#[tokio::test]
async fn a_record_may_be_made_that_needs_itself() {
    let house =
        House::new(r#"type Person @path(name: "people") @rules(read: "true", create: "true") { boss: Person! }"#);
    let id = "01990000-0000-7000-8000-000000000001";
    let told = house.create(&user("anna"), "people", &format!("{{\"id\": \"{id}\", \"boss\": \"{id}\"}}")).await;
    assert!(told.contains(&format!("\"boss\":\"{id}\"")), "{told}");
    let other = "01990000-0000-7000-8000-000000000002";
    let told = house.create(&user("anna"), "people", &format!("{{\"boss\": \"{other}\"}}")).await;
    assert!(told.contains("no such \\\"Person\\\"") || told.contains("no such \"Person\""), "{told}");
}
