//! A schema's snapshot.
use super::{
    CheckSnapshot, ColumnSnapshot, ColumnType, EmbeddedSnapshot, EnumSnapshot, FORMAT, ForeignKeySnapshot,
    IndexSnapshot, JoinSnapshot, MemberSnapshot, Snapshot, TableSnapshot, UniqueSnapshot, condition::condition,
};
use mainstay_expr::{Symbol, Type, show_members};

use crate::{
    Check, Collection, CollectionId, Default, Embedded, EmbeddedId, EmbeddedMember, Field, FieldId, FieldKind, Schema,
    Unique, hash::fingerprint,
};

impl Schema {
    /// What storage depends on.
    pub fn snapshot(&self) -> Snapshot {
        let tables = self.in_dependency_order().into_iter().map(|id| self.table_snapshot(self.collection(id)));
        let enums = self.enums.iter().map(|of| EnumSnapshot { name: of.name.clone(), values: of.values.clone() });
        Snapshot {
            format: FORMAT,
            tables: tables.collect(),
            joins: self.joins(),
            enums: enums.collect(),
            embedded: self.embedded.iter().map(|of| self.embedded_snapshot(of)).collect(),
        }
    }

    fn embedded_snapshot(&self, of: &Embedded) -> EmbeddedSnapshot {
        let member = |member: &EmbeddedMember| MemberSnapshot {
            name: member.name.clone(),
            ty: self.column_type(&member.kind),
            required: member.required,
        };
        EmbeddedSnapshot { name: of.name.clone(), members: of.members.iter().map(member).collect() }
    }

    /// The collections, each after those that it links to, as far as there is no cycle.
    fn in_dependency_order(&self) -> Vec<CollectionId> {
        let mut order = Vec::with_capacity(self.collections.len());
        let mut seen = vec![false; self.collections.len()];
        for collection in &self.collections {
            self.visit(collection.id, &mut seen, &mut order);
        }
        order
    }

    fn visit(&self, id: CollectionId, seen: &mut [bool], order: &mut Vec<CollectionId>) {
        if std::mem::replace(&mut seen[id.0 as usize], true) {
            return;
        }
        for field in &self.collection(id).fields {
            if let FieldKind::ToOne { target, .. } = field.kind {
                self.visit(target, seen, order);
            }
        }
        order.push(id);
    }

    fn table_snapshot(&self, of: &Collection) -> TableSnapshot {
        let columns_of = |ids: &[FieldId]| ids.iter().map(|id| of.field(*id).column.clone()).collect::<Vec<_>>();
        TableSnapshot {
            collection: of.name.clone(),
            table: of.table.clone(),
            key: of.key,
            columns: of.stored().map(|field| self.column_snapshot(of, field)).collect(),
            uniques: of.uniques.iter().map(|unique| self.unique_snapshot(of, unique)).collect(),
            indexes: (of.indexes.iter())
                .map(|index| columns_of(&index.fields))
                .map(|columns| IndexSnapshot { name: object_name(&of.table, &columns, "idx"), columns })
                .collect(),
            foreign_keys: (of.fields.iter())
                .filter_map(|field| match field.kind {
                    FieldKind::ToOne { target, .. } => Some((field, target)),
                    _ => None,
                })
                .map(|(field, target)| (field.column.clone(), self.collection(target).table.clone()))
                .map(|(column, table)| ForeignKeySnapshot { column, table })
                .collect(),
            checks: Some(of.checks.iter().map(|check| self.check_snapshot(of, check)).collect()),
            changes_off: of.changes.off,
        }
    }

