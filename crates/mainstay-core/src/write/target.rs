//! Which record an operation changes or deletes, as far as that is known before the write.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, Schema};

use crate::{
    Error, Target,
    plan::target::{TargetShape, check_target, target_values},
    record::late::{By, Late, Slot, Source},
};

/// The record that an operation is about.
#[derive(Debug)]
pub(crate) struct Aim {
    pub(crate) shape: TargetShape,
    pub(crate) values: Vec<Value>,
    /// Keys among the values that the write fills in.
    pub(crate) late: Vec<Late>,
}

impl Aim {
    /// A target of an address.
    pub(crate) fn of(schema: &Schema, of: CollectionId, target: &Target) -> Result<Aim, Error> {
        check_target(schema, of, target)?;
        let values = target_values(schema, of, target)?;
        Ok(Aim { shape: TargetShape::of(target), values: values.into_vec(), late: Vec::new() })
    }

    /// A key that is known.
    pub(crate) fn key(key: Value) -> Aim {
        Aim { shape: TargetShape::Key, values: vec![key], late: Vec::new() }
    }

    /// A key that the write fills in.
    pub(crate) fn late(source: Source) -> Aim {
        let late = vec![Late { slot: Slot::Target(0), source }];
        Aim { shape: TargetShape::Key, values: vec![Value::Null], late }
    }

    /// The key, where it is known.
    pub(crate) fn known_key(&self) -> Option<Value> {
        match self.shape {
            TargetShape::Key => self.values.first().filter(|key| !key.is_null()).cloned(),
            TargetShape::Unique(_) => None,
        }
    }

    /// The values of a unique.
    pub(crate) fn by(by: By) -> Aim {
        let place = |late: Late| match late.slot {
            Slot::Field(field) => {
                let at = by.fields.iter().position(|of| *of == field).unwrap_or_default();
                Late { slot: Slot::Target(at), ..late }
            }
            _ => late,
        };
        let late = by.late.into_iter().map(place).collect();
        Aim { shape: TargetShape::Unique(by.fields.clone()), values: by.values, late }
    }
}
