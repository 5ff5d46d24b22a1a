//! Writes and migration steps as SQL.
use std::fmt::Write;

use mainstay_expr::{Expr, Span, Value};
use mainstay_plan::{Answer, Create, Delete, LinkChange, LinkCheck, LinkMode, Output, OutputValue, Update};
use mainstay_schema::{Migration, Schema, Source};

use crate::{
    PostgresDialect, SqliteDialect,
    sql::{
        ChangeSql, Inserted, LookSql, Returning, Sql, Updated, bookkeeping, cascades, create, delete, migration,
        recall, remember,
        tests::{
            fixture::{Plans, output, schema},
            shows,
        },
        update,
    },
};

/// What a test looks at, without the quotes around names.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn sql(&mut self, name: &str, sql: &Sql) -> &mut Shown {
        let text = sql.text.replace('"', "");
        writeln!(self.0, "{name}: {text}\n  {:?}", sql.binds).expect("a string takes everything");
        self
    }

    fn inserted(&mut self, inserted: &Inserted) -> &mut Shown {
        match inserted {
            Inserted::Returned(returning) => self.returning(returning),
            Inserted::Given { key, version } => {
                writeln!(self.0, "  key {key}, version {version:?}").expect("a string takes everything");
                self
            }
        }
    }

    fn returning(&mut self, returning: &Returning) -> &mut Shown {
        let Returning { key, version, visible, columns, .. } = returning;
        let columns = columns.len();
        writeln!(self.0, "  key {key:?}, version {version:?}, visible {visible:?}, {columns} columns")
            .expect("a string takes everything");
        self
    }

    fn look(&mut self, look: &LookSql) -> &mut Shown {
        self.sql("look", &look.sql);
        let LookSql { version, visible, before, fields, image, answered, .. } = look;
        let (fields, image) = (fields.len(), image.len());
        writeln!(
            self.0,
            "  version {version:?}, visible {visible:?}, before {before:?}, {fields} fields, {image} told, answered {answered:?}"
        )
        .expect("a string takes everything");
        self
    }

    fn changes(&mut self, changes: &[ChangeSql]) -> &mut Shown {
        for change in changes {
            if let Some(missing) = &change.missing {
                self.sql("missing", missing);
            }
            for statement in &change.statements {
                self.sql("change", statement);
            }
        }
        self
    }
}

fn always() -> Expr {
    Expr::bool(true, Span::default())
}

fn record(plans: &mut Plans<'_>, visible: &str, fields: &[&str]) -> Answer {
    Answer::Record { visible: plans.condition("Post", visible), select: plans.fields("Post", fields) }
}

fn change(plans: &mut Plans<'_>, mode: LinkMode, visible: &str) -> LinkChange {
    LinkChange {
        field: plans.field("Post", "tags"),
        target: plans.id("Tag"),
        mode,
        keys: plans.value(Value::List([Value::text("a")].into())),
        visible: plans.condition("Tag", visible),
        add: None,
        remove: None,
        is_new: false,
    }
}

#[test]
fn a_create_answered_by_its_insert() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let columns = ["id", "title", "org", "words", "states"].map(|name| plans.field("Post", name)).to_vec();
    let answer = record(&mut plans, "published", &["id", "title", "version"]);
    let plan = Create { answer, ..Create::new(plans.id("Post"), columns) };
    let sql = create(&schema, &SqliteDialect, &plan).expect("it renders");
    assert_eq!(sql.answer, None);
    let mut shown = Shown::default();
    shown.sql("insert", &sql.insert).inserted(&sql.inserted);
    // Key and version alone come from the values.
    let columns = ["id", "title", "version"].map(|name| plans.field("Post", name)).to_vec();
    let plan = Create { columns, answer: Answer::Key, ..plan };
    let sql = create(&schema, &SqliteDialect, &plan).expect("it renders");
    shown.sql("insert", &sql.insert).inserted(&sql.inserted);
    shows!(shown.0);
}

