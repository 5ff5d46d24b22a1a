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
