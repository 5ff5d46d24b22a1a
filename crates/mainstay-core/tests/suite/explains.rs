//! Explanations: rules, clauses, values, statements, missing indexes.
use mainstay_core::{Explanation, List, Operation, Verdict};

use crate::house::{House, admin, anonymous, by, user};

const SDL: &str = r#"
type Team @rules(read: "true") { name: String! members: [Member!]! @inverse(field: "team") }
type Member @rules(read: "true") { team: Team! who: ID! }
type Task
  @rules(read: "public || owner == auth.id", update: "owner == auth.id && team.members.exists(m, m.who == auth.id)", create: "owner == auth.id")
{
  owner: ID!
  public: Boolean! @default(value: true)
  team: Team
  rank: Int
}
"#;

/// The rules in short: `Task.read True [public=True owner == auth.id=False]`.
fn short(explanation: &Explanation) -> Vec<String> {
    let clause = |clause: &mainstay_core::Clause| format!("{}={:?}", clause.text, clause.outcome);
    let rule = |rule: &mainstay_core::RuleExplained| {
        let clauses: Vec<String> = rule.clauses.iter().map(clause).collect();
        format!("{} {:?} [{}]", rule.name, rule.outcome, clauses.join(", "))
    };
    explanation.rules.iter().map(rule).collect()
}

