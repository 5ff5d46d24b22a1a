//! The database compared with the schema: what is different, and how it is made the same.
use std::sync::Arc;

use mainstay_schema::{Class, Migration, Schema, Snapshot, Step, StepKind};
use mainstay_store::{Drift, Fitness, MigrateError, Offence, Severity, Store};
use serde_json::{Value, json};

use crate::failure::{Detail, Failure};

/// How often the way to the schema is looked for, where other nodes change the tables at the same time.
pub(crate) const ATTEMPTS_MAX: usize = 5;

/// The way from what the database has to what the schema says.
pub(crate) struct Way {
    /// What is to be done.
    pub(crate) migration: Migration,
    /// Where it leads to.
    schema: Arc<Schema>,
    /// What was changed by hand.
    pub(crate) drift: Vec<Drift>,
    /// The fingerprint of the tables as they are; `None` when there are none yet.
    pub(crate) tables: Option<String>,
}

/// Which steps may be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed(Class);

impl Allowed {
    /// Those that old nodes live with.
    pub(crate) const ADDITIVE: Allowed = Allowed(Class::Additive);
    /// Those that lose nothing.
    pub(crate) const LOSSLESS: Allowed = Allowed(Class::NeedsDrain);
    /// All.
    pub(crate) const ALL: Allowed = Allowed(Class::Destructive);

    fn allows(self, step: &Step) -> bool {
        step.class <= self.0
    }
}

impl Way {
    /// To this schema.
    pub(crate) fn to_schema(store: &Store, schema: &Arc<Schema>) -> Result<Way, Failure> {
        let mut old = store.snapshot().map_err(Failure::database)?;
        let mut found = old.as_ref().map(|old| store.drift(old)).transpose().map_err(Failure::database)?;
        // Another node may have changed the tables between the two.
        while found.as_ref().is_some_and(|(drift, _)| !drift.is_empty()) {
            let now = store.snapshot().map_err(Failure::database)?;
            if now == old {
                break;
            }
            found = now.as_ref().map(|now| store.drift(now)).transpose().map_err(Failure::database)?;
            old = now;
        }
        let (drift, tables) = found.map_or((Vec::new(), None), |(drift, tables)| (drift, Some(tables)));
        Ok(Way { migration: Migration::between(old.as_ref(), schema), schema: schema.clone(), drift, tables })
    }

    /// Its steps.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.migration.steps
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_done(&self) -> bool {
        self.migration.is_done()
    }

    /// What the tables, as they are now, are for a server of the schema.
    pub(crate) fn fitness(&self) -> Fitness {
        if self.migration.is_first {
            return Fitness::Unfit("the database has no tables".to_owned());
        }
        // A check that the schema has and the database lacks looks like one that was taken away: it is to be carried out, not
        // overlooked.
        match self.steps().iter().find(|step| !is_taken_away(step.kind)) {
            Some(step) => Fitness::Unfit(step.text.clone()),
            None => Fitness::of(&self.schema, &self.migration.from),
        }
    }

    /// The fingerprint of what the database has; `None` when it is empty.
    pub(crate) fn from(&self) -> Option<String> {
        (!self.migration.is_first).then(|| self.migration.from.fingerprint())
    }

    /// The fingerprint of what the schema says.
    pub(crate) fn to(&self) -> String {
        self.migration.to.fingerprint()
    }

    /// Carries the steps out, if all of them are allowed and no record is in the way: all or nothing. Without steps, what the
    /// database remembers is brought up to date.
    pub(crate) fn apply(&self, store: &Store, allowed: Allowed) -> Result<(), Failure> {
        let others: Vec<&Step> = self.steps().iter().filter(|step| !allowed.allows(step)).collect();
        if !others.is_empty() {
            return Err(refusal(&others));
        }
        if self.is_done() && !self.migration.is_first && self.migration.from == self.migration.to {
            return Ok(());
        }
        store.migrate(&self.migration, &self.schema).map_err(failure)
    }

    /// Fails unless there is nothing to do.
    pub(crate) fn require_done(&self) -> Result<(), Failure> {
        if self.is_done() {
            return Ok(());
        }
        let steps: Vec<&Step> = self.steps().iter().collect();
        let (lines, names) = listed(&steps);
        Err(Failure::new("schema_differs", "the database does not match the schema")
            .hint("mainstay plan shows the steps with their SQL, mainstay apply carries them out")
            .detail(Detail::Lines(lines, names)))
    }

    /// Fails where a change by hand makes requests fail; the others are told of.
    pub(crate) fn require_sound(&self, tell: impl Fn(&str)) -> Result<(), Failure> {
        let (broken, others): (Vec<&Drift>, Vec<&Drift>) =
            self.drift.iter().partition(|drift| drift.severity == Severity::Broken);
        others.into_iter().for_each(|drift| tell(&drift_line(drift)));
        if broken.is_empty() { Ok(()) } else { Err(drifted(&broken)) }
    }

    /// The records that are in the way.
    pub(crate) fn look(&self, store: &Store) -> Result<Vec<Offence>, Failure> {
        // Of tables that are not what they should be, nothing can be asked.
        let is_broken = self.drift.iter().any(|drift| drift.severity == Severity::Broken);
        if self.is_done() || is_broken {
            Ok(Vec::new())
        } else {
            store.look(&self.migration, &self.schema).map_err(Failure::database)
        }
    }

