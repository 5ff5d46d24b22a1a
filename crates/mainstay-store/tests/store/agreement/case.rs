//! One case: a database and its double in memory, a caller, a guard for each collection, and expressions asked of both.
use std::collections::BTreeSet;

use mainstay_expr::{
    AuthValues, CallerValues, Compiled, Expr, Limits, Outcome, Type, Value, as_condition, compile, eval,
    in_memory_only, resolve, specialise, wire, with_guards,
};
use mainstay_plan::{Output, OutputValue, Query};
use mainstay_schema::{CollectionId, KeyKind};

use super::{bytes::Bytes, records::Memory, truths::Draw, values};
use crate::world::World;

/// How deep an expression is.
const DEPTH: usize = 4;
/// How deep a guard is.
const GUARD_DEPTH: usize = 2;

/// What became of the expressions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) expressions: usize,
    /// Not accepted by the compiler.
    pub(crate) refused: usize,
    /// Accepted, but not for SQL.
    pub(crate) memory_only: usize,
    /// Verdicts on single records.
    pub(crate) trues: usize,
    pub(crate) falses: usize,
    pub(crate) errors: usize,
}

/// What a case is drawn from.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) schema: Vec<u8>,
    pub(crate) records: Vec<u8>,
    pub(crate) caller: Vec<u8>,
    pub(crate) guards: Vec<Vec<u8>>,
    pub(crate) expressions: Vec<Vec<u8>>,
}

/// A database, its double, and who asks.
pub(crate) struct Case<'a> {
    world: &'a World,
    memory: Memory<'a>,
    caller: CallerValues,
    /// For each collection, with its text.
    guards: Vec<(String, Expr)>,
    /// What the guards bind.
    values: Vec<Value>,
}

/// An expression for one caller, with what it binds.
struct Ready {
    expr: Expr,
    values: Vec<Value>,
}

/// Makes the case and asks everything; the disagreement, where there is one.
pub(crate) async fn run(input: &Input, tally: &mut Tally) -> Result<(), String> {
    let world = World::with_schema(super::schemas::schema(&mut Bytes::new(&input.schema)), |settings| {
        (settings.sqlite.readers, settings.sqlite.inline_budget_us) = (1, 10_000_000);
    });
    let memory = Memory::draw(&world.schema, &mut Bytes::new(&input.records));
    memory.write(&world).await;
    let caller = caller(&mut Bytes::new(&input.caller));
    let mut case = Case { world: &world, memory, caller, guards: Vec::new(), values: Vec::new() };
    case.draw_guards(&input.guards);
    for bytes in &input.expressions {
        case.ask(bytes, tally).await?;
    }
    world.store.close();
    Ok(())
}

fn caller(bytes: &mut Bytes<'_>) -> CallerValues {
    let id = |bytes: &mut Bytes<'_>| match bytes.below(4) {
        0 => values::text(bytes).to_owned(),
        kind => key_text(&values::key([KeyKind::Uuid, KeyKind::Int, KeyKind::String][kind - 1], bytes.below(4))),
    };
    let auth = if bytes.below(3) == 0 {
        None
    } else {
        let roles = (0..bytes.below(4)).map(|_| Value::text(id(bytes))).collect();
        let mut auth = AuthValues { id: id(bytes).into(), roles, claims: Default::default() };
        for (name, ty) in [("org", Type::Uuid), ("level", Type::Int)] {
            if bytes.rarely(2) {
                auth.claims.insert(name.into(), values::typed(&ty, bytes));
            }
        }
        Some(auth)
    };
    let (ip, method, host) = ("127.0.0.1".into(), "GET".into(), "localhost".into());
    CallerValues { auth, time_micros: 1_700_000_000_000_000, ip, method, host }
}

fn key_text(key: &Value) -> String {
    let mut text = String::new();
    wire::write_text(key, &mut text);
    text
}