    fn unique_snapshot(&self, of: &Collection, unique: &Unique) -> UniqueSnapshot {
        let columns: Vec<String> = unique.fields.iter().map(|id| of.field(*id).column.clone()).collect();
        let condition = unique.condition.as_ref().and_then(|of_some| condition(self, of, &of_some.expr).ok());
        let name = match &condition {
            None => object_name(&of.table, &columns, "key"),
            // Several may stand over the same columns; and another condition is another index.
            Some(condition) => {
                let hash = fingerprint(condition.describe().as_bytes());
                object_name(&of.table, &[columns.as_slice(), &[hash[..8].to_owned()]].concat(), "key")
            }
        };
        UniqueSnapshot { name, columns, condition }
    }

    fn check_snapshot(&self, of: &Collection, check: &Check) -> CheckSnapshot {
        let name = |ty: &Type, symbol: Symbol| match ty {
            Type::Embedded(record) => {
                let member = self.embedded_of(*record).and_then(|of| of.members.get(symbol.0 as usize));
                member.map_or_else(String::new, |member| member.name.clone())
            }
            _ => of.fields.get(symbol.0 as usize).map_or_else(String::new, |field| field.name.clone()),
        };
        CheckSnapshot {
            field: check.field.map(|field| of.field(field).name.clone()),
            expr: show_members(&check.expr.expr, &name),
        }
    }

    fn column_snapshot(&self, of: &Collection, field: &Field) -> ColumnSnapshot {
        let default = match &field.default {
            Some(Default::Value(value)) => {
                let mut out = Vec::new();
                self.write_value(&field.kind, value, &mut out);
                Some(String::from_utf8_lossy(&out).into_owned())
            }
            _ => None,
        };
        ColumnSnapshot {
            field: field.name.clone(),
            column: field.column.clone(),
            ty: self.column_type(&field.kind),
            required: field.required,
            default,
            // Of a text that is no key, the maximum is a check like any other, and may change like one.
            length_max: field.length_max.filter(|_| of.is_key(field.id)),
            backfill: self.past.backfill(of.id, field.id).map(|expr| expr.text.to_string()),
        }
    }

    pub(super) fn column_type(&self, kind: &FieldKind) -> ColumnType {
        let embedded = |of: &EmbeddedId| ColumnType::Embedded(self.embedded[of.0 as usize].name.clone());
        let list = |of: ColumnType| ColumnType::List(Box::new(of));
        match kind {
            FieldKind::Scalar(scalar) => ColumnType::Scalar(*scalar),
            FieldKind::ScalarList(scalar) => list(ColumnType::Scalar(*scalar)),
            FieldKind::Enum(of) => ColumnType::Enum(self.enums[of.0 as usize].name.clone()),
            FieldKind::EnumList(of) => list(ColumnType::Enum(self.enums[of.0 as usize].name.clone())),
            FieldKind::Embedded { of, list: false } => embedded(of),
            FieldKind::Embedded { of, list: true } => list(embedded(of)),
            FieldKind::ToOne { target, .. } | FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => {
                ColumnType::Key(self.collection(*target).key)
            }
        }
    }

    fn joins(&self) -> Vec<JoinSnapshot> {
        let many = self.collections.iter().flat_map(|from| from.fields.iter().map(move |field| (from, field)));
        many.filter_map(|(from, field)| {
            let FieldKind::Many { target, table } = &field.kind else { return None };
            let to = self.collection(*target);
            Some(JoinSnapshot {
                table: table.clone(),
                field: field.name.clone(),
                from_table: from.table.clone(),
                from_key: from.key,
                to_table: to.table.clone(),
                to_key: to.key,
            })
        })
        .collect()
    }
}

/// The name of a unique or an index: never longer than every database allows, and then with a hash.
fn object_name(table: &str, columns: &[String], suffix: &str) -> String {
    const LENGTH_MAX: usize = 60;
    let name = format!("{table}_{}_{suffix}", columns.join("_"));
    if name.len() <= LENGTH_MAX {
        return name;
    }
    let hash = &fingerprint(name.as_bytes())[..12];
    format!("{}_{hash}_{suffix}", &table[..table.len().min(LENGTH_MAX - 20)])
}