#[test]
fn a_create_with_links_a_rule_over_them_and_a_nested_answer() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let (title, org) = (plans.field("Post", "title"), plans.field("Post", "org"));
    let nested = plans.nested("Post", "org", "true", &["name"]);
    let select = vec![output("org", OutputValue::One(nested.into()))];
    let check =
        LinkCheck { field: org, target: plans.id("Org"), key: 1, visible: plans.condition("Org", "owner == auth.id") };
    let plan = Create {
        links: vec![check],
        changes: vec![change(&mut plans, LinkMode::Replace, "label != 'x'")],
        after: Some(plans.condition("Post", "org.members.exists(m, m.user == auth.id)")),
        answer: Answer::Record { visible: always(), select },
        ..Create::new(plans.id("Post"), vec![title, org])
    };
    let sql = create(&schema, &SqliteDialect, &plan).expect("it renders");
    let mut shown = Shown::default();
    shown.sql("link", &sql.links[0].check).sql("insert", &sql.insert).inserted(&sql.inserted);
    shown.changes(&sql.changes).sql("after", sql.after.as_ref().expect("there is a rule"));
    shown.sql("answer", &sql.answer.expect("it is read").page);
    shows!(shown.0);
}

#[test]
fn a_create_of_nothing() {
    let schema = schema();
    let plans = Plans::new(&schema);
    let plan = Create::new(plans.id("Tag"), Vec::new());
    let sql = create(&schema, &SqliteDialect, &plan).expect("it renders");
    assert_eq!(sql.insert.text, r#"INSERT INTO "tags" DEFAULT VALUES RETURNING "tags"."id", "tags"."version""#);
}

fn patch(plans: &mut Plans<'_>, answer: Answer) -> Update {
    let value = plans.value(Value::text("new"));
    let find = plans.condition("Post", "title == 'old'");
    let (visible, before) = (plans.condition("Post", "published"), plans.condition("Post", "owner == auth.id"));
    let set = vec![(plans.field("Post", "title"), value)];
    Update { set, answer, ..Update::new(plans.id("Post"), find, visible, before) }
}

#[test]
fn an_update_as_one_statement() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let answer = record(&mut plans, "true", &["id", "title"]);
    let mut plan = patch(&mut plans, answer);
    plan.version = Some(plans.value(Value::Int(3)));
    let sql = update(&schema, &PostgresDialect, &plan).expect("it renders");
    let (fast, returning) = sql.fast.as_ref().expect("nothing stands in the way");
    let mut shown = Shown::default();
    shown.sql("fast", fast).returning(returning).look(&sql.look);
    shows!(shown.0);
}

#[test]
fn an_update_that_is_answered_out_of_what_was_looked_at() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let answer = record(&mut plans, "title != 'hidden' && version < 9", &["id", "title"]);
    let plan = patch(&mut plans, answer);
    let sql = update(&schema, &SqliteDialect, &plan).expect("it renders");
    assert_eq!((&sql.fast, &sql.noting), (&None, &None));
    let [id, title] = ["id", "title"].map(|name| plans.field("Post", name));
    let members = vec![(br#"{"id":"#.to_vec(), id), (br#","title":"#.to_vec(), title)];
    assert_eq!(sql.answer, Updated::Known(members));
    let mut shown = Shown::default();
    shown.look(&sql.look).sql("update", sql.update.as_ref().expect("there are changes"));
    shows!(shown.0);
}

#[test]
fn an_update_step_by_step() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let answer = record(&mut plans, "owner == auth.id", &["id", "version"]);
    let mut plan = patch(&mut plans, answer);
    plan.checks = vec![0];
    plan.changes =
        vec![change(&mut plans, LinkMode::Add, "true"), change(&mut plans, LinkMode::Remove, "label == 'x'")];
    plan.after = Some(plans.condition("Post", "owner == auth.id"));
    let sql = update(&schema, &SqliteDialect, &plan).expect("it renders");
    assert_eq!(sql.fast, None);
    let mut shown = Shown::default();
    shown.look(&sql.look).sql("update", sql.update.as_ref().expect("there are changes")).changes(&sql.changes);
    shown.sql("after", sql.after.as_ref().expect("there is a rule"));
    let Updated::Read(answer) = &sql.answer else { panic!("it is read: {:?}", sql.answer) };
    shown.sql("answer", &answer.page);
    shows!(shown.0);
}