    /// The steps with their SQL, for people.
    pub(crate) fn to_text(&self, store: &Store) -> Result<String, Failure> {
        let mut drift: String =
            self.drift.iter().map(|drift| format!("changed by hand: {}\n", drift_line(drift))).collect();
        if self.is_done() {
            drift.push_str("the database matches the schema: nothing to do");
            return Ok(drift);
        }
        let mut text = drift;
        for step in self.steps() {
            text.push_str(&format!("-- {}: {step} ({})\n", step.class, step.why));
        }
        for statement in self.sql(store)? {
            text.push_str(&format!("{statement};\n"));
        }
        let count = self.steps().len();
        text.push_str(&format!("\n{count} {}", if count == 1 { "step" } else { "steps" }));
        for offence in self.look(store)? {
            for line in lines(&offence) {
                text.push_str(&format!("\n{line}"));
            }
        }
        Ok(text)
    }

    /// The same for programs; also what a plan file holds.
    pub(crate) fn to_json(&self, store: &Store) -> Result<Value, Failure> {
        let step = |step: &Step| {
            json!({
                "kind": step.kind,
                "subject": step.subject,
                "step": step.text,
                "class": step.class,
                "why": step.why,
                "safe": Allowed::ADDITIVE.allows(step),
            })
        };
        Ok(json!({
            "from": self.from(),
            "to": self.to(),
            "steps": self.steps().iter().map(step).collect::<Vec<_>>(),
            "sql": self.sql(store)?,
            "inTheWay": self.look(store)?,
            "drift": self.drift,
        }))
    }

    /// The statements; of steps that cannot be carried out there are none.
    pub(crate) fn sql(&self, store: &Store) -> Result<Vec<String>, Failure> {
        if self.is_done() || self.steps().iter().any(|step| step.class == Class::Refused) {
            return Ok(Vec::new());
        }
        store.render_migration(&self.migration, &self.schema).map_err(Failure::database)
    }
}

/// What lies between two snapshots, in words: for telling what has changed meanwhile.
pub(crate) fn difference(old: Option<&Snapshot>, schema: &Schema) -> Vec<String> {
    Migration::between(old, schema).steps.iter().map(|step| format!("  {step}")).collect()
}

fn listed(steps: &[&Step]) -> (Vec<String>, Value) {
    let lines = steps.iter().map(|step| format!("  {:<12} {step}", step.class.to_string())).collect();
    (lines, json!(steps.iter().map(|step| &step.text).collect::<Vec<_>>()))
}

fn refusal(steps: &[&Step]) -> Failure {
    let (lines, names) = listed(steps);
    let worst = steps.iter().map(|step| step.class).max().unwrap_or(Class::Additive);
    let (message, hint) = match worst {
        Class::Refused => (
            "some of these steps cannot be carried out",
            steps.iter().find(|step| step.class == worst).map_or("", |step| step.why),
        ),
        Class::Destructive => (
            "data would be lost",
            "mainstay apply --destructive carries them out all the same; @was(name: \"…\") says that something was only renamed",
        ),
        _ => ("some of these steps are not safe while other nodes run", "stop the other nodes, then: mainstay apply"),
    };
    Failure::new("unsafe_steps", message).hint(hint).detail(Detail::Lines(lines, names))
}

/// Why a migration was not carried out, with the records that are in the way.
fn failure(error: MigrateError) -> Failure {
    match error {
        MigrateError::Offences(offences) => {
            let lines = offences.iter().flat_map(lines).collect();
            let count: u64 = offences.iter().map(|offence| offence.count).sum();
            let message = if count == 1 {
                "1 record is in the way".to_owned()
            } else {
                format!("{count} records are in the way")
            };
            Failure::new("records_in_the_way", format!("{message}: nothing was done"))
                .hint("repair them with the schema as it was, or take the change back")
                .detail(Detail::Lines(lines, json!(offences)))
        }
        MigrateError::Drift(drift) => drifted(&drift.iter().collect::<Vec<_>>()),
        MigrateError::Moved => {
            Failure::new("plan_stale", error.to_string()).hint("mainstay plan shows what is to do now")
        }
        MigrateError::Refused(_) => Failure::new("unsafe_steps", error.to_string()),
        error => Failure::database(error),
    }
}

/// One change by hand, for people.
fn drift_line(drift: &Drift) -> String {
    let severity = match drift.severity {
        Severity::Harmless => "harmless",
        Severity::Weaker => "weaker",
        Severity::Broken => "broken",
    };
    format!("{severity}: {}: {}", drift.what, drift.meaning)
}

fn drifted(drift: &[&Drift]) -> Failure {
    let lines = drift.iter().map(|drift| format!("  {}", drift_line(drift))).collect();
    Failure::new("drift", "the tables were changed by hand")
        .hint("undo the change in the database itself, or bring a backup back")
        .detail(Detail::Lines(lines, json!(drift)))
}

/// Records that are in the way, for people.
fn lines(offence: &Offence) -> Vec<String> {
    let count = offence.count;
    let records = if count == 1 { "record" } else { "records" };
    let mut lines = vec![format!("{count} {records} of \"{}\": {}", offence.collection, offence.what)];
    for record in &offence.records {
        let id = record.id.as_str().map_or_else(|| record.id.to_string(), str::to_owned);
        let values = Value::Object(record.values.clone());
        lines.push(format!("  {id} {values}"));
    }
    let more = count.saturating_sub(offence.records.len() as u64);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.push(format!("  = hint: {}", offence.hint));
    lines
}

/// Whether a step does nothing but take away what another schema has brought.
fn is_taken_away(kind: StepKind) -> bool {
    use StepKind::{ChangeDefault, DropColumn, DropEnumValue, DropIndex, DropJoin, DropTable};
    matches!(kind, DropTable | DropColumn | DropEnumValue | DropIndex | DropJoin | ChangeDefault)
}
