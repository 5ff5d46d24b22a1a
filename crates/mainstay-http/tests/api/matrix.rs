//! The access matrix: each surface, each position in a request, each kind of rule, each caller.
//!
//! A small model says which record a caller may see under a rule; every surface must agree with it.
use mainstay_testing::{Client, Reply, TestApp};
use serde_json::{Value as Json, json};

/// A rule, and what it means.
struct Rule {
    /// As it stands in the schema; `None`: no rule at all.
    text: Option<&'static str>,
    /// Whether it refuses a caller whatever the record.
    refuses: fn(Who) -> bool,
    /// Whether it holds of a record, for a caller whom it does not refuse outright.
    holds: fn(Who, &Thing) -> bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Anonymous,
    Anna,
    Bert,
    Editor,
    Admin,
}

const CALLERS: [Who; 5] = [Who::Anonymous, Who::Anna, Who::Bert, Who::Editor, Who::Admin];

/// The records: two owners, open and shut, in an open and in a shut holder.
struct Thing {
    code: &'static str,
    owner: &'static str,
    open: bool,
    holder: usize,
}

const THINGS: [Thing; 4] = [
    Thing { code: "a", owner: "anna", open: true, holder: 0 },
    Thing { code: "b", owner: "bert", open: true, holder: 1 },
    Thing { code: "c", owner: "anna", open: false, holder: 1 },
    Thing { code: "d", owner: "bert", open: false, holder: 0 },
];

fn owns(who: Who, thing: &Thing) -> bool {
    matches!((who, thing.owner), (Who::Anna, "anna") | (Who::Bert, "bert"))
}

const RULES: [Rule; 10] = [
    Rule { text: None, refuses: |_| true, holds: |_, _| false },
    Rule { text: Some("true"), refuses: |_| false, holds: |_, _| true },
    Rule { text: Some("false"), refuses: |_| true, holds: |_, _| false },
    Rule { text: Some("auth != null"), refuses: |who| who == Who::Anonymous, holds: |_, _| true },
    Rule { text: Some("'editor' in auth.roles"), refuses: |who| who != Who::Editor, holds: |_, _| true },
    Rule { text: Some("owner == auth.id"), refuses: |who| who == Who::Anonymous, holds: owns },
    Rule { text: Some("open"), refuses: |_| false, holds: |_, thing| thing.open },
    Rule { text: Some("holder.open"), refuses: |_| false, holds: |_, thing| thing.holder == 0 },
    Rule {
        text: Some("open || owner == auth.id"),
        refuses: |_| false,
        holds: |who, thing| thing.open || owns(who, thing),
    },
    Rule {
        text: Some("holder.things.exists(t, t.owner == auth.id && t.open)"),
        // Of an anonymous caller too it depends on the records: where there are none, nothing is compared.
        refuses: |_| false,
        holds: |who, thing| THINGS.iter().any(|other| other.holder == thing.holder && other.open && owns(who, other)),
    },
];

impl Rule {
    fn refuses(&self, who: Who) -> bool {
        who != Who::Admin && (self.refuses)(who)
    }

    fn holds(&self, who: Who, thing: &Thing) -> bool {
        who == Who::Admin || (!(self.refuses)(who) && (self.holds)(who, thing))
    }

    fn visible(&self, who: Who) -> Vec<&'static str> {
        THINGS.iter().filter(|thing| self.holds(who, thing)).map(|thing| thing.code).collect()
    }
}

/// A server whose things are read under one rule and written under another.
struct World {
    app: TestApp,
    holders: Vec<String>,
    things: Vec<String>,
}

async fn world(read: &Rule, write: &Rule) -> World {
    let text = |name: &str, rule: &Rule| rule.text.map(|text| format!("{name}: \"{text}\"")).unwrap_or_default();
    let rules = format!("{} {}", text("read", read), text("write", write));
    let rules = if rules.trim().is_empty() { String::new() } else { format!("@rules({rules})") };
    let app = TestApp::with_schema(&format!(
        r#"
        type Thing {rules} {{ code: String! @unique owner: ID! open: Boolean! holder: Holder! label: String }}
        type Holder @rules(read: "true", write: "true") {{
          name: String! @unique  open: Boolean!
          things: [Thing!]! @inverse(field: "holder")  main: Thing  picked: [Thing!]! @many
        }}"#
    ))
    .await;
    let holders =
        app.seed("holders", [json!({"name": "h0", "open": true}), json!({"name": "h1", "open": false})]).await;
    let thing = |thing: &Thing| json!({"code": thing.code, "owner": thing.owner, "open": thing.open, "holder": holders[thing.holder]});
    let things = app.seed("things", THINGS.iter().map(thing)).await;
    let main = json!({"main": things[0], "picked": things});
    assert_eq!(app.admin().patch("/api/holders/by/name/h0", main).await.status, 200);
    World { app, holders, things }
}

impl World {
    fn caller(&self, who: Who) -> Client {
        match who {
            Who::Anonymous => self.app.anonymous(),
            Who::Anna => self.app.user("anna"),
            Who::Bert => self.app.user("bert"),
            Who::Editor => self.app.user_with("eva", &["editor"], &[]),
            Who::Admin => self.app.admin(),
        }
    }
}