impl Case<'_> {
    /// A guard for each collection that has bytes; guards themselves see everything.
    fn draw_guards(&mut self, bytes: &[Vec<u8>]) {
        for collection in &self.world.schema.collections {
            let bytes = bytes.get(collection.id.0 as usize).map_or(&[][..], Vec::as_slice);
            let text = Draw::new(&self.world.schema, bytes, collection.id, false).truth(GUARD_DEPTH);
            let compiled = self.compile(&text, collection.id).ok();
            let guard = compiled.filter(|compiled| in_memory_only(&compiled.expr).is_none());
            let guard = guard.map_or_else(
                || ("true".to_owned(), Expr::bool(true, Default::default())),
                |compiled| {
                    let expr = specialised(&compiled, &self.caller, &[], &mut self.values);
                    (text, expr)
                },
            );
            self.guards.push(guard);
        }
    }

    fn compile(&self, text: &str, of: CollectionId) -> Result<Compiled, String> {
        let limits = Limits::default().with_params();
        compile(text, &self.world.schema.scope(Some(of)), &Type::Bool, &limits).map_err(|errors| format!("{errors:?}"))
    }

    /// Draws an expression and asks both, as a rule would and as a caller's filter would.
    async fn ask(&self, bytes: &[u8], tally: &mut Tally) -> Result<(), String> {
        let mut first = Bytes::new(bytes);
        let of = CollectionId(first.below(self.world.schema.collections.len()) as u32);
        let text = Draw::new(&self.world.schema, bytes.get(1..).unwrap_or(&[]), of, true).truth(DEPTH);
        tally.expressions += 1;
        let (compiled, negated) = match (self.compile(&text, of), self.compile(&format!("!({text})"), of)) {
            (Ok(compiled), Ok(negated)) => (compiled, negated),
            _ => {
                tally.refused += 1;
                return Ok(());
            }
        };
        if in_memory_only(&compiled.expr).is_some() {
            tally.memory_only += 1;
            return Ok(());
        }
        let params = |compiled: &Compiled| -> Vec<Value> {
            let param = |(number, param): (usize, &mainstay_expr::Param)| {
                values::typed(&param.ty, &mut Bytes::new(bytes.get(number..).unwrap_or(&[])))
            };
            compiled.params.iter().enumerate().map(param).collect()
        };
        for guarded in [false, true] {
            let ready = self.ready(&compiled, &params(&compiled), guarded);
            let negated = self.ready(&negated, &params(&negated), guarded);
            self.compare(&text, of, guarded, [&ready, &negated], tally).await?;
        }
        Ok(())
    }

    /// The expression for the caller; guarded, links lead only to what the guards let through.
    fn ready(&self, compiled: &Compiled, params: &[Value], guarded: bool) -> Ready {
        let mut values = self.values.clone();
        let expr = specialised(compiled, &self.caller, params, &mut values);
        let expr = if guarded { self.guarded(&expr, false) } else { expr };
        Ready { expr, values }
    }

    fn guarded(&self, expr: &Expr, as_conditions: bool) -> Expr {
        with_guards(expr, &mut |_, _, target| {
            let guard = self.guards[target.0 as usize].1.clone();
            let guard = if as_conditions { as_condition(guard) } else { guard };
            (guard.as_bool() != Some(true)).then(|| guard.into())
        })
    }

    async fn compare(
        &self,
        text: &str,
        of: CollectionId,
        guarded: bool,
        [ready, negated]: [&Ready; 2],
        tally: &mut Tally,
    ) -> Result<(), String> {
        let asked = (self.select(of, ready, guarded).await, self.select(of, negated, guarded).await);
        let (yes, no) = match asked {
            (Ok(yes), Ok(no)) => (yes, no),
            (yes, no) => return Err(format!("{}\nSQL fails: {yes:?} {no:?}", self.show(text, guarded))),
        };
        for (number, record) in self.memory.rows[of.0 as usize].iter().enumerate() {
            let outcome = eval(&ready.expr, &self.memory, &(of, number), &ready.values);
            let (in_memory, counted) = match outcome {
                Ok(Value::Bool(true)) => ((true, false), &mut tally.trues),
                Ok(Value::Bool(false)) => ((false, true), &mut tally.falses),
                _ => ((false, false), &mut tally.errors),
            };
            *counted += 1;
            let key = key_text(&record.key);
            let in_sql = (yes.contains(&key), no.contains(&key));
            if in_sql != in_memory {
                return Err(format!(
                    "{}\nof {}\nin memory: {outcome:?}; in SQL: true {}, false {}\ntrue: {}\nfalse: {}",
                    self.show(text, guarded),
                    self.memory.show((of, number)),
                    in_sql.0,
                    in_sql.1,
                    self.sql(of, ready, guarded),
                    self.sql(of, negated, guarded),
                ));
            }
        }
        Ok(())
    }

    fn show(&self, text: &str, guarded: bool) -> String {
        let guards = self.world.schema.collections.iter().zip(&self.guards);
        let guards: Vec<String> = guards.map(|(of, (text, _))| format!("{}: {text}", of.name)).collect();
        let guards = if guarded { format!("\nguards: {}", guards.join("; ")) } else { String::new() };
        let ids = (0..self.memory.rows.len())
            .flat_map(|of| (0..self.memory.rows[of].len()).map(move |number| (CollectionId(of as u32), number)));
        let all: Vec<String> = ids.map(|at| format!("  {}", self.memory.show(at))).collect();
        format!("{text}{guards}\ncaller: {:?}\nrecords:\n{}", self.caller.auth, all.join("\n"))
    }

    fn query(&self, of: CollectionId, ready: &Ready, guarded: bool) -> Query {
        let condition = as_condition(ready.expr.clone());
        let condition = if guarded { self.guarded(&condition, true) } else { condition };
        let key = self.world.schema.collection(of).system.id.unwrap();
        let select = vec![Output { name: "id".into(), value: OutputValue::Field(key) }];
        Query::new(of, condition, select)
    }

    /// The keys of the records that SQL finds.
    async fn select(&self, of: CollectionId, ready: &Ready, guarded: bool) -> Result<BTreeSet<String>, String> {
        let query = self.query(of, ready, guarded);
        let World { store, schema, .. } = self.world;
        let statement = store.prepare_read(schema, &query).map_err(|error| error.to_string())?;
        let page = store.read(&statement, ready.values.clone(), Vec::new()).await.map_err(|error| error.to_string())?;
        let json: Vec<serde_json::Value> =
            serde_json::from_slice(&[b"[", page.json.as_slice(), b"]"].concat()).unwrap();
        Ok(json.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect())
    }

    fn sql(&self, of: CollectionId, ready: &Ready, guarded: bool) -> String {
        let query = self.query(of, ready, guarded);
        let statement = self.world.store.prepare_read(&self.world.schema, &query).unwrap();
        self.world.store.explain(&statement, &ready.values).unwrap().sql
    }
}

/// The expression with its slots resolved, its values bound behind those that are there.
fn specialised(compiled: &Compiled, caller: &CallerValues, params: &[Value], values: &mut Vec<Value>) -> Expr {
    let slots = resolve(compiled, caller, params);
    let outcomes: Vec<Outcome> = slots.iter().map(|slot| slot.outcome).collect();
    specialise(&compiled.expr, &outcomes, &mut |slot| {
        values.push(slots[usize::from(slot)].value.clone());
        u16::try_from(values.len() - 1).unwrap()
    })
}
