//! Who is refused: nobody known, somebody else, and what a refusal says.
use mainstay_core::{List, Nested, Operation, Select, Selection};

use crate::house::{House, anonymous, by, link, plain, request, selection, tell, user, user_with};

const SDL: &str = r#"
extend schema @define(name: "isEditor", expr: "'editor' in auth.roles")
type Secret { name: String! }
type Note @rules(read: "owner == auth.id", write: "owner == auth.id") {
  owner: ID! @set(create: "auth.id")
  text: String!
  secret: Secret
}
type Post @rules(read: "published || isEditor", write: "isEditor") {
  title: String!
  published: Boolean! @default(value: true)
  note: Note
  secret: Secret
}
type Gift @rules(read: "to == auth.id || from == auth.id", create: "from == auth.id", update: "to == auth.id") {
  from: ID!
  to: ID!
}
"#;

#[tokio::test]
async fn without_a_rule_admins_alone() {
    let house = House::new(SDL);
    let told = house.list(&anonymous(), house.list_of("secrets")).await;
    assert_eq!(
        told,
        "Unauthenticated: \"Secret\" has no rule \"read\", so that only admins may (sign in: send a bearer token)"
    );
    let told = house.list(&user("anna"), house.list_of("secrets")).await;
    assert_eq!(told, "Forbidden: \"Secret\" has no rule \"read\", so that only admins may");
    let told = house.create(&user("anna"), "secrets", r#"{"nonsense": 1}"#).await;
    assert_eq!(told, "Forbidden: \"Secret\" has no rule \"create\", so that only admins may");
}

#[tokio::test]
async fn what_folds_to_nobody_is_refused_by_name() {
    let house = House::new(SDL);
    let told = house.list(&anonymous(), house.list_of("notes")).await;
    assert_eq!(told, "Unauthenticated: the rule \"read\" of \"Note\" refuses (sign in: send a bearer token)");
    let told = house.create(&user("anna"), "posts", r#"{"title": "a"}"#).await;
    assert_eq!(told, "Forbidden: the rule \"create\" of \"Post\" refuses");
    let told = house.delete(&user("anna"), "posts", "no-key").await;
    assert_eq!(told, "Forbidden: the rule \"delete\" of \"Post\" refuses");
}

#[tokio::test]
async fn somebody_elses_record_is_not_found() {
    let house = House::new(SDL);
    let anna = user("anna");
    let id = id_in(&house.create(&anna, "notes", r#"{"text": "mine"}"#).await);
    assert!(house.get(&anna, "notes", &id, &[]).await.contains("\"text\":\"mine\""));
    let bob = user("bob");
    assert_eq!(house.get(&bob, "notes", &id, &[]).await, "NotFound: no such \"Note\"");
    assert_eq!(house.patch(&bob, "notes", &id, r#"{"text": "x"}"#).await, "NotFound: no such \"Note\"");
    assert_eq!(house.delete(&bob, "notes", &id).await, "NotFound: no such \"Note\"");
    assert_eq!(house.list(&bob, house.list_of("notes")).await, r#"{"items":[],"next":null}"#);
}

#[tokio::test]
async fn what_may_be_read_but_not_changed_is_forbidden_with_the_clause_where_it_is_explained() {
    for explained in [false, true] {
        let house = House::with(SDL, |settings| settings.explain_refusals = explained);
        let id = id_in(&house.create(&user("anna"), "gifts", r#"{"from": "anna", "to": "bob"}"#).await);
        let told = house.patch(&user("anna"), "gifts", &id, r#"{"to": "carl"}"#).await;
        let hint = if explained {
            " (Gift.update: `to == auth.id` is false, where to is \"bob\" and auth.id is \"anna\")"
        } else {
            ""
        };
        assert_eq!(told, format!("Forbidden: the rule \"update\" of \"Gift\" refuses{hint}"));
    }
}

#[tokio::test]
async fn an_update_rule_holds_before_and_after() {
    let house = House::new(SDL);
    let id = id_in(&house.create(&user("anna"), "gifts", r#"{"from": "anna", "to": "bob"}"#).await);
    let told = house.patch(&user("bob"), "gifts", &id, r#"{"to": "carl"}"#).await;
    assert_eq!(told, "Forbidden: the rule \"update\" of \"Gift\" refuses");
    assert!(house.patch(&user("bob"), "gifts", &id, r#"{"from": "carl"}"#).await.contains("\"from\":\"carl\""));
}

#[tokio::test]
async fn a_create_rule_sees_the_new_record() {
    let house = House::with(SDL, |settings| settings.explain_refusals = true);
    let told = house.create(&user("anna"), "gifts", r#"{"from": "bob", "to": "anna"}"#).await;
    assert_eq!(
        told,
        "Forbidden: the rule \"create\" of \"Gift\" refuses \
         (Gift.create: `from == auth.id` is false, where from is \"bob\" and auth.id is \"anna\")"
    );
}

#[tokio::test]
async fn a_forbidden_collection_cannot_be_looked_into() {
    let house = House::new(SDL);
    let anna = user("anna");
    let told = house.filter(&anna, "posts", "secret.name.startsWith('a')", "title").await;
    assert_eq!(told, "Forbidden: this goes through \"Secret\", which the caller may not read");
    let sorted = List { sort: vec![by("secret.name")], ..house.list_of("posts") };
    assert_eq!(
        house.list(&anna, sorted).await,
        "Forbidden: this goes through \"Secret\", which the caller may not read"
    );
    let nested = List { selection: selection(&[link("secret", &["name"])]), ..house.list_of("posts") };
    assert_eq!(
        house.list(&anna, nested).await,
        "Forbidden: this goes through \"Secret\", which the caller may not read"
    );
}

#[tokio::test]
async fn a_hidden_record_is_absent_through_links_too() {
    let house = House::new(SDL);
    let (anna, bob) = (user_with("anna", &["editor"]), user_with("bob", &["editor"]));
    let note = id_in(&house.create(&anna, "notes", r#"{"text": "apple"}"#).await);
    let body = format!(r#"{{"title": "a", "note": "{note}"}}"#);
    house.seed("posts", &body).await;
    let look = |list: &mut List| list.selection = selection(&[plain("title"), link("note", &["text"])]);
    let mut list = house.list_of("posts");
    look(&mut list);
    assert_eq!(house.list(&anna, list).await, r#"{"items":[{"title":"a","note":{"text":"apple"}}],"next":null}"#);
    let mut list = house.list_of("posts");
    look(&mut list);
    assert_eq!(house.list(&bob, list).await, r#"{"items":[{"title":"a","note":null}],"next":null}"#);
    assert_eq!(house.filter(&bob, "posts", "note.text.startsWith('a')", "title").await, r#"{"items":[],"next":null}"#);
    assert!(house.filter(&anna, "posts", "note.text.startsWith('a')", "title").await.contains("\"a\""));
    let body = format!(r#"{{"title": "b", "note": "{note}"}}"#);
    let told = house.create(&bob, "posts", &body).await;
    assert_eq!(
        told,
        "InvalidRecord: this is no valid \"Post\"\n/note link: no such \"Note\", or the caller may not read it"
    );
    assert!(house.create(&anna, "posts", &body).await.contains("\"title\":\"b\""));
}

#[tokio::test]
async fn limits_hold() {
    let house = House::with(SDL, |settings| settings.limits.batch_max = 2);
    let editor = user_with("anna", &["editor"]);
    let told = house.create(&editor, "posts", r#"[{"title": "a"}, {"title": "b"}, {"title": "c"}]"#).await;
    assert_eq!(told, "LimitExceeded: 3 records are more than the 2 of one request (send them in several requests)");
    let list = List { limit: Some(1001), ..house.list_of("posts") };
    let told = tell(house.core.run(&request(&editor), Operation::List(list)).await);
    assert_eq!(
        told,
        "LimitExceeded: the limit is 1001, a page holds at most 1000 records (read page after page by \"after\")"
    );
    let list = List { limit: Some(0), ..house.list_of("posts") };
    assert!(house.list(&editor, list).await.starts_with("InvalidArgument: the limit is 0"));
}

/// A type may have many fields, and a linked record of it is not answered beyond what a statement holds: it is refused, by its name.
#[tokio::test]
async fn a_linked_record_is_answered_with_so_many_fields_and_no_more() {
    let fields: String = (0..399).map(|at| format!(" f{at}: Int")).collect();
    let house = House::new(&format!("type Wide @rules(read: \"true\") {{ next: Wide{fields} }}"));
    let with = |more: usize| {
        let other = |at: usize| Select::Field { alias: Some(format!("other{at}")), name: "f0".to_owned() };
        let parts = [Select::All].into_iter().chain((0..more).map(other)).collect();
        let nested = Nested { selection: Selection { parts }, ..Nested::default() };
        let next = Select::Link { alias: None, name: "next".to_owned(), nested };
        List { selection: Some(Selection { parts: vec![next] }.into()), ..house.list_of("wides") }
    };
    assert_eq!(house.list(&user("anna"), with(96)).await, r#"{"items":[],"next":null}"#);
    assert_eq!(
        house.list(&user("anna"), with(97)).await,
        "LimitExceeded: 501 fields of a linked \"Wide\" are selected, at most 500 are answered (name the fields that are needed)"
    );
}

/// The id in an answer.
fn id_in(told: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(told).unwrap_or_else(|error| panic!("{error}: {told}"));
    json["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_may_read_nothing_learns_no_names() {
    let house = House::new(SDL);
    let told = house.filter(&user("anna"), "secrets", "nam == 'a'", "name").await;
    assert_eq!(told, "Forbidden: \"Secret\" has no rule \"read\", so that only admins may");
}

#[tokio::test]
async fn a_refusal_of_what_a_record_would_become_says_so() {
    let house = House::with(SDL, |settings| settings.explain_refusals = true);
    let id = id_in(&house.create(&user("anna"), "gifts", r#"{"from": "anna", "to": "bob"}"#).await);
    let told = house.patch(&user("bob"), "gifts", &id, r#"{"to": "carl"}"#).await;
    let clause = "`to == auth.id` is false, where to is \"carl\" and auth.id is \"bob\"";
    assert!(told.ends_with(&format!("(Gift.update, of the record as it would become: {clause})")), "{told}");
}

/// Surfaces run operations on any thread.
#[test]
fn operations_can_move_between_threads() {
    fn check(_: impl Send) {}
    let house = House::new(SDL);
    check(house.run(&anonymous(), Operation::List(house.list_of("notes"))));
    check(house.explain(&anonymous(), Operation::List(house.list_of("notes"))));
}

const LINKED: &str = r#"
type Org @rules(read: "true", write: "true") { name: String! open: Boolean! seats: [Seat!]! @inverse(field: "org") }
type Seat @rules(read: "true", write: "true") { org: Org! user: ID! }
type Job
  @rules(
    read: "true"
    create: "org.seats.exists(s, s.user == auth.id) && (org.open || place.open)"
    update: "org.open && owner == auth.id"
    delete: "true"
  )
{
  owner: ID! @set(create: "auth.id")
  org: Org!
  place: Org
  pay: Int @rules(write: "org.name == auth.id")
  note: String @rules(write: "'editor' in auth.roles")
}
"#;

/// A clause that follows links is told with what it read there, of what is not stored yet too; so are the rules of fields.
#[tokio::test]
async fn clauses_behind_links_say_what_they_read() {
    let house = House::with(LINKED, |settings| settings.explain_refusals = true);
    let shut = house.seed("orgs", r#"{"name": "anna", "open": false}"#).await;
    let open = house.seed("orgs", r#"{"name": "b", "open": true}"#).await;
    let anna = user("anna");
    let job = |org: &str, more: &str| format!(r#"{{"org": "{org}"{more}}}"#);
    let told = house.create(&anna, "jobs", &job(&shut, "")).await;
    assert!(
        told.ends_with(&format!(
            "(Job.create: `org.seats.exists(s, s.user == auth.id)` is false, where org is {shut} and auth.id is \"anna\"; \
             `org.open || place.open` is false, where org is {shut} and place is null and org.open is false)"
        )),
        "{told}"
    );
    for org in [&shut, &open] {
        house.seed("seats", &format!(r#"{{"org": "{org}", "user": "anna"}}"#)).await;
    }
    let explained =
        house.explain(&anna, house.create_of("jobs", &job(&shut, &format!(r#", "place": "{open}""#)))).await;
    let outcomes: Vec<_> = explained.rules[0].clauses.iter().map(|clause| format!("{:?}", clause.outcome)).collect();
    assert_eq!((outcomes.join(" "), explained.refused), ("True True".to_owned(), None));

    let told = house.create(&anna, "jobs", &job(&open, r#", "pay": 1"#)).await;
    let clause =
        format!("`org.name == auth.id` is false, where org is {open} and auth.id is \"anna\" and org.name is \"b\"");
    assert!(told.contains(&format!("(Job.pay.write: {clause})")), "{told}");
    let told = house.create(&anna, "jobs", &job(&open, r#", "note": "x""#)).await;
    assert!(told.contains("(Job.note.write: `'editor' in auth.roles` is false"), "{told}");

    let id = id_in(&house.create(&anna, "jobs", &job(&open, "")).await);
    let told = house.patch(&anna, "jobs", &id, r#"{"pay": 2}"#).await;
    assert!(told.contains(&format!("(Job.pay.write: {clause})")), "{told}");
    let told = house.patch(&anna, "jobs", &id, &job(&shut, "")).await;
    let clause = format!("`org.open` is false, where org is {shut} and org.open is false");
    assert!(told.contains(&format!("(Job.update, of the record as it would become: {clause})")), "{told}");
}

const CHANGING: &str = r#"
type Desk @rules(read: "true", create: "true", update: "'head' in auth.roles") {
  name: String!
  members: [Member!]! @many @rules(add: "item.user == auth.id")
}
type Member @rules(read: "true", write: "true") {
  user: ID!
  salary: Int @rules(read: "'boss' in auth.roles")
  loans: [Loan!]! @inverse(field: "person")
}
type Loan
  @rules(
    read: "true"
    create: "true"
    update: "old.back == null && new.person == old.person && new.days < 30"
  )
{
  person: Member! @rules(read: "'desk' in auth.roles")
  back: Int
  days: Int! @default(value: 1)
  changes: Int! @set(create: "0", update: "changes + 1")
}
"#;

/// A rule over the change itself is told with the clause that refuses, also where the server writes a field besides.
#[tokio::test]
async fn a_rule_of_old_and_new_says_which_clause_refuses() {
    let house = House::with(CHANGING, |settings| settings.explain_refusals = true);
    let anna = user("anna");
    let person = house.seed("members", r#"{"user": "anna"}"#).await;
    let id = house.seed("loans", &format!(r#"{{"person": "{person}", "back": 3}}"#)).await;
    let told = house.patch(&anna, "loans", &id, r#"{"back": null}"#).await;
    assert!(told.ends_with("(Loan.update: `old.back == null` is false, where old.back is 3)"), "{told}");

    let id = house.seed("loans", &format!(r#"{{"person": "{person}"}}"#)).await;
    let told = house.patch(&anna, "loans", &id, r#"{"days": 31}"#).await;
    assert!(told.ends_with("(Loan.update: `new.days < 30` is false, where new.days is 31)"), "{told}");
    assert!(house.patch(&anna, "loans", &id, r#"{"days": 29}"#).await.contains("\"days\":29"));
}

/// Whatever rule refuses is told with its clause: of a field that is read, of a record behind its links, of what is sent beside links.
#[tokio::test]
async fn every_refusal_says_which_clause_refuses() {
    let house = House::with(CHANGING, |settings| settings.explain_refusals = true);
    let anna = user("anna");
    let person = house.seed("members", r#"{"user": "anna"}"#).await;
    let desk = house.seed("desks", r#"{"name": "a"}"#).await;
    let clause = "Member.salary.read: `'boss' in auth.roles` is false, where 'boss' in auth.roles is false";
    let list = List { selection: selection(&[plain("salary")]), ..house.list_of("members") };
    let read = house.list(&anna, list).await;
    let one = house.get(&anna, "members", &person, &[plain("salary")]).await;
    let filtered = house.filter(&anna, "members", "salary > 3", "user").await;
    let through = house.filter(&anna, "loans", "person.user == 'a'", "days").await;
    for told in [read, one, filtered] {
        assert!(told.starts_with("Forbidden") && told.ends_with(&format!("({clause})")), "{told}");
    }
    assert!(through.contains("Loan.person.read: `'desk' in auth.roles` is false"), "{through}");

    let both = format!(r#"{{"members": {{"add": ["{person}"]}}, "name": "b"}}"#);
    let told = house.patch(&anna, "desks", &desk, &both).await;
    assert!(
        told.ends_with("(Desk.update: `'head' in auth.roles` is false, where 'head' in auth.roles is false)"),
        "{told}"
    );
}