/// What is forbidden outright: anonymous callers are asked to sign in, others are told the rule.
fn refused(who: Who) -> u16 {
    if who == Who::Anonymous { 401 } else { 403 }
}

fn codes(list: &Json) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|thing| thing["code"].as_str()).collect()
}

#[tokio::test]
async fn reads_agree_with_the_rule_everywhere() {
    for rule in &RULES {
        let world = world(rule, &RULES[0]).await;
        for who in CALLERS {
            let told = format!("{:?} as {who:?}", rule.text);
            read_one(&world, rule, who, &told).await;
            read_many(&world, rule, who, &told).await;
            read_through_links(&world, rule, who, &told).await;
            filter_through_links(&world, rule, who, &told).await;
        }
    }
}

async fn read_one(world: &World, rule: &Rule, who: Who, told: &str) {
    let caller = world.caller(who);
    for (thing, id) in THINGS.iter().zip(&world.things) {
        let expected = if rule.refuses(who) {
            refused(who)
        } else if rule.holds(who, thing) {
            200
        } else {
            404
        };
        for path in [
            format!("/api/things/{id}"),
            format!("/api/things/by/code/{}", thing.code),
            format!("/api/things/{id}?fields=code,holder(name)"),
        ] {
            let reply = caller.get(&path).await;
            assert_eq!(reply.status, expected, "{told}: {path}: {}", reply.text);
            let head = caller.bytes("HEAD", &path, "text/plain", Vec::new()).await;
            assert_eq!(head.status, expected, "{told}: HEAD {path}");
        }
    }
}

async fn read_many(world: &World, rule: &Rule, who: Who, told: &str) {
    let caller = world.caller(who);
    for query in
        ["", "&filter=true", "&filter=code != 'x'", "&filter=holder.name != 'x'", "&limit=1000", "&fields=code"]
    {
        let reply = caller.get(&format!("/api/things?sort=code&count=true{query}")).await;
        if rule.refuses(who) {
            assert_eq!(reply.status, refused(who), "{told}: {query}: {}", reply.text);
        } else {
            let visible = rule.visible(who);
            assert_eq!(reply.column("code"), visible, "{told}: {query}");
            assert_eq!(reply.json()["count"], visible.len(), "{told}: {query}");
        }
    }
}

async fn read_through_links(world: &World, rule: &Rule, who: Who, told: &str) {
    let caller = world.caller(who);
    let get = async |holder: usize, fields: &str| {
        caller.query(&format!("/api/holders/{}", world.holders[holder]), &[("fields", fields)]).await
    };
    for holder in [0, 1] {
        let inside: Vec<&str> = THINGS
            .iter()
            .filter(|thing| thing.holder == holder && rule.holds(who, thing))
            .map(|thing| thing.code)
            .collect();
        let reply = get(holder, "things(code;sort:code),n:size(things)").await;
        if denied(rule, who, &reply, told) {
            continue;
        }
        assert_eq!(codes(&reply.json()["things"]), inside, "{told}: {holder}");
        assert_eq!(reply.json()["n"], inside.len(), "{told}: {holder}");
    }
    let reply = get(0, "main(code),picked(code;sort:code;filter:code != 'x'),n:size(picked)").await;
    if denied(rule, who, &reply, told) {
        return;
    }
    let json = reply.json();
    let main = if rule.holds(who, &THINGS[0]) { json!({"code": "a"}) } else { Json::Null };
    assert_eq!(json["main"], main, "{told}");
    assert_eq!((codes(&json["picked"]), &json["n"]), (rule.visible(who), &json!(rule.visible(who).len())), "{told}");
}

/// Whether the answer is a refusal, which it must be exactly where the rule refuses outright.
fn denied(rule: &Rule, who: Who, reply: &Reply, told: &str) -> bool {
    let expected = if rule.refuses(who) { refused(who) } else { 200 };
    assert_eq!(reply.status, expected, "{told}: {}", reply.text);
    rule.refuses(who)
}

