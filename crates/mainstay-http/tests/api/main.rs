//! The API through real sockets, the real router and a real database: one file for each endpoint. Each begins with who is
//! refused.
mod access;
mod add;
mod away;
mod bad_input;
mod batch;
mod batch_alike;
mod bounds;
mod bulk;
mod changes;
mod compress;
mod computed;
mod conditions;
mod cors;
mod create;
mod delete;
mod exact;
mod explained;
mod field_rules;
mod figures;
mod files;
mod given;
mod group;
mod hidden;
mod idempotency;
mod leaks;
mod link_rules;
mod links_by;
mod list;
mod matrix;
mod nested;
mod nested_create;
mod normalize;
mod openapi;
mod paging;
mod prefer;
mod protocol;
mod proxies;
mod query;
mod races;
mod read;
mod rules;
mod secrets;
mod service;
mod shop;
mod tokens;
mod uniques;
mod update;
mod upsert;

/// A schema that most of these tests share: everybody reads what is published, editors write, progress is its owner's alone.
const SKILLS: &str = r#"
extend schema @define(name: "isEditor", expr: "'editor' in auth.roles")

enum Level { BASIC GOOD EXPERT }

type Category @rules(read: "true", write: "isEditor") {
  slug: String! @unique
  name: String!
  skills: [Skill!]! @inverse(field: "category")
}

type Skill @rules(read: "published || isEditor", write: "isEditor")
  @check(expr: "monthsMin == null || monthsMax == null || monthsMax >= monthsMin", message: "the longest time is below the shortest")
{
  slug: String! @unique @immutable @check(expr: "slug.matches('^[a-z0-9-]{1,60}$')", message: "small letters, digits and dashes")
  name: String! @check(expr: "size(name) <= 80", message: "at most 80 characters")
  published: Boolean! @default(value: true)
  level: Level
  category: Category! @onDelete(do: RESTRICT)
  monthsMin: Int
  monthsMax: Int
  technologies: [String!]!
  requires: [Skill!]! @many
  progress: [Progress!]! @inverse(field: "skill")
}

type Progress @path(name: "progress") @rules(read: "owner == auth.id", write: "owner == auth.id") @unique(fields: ["owner", "skill"]) {
  owner: ID! @set(create: "auth.id")
  skill: Skill! @onDelete(do: CASCADE)
  percent: Int! @check(expr: "percent >= 0 && percent <= 100", message: "between 0 and 100")
}
"#;

/// A server with a few skills: `rust` requires `logic`; `drafts` is not published.
async fn skills() -> mainstay_testing::TestApp {
    let app = mainstay_testing::TestApp::with_schema(SKILLS).await;
    seed_skills(&app).await;
    app
}

/// Seeds two categories and four skills; their ids: core, tools, logic, rust, git, drafts.
async fn seed_skills(app: &mainstay_testing::TestApp) -> Vec<String> {
    use serde_json::json;
    let mut ids = app
        .seed("categories", [json!({"slug": "core", "name": "Core"}), json!({"slug": "tools", "name": "Tools"})])
        .await;
    let (core, tools) = (ids[0].clone(), ids[1].clone());
    let logic = json!({"slug": "logic", "name": "Logic", "category": core, "technologies": [], "monthsMin": 1, "level": "BASIC"});
    ids.extend(app.seed("skills", [logic]).await);
    ids.extend(
        app.seed(
            "skills",
            [
                json!({"slug": "rust", "name": "Rust", "category": core, "technologies": ["cargo", "rustc"], "monthsMin": 6,
                    "monthsMax": 24, "level": "EXPERT", "requires": [ids[2]]}),
                json!({"slug": "git", "name": "Git", "category": tools, "technologies": ["git"]}),
                json!({"slug": "drafts", "name": "Drafts", "category": tools, "technologies": [], "published": false}),
            ],
        )
        .await,
    );
    ids
}

/// A refusal without the request's own id: what two callers can tell apart.
fn told(reply: &mainstay_testing::Reply) -> serde_json::Value {
    let mut json = reply.json();
    json.as_object_mut().expect("a problem").remove("requestId");
    json
}
