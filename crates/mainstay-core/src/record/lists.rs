//! To-many links as they are sent: a whole list, or what to add and to remove.
use mainstay_expr::Value;
use mainstay_plan::LinkMode;
use mainstay_schema::{CollectionId, Field, FieldId, Json};

use super::{
    field::FieldReader,
    late::{Late, Slot},
    links::{Inside, Place, Sent},
};

/// A change of a to-many link.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListChange {
    pub(crate) field: FieldId,
    pub(crate) target: CollectionId,
    pub(crate) mode: LinkMode,
    /// The keys; null where the write fills one in.
    pub(crate) keys: Vec<Value>,
    /// Whether these are records that this write makes: whoever made them may link to them.
    pub(crate) made: bool,
}

/// A list in the making: what is there already, and what this write makes.
struct Lists {
    asked: ListChange,
    made: ListChange,
}

impl<'a> FieldReader<'a> {
    /// The list of a to-many link of a new record. One that may be there already is sent changes too: here they change a list
    /// without any links.
    pub(crate) fn new_list(&mut self, field: &Field, json: &'a Json<'a>, may_change: bool, out: &mut Vec<ListChange>) {
        match json {
            Json::Object(_) if may_change => self.list_changes(field, json, out),
            _ => self.keys(field, json, "", LinkMode::Add, out),
        }
    }

    /// The changes of a to-many link: a whole list, or an object with `add` and `remove`.
    pub(crate) fn list_changes(&mut self, field: &Field, json: &'a Json<'a>, out: &mut Vec<ListChange>) {
        let Json::Object(members) = json else {
            self.keys(field, json, "", LinkMode::Replace, out);
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
            self.keys(field, keys, &format!("/{name}"), mode, out);
        }
    }

    fn keys(&mut self, field: &Field, json: &'a Json<'a>, under: &str, mode: LinkMode, out: &mut Vec<ListChange>) {
        let Some(target) = field.target() else { return };
        let Json::Array(items) = json else {
            let message = format!("expected a list of ids, got {}", json.kind());
            let hint = match json {
                // A change of a list, in a create.
                Json::Object(_) if under.is_empty() => "a new record has no links yet: send the whole list",
                _ => "send [] to clear it",
            };
            self.wrong(&field.name, "wrong_type", message, Some(hint.to_owned()));
            return;
        };
        let links_max = self.reading.limits().links_max;
        if items.len() > links_max {
            let message = format!("{} links are more than the {links_max} that one change may have", items.len());
            self.wrong(&field.name, "too_long", message, Some("use {\"add\": […]} in several requests".to_owned()));
            return;
        }
        let change = ListChange { field: field.id, target, mode, keys: Vec::with_capacity(items.len()), made: false };
        let made_mode = if mode == LinkMode::Remove { mode } else { LinkMode::Add };
        let made = ListChange { mode: made_mode, keys: Vec::new(), made: true, ..change };
        let mut lists = Lists { asked: change, made };
        let base = format!("{}/{}{under}", self.place, field.name);
        let first = out.len();
        for (at, item) in items.iter().enumerate() {
            self.element(&mut lists, first, item, &|| format!("{base}/{at}"));
        }
        let Lists { asked, made } = lists;
        if mode == LinkMode::Replace || !asked.keys.is_empty() || !made.keys.is_empty() {
            out.push(asked);
        }
        if !made.keys.is_empty() {
            out.push(made);
        }
    }

    fn element(&mut self, lists: &mut Lists, first: usize, item: &'a Json<'a>, pointer: &dyn Fn() -> String) {
        let Lists { asked, made } = lists;
        let needed = asked.mode != LinkMode::Remove;
        let Some(sent) = self.sent(asked.target, item, needed, pointer) else { return };
        // Made ones stand in the list behind.
        let slot = |list: &ListChange| Slot::Element(first + usize::from(list.made), list.keys.len());
        match sent {
            Sent::Key(key) => push_once(&mut asked.keys, key),
            Sent::Made(key) => push_once(&mut made.keys, key),
            Sent::Late(source) => {
                self.late.push(Late { slot: slot(asked), source });
                asked.keys.push(Value::Null);
            }
            Sent::LateMade(source) => {
                self.late.push(Late { slot: slot(made), source });
                made.keys.push(Value::Null);
            }
            Sent::Record(json, under) => {
                let place = Place::Before(slot(made));
                let pointer = format!("{}{under}", pointer());
                self.inside.push(Inside { place, target: made.target, json, pointer });
                made.keys.push(Value::Null);
            }
        }
    }
}

fn push_once(keys: &mut Vec<Value>, key: Value) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}
