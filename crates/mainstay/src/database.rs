//! The database compared with the schema: what is different, and how it is made the same.
use mainstay_schema::{Class, Schema, Snapshot, Step, StepKind, diff};
use mainstay_store::Store;
use serde_json::{Value, json};

use crate::failure::{Detail, Failure};

/// The way from what the database has to what the schema says.
pub(crate) struct Way {
    /// The fingerprint of what the database has; `None` when it is empty.
    pub(crate) from: Option<String>,
    /// What the schema says.
    pub(crate) to: Snapshot,
    /// The steps between.
    pub(crate) steps: Vec<Step>,
}

impl Way {
    /// To this schema.
    pub(crate) fn to_schema(store: &Store, schema: &Schema) -> Result<Way, Failure> {
        Way::to(store, schema.snapshot())
    }

    /// To these tables.
    pub(crate) fn to(store: &Store, to: Snapshot) -> Result<Way, Failure> {
        let old = store.snapshot().map_err(Failure::database)?;
        let steps = diff(old.as_ref(), &to);
        Ok(Way { from: old.as_ref().map(Snapshot::fingerprint), to, steps })
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// Carries the steps out, if all of them are safe: all or nothing.
    pub(crate) fn apply(&self, store: &Store) -> Result<(), Failure> {
        let unsafe_steps: Vec<&Step> = self.steps.iter().filter(|step| !is_safe(step)).collect();
        if !unsafe_steps.is_empty() {
            let lines = unsafe_steps.iter().map(|step| format!("  {:<12} {step}", class(step.class))).collect();
            let names: Vec<String> = unsafe_steps.iter().map(ToString::to_string).collect();
            return Err(Failure::new("unsafe_steps", "the database cannot follow the schema by additive steps alone")
                .hint("take these changes back, or start with an empty database")
                .detail(Detail::Lines(lines, json!(names))));
        }
        store.apply(&self.steps, &self.to).map_err(Failure::database)
    }

    /// Fails unless there is nothing to do.
    pub(crate) fn require_done(&self) -> Result<(), Failure> {
        if self.is_done() {
            return Ok(());
        }
        let lines = self.steps.iter().map(|step| format!("  {:<12} {step}", class(step.class))).collect();
        let names: Vec<String> = self.steps.iter().map(ToString::to_string).collect();
        Err(Failure::new("schema_differs", "the database does not match the schema")
            .hint("mainstay plan shows the steps with their SQL, mainstay apply carries them out")
            .detail(Detail::Lines(lines, json!(names))))
    }

    /// The steps with their SQL, for people.
    pub(crate) fn to_text(&self, store: &Store) -> Result<String, Failure> {
        if self.is_done() {
            return Ok("the database matches the schema: nothing to do".to_owned());
        }
        let mut text = String::new();
        for (step, sql) in self.steps.iter().zip(self.sql(store)?) {
            text.push_str(&format!("-- {}: {step}\n", class(step.class)));
            if !sql.is_empty() {
                text.push_str(sql.trim_end());
                text.push('\n');
            }
        }
        let count = self.steps.len();
        text.push_str(&format!("\n{count} {}", if count == 1 { "step" } else { "steps" }));
        Ok(text)
    }

    /// The same for programs; also what a plan file holds.
    pub(crate) fn to_json(&self, store: &Store) -> Result<Value, Failure> {
        let sql = self.sql(store)?;
        let steps: Vec<Value> = self
            .steps
            .iter()
            .zip(sql)
            .map(
                |(step, sql)| json!({"step": step.to_string(), "class": step.class, "safe": is_safe(step), "sql": sql}),
            )
            .collect();
        Ok(json!({"from": self.from, "to": self.to.fingerprint(), "steps": steps}))
    }

    /// The SQL of each step; of one that cannot be carried out there is none.
    fn sql(&self, store: &Store) -> Result<Vec<String>, Failure> {
        let sql = |step: &Step| match step.kind {
            StepKind::Unsupported { .. } => Ok(String::new()),
            _ => store.render_steps(std::slice::from_ref(step), &self.to).map(|texts| texts.concat()),
        };
        self.steps.iter().map(sql).collect::<Result<_, _>>().map_err(Failure::database)
    }
}

/// Whether a step may be carried out while everything runs.
pub(crate) fn is_safe(step: &Step) -> bool {
    step.class == Class::Additive && !matches!(step.kind, StepKind::Unsupported { .. })
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Additive => "additive",
        Class::NeedsDrain => "needs drain",
        Class::Destructive => "destructive",
    }
}