#[tokio::test]
async fn a_list_says_what_the_caller_alone_decides() {
    let house = House::new(SDL);
    let list = || Operation::List(List { sort: vec![by("-rank")], ..house.list_of("tasks") });
    let explanation = house.explain(&anonymous(), list()).await;
    assert_eq!((explanation.operation.as_str(), explanation.caller.as_str()), ("list Task", "anonymous"));
    assert_eq!(short(&explanation), ["Task.read PerRecord [public=PerRecord, owner == auth.id=Error]"]);
    assert!(explanation.statements[0].sql.to_lowercase().contains("select"), "{:?}", explanation.statements);
    assert!(!explanation.statements[0].plan.is_empty());
    let missing: Vec<_> = explanation.missing_indexes.iter().map(|index| index.directive.as_str()).collect();
    assert_eq!(missing, [r#"@index(fields: ["rank"])"#]);
    let explanation = house.explain(&admin(), list()).await;
    assert_eq!(short(&explanation), ["Task.read Skipped []"]);
}

#[tokio::test]
async fn a_refused_write_says_which_clause() {
    let house = House::new(SDL);
    let team = house.seed("teams", r#"{"name": "a"}"#).await;
    let task = house.seed("tasks", &format!(r#"{{"owner": "anna", "team": "{team}"}}"#)).await;
    let explanation = house.explain(&user("anna"), house.patch_of("tasks", &task, r#"{"rank": 1}"#, None)).await;
    assert_eq!(explanation.refused.as_deref(), Some("the rule \"update\" of \"Task\" refuses"));
    assert_eq!(
        short(&explanation),
        [
            "Task.read True [public=True, owner == auth.id=True]",
            "Task.update False [owner == auth.id=True, team.members.exists(m, m.who == auth.id)=False]",
            "Task.update False [owner == auth.id=True, team.members.exists(m, m.who == auth.id)=False]",
        ]
    );
    house.seed("members", &format!(r#"{{"team": "{team}", "who": "anna"}}"#)).await;
    let explanation = house.explain(&user("anna"), house.patch_of("tasks", &task, r#"{"rank": 1}"#, None)).await;
    assert_eq!(explanation.refused, None);
    assert!(!explanation.statements.is_empty());
    assert!(house.get(&admin(), "tasks", &task, &[]).await.contains(r#""rank":null"#), "explaining writes nothing");
    let explanation = house.explain(&user("bob"), house.create_of("tasks", r#"{"owner": "anna"}"#)).await;
    assert_eq!(short(&explanation), ["Task.create False [owner == auth.id=False]"]);
    let values = &explanation.rules[0].clauses[0].values;
    let values: Vec<_> = values.iter().map(|read| format!("{}={}", read.name, read.value)).collect();
    assert_eq!(values, ["owner=\"anna\"", "auth.id=\"bob\""]);
    let explanation = house.explain(&user("bob"), house.delete_of("tasks", &task, None)).await;
    assert_eq!(explanation.rules[1].outcome, Verdict::False);
    assert_eq!(explanation.rules[1].text, None);
}

#[tokio::test]
async fn a_hidden_record_says_why() {
    let house = House::with(SDL, |settings| settings.explain_refusals = true);
    let task = house.seed("tasks", r#"{"owner": "anna", "public": false}"#).await;
    let explanation = house.explain(&user("bob"), house.get_of("tasks", &task, &[])).await;
    assert_eq!(short(&explanation), ["Task.read False [public=False, owner == auth.id=False]"]);
    assert_eq!(
        house.get(&user("bob"), "tasks", &task, &[]).await,
        "NotFound: no such \"Task\" (Task.read: `public` is false, where public is false; \
         `owner == auth.id` is false, where owner is \"anna\" and auth.id is \"bob\")"
    );
}

/// The rules of links are told of each record that a list names, of a new record and of one that changes.
#[tokio::test]
async fn lists_of_links_are_told_record_by_record() {
    let sdl = r#"
        type Person @path(name: "people") @rules(read: "true") { name: String! open: Boolean! team: Person }
        type Club @rules(read: "true", write: "true") {
          owner: ID!
          members: [Person!]! @many @rules(add: "item.open || owner == auth.id", remove: "item.name == auth.id")
        }
    "#;
    let house = House::new(sdl);
    let open = house.seed("people", r#"{"name": "open", "open": true}"#).await;
    let shut = house.seed("people", r#"{"name": "shut", "open": false}"#).await;
    let create = format!(r#"{{"owner": "boss", "members": ["{open}", "{shut}"]}}"#);
    let explanation = house.explain(&user("anna"), house.create_of("clubs", &create)).await;
    let add =
        |first, second, outcome| format!("Club.members.add {outcome} [item.open={first}, owner == auth.id={second}]");
    let told = short(&explanation);
    assert_eq!(told[1..], [add("True", "False", "True"), add("False", "False", "False")], "{told:?}");
    let places: Vec<_> = explanation.rules.iter().map(|rule| rule.of.clone().unwrap_or_default()).collect();
    assert_eq!(places, ["", "/members/0", "/members/1"]);
    assert!(explanation.refused.is_some());
    let values = |at: usize| {
        let values = explanation.rules[at].clauses.iter().flat_map(|clause| &clause.values);
        values.map(|read| format!("{}={}", read.name, read.value)).collect::<Vec<_>>()
    };
    assert!(values(2).contains(&"item.open=false".to_owned()), "{:?}", values(2));
    let explanation = house.explain(&user("boss"), house.create_of("clubs", &create)).await;
    assert_eq!(short(&explanation)[2], add("False", "True", "True"));
    assert_eq!(explanation.refused, None);
    let club = house.seed("clubs", &format!(r#"{{"owner": "boss", "members": ["{open}"]}}"#)).await;
    let patch = format!(r#"{{"members": {{"add": ["{shut}"], "remove": ["{open}"]}}}}"#);
    let told = short(&house.explain(&user("anna"), house.patch_of("clubs", &club, &patch, None)).await);
    assert!(told.contains(&add("False", "False", "False")), "{told:?}");
    assert!(told.contains(&"Club.members.remove False [item.name == auth.id=False]".to_owned()), "{told:?}");
}

/// What a rule reads of the record before and after a change is told through links that stay, and through those that change.
#[tokio::test]
async fn before_and_after_are_told_through_links() {
    let sdl = r#"
        type Team @rules(read: "true") { name: String! }
        type Task @rules(read: "true", update: "old.team.name == 'a' && new.rank > old.rank && old.team == new.team") {
          team: Team
          rank: Int!
        }
    "#;
    let house = House::new(sdl);
    let a = house.seed("teams", r#"{"name": "a"}"#).await;
    let b = house.seed("teams", r#"{"name": "b"}"#).await;
    for (team, patch, verdicts) in [
        (&a, r#"{"rank": 2}"#.to_owned(), ["True", "True", "True"]),
        (&b, r#"{"rank": 0}"#.to_owned(), ["False", "False", "True"]),
        (&a, format!(r#"{{"rank": 1, "team": "{b}"}}"#), ["True", "False", "False"]),
    ] {
        let task = house.seed("tasks", &format!(r#"{{"team": "{team}", "rank": 1}}"#)).await;
        let told = short(&house.explain(&user("anna"), house.patch_of("tasks", &task, &patch, None)).await);
        let [first, second, third] = verdicts;
        let clauses =
            format!("[old.team.name == 'a'={first}, new.rank > old.rank={second}, old.team == new.team={third}]");
        let before = &told[1];
        assert!(before.ends_with(&clauses), "{patch}: {told:?}");
    }
}
