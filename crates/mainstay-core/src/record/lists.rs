//! To-many links as they are sent: a whole list of keys, or keys to add and to remove.
use mainstay_expr::Value;
use mainstay_plan::LinkMode;
use mainstay_schema::{CollectionId, Field, FieldId, Json};

use super::field::FieldReader;

/// A change of a to-many link.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListChange {
    pub(crate) field: FieldId,
    pub(crate) target: CollectionId,
    pub(crate) mode: LinkMode,
    pub(crate) keys: Vec<Value>,
}

impl FieldReader<'_> {
    /// The whole list of a to-many link.
    pub(crate) fn list(&mut self, field: &Field, json: &Json<'_>, links_max: usize) -> Option<ListChange> {
        self.keys(field, json, "", links_max).map(|change| ListChange { mode: LinkMode::Replace, ..change })
    }

    /// The changes of a to-many link: a whole list, or an object with `add` and `remove`.
    pub(crate) fn list_changes(&mut self, field: &Field, json: &Json<'_>, links_max: usize, out: &mut Vec<ListChange>) {
        let Json::Object(members) = json else {
            out.extend(self.list(field, json, links_max));
            return;
        };
        for (name, keys) in members {
            let mode = match &**name {
                "add" => LinkMode::Add,
                "remove" => LinkMode::Remove,
                other => {
                    let message = format!("\"{other}\" is neither \"add\" nor \"remove\"");
                    self.wrong(&field.name, "wrong_type", message, None);
                    continue;
                }
            };
            let change = self.keys(field, keys, &format!("/{name}"), links_max);
            out.extend(change.filter(|change| !change.keys.is_empty()).map(|change| ListChange { mode, ..change }));
        }
    }

    fn keys(&mut self, field: &Field, json: &Json<'_>, under: &str, links_max: usize) -> Option<ListChange> {
        let target = field.target()?;
        let Json::Array(items) = json else {
            let message = format!("expected a list of ids, got {}", json.kind());
            self.wrong(&field.name, "wrong_type", message, Some("send [] to clear it".to_owned()));
            return None;
        };
        if items.len() > links_max {
            let message = format!("{} links are more than the {links_max} that one change may have", items.len());
            self.wrong(&field.name, "too_long", message, Some("use {\"add\": […]} in several requests".to_owned()));
            return None;
        }
        let key = self.schema.collection(target).key;
        let errors = self.errors.len();
        let mut keys: Vec<Value> = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            match key.read(item) {
                Ok(value) if keys.contains(&value) => {}
                Ok(value) => keys.push(value),
                Err(error) => {
                    let base = format!("{}/{}{under}/{at}", self.place, field.name);
                    super::push_wire(&base, error, &mut self.errors);
                }
            }
        }
        let change = ListChange { field: field.id, target, mode: LinkMode::Replace, keys };
        (self.errors.len() == errors).then_some(change)
    }
}
