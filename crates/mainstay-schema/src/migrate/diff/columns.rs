//! Columns that are new, renamed or hold something else.
use super::*;
use crate::migrate::Conversion;

impl Differ<'_> {
    pub(super) fn column(
        &mut self,
        old: &TableSnapshot,
        new: &TableSnapshot,
        column: &ColumnSnapshot,
        change: &ColumnChange,
    ) {
        let subject = format!("{}.{}", new.collection, column.field);
        match &change.source {
            ColumnSource::New => self.added(new, column, change, subject),
            ColumnSource::Join(join) => {
                let text = format!(
                    "move the links of join table \"{join}\" to column \"{}\" of \"{}\"",
                    column.column, new.table
                );
                self.step(StepKind::LinkToOne, subject, text, Class::NeedsDrain, OLD_READS);
            }
            ColumnSource::Column(name) => {
                let Some(was) = old.columns.iter().find(|of| of.column == *name) else { return };
                self.kept(old, new, was, column, change, &subject);
            }
        }
    }

    fn added(&mut self, table: &TableSnapshot, column: &ColumnSnapshot, change: &ColumnChange, subject: String) {
        let name = &column.column;
        let mut text = format!("add column \"{name}\" to \"{}\"", table.table);
        let (class, why) = match (column.required, change.defaults, change.backfills) {
            (true, false, _) => (Class::NeedsDrain, "it is required, and nodes with the old schema do not send it"),
            (_, true, _) => (Class::Additive, "the database fills in its default for nodes with the old schema"),
            _ => (Class::Additive, NEW),
        };
        if change.backfills {
            text.push_str(&format!(", filled with {}", column.backfill.as_deref().unwrap_or_default()));
        } else if column.required && !change.defaults {
            text.push_str(", which is required");
        }
        self.step(StepKind::AddColumn, subject, text, class, why);
    }

    fn kept(
        &mut self,
        old: &TableSnapshot,
        new: &TableSnapshot,
        was: &ColumnSnapshot,
        is: &ColumnSnapshot,
        change: &ColumnChange,
        subject: &str,
    ) {
        let (table, name) = (&new.table, &is.column);
        if was.field != is.field {
            let text = format!("rename column \"{}\" of \"{table}\" to \"{name}\"", was.column);
            self.step(StepKind::RenameColumn, subject, text, Class::NeedsDrain, OLD_NAME);
        }
        self.ty(old, new, was, is, change, subject);
        if change.backfills {
            let text = format!(
                "fill \"{name}\" of \"{table}\" where it is null: {}",
                is.backfill.as_deref().unwrap_or_default()
            );
            let why = "nodes with the old schema read it as any other value";
            self.step(StepKind::Backfill, subject, text, Class::Additive, why);
        }
        match (was.required, is.required) {
            (false, true) => {
                let default = if change.defaults { ", and fill it with its default" } else { "" };
                let text = format!("make \"{name}\" of \"{table}\" required{default}");
                self.step(StepKind::Require, subject, text, Class::NeedsDrain, OLD_WRITES);
            }
            (true, false) => {
                let text = format!("make \"{name}\" of \"{table}\" optional");
                let why = "nodes with the old schema do not expect null";
                self.step(StepKind::Relax, subject, text, Class::NeedsDrain, why);
            }
            _ => {}
        }
        if was.default != is.default {
            let value = is.default.as_deref().unwrap_or("nothing");
            let text = format!("the default of \"{name}\" of \"{table}\" is {value}");
            let why = "nodes with the old schema write their own default";
            self.step(StepKind::ChangeDefault, subject, text, Class::Additive, why);
        }
        self.length(was, is, table, subject);
    }

    fn length(&mut self, was: &ColumnSnapshot, is: &ColumnSnapshot, table: &str, subject: &str) {
        let name = &is.column;
        match (was.length_max, is.length_max) {
            (was, Some(most)) if was.is_none_or(|was| was > most) => {
                let text = format!("limit \"{name}\" of \"{table}\" to {most} characters, as it is unique or indexed");
                self.step(StepKind::ChangeLength, subject, text, Class::NeedsDrain, OLD_WRITES);
            }
            (Some(was), most) if most.is_none_or(|most| most > was) => {
                let most = most.map_or_else(|| "any number of".to_owned(), |most| most.to_string());
                let text = format!("let \"{name}\" of \"{table}\" have {most} characters");
                self.step(StepKind::ChangeLength, subject, text, Class::Additive, LOOSER);
            }
            _ => {}
        }
    }

    fn ty(
        &mut self,
        old: &TableSnapshot,
        new: &TableSnapshot,
        was: &ColumnSnapshot,
        is: &ColumnSnapshot,
        change: &ColumnChange,
        subject: &str,
    ) {
        let key_of = |table: &TableSnapshot, column: &str| {
            let key = table.foreign_keys.iter().find(|key| key.column == column);
            key.map(|key| key.table.clone())
        };
        let (from, to) = (key_of(old, &was.column), key_of(new, &is.column));
        let (table, name) = (&new.table, &is.column);
        match (&from, &to) {
            (Some(from), Some(to)) if self.source_of(to) != Some(from.as_str()) => {
                let text = format!("point \"{name}\" of \"{table}\" at \"{to}\" instead of \"{from}\"");
                return self.step(StepKind::Retarget, subject, text, Class::NeedsDrain, OLD_WRITES);
            }
            (None, Some(to)) => {
                let text = format!("make \"{name}\" of \"{table}\" a link to \"{to}\"");
                return self.step(StepKind::Retarget, subject, text, Class::NeedsDrain, OLD_WRITES);
            }
            (Some(from), None) => {
                let text = format!("make \"{name}\" of \"{table}\" a value, no longer a link to \"{from}\"");
                return self.step(StepKind::Retarget, subject, text, Class::NeedsDrain, OLD_READS);
            }
            _ => {}
        }
        // What enums and embedded types become is told with them.
        if named(&was.ty) == named(&is.ty)
            && (named(&was.ty).is_some() || was.ty == is.ty)
            && shape(&was.ty) == shape(&is.ty)
        {
            return;
        }
        if is.field == "id" && old.key != new.key {
            return;
        }
        let (from, to) = (was.ty.describe(), is.ty.describe());
        let text = format!("change the type of \"{name}\" of \"{table}\" from {from} to {to}, with its values");
        match change.conversion.as_ref().is_some_and(Conversion::loses) {
            true => self.step(StepKind::ChangeType, subject, text, Class::Destructive, "members of it are lost"),
            false => self.step(StepKind::ChangeType, subject, text, Class::NeedsDrain, OLD_READS),
        }
    }
}

/// The enum or embedded type that a column holds.
fn named(ty: &crate::ColumnType) -> Option<&str> {
    match ty {
        crate::ColumnType::Enum(name) | crate::ColumnType::Embedded(name) => Some(name),
        crate::ColumnType::List(of) => named(of),
        _ => None,
    }
}

/// Whether a column holds a list.
fn shape(ty: &crate::ColumnType) -> bool {
    matches!(ty, crate::ColumnType::List(_))
}
