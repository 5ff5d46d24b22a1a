//! Random values of a type, as text: names, constants, and what is computed of them.
use mainstay_expr::Type;
use mainstay_schema::KeyKind;

use super::{paths::Named, truths::Draw, values};

/// Parts of days, and of times of day.
const OF_DAYS: [&str; 6] = ["FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear"];
const OF_CLOCKS: [&str; 4] = ["Hours", "Minutes", "Seconds", "Milliseconds"];

impl Draw<'_> {
    /// A value of the type.
    pub(crate) fn value(&mut self, ty: &Type, depth: usize) -> String {
        if depth == 0 || self.bytes.rarely(2) {
            return self.plain(ty);
        }
        let depth = depth - 1;
        if self.bytes.rarely(5) {
            return format!("({} ? {} : {})", self.truth(depth), self.value(ty, depth), self.value(ty, depth));
        }
        match ty {
            Type::Int => self.int(depth),
            Type::Float => self.float(depth),
            Type::Decimal(scale) => self.decimal(*scale, depth),
            Type::String => format!("({} + {})", self.value(ty, depth), self.value(ty, depth)),
            Type::Timestamp => self.moment(depth),
            _ => self.plain(ty),
        }
    }

    /// A list of such values, not empty.
    pub(crate) fn list(&mut self, of: &Type, depth: usize) -> String {
        if depth > 0 && self.bytes.rarely(6) {
            let depth = depth - 1;
            let kept = self.named(|ty| matches!(ty, Type::List(other) if **other == *of)).map(|named| named.text);
            let (a, b) = (self.list(of, depth), self.list(of, depth));
            return format!("({} ? {a} : {})", self.truth(depth), kept.unwrap_or(b));
        }
        let items: Vec<String> = (0..=self.bytes.below(3)).map(|_| self.value(of, depth)).collect();
        format!("[{}]", items.join(", "))
    }

    /// A value of the type, or one that is sent along.
    pub(crate) fn value_or_param(&mut self, ty: &Type, depth: usize) -> String {
        let param = if self.bytes.rarely(6) { self.param() } else { None };
        param.unwrap_or_else(|| self.value(ty, depth))
    }

    /// A new `p.` value, where they are allowed.
    pub(crate) fn param(&mut self) -> Option<String> {
        let number = self.params.as_mut()?;
        *number += 1;
        Some(format!("p.x{number}"))
    }

    /// Something with a name, or a constant.
    fn plain(&mut self, ty: &Type) -> String {
        let named = if self.bytes.rarely(3) { None } else { self.of_type(ty) };
        named.unwrap_or_else(|| self.constant(ty))
    }

    fn of_type(&mut self, ty: &Type) -> Option<String> {
        self.named(|other| other == ty).map(|named| named.text)
    }

    fn constant(&mut self, ty: &Type) -> String {
        let value = match ty {
            Type::Key(of) => {
                let kind = self.schema.collection_of(*of).map_or(KeyKind::Uuid, |of| of.key);
                values::key(kind, self.bytes.below(5))
            }
            Type::Enum(of) => {
                return format!("'{}'", self.bytes.one_of(&self.schema.enums[of.0 as usize].values));
            }
            Type::Timestamp => {
                let value = values::typed(ty, &mut self.bytes);
                return format!("timestamp({})", values::written(&value));
            }
            ty => values::typed(ty, &mut self.bytes),
        };
        values::written(&value)
    }

    fn int(&mut self, depth: usize) -> String {
        match self.bytes.below(13) {
            number @ 0..5 => {
                let op = ["+", "-", "*", "/", "%"][number];
                format!("({} {op} {})", self.value(&Type::Int, depth), self.value(&Type::Int, depth))
            }
            5 => format!("-({})", self.value(&Type::Int, depth)),
            9 => self.part(&Type::Timestamp, &[OF_DAYS.as_slice(), &OF_CLOCKS].concat()),
            10 => self.part(&Type::Date, &OF_DAYS),
            11 => self.part(&Type::Time, &OF_CLOCKS),
            12 => {
                let (a, b) = (self.plain(&Type::Timestamp), self.plain(&Type::Timestamp));
                format!("({a} - {b}).get{}()", self.bytes.one_of(&["Hours", "Minutes", "Seconds"]))
            }
            6 => format!("size({})", self.value(&Type::String, depth)),
            7 => {
                let sized = self.named(|ty| matches!(ty, Type::List(_) | Type::Records(_) | Type::Bytes));
                format!("size({})", sized.map_or_else(|| self.list(&Type::Int, depth), |named| named.text))
            }
            _ => match self.named(|ty| matches!(ty, Type::Decimal(_))) {
                Some(Named { text, .. }) if self.bytes.rarely(2) => format!("int({text})"),
                _ => format!("int({})", self.value(&Type::Float, depth)),
            },
        }
    }

    /// A part of a moment or a day that can be named.
    fn part(&mut self, of: &Type, parts: &[&str]) -> String {
        let part = self.bytes.one_of(parts);
        match self.of_type(of) {
            Some(known) => format!("{known}.get{part}()"),
            None => "timestamp('2024-02-29T12:34:56.789Z').getDayOfYear()".to_owned(),
        }
    }

    fn float(&mut self, depth: usize) -> String {
        match self.bytes.below(7) {
            number @ 0..4 => {
                let op = ["+", "-", "*", "/"][number];
                format!("({} {op} {})", self.value(&Type::Float, depth), self.value(&Type::Float, depth))
            }
            4 => format!("-({})", self.value(&Type::Float, depth)),
            5 => match self.named(|ty| matches!(ty, Type::Decimal(_))) {
                Some(Named { text, .. }) => format!("double({text})"),
                None => self.plain(&Type::Float),
            },
            _ => format!("double({})", self.value(&Type::Int, depth)),
        }
    }

    /// Literals take the type of a decimal that they meet, and no other literal.
    fn decimal(&mut self, scale: u8, depth: usize) -> String {
        let ty = Type::Decimal(scale);
        let Some(known) = self.of_type(&ty) else { return self.constant(&ty) };
        match self.bytes.below(4) {
            0 => format!("({known} + {})", self.plain(&ty)),
            1 => format!("({known} - {})", self.plain(&ty)),
            2 => format!("-({known})"),
            _ => format!("({known} * {})", self.value(&Type::Int, depth)),
        }
    }

    fn moment(&mut self, depth: usize) -> String {
        let length = values::length(&mut self.bytes);
        let moment = self.value(&Type::Timestamp, depth);
        match self.bytes.below(4) {
            0 => format!("({moment} + duration('{length}'))"),
            1 => format!("({moment} - duration('{length}'))"),
            2 => format!("(duration('{length}') + {moment})"),
            _ => format!("({moment} + ({} - {}))", self.plain(&Type::Timestamp), self.plain(&Type::Timestamp)),
        }
    }
}
