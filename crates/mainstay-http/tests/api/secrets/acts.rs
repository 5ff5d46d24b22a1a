//! Who may write: each way to write, under each kind of write rule, for each caller and each record. A model (the rule's `hides`)
//! says which are refused; each must be, by the rule's name, and nothing be changed; all others must be done.
//!
//! In paths and bodies `'` stands for `"`, `{id}` and `{code}` for the record, `{n}` for a code that is new, `{new}` for the members of
//! a new record like it.
use mainstay_testing::{Client, Reply, TestApp};
use serde_json::{Value as Json, json};

use super::{
    rules::{RULES, Rule},
    worlds::{CALLERS, HOLDERS, THINGS, Thing, caller},
};

/// A rule of writes, and the ways to come by it.
pub(super) struct Act {
    /// As it is named in a refusal.
    pub(super) rule: &'static str,
    /// What it is asked of.
    pub(super) of: &'static str,
    pub(super) ways: &'static [Way],
}

/// What it is, the method, the path and the body.
pub(super) type Way = (&'static str, &'static str, &'static str, &'static str);

const TAG: &str = "00000000-0000-4000-8000-0000000000e0";

const CREATE: &[Way] = &[
    ("one", "POST", "/api/things", "{'code': '{n}', {new}}"),
    ("an array", "POST", "/api/things", "[{'code': '{n}', {new}}]"),
    ("inside of another", "POST", "/api/holders", "{'name': '{n}', 'open': true, 'main': {'code': '{n}', {new}}}"),
    ("upsert", "POST", "/api/things?upsert=code", "{'code': '{n}', {new}}"),
    ("batch", "POST", "/api/batch", "{'ops': [{'op': 'create', 'in': 'things', 'data': {'code': '{n}', {new}}}]}"),
    (
        "batch: behind what was done",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'create', 'in': 'tags', 'as': 't', 'data': {'name': '{n}'}}, {'op': 'create', 'in': 'things', 'data': {'code': '{n}', 'tags': [{'ref': 't'}], {new}}}]}",
    ),
    (
        "batch: upsert",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'upsert', 'in': 'things', 'by': 'code', 'data': {'code': '{n}', {new}}}]}",
    ),
];

const UPDATE: &[Way] = &[
    ("by key", "PATCH", "/api/things/{id}", "{'label': 'x'}"),
    ("by a unique", "PATCH", "/api/things/by/code/{code}", "{'label': 'x'}"),
    ("a number added", "PATCH", "/api/things/{id}", "{'score': {'add': 1}}"),
    ("links alone", "PATCH", "/api/things/{id}", "{'others': []}"),
    ("upsert", "POST", "/api/things?upsert=code", "{'code': '{code}', 'label': 'x'}"),
    ("an array of upserts", "POST", "/api/things?upsert=code", "[{'code': '{code}', 'label': 'x'}]"),
    (
        "batch: by key",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'update', 'in': 'things', 'id': '{id}', 'data': {'label': 'x'}}]}",
    ),
    (
        "batch: by a unique",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'update', 'in': 'things', 'by': {'code': '{code}'}, 'data': {'label': 'x'}}]}",
    ),
    (
        "batch: upsert",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'upsert', 'in': 'things', 'by': 'code', 'data': {'code': '{code}', 'label': 'x'}}]}",
    ),
    ("all that match", "PATCH", "/api/things?filter=code=='{code}'", "{'label': 'x'}"),
];

const DELETE: &[Way] = &[
    ("by key", "DELETE", "/api/things/{id}", ""),
    ("by a unique", "DELETE", "/api/things/by/code/{code}", ""),
    ("batch: by key", "POST", "/api/batch", "{'ops': [{'op': 'delete', 'in': 'things', 'id': '{id}'}]}"),
    (
        "batch: by a unique",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'delete', 'in': 'things', 'by': {'code': '{code}'}}]}",
    ),
    ("all that match", "DELETE", "/api/things?filter=code=='{code}'", ""),
];

