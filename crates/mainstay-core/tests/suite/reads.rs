//! Reads of one record: by key, by unique, with links.
use mainstay_core::{Nested, Operation, ReadOne, Select, Selection, Target};

use crate::house::{House, admin, anonymous, by, link, plain, selection, tell, user};

pub(crate) const SDL: &str = r#"
enum State { OPEN DONE }
type Category @rules(read: "true") { slug: String! @unique name: String! skills: [Skill!]! @inverse(field: "category") }
type Skill @rules(read: "published || owner == auth.id", write: "owner == auth.id") @unique(fields: ["owner", "rank"]) {
  slug: String! @unique
  owner: ID!
  rank: Int
  published: Boolean! @default(value: true)
  state: State
  category: Category
  tags: [String!]
  big: Long
  extra: JSON
  requires: [Skill!]! @many
}
type Counter @rules(read: "true", write: "true") { id: Int! name: String! }
type Word @rules(read: "true", write: "true") { id: String! text: String }
"#;

fn size(alias: Option<&str>, name: &str) -> Select {
    let (alias, aggregate) = (alias.map(str::to_owned), mainstay_core::Aggregate::Count);
    Select::Figure { alias, aggregate, path: vec![name.into()], filter: Vec::new() }
}

#[tokio::test]
async fn by_key_all_own_fields_in_order() {
    let house = House::new(SDL);
    let id = house
        .seed("skills", r#"{"slug": "a", "owner": "anna", "big": "9007199254740993", "extra": {"b": 1, "a": [0.5]}}"#)
        .await;
    let told = house.get(&anonymous(), "skills", &id, &[]).await;
    assert_eq!(
        told,
        format!(
            concat!(
                r#"{{"id":"{}","slug":"a","owner":"anna","rank":null,"published":true,"state":null,"category":null,"#,
                r#""tags":null,"big":"9007199254740993","extra":{{"a":[0.5],"b":1}},"#,
                r#""createdAt":"2026-01-02T03:04:05.000000Z","updatedAt":"2026-01-02T03:04:05.000000Z","version":1}}"#
            ),
            id
        )
    );
}

#[tokio::test]
async fn what_is_no_key_is_not_found() {
    let house = House::new(SDL);
    let told = house.get(&anonymous(), "skills", "nonsense", &[]).await;
    assert_eq!(told, "NotFound: no such \"Skill\"");
    let told = house.get(&anonymous(), "skills", "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f", &[]).await;
    assert_eq!(told, "NotFound: no such \"Skill\"");
    assert_eq!(house.get(&anonymous(), "counters", "x", &[]).await, "NotFound: no such \"Counter\"");
}

#[tokio::test]
async fn by_unique_and_hidden() {
    let house = House::new(SDL);
    house.seed("skills", r#"{"slug": "a", "owner": "anna", "rank": 3, "published": false}"#).await;
    let collection = house.id("skills");
    let fields =
        |names: &[&str]| names.iter().map(|name| house.core.schema().collection(collection).by_name[*name]).collect();
    let read = |names: &[&str], values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let target = Target::Unique { fields: fields(names), values };
        Operation::ReadOne(ReadOne { collection, target, params: Vec::new(), selection: selection(&[plain("slug")]) })
    };
    let anna = user("anna");
    assert_eq!(tell(house.run(&anna, read(&["slug"], &["a"])).await), r#"{"slug":"a"}"#);
    assert_eq!(tell(house.run(&anna, read(&["owner", "rank"], &["anna", "3"])).await), r#"{"slug":"a"}"#);
    assert_eq!(tell(house.run(&anna, read(&["owner", "rank"], &["anna", "x"])).await), "NotFound: no such \"Skill\"");
    assert_eq!(tell(house.run(&anonymous(), read(&["slug"], &["a"])).await), "NotFound: no such \"Skill\"");
    assert_eq!(
        tell(house.run(&anna, read(&["rank"], &["3"])).await),
        "InvalidArgument: \"rank\" of \"Skill\" is not unique"
    );
}

#[tokio::test]
async fn links_sizes_and_other_names() {
    let house = House::new(SDL);
    let category = house.seed("categories", r#"{"slug": "core", "name": "Core"}"#).await;
    let mut ids = Vec::new();
    for (slug, published) in [("a", true), ("b", false), ("c", true)] {
        let body =
            format!(r#"{{"slug": "{slug}", "owner": "anna", "published": {published}, "category": "{category}"}}"#);
        ids.push(house.seed("skills", &body).await);
    }
    let requires = format!(r#"{{"requires": ["{}", "{}"]}}"#, ids[1], ids[2]);
    house.patch(&admin(), "skills", &ids[0], &requires).await;
    let nested = Nested {
        selection: Selection { parts: vec![plain("slug"), size(Some("n"), "requires")] },
        limit: Some(2),
        sort: vec![by("-slug")],
        filter: vec!["slug != 'x'".into()],
    };
    let skills = Select::Link { alias: Some("top".into()), name: "skills".into(), nested };
    let told =
        house.get(&anonymous(), "categories", &category, &[plain("slug"), size(None, "skills"), skills.clone()]).await;
    assert_eq!(told, r#"{"slug":"core","skills":2,"top":[{"slug":"c","n":0},{"slug":"a","n":1}]}"#);
    let told = house.get(&user("anna"), "categories", &category, &[size(Some("n"), "skills"), skills]).await;
    assert_eq!(told, r#"{"n":3,"top":[{"slug":"c","n":0},{"slug":"b","n":0}]}"#);
    let star = [Select::All, link("category", &["slug"])];
    let told = house.get(&anonymous(), "skills", &ids[0], &star).await;
    assert!(told.contains(r#""category":{"slug":"core"}"#) && told.contains(r#""slug":"a""#), "{told}");
}

#[tokio::test]
async fn wrong_selections_are_refused_with_a_hint() {
    let house = House::with(SDL, |settings| settings.limits.depth_max = 2);
    let id = house.seed("skills", r#"{"slug": "a", "owner": "anna"}"#).await;
    let check = async |fields: &[Select], expected: &str| {
        let told = house.get(&anonymous(), "skills", &id, fields).await;
        assert_eq!(told, format!("InvalidArgument: {expected}"));
    };
    check(&[plain("slgu")], "no field named \"slgu\" in \"Skill\" (did you mean \"slug\"?)").await;
    check(
        &[plain("requires")],
        "\"requires\" of \"Skill\" is a to-many link (say what to answer of its records, requires(id), or count them, size(requires))",
    )
    .await;
    check(&[plain("slug"), plain("slug")], "\"slug\" is selected twice (give one of them another name: other:slug)")
        .await;
    check(&[link("slug", &["id"])], "\"slug\" of \"Skill\" is no link (select it as slug)").await;
    check(&[size(None, "category")], "\"category\" of \"Skill\" is no to-many link, so that it has no figures").await;
    let alias = Select::Field { alias: Some("a'b".into()), name: "slug".into() };
    check(
        &[alias],
        "\"a'b\" cannot be a name in the answer (use letters, digits and underscores, at most 64, no digit first)",
    )
    .await;
    let deep = |inner: Select| {
        let nested = Nested { selection: Selection { parts: vec![inner] }, ..Default::default() };
        Select::Link { alias: None, name: "requires".into(), nested }
    };
    let told = house.get(&anonymous(), "skills", &id, &[deep(deep(deep(plain("slug"))))]).await;
    assert_eq!(told, "LimitExceeded: \"requires\" is nested deeper than 2 links");
}

#[tokio::test]
async fn every_kind_of_key() {
    let house = House::new(SDL);
    let told = house.create(&anonymous(), "counters", r#"{"name": "a"}"#).await;
    assert!(told.starts_with(r#"{"id":"1","name":"a""#), "{told}");
    let told = house.create(&anonymous(), "counters", r#"{"id": 7, "name": "b"}"#).await;
    assert!(told.starts_with(r#"{"id":"7","name":"b""#), "{told}");
    let told = house.get(&anonymous(), "counters", "7", &[plain("id")]).await;
    assert_eq!(told, r#"{"id":"7"}"#);
    let told = house.create(&anonymous(), "words", r#"{"text": "a"}"#).await;
    assert_eq!(told, "InvalidRecord: this is no valid \"Word\"\n/id required: the id is required");
    let told = house.create(&anonymous(), "words", r#"{"id": "a b", "text": "a"}"#).await;
    assert!(told.starts_with(r#"{"id":"a b","text":"a""#), "{told}");
    let told = house.create(&anonymous(), "words", r#"{"id": "a b", "text": "a"}"#).await;
    assert_eq!(
        told,
        "NotUnique: another \"Word\" has the same \"id\"\n/id unique: another \"Word\" has the same \"id\""
    );
}
