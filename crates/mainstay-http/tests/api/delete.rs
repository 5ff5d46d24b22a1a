//! `DELETE`: with what hangs on the record.
use insta::assert_snapshot;
use mainstay_testing::TestApp;
use serde_json::json;

use crate::{SKILLS, seed_skills};

#[tokio::test]
async fn who_is_refused() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let path = format!("/api/skills/{}", ids[3]);
    assert_eq!(app.anonymous().delete(&path).await.code(), "unauthenticated");
    assert_eq!(app.user("anna").delete(&path).await.code(), "forbidden");
    assert_eq!(app.admin().delete("/api/skills/x").await.code(), "not_found");
}

#[tokio::test]
async fn it_is_gone() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let path = format!("/api/skills/{}", ids[4]);
    let reply = app.admin().delete(&path).await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.admin().delete(&path).await.status, 404);
    assert_eq!(app.admin().delete("/api/skills/by/slug/rust").await.status, 204);
    assert_eq!(app.admin().delete("/api/skills/by/slug/logic?x=1").await.code(), "unknown_parameter");
}

#[tokio::test]
async fn links_from_join_tables_go_with_it() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    assert_eq!(app.admin().delete(&format!("/api/skills/{}", ids[2])).await.status, 204);
    assert_eq!(app.get("/api/skills/by/slug/rust?fields=size(requires)").await.json(), json!({"requires": 0}));
}

#[tokio::test]
async fn others_may_hold_on_to_it() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let path = format!("/api/categories/{}", ids[0]);
    assert_snapshot!(app.admin().delete(&path).await.problem(), @r#"409 restricted: records of "Skill" link to this one by "category""#);
    assert_eq!(app.get(&path).await.status, 200);
}

#[tokio::test]
async fn cascades_and_nulls() {
    let schema = r#"
        type Root @rules(read: "true") { name: String! }
        type Child @path(name: "children") @rules(read: "true") { name: String! root: Root! @onDelete(do: CASCADE) }
        type Leaf @path(name: "leaves") @rules(read: "true") { name: String! child: Child! @onDelete(do: CASCADE) other: Root }
    "#;
    let app = TestApp::with_schema(schema).await;
    let roots = app.seed("roots", [json!({"name": "r1"}), json!({"name": "r2"})]).await;
    let children =
        app.seed("children", [json!({"name": "c1", "root": roots[0]}), json!({"name": "c2", "root": roots[1]})]).await;
    app.seed(
        "leaves",
        [
            json!({"name": "l1", "child": children[0], "other": roots[1]}),
            json!({"name": "l2", "child": children[1], "other": roots[0]}),
        ],
    )
    .await;
    assert_eq!(app.admin().delete(&format!("/api/roots/{}", roots[0])).await.status, 204);
    assert_eq!(app.get("/api/children").await.column("name"), ["c2"]);
    assert_snapshot!(app.get("/api/leaves?fields=name,other,version").await, @r#"200 {"items":[{"name":"l2","other":null,"version":2}],"next":null}"#);
}

#[tokio::test]
async fn the_version_is_checked_where_it_is_sent() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let path = format!("/api/skills/{}", ids[4]);
    let stale = app.admin().header("if-match", "\"7\"").delete(&path).await;
    assert_eq!((stale.status, &stale.json()["version"]), (412, &json!(1)));
    let weak = app.admin().header("if-match", "W/\"1\"").delete(&path).await;
    assert_eq!((weak.status, &weak.json()["version"]), (412, &json!(1)));
    let detail = "the tag W/\"1\" of If-Match is weak, and no weak tag ever matches; the record has the version 1";
    assert_eq!(weak.json()["detail"], detail);
    assert_eq!(app.admin().header("if-match", "\"1\"").delete(&path).await.status, 204);
}