const FIELD: &[Way] = &[
    ("create", "POST", "/api/things", "{'code': '{n}', 'score': 5, {new}}"),
    ("an array of creates", "POST", "/api/things", "[{'code': '{n}', 'score': 5, {new}}]"),
    (
        "inside of another",
        "POST",
        "/api/holders",
        "{'name': '{n}', 'open': true, 'main': {'code': '{n}', 'score': 5, {new}}}",
    ),
    ("upsert: a new one", "POST", "/api/things?upsert=code", "{'code': '{n}', 'score': 5, {new}}"),
    ("upsert: one that is there", "POST", "/api/things?upsert=code", "{'code': '{code}', 'score': 5}"),
    ("change", "PATCH", "/api/things/{id}", "{'score': 5}"),
    ("a number added", "PATCH", "/api/things/{id}", "{'score': {'add': 1}}"),
    (
        "batch: create",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'create', 'in': 'things', 'data': {'code': '{n}', 'score': 5, {new}}}]}",
    ),
    (
        "batch: change",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'update', 'in': 'things', 'id': '{id}', 'data': {'score': 5}}]}",
    ),
    (
        "batch: upsert",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'upsert', 'in': 'things', 'by': 'code', 'data': {'code': '{code}', 'score': 5}}]}",
    ),
    ("all that match", "PATCH", "/api/things?filter=code=='{code}'", "{'score': 5}"),
    ("all that match: a number added", "PATCH", "/api/things?filter=code=='{code}'", "{'score': {'add': 1}}"),
    ("change to nothing", "PATCH", "/api/things/by/code/{code}", "{'score': null}"),
];

const ADD: &[Way] = &[
    ("add", "PATCH", "/api/things/{id}", "{'tags': {'add': ['{tag}']}}"),
    ("add by a unique", "PATCH", "/api/things/by/code/{code}", "{'tags': {'add': [{'by': {'name': 'tag'}}]}}"),
    ("a whole list", "PATCH", "/api/things/{id}", "{'tags': ['{tag}']}"),
    ("create", "POST", "/api/things", "{'code': '{n}', 'tags': ['{tag}'], {new}}"),
    (
        "inside of another",
        "POST",
        "/api/holders",
        "{'name': '{n}', 'open': true, 'main': {'code': '{n}', 'tags': ['{tag}'], {new}}}",
    ),
    ("a new one inside", "POST", "/api/things", "{'code': '{n}', 'tags': [{'name': '{n}'}], {new}}"),
    ("upsert: a new one", "POST", "/api/things?upsert=code", "{'code': '{n}', 'tags': ['{tag}'], {new}}"),
    ("upsert: one that is there", "POST", "/api/things?upsert=code", "{'code': '{code}', 'tags': ['{tag}']}"),
    (
        "batch: change",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'update', 'in': 'things', 'id': '{id}', 'data': {'tags': {'add': ['{tag}']}}}]}",
    ),
    (
        "batch: a new one",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'create', 'in': 'tags', 'as': 't', 'data': {'name': '{n}'}}, {'op': 'update', 'in': 'things', 'id': '{id}', 'data': {'tags': {'add': [{'ref': 't'}]}}}]}",
    ),
    ("all that match", "PATCH", "/api/things?filter=code=='{code}'", "{'tags': {'add': ['{tag}']}}"),
];

const REMOVE: &[Way] = &[
    ("remove", "PATCH", "/api/things/{id}", "{'tags': {'remove': ['{tag}']}}"),
    ("remove by a unique", "PATCH", "/api/things/by/code/{code}", "{'tags': {'remove': [{'by': {'name': 'tag'}}]}}"),
    ("a whole list", "PATCH", "/api/things/{id}", "{'tags': []}"),
    ("upsert", "POST", "/api/things?upsert=code", "{'code': '{code}', 'tags': []}"),
    (
        "batch: change",
        "POST",
        "/api/batch",
        "{'ops': [{'op': 'update', 'in': 'things', 'by': {'code': '{code}'}, 'data': {'tags': {'remove': ['{tag}']}}}]}",
    ),
    ("all that match", "PATCH", "/api/things?filter=code=='{code}'", "{'tags': {'remove': ['{tag}']}}"),
];

