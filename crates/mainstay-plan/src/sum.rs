//! What a number becomes that something is added to.
use mainstay_expr::{Decimal, Value};
use mainstay_schema::{FieldKind, Scalar};

/// The sum of what a field holds and of what is added to it, as the database would make it; `None` where nothing is stored, or
/// where it leaves the range of the field.
pub fn sum(kind: &FieldKind, stored: &Value, by: &Value) -> Option<Value> {
    match (kind, stored, by) {
        (FieldKind::Scalar(Scalar::Int), Value::Int(a), Value::Int(b)) => {
            a.checked_add(*b).filter(|sum| i32::try_from(*sum).is_ok()).map(Value::Int)
        }
        (_, Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int),
        (_, Value::Float(a), Value::Float(b)) => Some(Value::Float(a + b)).filter(|_| (a + b).is_finite()),
        (FieldKind::Scalar(Scalar::Decimal { precision, .. }), Value::Decimal(a), Value::Decimal(b)) => {
            let end = 10_u64.saturating_pow(u32::from(*precision));
            let units = a.units.checked_add(b.units).filter(|units| units.unsigned_abs() < end)?;
            Some(Value::Decimal(Decimal { units, ..*a }))
        }
        _ => None,
    }
}
