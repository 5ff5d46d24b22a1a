//! A batch does what its operations do one by one, or nothing: random operations, sent both ways.
use std::collections::HashMap;

use mainstay_testing::{Client, TestApp};
use serde_json::{Value as Json, json};

const SCHEMA: &str = r#"
type Group @rules(read: "true", write: "true") { slug: String! @unique title: String things: [Thing!]! @inverse(field: "group") }
type Thing @rules(read: "n < 90", create: "size(group.things) <= 4", update: "n < 95", delete: "n != 7")
  @check(expr: "partner == null || n > 0", message: "who has a partner counts")
{
  id: Int!
  slug: String! @unique
  n: Int!
  group: Group! @onDelete(do: CASCADE)
  partner: Thing @onDelete(do: RESTRICT)
  likes: [Thing!]! @many
}
"#;

/// Numbers that are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn slug(&mut self) -> String {
        format!("s{}", self.below(7))
    }
}

/// Operations in the making, with the names that earlier ones have.
struct Maker {
    random: Random,
    groups: Vec<String>,
    things: Vec<String>,
}

impl Maker {
    fn operations(seed: u64) -> Vec<Json> {
        let mut maker = Maker { random: Random(seed * 7919 + 1), groups: Vec::new(), things: Vec::new() };
        let count = 2 + maker.random.below(4);
        (0..count).map(|at| maker.operation(at)).collect()
    }

    /// A link: by a unique, or to what an earlier operation wrote.
    fn link(&mut self, to_group: bool) -> Json {
        let names = if to_group { &self.groups } else { &self.things };
        let count = names.len() as u64;
        if count > 0 && self.random.below(2) == 0 {
            let at = self.random.below(count) as usize;
            return json!({ "ref": if to_group { &self.groups[at] } else { &self.things[at] } });
        }
        json!({"by": {"slug": self.random.slug()}})
    }

    fn links(&mut self) -> Json {
        let count = self.random.below(3);
        (0..count).map(|_| self.link(false)).collect()
    }

    fn number(&mut self) -> u64 {
        match self.random.below(12) {
            0 => 0,
            1 => 7,
            2 => 93,
            _ => 1 + self.random.below(5),
        }
    }

    fn operation(&mut self, at: u64) -> Json {
        let (kind, name) = (self.random.below(10), format!("o{at}"));
        match kind {
            0 | 1 => {
                let op = json!({"op": "create", "in": "groups", "as": name, "data": {"slug": format!("g{at}"), "title": "new"}});
                self.groups.push(name);
                op
            }
            2..=4 => {
                let mut data = json!({"slug": format!("t{at}"), "n": self.number(), "group": self.link(true), "likes": self.links()});
                if self.random.below(3) == 0 {
                    data["partner"] = self.link(false);
                }
                self.things.push(name.clone());
                json!({"op": "create", "in": "things", "as": name, "data": data})
            }
            5 => {
                let data = json!({"slug": self.random.slug(), "n": self.number(), "group": self.link(true)});
                self.things.push(name.clone());
                json!({"op": "upsert", "in": "things", "as": name, "by": "slug", "data": data})
            }
            6 => json!({"op": "delete", "in": "things", "by": {"slug": self.random.slug()}}),
            7 => json!({"op": "delete", "in": "groups", "by": {"slug": format!("s{}", self.random.below(3))}}),
            _ => self.update(name),
        }
    }

    fn update(&mut self, name: String) -> Json {
        let data = match self.random.below(4) {
            0 => json!({"n": self.number()}),
            1 => json!({"likes": {"add": self.links(), "remove": self.links()}}),
            2 => json!({"likes": self.links(), "group": self.link(true)}),
            _ => json!({"partner": self.link(false)}),
        };
        let op = match self.link(false) {
            by if by.get("by").is_some() => {
                json!({"op": "update", "in": "things", "as": name, "by": by["by"], "data": data})
            }
            by_name => json!({"op": "update", "in": "things", "as": name, "id": by_name, "data": data}),
        };
        self.things.push(name);
        op
    }
}