pub(super) const ACTS: [Act; 6] = [
    Act { rule: "Thing.create", of: "the new record", ways: CREATE },
    Act { rule: "Thing.update", of: "the record", ways: UPDATE },
    Act { rule: "Thing.delete", of: "the record", ways: DELETE },
    Act { rule: "Thing.score.write", of: "the record, or the new one", ways: FIELD },
    Act { rule: "Thing.tags.add", of: "the record, or the new one", ways: ADD },
    Act { rule: "Thing.tags.remove", of: "the record", ways: REMOVE },
];

/// Whether a rule lets a caller write a record.
pub(super) fn may(rule: &Rule, who: &str, thing: &Thing) -> bool {
    who == "admin" || !(rule.hides)(who, thing)
}

fn schema(act: &Act, rule: &Rule) -> String {
    let text = |name: &str| if act.rule == name { rule.text } else { "true" };
    let (create, update, delete) = (text("Thing.create"), text("Thing.update"), text("Thing.delete"));
    let (field, add, remove) = (text("Thing.score.write"), text("Thing.tags.add"), text("Thing.tags.remove"));
    format!(
        r#"
        extend schema @claim(name: "org", type: String)
        type Thing @rules(read: "true", create: "{create}", update: "{update}", delete: "{delete}") {{
          code: String! @unique  owner: ID! @immutable  open: Boolean! @immutable  org: String! @immutable
          until: DateTime! @immutable  holder: Holder! @immutable
          label: String  score: Int @rules(write: "{field}") 
          tags: [Tag!]! @many @rules(add: "{add}", remove: "{remove}")  others: [Tag!]! @many
        }}
        type Holder @rules(read: "true", write: "true", delete: "open || name == 'h2'") {{
          name: String! @unique  open: Boolean!  things: [Thing!]! @inverse(field: "holder")  main: Thing
        }}
        type Tag @rules(read: "true", write: "true") {{ name: String! @unique }}"#
    )
}

fn members(thing: &Thing) -> Json {
    json!({
        "owner": thing.owner, "open": thing.open, "org": thing.org, "until": thing.until, "holder": HOLDERS[thing.holder],
    })
}

/// The record as it was before.
fn record(act: &Act, thing: &Thing) -> Json {
    let mut record = members(thing);
    record["id"] = json!(thing.id);
    record["code"] = json!(thing.code);
    record["score"] = json!(1);
    record["tags"] = if act.rule == "Thing.tags.remove" { json!([TAG]) } else { json!([]) };
    record
}

struct World<'a> {
    app: TestApp,
    act: &'a Act,
    codes: usize,
}

