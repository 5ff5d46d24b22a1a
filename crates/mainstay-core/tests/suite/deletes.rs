//! Deletes: versions, what holds on, what goes along.
use crate::house::{House, admin, anonymous, tell, user};

const SDL: &str = r#"
type Team @rules(read: "true", delete: "true") { name: String! }
type Task @rules(read: "owner == auth.id", delete: "owner == auth.id") { owner: ID! team: Team @onDelete(do: RESTRICT) }
type Log @rules(read: "true") { task: Task! @onDelete(do: CASCADE) }
"#;

#[tokio::test]
async fn by_its_owner_with_its_version_and_what_hangs_on_it() {
    let house = House::new(SDL);
    let task = house.seed("tasks", r#"{"owner": "anna"}"#).await;
    house.seed("logs", &format!(r#"{{"task": "{task}"}}"#)).await;
    assert_eq!(house.delete(&user("bob"), "tasks", &task).await, "NotFound: no such \"Task\"");
    let told = tell(house.run(&user("anna"), house.delete_of("tasks", &task, Some(2))).await);
    assert_eq!(told, "VersionMismatch: this \"Task\" has the version 1 by now (read it again, then write)");
    assert_eq!(tell(house.run(&user("anna"), house.delete_of("tasks", &task, Some(1))).await), "deleted");
    assert_eq!(house.list(&admin(), house.list_of("logs")).await, r#"{"items":[],"next":null}"#);
    assert_eq!(house.delete(&user("anna"), "tasks", &task).await, "NotFound: no such \"Task\"");
}

#[tokio::test]
async fn what_others_hold_on_to_stays() {
    let house = House::new(SDL);
    let team = house.seed("teams", r#"{"name": "a"}"#).await;
    house.seed("tasks", &format!(r#"{{"owner": "anna", "team": "{team}"}}"#)).await;
    assert_eq!(
        house.delete(&anonymous(), "teams", &team).await,
        "Restricted: records of \"Task\" link to this one by \"team\" (delete them first, or let them link elsewhere)"
    );
}
