//! Conditions through the real thing: rules of other records, `old` and `new`, figures over links.
use mainstay_testing::TestApp;
use serde_json::json;

const TASKS: &str = r#"
enum State { DRAFT OPEN DONE }

type Project @rules(read: "open || owner == auth.id", update: "owner == auth.id", create: "auth != null") {
  name: String!
  open: Boolean!
  owner: ID! @set(create: "auth.id")
  tasks: [Task!]! @inverse(field: "project")
}

type Task
  @rules(
    read: "can(project, 'read')"
    create: "can(project, 'update')"
    update: "can(project, 'read') && (old.state == 'DRAFT' || new.state == 'DONE' || old.state == new.state) && old.points <= new.points"
    delete: "can(project, 'update')"
  ) {
  title: String!
  state: State!
  points: Long!
  project: Project!
}
"#;

async fn with_task(open: bool) -> (TestApp, String, String) {
    let app = TestApp::with_schema(TASKS).await;
    let project = app.user("anna").post("/api/projects", json!({"name": "p", "open": open})).await.json();
    let project = project["id"].as_str().expect("an id").to_owned();
    let task = json!({"title": "t", "state": "DRAFT", "points": 1, "project": project});
    assert_eq!(app.user("bob").post("/api/tasks", task.clone()).await.status, if open { 403 } else { 422 });
    let task = app.user("anna").post("/api/tasks", task).await.json();
    let path = format!("/api/tasks/{}", task["id"].as_str().expect("an id"));
    (app, project, path)
}

#[tokio::test]
async fn a_rule_of_another_record_decides() {
    let (app, _, path) = with_task(false).await;
    assert_eq!(app.user("bob").get(&path).await.status, 404);
    assert_eq!(app.user("anna").get(&path).await.status, 200);
    assert_eq!(app.user("bob").delete(&path).await.status, 404);
    let (app, _, path) = with_task(true).await;
    assert_eq!(app.user("bob").get(&path).await.status, 200);
    assert_eq!(app.user("bob").delete(&path).await.code(), "forbidden");
    assert_eq!(app.user("anna").delete(&path).await.status, 204);
}

#[tokio::test]
async fn old_and_new_name_the_record_before_and_after() {
    let (app, _, path) = with_task(true).await;
    let bob = app.user("bob");
    assert_eq!(bob.patch(&path, json!({"points": 0})).await.code(), "forbidden");
    assert_eq!(bob.patch(&path, json!({"state": "OPEN"})).await.status, 200);
    assert_eq!(bob.patch(&path, json!({"state": "DRAFT"})).await.code(), "forbidden");
    assert_eq!(bob.patch(&path, json!({"title": "u", "points": {"add": 4}})).await.status, 200);
    assert_eq!(bob.patch(&path, json!({"points": {"add": -1}})).await.code(), "forbidden");
    assert_eq!(bob.patch(&path, json!({"state": "DONE"})).await.status, 200);
    let last = bob.get(&format!("{path}?fields=state,points,title")).await.json();
    assert_eq!(last, json!({"state": "DONE", "points": "5", "title": "u"}));
}

#[tokio::test]
async fn figures_over_links() {
    let (app, project, _) = with_task(true).await;
    let anna = app.user("anna");
    let most = i64::MAX.to_string();
    for points in ["3", most.as_str()] {
        let task = json!({"title": "t", "state": "OPEN", "points": points, "project": project});
        assert_eq!(anna.post("/api/tasks", task).await.status, 201);
    }
    let found = async |filter: &str| {
        let reply = anna.get(&format!("/api/projects?filter={filter}")).await;
        assert_eq!(reply.status, 200, "{filter}: {}", reply.text);
        !reply.json()["items"].as_array().expect("a page").is_empty()
    };
    for (filter, expected) in [
        ("tasks.min(t,t.points)==1", true),
        ("tasks.sum(t,t.state=='DONE'?t.points:1)==3", true),
        // The total does not fit: neither true nor false, and what stands beside it decides.
        ("tasks.sum(t,t.points)>0", false),
        ("!(tasks.sum(t,t.points)>0)", false),
        ("tasks.sum(t,t.points)>0||name=='p'", true),
        ("tasks.exists_one(t,t.state=='DRAFT')", true),
        ("tasks.exists_one(t,t.state=='OPEN')", false),
        ("createdAt.getFullYear()>=2020", true),
    ] {
        assert_eq!(found(filter).await, expected, "{filter}");
    }
}
