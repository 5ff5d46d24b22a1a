//! Updates: merge patches, versions, checks, link lists.
use mainstay_core::{Answer, Request};

use crate::house::{House, NOW, admin, anonymous, link, plain, request, tell, user};

const SDL: &str = r#"
type Team @rules(read: "true", write: "true") { name: String! members: [Person!]! @many }
type Person @rules(read: "published", write: "true") { name: String! published: Boolean! @default(value: true) }
type Task
  @rules(read: "public || owner == auth.id", write: "owner == auth.id")
  @check(expr: "least == null || most == null || least <= most", message: "the most is below the least")
{
  owner: ID!
  title: String! @immutable
  public: Boolean! @default(value: false)
  editor: String @set(update: "auth.id")
  least: Int
  most: Int @check(expr: "most < 100", message: "below 100")
  team: Team
}
"#;

async fn task(house: &House, more: &str) -> String {
    house.seed("tasks", &format!(r#"{{"owner": "anna", "title": "t"{more}}}"#)).await
}

#[tokio::test]
async fn what_is_sent_changes_and_null_clears() {
    let house = House::new(SDL);
    let id = task(&house, r#", "least": 1, "most": 5"#).await;
    let anna = user("anna");
    let later = Request { time_micros: NOW + 1_000_000, ..request(&anna) };
    let told = tell(house.core.run(&later, house.patch_of("tasks", &id, r#"{"least": null, "most": 7}"#, None)).await);
    let json: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&json["least"], &json["most"], &json["version"]), (&serde_json::Value::Null, &7.into(), &2.into()));
    assert_eq!(json["editor"], "anna");
    assert_eq!(json["createdAt"], "2026-01-02T03:04:05.000000Z");
    assert_eq!(json["updatedAt"], "2026-01-02T03:04:06.000000Z");
    assert_eq!(house.get(&anna, "tasks", &id, &[]).await, told);
}

#[tokio::test]
async fn an_empty_patch_writes_nothing() {
    let house = House::new(SDL);
    let id = task(&house, "").await;
    assert!(house.patch(&user("anna"), "tasks", &id, "{}").await.contains(r#""version":1"#));
    let told = tell(house.run(&user("anna"), house.patch_of("tasks", &id, "{}", Some(4))).await);
    assert_eq!(told, "VersionMismatch: this \"Task\" has the version 1 by now (read it again, then write)");
}

#[tokio::test]
async fn the_version_must_match_where_it_is_asked() {
    let house = House::new(SDL);
    let id = task(&house, "").await;
    let anna = user("anna");
    let patch = |version| house.patch_of("tasks", &id, r#"{"least": 1}"#, Some(version));
    let error = house.run(&anna, patch(2)).await.unwrap_err();
    assert_eq!(error.version, Some(1));
    let Ok(Answer::Updated(record)) = house.run(&anna, patch(1)).await else { panic!("not updated") };
    assert_eq!((record.version, record.own), (Some(2), true));
    assert!(house.run(&anna, patch(1)).await.is_err());
}

#[tokio::test]
async fn wrong_fields_come_at_once() {
    let house = House::new(SDL);
    let id = task(&house, "").await;
    let body = r#"{"id": "x", "title": "n", "editor": "e", "owner": null, "most": 100.5, "nothing": 1}"#;
    let told = house.patch(&user("anna"), "tasks", &id, body).await;
    for expected in [
        "/id immutable: \"id\" never changes after the create",
        "/title immutable: \"title\" never changes after the create",
        "/editor read_only: ",
        "/owner required: \"owner\" is never null",
        "/most ",
        "/nothing unknown_field: ",
    ] {
        assert!(told.contains(expected), "{expected} is not in {told}");
    }
    let told = house.patch(&user("anna"), "tasks", &id, r#"{"least": {"add": 1}}"#).await;
    assert!(told.contains("/least null: \"least\" is null: nothing can be added to it"), "{told}");
}

#[tokio::test]
async fn checks_look_at_the_record_as_it_becomes() {
    let house = House::new(SDL);
    let id = task(&house, r#", "most": 5"#).await;
    let anna = user("anna");
    let below = "InvalidRecord: this is no valid \"Task\"\n check: the most is below the least";
    assert_eq!(house.patch(&anna, "tasks", &id, r#"{"least": 6}"#).await, below);
    assert_eq!(house.patch(&anna, "tasks", &id, r#"{"least": 6, "most": 4}"#).await, below);
    assert!(house.patch(&anna, "tasks", &id, r#"{"least": 6, "most": 9}"#).await.contains(r#""least":6"#));
    let told = house.patch(&anna, "tasks", &id, r#"{"most": 100}"#).await;
    assert_eq!(told, "InvalidRecord: this is no valid \"Task\"\n/most check: below 100");
    assert!(house.patch(&anna, "tasks", &id, r#"{"most": null}"#).await.contains(r#""most":null"#));
}

#[tokio::test]
async fn a_record_that_becomes_hidden_answers_its_id() {
    let house = House::new(r#"type Post @rules(read: "public", write: "true") { public: Boolean! title: String }"#);
    let id = house.seed("posts", r#"{"public": true}"#).await;
    assert_eq!(house.patch(&anonymous(), "posts", &id, r#"{"public": false}"#).await, format!(r#"{{"id":"{id}"}}"#));
    assert_eq!(house.patch(&anonymous(), "posts", &id, r#"{"public": true}"#).await, "NotFound: no such \"Post\"");
}

#[tokio::test]
async fn link_lists_are_replaced_added_to_and_taken_from() {
    let house = House::with(SDL, |settings| settings.limits.links_max = 3);
    let mut people = Vec::new();
    for name in ["a", "b", "c"] {
        people.push(house.seed("persons", &format!(r#"{{"name": "{name}"}}"#)).await);
    }
    let hidden = house.seed("persons", r#"{"name": "h", "published": false}"#).await;
    let team = house.seed("teams", &format!(r#"{{"name": "t", "members": ["{}", "{hidden}"]}}"#, people[0])).await;
    let members = async || {
        let told = house.get(&admin(), "teams", &team, &[link("members", &["name"]), plain("version")]).await;
        let json: serde_json::Value = serde_json::from_str(&told).unwrap();
        let mut names: Vec<_> =
            json["members"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        (names.concat(), json["version"].as_i64().unwrap())
    };
    assert_eq!(members().await, ("ah".to_owned(), 1));
    let (a, b, c) = (&people[0], &people[1], &people[2]);
    // What the caller may not see stays as it is.
    house.patch(&anonymous(), "teams", &team, &format!(r#"{{"members": ["{b}"]}}"#)).await;
    assert_eq!(members().await, ("bh".to_owned(), 2));
    house
        .patch(&anonymous(), "teams", &team, &format!(r#"{{"members": {{"add": ["{a}", "{c}"], "remove": ["{b}"]}}}}"#))
        .await;
    assert_eq!(members().await.0, "ach");
    house.patch(&admin(), "teams", &team, r#"{"members": []}"#).await;
    assert_eq!(members().await.0, "");
    let told = house.patch(&anonymous(), "teams", &team, &format!(r#"{{"members": ["{hidden}"]}}"#)).await;
    assert!(told.contains("/members link: no such \"Person\""), "{told}");
    let told = house.patch(&anonymous(), "teams", &team, r#"{"members": ["a", "b", "c", "d"]}"#).await;
    assert!(told.contains("/members too_long: 4 links are more than the 3 that one change may have"), "{told}");
    let told = house.patch(&anonymous(), "teams", &team, r#"{"members": {"set": []}}"#).await;
    assert!(told.contains("/members wrong_type: \"set\" is neither \"add\" nor \"remove\""), "{told}");
    let told = house.patch(&anonymous(), "teams", &team, r#"{"members": null}"#).await;
    assert!(told.contains("/members wrong_type: expected a list of ids, got null (send [] to clear it)"), "{told}");
}