impl World<'_> {
    async fn new<'a>(act: &'a Act, rule: &Rule) -> World<'a> {
        let app = TestApp::with_schema(&schema(act, rule)).await;
        let holder = |at: usize| json!({"id": HOLDERS[at], "name": format!("h{at}"), "open": at == 0});
        app.seed("holders", (0..HOLDERS.len()).map(holder)).await;
        app.seed("tags", [json!({"id": TAG, "name": "tag"})]).await;
        app.seed("things", THINGS.iter().map(|thing| record(act, thing))).await;
        World { app, act, codes: 0 }
    }

    async fn send(&mut self, client: &Client, way: Way, thing: &Thing) -> Reply {
        self.codes += 1;
        let (_, method, path, body) = way;
        let new = members(thing).to_string();
        let new = new.trim_start_matches('{').trim_end_matches('}');
        let filled = |text: &str| {
            let text = text.replace("{id}", thing.id).replace("{code}", thing.code).replace("{tag}", TAG);
            text.replace("{n}", &format!("n{}", self.codes))
        };
        let body = filled(body).replace('\'', "\"").replace("{new}", new);
        client.bytes(method, &filled(path), "application/json", body.into_bytes()).await
    }

    /// Everything that there is.
    async fn all(&self) -> String {
        let mut all = String::new();
        for path in
            ["/api/things?limit=1000&fields=*,tags(name;sort:name)", "/api/holders?limit=1000", "/api/tags?limit=1000"]
        {
            all += &self.app.admin().get(path).await.text;
        }
        all
    }

    /// Makes the record what it was before.
    async fn restore(&self, thing: &Thing) {
        let admin = self.app.admin();
        match self.act.rule {
            "Thing.delete" => drop(admin.post("/api/things", record(self.act, thing)).await),
            "Thing.tags.add" | "Thing.tags.remove" => {
                let patch = json!({"tags": record(self.act, thing)["tags"]});
                assert_eq!(admin.patch(&format!("/api/things/{}", thing.id), patch).await.status, 200);
            }
            _ => {}
        }
    }

    /// What is refused: by the rule, and without a trace.
    async fn refusals(&mut self, rule: &Rule, who: &str, wrong: &mut Vec<String>) {
        let client = caller(&self.app, who);
        let before = self.all().await;
        for thing in THINGS.iter().filter(|thing| !may(rule, who, thing)) {
            for way in self.act.ways {
                let reply = self.send(&client, *way, thing).await;
                let named = serde_json::from_str::<Json>(&reply.text).is_ok_and(|json| json["rule"] == self.act.rule);
                if (reply.status, named) != (if who.is_empty() { 401 } else { 403 }, true) {
                    wrong.push(format!(
                        "{} under {:?} as {who:?}, {}, of {}: {reply}",
                        self.act.rule, rule.text, way.0, thing.code
                    ));
                    self.restore(thing).await;
                }
            }
        }
        if wrong.is_empty() {
            assert_eq!(before, self.all().await, "{} under {:?} as {who:?}", self.act.rule, rule.text);
        }
    }

    async fn what_may_be(&mut self, rule: &Rule, who: &str, wrong: &mut Vec<String>) {
        let client = caller(&self.app, who);
        for thing in THINGS.iter().filter(|thing| may(rule, who, thing)) {
            for way in self.act.ways {
                let reply = self.send(&client, *way, thing).await;
                if !(200..300).contains(&reply.status) {
                    wrong.push(format!(
                        "{} under {:?} as {who:?}, {}, of {}: {reply}",
                        self.act.rule, rule.text, way.0, thing.code
                    ));
                }
                self.restore(thing).await;
            }
        }
    }
}

async fn every_way_asks(rule: &'static str) {
    let act = ACTS.iter().find(|act| act.rule == rule).expect("a rule of writes");
    let mut wrong = Vec::new();
    for rule in &RULES {
        let mut world = World::new(act, rule).await;
        for who in CALLERS.into_iter().chain(["admin"]) {
            world.refusals(rule, who, &mut wrong).await;
        }
        for who in CALLERS.into_iter().chain(["admin"]) {
            world.what_may_be(rule, who, &mut wrong).await;
        }
    }
    let count = wrong.len();
    assert!(count == 0, "{count} answers are not what the rule says:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_way_to_create_asks_the_rule() {
    every_way_asks("Thing.create").await;
}

#[tokio::test]
async fn every_way_to_change_asks_the_rule() {
    every_way_asks("Thing.update").await;
}

#[tokio::test]
async fn every_way_to_delete_asks_the_rule() {
    every_way_asks("Thing.delete").await;
}

#[tokio::test]
async fn every_way_to_write_a_field_asks_its_rule() {
    every_way_asks("Thing.score.write").await;
}

#[tokio::test]
async fn every_way_to_link_asks_the_rule_of_the_link() {
    every_way_asks("Thing.tags.add").await;
}

#[tokio::test]
async fn every_way_to_unlink_asks_the_rule_of_the_link() {
    every_way_asks("Thing.tags.remove").await;
}