async fn filter_through_links(world: &World, rule: &Rule, who: Who, told: &str) {
    let caller = world.caller(who);
    let names = async |filter: &str| caller.query("/api/holders", &[("filter", filter), ("sort", "name")]).await;
    let of_holders = |wanted: &dyn Fn(usize) -> bool| -> Vec<&str> {
        [(0, "h0"), (1, "h1")].into_iter().filter(|(at, _)| wanted(*at)).map(|(_, name)| name).collect()
    };
    let sees = |holder: usize, code: &str| {
        THINGS.iter().any(|thing| thing.holder == holder && thing.code == code && rule.holds(who, thing))
    };
    let seen = |holder: usize| THINGS.iter().filter(|thing| thing.holder == holder && rule.holds(who, thing)).count();
    for thing in &THINGS {
        let filter = format!("things.exists(t, t.code == '{}')", thing.code);
        let reply = names(&filter).await;
        if denied(rule, who, &reply, told) {
            continue;
        }
        assert_eq!(reply.column("name"), of_holders(&|at| sees(at, thing.code)), "{told}: {filter}");
        let filter = format!("things.all(t, t.code != '{}')", thing.code);
        assert_eq!(names(&filter).await.column("name"), of_holders(&|at| !sees(at, thing.code)), "{told}: {filter}");
    }
    for (filter, wanted) in [
        ("size(things) == 0", of_holders(&|at| seen(at) == 0)),
        ("size(things) > 0", of_holders(&|at| seen(at) > 0)),
        ("main.code == 'a'", of_holders(&|at| at == 0 && rule.holds(who, &THINGS[0]))),
        ("main.code != 'a'", vec![]),
        ("!(main.code == 'a')", vec![]),
        ("main.owner == 'anna' || name == 'h1'", of_holders(&|at| at == 1 || rule.holds(who, &THINGS[0]))),
    ] {
        let reply = names(filter).await;
        if !denied(rule, who, &reply, told) {
            assert_eq!(reply.column("name"), wanted, "{told}: {filter}");
        }
    }
    let sorted = caller.get("/api/holders?sort=-main.code,name").await;
    if !denied(rule, who, &sorted, told) {
        assert_eq!(sorted.column("name"), ["h0", "h1"], "{told}");
    }
}

#[tokio::test]
async fn writes_agree_with_the_rule_everywhere() {
    for rule in &RULES {
        let world = world(&RULES[1], rule).await;
        for who in CALLERS {
            let told = format!("{:?} as {who:?}", rule.text);
            let caller = world.caller(who);
            for (thing, id) in THINGS.iter().zip(&world.things) {
                let expected = if rule.holds(who, thing) { 200 } else { refused(who) };
                let body = json!({"label": format!("{who:?}")});
                for path in [format!("/api/things/{id}"), format!("/api/things/by/code/{}", thing.code)] {
                    let reply = caller.patch(&path, body.clone()).await;
                    assert_eq!(reply.status, expected, "{told}: PATCH {}: {}", thing.code, reply.text);
                }
                let stored = world.app.admin().get(&format!("/api/things/{id}")).await.json();
                assert_eq!(stored["label"] == body["label"], expected == 200, "{told}: PATCH {}", thing.code);
            }
            create(&world, rule, who, &told).await;
        }
        delete_all(&world, rule).await;
    }
}

async fn create(world: &World, rule: &Rule, who: Who, told: &str) {
    let caller = world.caller(who);
    for thing in &THINGS {
        let code = format!("{}-{who:?}", thing.code);
        let body =
            json!({"code": code, "owner": thing.owner, "open": thing.open, "holder": world.holders[thing.holder]});
        // An array is refused whole when one of its records is.
        let expected = if rule.holds(who, thing) { 201 } else { refused(who) };
        let reply = caller.post("/api/things", json!([body])).await;
        assert_eq!(reply.status, expected, "{told}: POST {}: {}", thing.code, reply.text);
        let stored = world.app.admin().get(&format!("/api/things/by/code/{code}")).await;
        assert_eq!(stored.status, if expected == 201 { 200 } else { 404 }, "{told}: POST {}", thing.code);
        if expected == 201 {
            assert_eq!(world.app.admin().delete(&format!("/api/things/by/code/{code}")).await.status, 204);
        }
    }
}

/// Deletes come last: what a caller may delete is gone for the next.
async fn delete_all(world: &World, rule: &Rule) {
    let mut gone = [false; THINGS.len()];
    // The rule that looks at the other things of the holder changes its mind as they go.
    let looks_around = rule.text.is_some_and(|text| text.contains("exists"));
    for who in CALLERS {
        for (at, thing) in THINGS.iter().enumerate() {
            let told = format!("{:?} as {who:?}: DELETE {}", rule.text, thing.code);
            let reply = world.caller(who).delete(&format!("/api/things/{}", world.things[at])).await;
            let expected = match (gone[at], rule.refuses(who)) {
                (_, true) => refused(who),
                (true, false) => 404,
                (false, false) if looks_around && who != Who::Admin => reply.status,
                (false, false) if rule.holds(who, thing) => 204,
                (false, false) => refused(who),
            };
            assert_eq!(reply.status, expected, "{told}: {}", reply.text);
            gone[at] |= reply.status == 204;
        }
    }
    assert_eq!(gone, [true; THINGS.len()], "an admin may delete the rest");
}

/// What may not be read cannot be linked to either, and the answer is the one for what does not exist.
#[tokio::test]
async fn links_agree_with_the_rule_everywhere() {
    for rule in &RULES {
        let world = world(rule, &RULES[0]).await;
        let holder = format!("/api/holders/{}", world.holders[1]);
        for who in CALLERS {
            let caller = world.caller(who);
            for (thing, id) in THINGS.iter().zip(&world.things) {
                let told = format!("{:?} as {who:?}: {}", rule.text, thing.code);
                let expected = if rule.holds(who, thing) { 200 } else { 422 };
                for body in [json!({"main": id}), json!({"picked": [id]}), json!({"picked": {"add": [id]}})] {
                    let reply = caller.patch(&holder, body.clone()).await;
                    assert_eq!(reply.status, expected, "{told}: {body}: {}", reply.text);
                }
            }
        }
    }
}
