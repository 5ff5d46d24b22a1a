//! Write plans made from words.
use mainstay_expr::Value;
use mainstay_plan::{Answer, Create, Delete, LinkChange, LinkCheck, LinkMode, Update, WritePlan};
use mainstay_store::Step;

use crate::world::World;

impl World {
    /// A create of a record with this key, and with the times and the version that the core would give.
    pub(crate) fn create(&self, of: &str, key: Value, fields: &[(&str, Value)]) -> (Create, Vec<Value>) {
        let collection = self.of(of);
        let mut columns = vec![collection.system.id.unwrap()];
        let mut values = vec![key];
        let moments = [collection.system.created_at, collection.system.updated_at];
        for field in moments.into_iter().flatten() {
            columns.push(field);
            values.push(Value::Timestamp(1_700_000_000_000_000));
        }
        if let Some(version) = collection.system.version {
            columns.push(version);
            values.push(Value::Int(1));
        }
        for (name, value) in fields {
            columns.push(self.field(of, name));
            values.push(value.clone());
        }
        (Create::new(collection.id, columns), values)
    }

    pub(crate) fn step(&self, plan: WritePlan, values: Vec<Value>) -> Step {
        Step::run(self.store.prepare_write(&self.schema, &plan).unwrap(), values)
    }

    pub(crate) fn create_step(&self, of: &str, key: Value, fields: &[(&str, Value)]) -> Step {
        let (plan, values) = self.create(of, key, fields);
        self.step(WritePlan::Create(plan), values)
    }

    pub(crate) fn update(&self, of: &str, key: Value, fields: &[(&str, Value)]) -> (Update, Vec<Value>) {
        let mut values = Vec::new();
        let find = self.key_is(of, key, &mut values);
        let set = fields.iter().map(|(name, value)| {
            values.push(value.clone());
            (self.field(of, name), u16::try_from(values.len() - 1).unwrap())
        });
        let set = set.collect();
        let always = self.condition(of, "true");
        (Update { set, ..Update::new(self.id(of), find, always.clone(), always) }, values)
    }

    pub(crate) fn update_step(&self, of: &str, key: Value, fields: &[(&str, Value)]) -> Step {
        let (plan, values) = self.update(of, key, fields);
        self.step(WritePlan::Update(plan), values)
    }

    pub(crate) fn delete_step(&self, of: &str, key: Value) -> Step {
        let mut values = Vec::new();
        let find = self.key_is(of, key, &mut values);
        let always = self.condition(of, "true");
        let (visible, before) = (always.clone(), always);
        let plan = Delete { collection: self.id(of), find, visible, before, version: None };
        self.step(WritePlan::Delete(plan), values)
    }

    /// The question whether the other end of a link is there.
    pub(crate) fn link(&self, of: &str, link: &str, key: u16, visible: &str) -> LinkCheck {
        let field = self.of(of).field(self.field(of, link));
        let target = field.target().unwrap();
        let visible = self.condition(&self.schema.collection(target).name, visible);
        LinkCheck { field: field.id, target, key, visible }
    }

    /// A change of a to-many link.
    pub(crate) fn change(&self, of: &str, link: &str, mode: LinkMode, keys: u16, visible: &str) -> LinkChange {
        let LinkCheck { field, target, visible, .. } = self.link(of, link, keys, visible);
        LinkChange { field, target, mode, keys, visible, add: None, remove: None, is_new: false }
    }

    /// The fields and the rule of an answer.
    pub(crate) fn answer(&self, of: &str, visible: &str, fields: &[&str]) -> Answer {
        Answer::Record { visible: self.condition(of, visible), select: self.outputs(of, fields) }
    }
}