async fn seeded() -> TestApp {
    let app = TestApp::with_schema(SCHEMA).await;
    app.seed("groups", (0..3).map(|n| json!({"slug": format!("s{n}"), "title": "old"})).collect::<Vec<_>>()).await;
    let thing =
        |n: usize| json!({"slug": format!("s{n}"), "n": n + 1, "group": {"by": {"slug": format!("s{}", n % 3)}}});
    app.seed("things", (0..5).map(thing).collect::<Vec<_>>()).await;
    app
}

/// Everything that the database holds but times and keys that are made.
async fn everything(app: &TestApp) -> (Json, Json) {
    let things = "fields=id,slug,n,version,group(slug),partner(slug),likes(slug;sort:slug)&sort=slug";
    let groups = "fields=slug,title,version,things(slug;sort:slug)&sort=slug";
    let admin = app.admin();
    (admin.get(&format!("/api/things?{things}")).await.json(), admin.get(&format!("/api/groups?{groups}")).await.json())
}

/// The same with names replaced by ids.
fn resolved(json: &Json, ids: &HashMap<String, Json>) -> Json {
    match json {
        Json::Object(members) => match members.get("ref").and_then(Json::as_str) {
            Some(name) => ids[name].clone(),
            None => members.iter().map(|(name, value)| (name.clone(), resolved(value, ids))).collect(),
        },
        Json::Array(items) => items.iter().map(|item| resolved(item, ids)).collect(),
        other => other.clone(),
    }
}

/// Sends one operation by its own call.
async fn alone(client: &Client, op: &Json, ids: &mut HashMap<String, Json>) -> mainstay_testing::Reply {
    let text = |name: &str| op[name].as_str().unwrap_or_default();
    let (path, data) = (format!("/api/{}", text("in")), resolved(&op["data"], ids));
    let one = match (op.get("id"), op["by"].get("slug")) {
        (Some(id), _) => format!("{path}/{}", resolved(id, ids).as_str().unwrap_or_default()),
        (None, Some(slug)) => format!("{path}/by/slug/{}", slug.as_str().unwrap_or_default()),
        (None, None) => String::new(),
    };
    let reply = match text("op") {
        "create" => client.post(&path, data).await,
        "upsert" => client.post(&format!("{path}?upsert={}", text("by")), data).await,
        "update" => client.patch(&one, data).await,
        _ => client.delete(&one).await,
    };
    if reply.status < 300 && !text("as").is_empty() {
        ids.insert(text("as").to_owned(), reply.json()["id"].clone());
    }
    reply
}

#[tokio::test]
async fn a_batch_is_its_operations_or_nothing() {
    let (mut done, mut refused) = (0, 0);
    for seed in 0..60 {
        let operations = Maker::operations(seed);
        let (together, apart) = (seeded().await, seeded().await);
        let before = everything(&together).await;
        let (mut ids, mut failed) = (HashMap::new(), None);
        for (at, op) in operations.iter().enumerate() {
            let reply = alone(&apart.user("anna"), op, &mut ids).await;
            if reply.status >= 300 {
                failed = Some((at, reply));
                break;
            }
        }
        let batch = together.user("anna").post("/api/batch", json!({"ops": operations})).await;
        let told = format!("seed {seed}: {operations:#?}\n{}", batch.text);
        match failed {
            None => {
                assert_eq!(batch.status, 200, "{told}");
                assert_eq!(everything(&together).await, everything(&apart).await, "{told}");
                done += 1;
            }
            Some((at, reply)) => {
                assert!((400..500).contains(&batch.status), "{told}\nalone: {}", reply.text);
                assert_eq!(everything(&together).await, before, "{told}");
                let pointer = batch.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
                let error = batch.json()["errors"][0]["code"].clone();
                // A look-up may be made before everything else, and then fails before everything else.
                if error != "link" {
                    assert_eq!(
                        (batch.status, batch.code()),
                        (reply.status, reply.code()),
                        "{told}\nalone: {}",
                        reply.text
                    );
                    assert!(pointer.starts_with(&format!("/ops/{at}")), "{told}\nalone: {at} {}", reply.text);
                }
                refused += 1;
            }
        }
    }
    assert!(done > 10 && refused > 10, "{done} done, {refused} refused: the test tries too little");
}