#[test]
fn a_patch_of_nothing_changes_nothing_and_one_of_links_counts_the_version_up() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let mut plan = patch(&mut plans, Answer::Key);
    plan.set.clear();
    let sql = update(&schema, &SqliteDialect, &plan).expect("it renders");
    assert_eq!((sql.fast, sql.update), (None, None));
    plan.changes = vec![change(&mut plans, LinkMode::Add, "true")];
    let sql = update(&schema, &SqliteDialect, &plan).expect("it renders").update.expect("there are changes");
    assert_eq!(sql.text, r#"UPDATE "posts" SET "version" = "version" + 1 WHERE "posts"."id" = ?1"#);
}

#[test]
fn deletes_and_what_they_take_with_them() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let plan = Delete {
        collection: plans.id("Post"),
        find: plans.condition("Post", "title == 'old'"),
        visible: always(),
        before: plans.condition("Post", "org.owner == auth.id"),
        version: None,
    };
    let mut shown = Shown::default();
    shown.look(&delete(&schema, &SqliteDialect, &plan).expect("it renders").look);
    for cascade in cascades(&schema, &SqliteDialect).expect("they render") {
        shown.sql(&schema.collection(cascade.collection).name, &cascade.delete);
        for incoming in &cascade.incoming {
            shown.sql(&format!("  {:?}", incoming.on_delete), &incoming.find);
            if let Some(clear) = &incoming.clear {
                shown.sql("  clear", &clear.sql);
            }
        }
        for unlink in &cascade.unlink {
            if let Some((count_up, _)) = &unlink.count_up {
                shown.sql("  unlink", count_up);
            }
            shown.sql("  unlink", &unlink.delete);
        }
    }
    shows!(shown.0);
}

fn steps(before: Option<&Schema>, after: &Schema) -> String {
    let way = Migration::between(before.map(Schema::snapshot).as_ref(), after);
    let mut lines: Vec<String> = way.steps.iter().map(|step| format!("-- {}: {step}", step.class)).collect();
    let rendered = migration(&SqliteDialect, &way, after).expect("it renders");
    lines.extend(rendered.statements.iter().map(|sql| format!("{};", sql.text)));
    lines.join("\n")
}

#[test]
fn tables_of_a_new_database() {
    shows!(steps(None, &schema()));
}

#[test]
fn additive_steps() {
    let load = |text: &str| Schema::load(&[Source { name: "s", text }]).unwrap_or_else(|error| panic!("{error:?}"));
    let before = load(r#"enum E { A } type T @rules(read: "true") { e: E! k: Int @index } type U { x: Int }"#);
    let after = load(
        r#"enum E { A B }
        type T @rules(read: "true") @index(fields: ["e"]) {
          e: E!  k: Int  u: U  n: Int! @default(value: -3)  code: String @unique
          f: Float! @default(value: 0.1)  on: Boolean! @default(value: true)  l: [Long!]! @default(value: ["1"])
        }
        type U { x: Int }"#,
    );
    shows!(steps(Some(&before), &after));
}

#[test]
fn the_schema_last_applied() {
    let [forget, write] = remember(&SqliteDialect);
    shows!([bookkeeping(&SqliteDialect), recall(&SqliteDialect), forget, write].join("\n"));
}

#[test]
fn outputs_may_be_empty() {
    let schema = schema();
    let mut plans = Plans::new(&schema);
    let plan = plans.query("Tag", "true", &[]);
    assert_eq!(plan.select, Vec::<Output>::new());
    let read = crate::sql::query(&schema, &SqliteDialect, &plan).expect("it renders");
    assert_eq!(read.page.text, r#"SELECT t0."version" FROM "tags" AS t0"#);
}
