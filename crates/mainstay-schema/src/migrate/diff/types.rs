//! Enums and embedded types that have other values or members.
use std::collections::{HashMap, HashSet};

use super::*;
use crate::ColumnType;

impl Differ<'_> {
    pub(super) fn enums(&mut self) {
        let (old, new) = (self.old, self.new);
        for is in &new.enums {
            let Some(was) = old.enums.iter().find(|of| of.name == is.name) else { continue };
            self.enum_values(was, is);
        }
    }

    fn enum_values(&mut self, was: &EnumSnapshot, is: &EnumSnapshot) {
        let ty = ColumnType::Enum(is.name.clone());
        let forms = (Form::of(&ty, self.old, None), Form::of(&ty, self.new, Some(self.schema)));
        let (Form::Enum(from), Form::Enum(to)) = forms else { return };
        let targets: HashMap<&str, &str> = targets(&from, &to).collect();
        for value in &was.values {
            match targets.get(value.as_str()) {
                Some(name) if name != value => {
                    let text = format!("rename \"{value}\" of enum \"{}\" to \"{name}\"", is.name);
                    self.step(StepKind::RenameEnumValue, &is.name, text, Class::NeedsDrain, OLD_NAME);
                }
                Some(_) => {}
                None => {
                    let text = format!("drop \"{value}\" of enum \"{}\"", is.name);
                    self.step(StepKind::DropEnumValue, &is.name, text, Class::NeedsDrain, OLD_WRITES);
                }
            }
        }
        let reached: HashSet<&str> = targets.into_values().collect();
        let added: Vec<String> = is.values.iter().filter(|value| !reached.contains(value.as_str())).cloned().collect();
        if !added.is_empty() {
            let text = format!("add {} to enum \"{}\"", quoted(&added), is.name);
            self.step(StepKind::AddEnumValues, &is.name, text, Class::Additive, NEW);
        }
    }

    /// Values of an embedded type stand inside of columns, each in JSON.
    pub(super) fn embedded(&mut self) {
        for is in self.new.embedded.iter().map(|of| of.name.clone()) {
            if !self.old.embedded.iter().any(|of| of.name == is) {
                continue;
            }
            let ty = ColumnType::Embedded(is.clone());
            let forms = (Form::of(&ty, self.old, None), Form::of(&ty, self.new, Some(self.schema)));
            if let (Form::Embedded(from), Form::Embedded(to)) = forms {
                self.members(&is, &from, &to);
            }
        }
    }

    fn members(&mut self, of: &str, from: &[MemberForm], to: &[MemberForm]) {
        let used: Vec<&str> = to.iter().filter_map(|new| source(from, to, new)).map(|old| old.name.as_str()).collect();
        for old in from.iter().filter(|old| !used.contains(&old.name.as_str())) {
            let subject = format!("{of}.{}", old.name);
            let text = format!("drop member \"{subject}\", with its values");
            self.step(StepKind::ChangeMember, subject, text, Class::Destructive, LOST);
        }
        for new in to {
            let subject = format!("{of}.{}", new.name);
            let Some(old) = source(from, to, new) else {
                let (class, why) = match new.required {
                    true => (Class::NeedsDrain, "it is required, and nodes with the old schema do not send it"),
                    false => (Class::Additive, NEW),
                };
                let required = if new.required { ", which is required" } else { "" };
                let text = format!("add member \"{subject}\"{required}");
                self.step(StepKind::ChangeMember, subject, text, class, why);
                continue;
            };
            if old.name != new.name {
                let text = format!("rename member \"{of}.{}\" to \"{}\"", old.name, new.name);
                self.step(StepKind::ChangeMember, &subject, text, Class::NeedsDrain, OLD_NAME);
            }
            if !plain(&old.form, &new.form) {
                let (was, is) = (member_type(self.old, of, &old.name), member_type(self.new, of, &new.name));
                let text = format!("change the type of member \"{subject}\" from {was} to {is}");
                self.step(StepKind::ChangeMember, &subject, text, Class::NeedsDrain, OLD_READS);
            }
            match (old.required, new.required) {
                (false, true) => {
                    let text = format!("make member \"{subject}\" required");
                    self.step(StepKind::ChangeMember, &subject, text, Class::NeedsDrain, OLD_WRITES);
                }
                (true, false) => {
                    let text = format!("make member \"{subject}\" optional");
                    let why = "nodes with the old schema do not expect null";
                    self.step(StepKind::ChangeMember, &subject, text, Class::NeedsDrain, why);
                }
                _ => {}
            }
        }
    }
}

/// What the type of a member is called.
fn member_type(snapshot: &Snapshot, of: &str, member: &str) -> String {
    let of = snapshot.embedded.iter().find(|is| is.name == of);
    let member = of.and_then(|of| of.members.iter().find(|is| is.name == member));
    member.map_or_else(String::new, |member| member.ty.describe())
}

/// Whether two members hold the same, but for what is told of with their own enum or embedded type.
fn plain(from: &Form, to: &Form) -> bool {
    match (from, to) {
        (Form::Enum(_), Form::Enum(_)) | (Form::Embedded(_), Form::Embedded(_)) => true,
        (Form::List(from), Form::List(to)) => plain(from, to),
        (from, to) => from == to,
    }
}
