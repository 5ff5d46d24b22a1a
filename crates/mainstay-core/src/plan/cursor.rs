//! Cursors: where a page ended, as a text that only we can make and that fits one request of one caller alone.
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mainstay_expr::{Decimal, Value};
use uuid::Uuid;

use crate::{Error, ErrorKind};

/// The form of the bytes; another form is another number.
const FORM: u8 = 1;
/// Bytes of the authentication.
const TAG_LEN: usize = 16;
/// Characters of a cursor that is looked at.
const LENGTH_MAX: usize = 16 * 1024;

/// Values of a cursor at most: it is told of each whether it is null.
pub(crate) const VALUES_MAX: usize = u32::BITS as usize;

/// The key that cursors are authenticated with.
#[derive(Debug)]
pub(crate) struct CursorKey(hmac::Key);

impl CursorKey {
    pub(crate) fn new(key: &[u8; 32]) -> CursorKey {
        CursorKey(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A cursor behind these values, for requests of this `context` alone.
    pub(crate) fn seal(&self, context: &[u8], values: &[Value]) -> String {
        let mut bytes = vec![FORM];
        values.iter().for_each(|value| write(&mut bytes, value));
        let tag = self.tag(context, &bytes);
        bytes.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The values of a cursor that was sealed for this `context`.
    pub(crate) fn open(&self, context: &[u8], cursor: &str) -> Result<Vec<Value>, Error> {
        if cursor.len() > LENGTH_MAX {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let Some((body, tag)) = bytes.len().checked_sub(TAG_LEN).map(|at| bytes.split_at(at)) else {
            return Err(invalid());
        };
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.tag(context, body), tag).map_err(|_| invalid())?;
        match body.split_first() {
            Some((&FORM, rest)) => read_all(rest).ok_or_else(invalid),
            _ => Err(invalid()),
        }
    }

    fn tag(&self, context: &[u8], body: &[u8]) -> [u8; TAG_LEN] {
        let mut signing = hmac::Context::with_key(&self.0);
        signing.update(&(context.len() as u64).to_le_bytes());
        signing.update(context);
        signing.update(body);
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&signing.sign().as_ref()[..TAG_LEN]);
        tag
    }
}

/// Which of the values are null: the part of a cursor that the plan's shape depends on.
pub(crate) fn nulls(values: &[Value]) -> u32 {
    values.iter().enumerate().filter(|(_, value)| value.is_null()).fold(0, |mask, (at, _)| mask | 1 << at)
}

fn invalid() -> Error {
    Error::new(ErrorKind::InvalidCursor, "the cursor does not belong to this request")
        .with_hint("send what \"next\" held, with the same sort, filter and token; or start again without \"after\"")
}

fn write(out: &mut Vec<u8>, value: &Value) {
    let number = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Bool(value) => number(out, 1, &[u8::from(*value)]),
        Value::Int(value) => number(out, 2, &value.to_le_bytes()),
        Value::Float(value) => number(out, 3, &value.to_bits().to_le_bytes()),
        Value::Decimal(value) => {
            number(out, 4, &value.units.to_le_bytes());
            out.push(value.scale);
        }
        Value::Text(text) => sized(out, 5, text.as_bytes()),
        Value::Uuid(uuid) => number(out, 6, uuid.as_bytes()),
        Value::Bytes(bytes) => sized(out, 7, bytes),
        Value::Timestamp(value) => number(out, 8, &value.to_le_bytes()),
        Value::Date(value) => number(out, 9, &value.to_le_bytes()),
        Value::Time(value) => number(out, 10, &value.to_le_bytes()),
        // Nothing else has an order.
        Value::Null | Value::Duration(_) | Value::Json(_) | Value::List(_) => out.push(0),
    }
}

fn sized(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn read_all(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        bytes = rest;
        values.push(read(*tag, &mut bytes)?);
    }
    Some(values)
}

fn read(tag: u8, bytes: &mut &[u8]) -> Option<Value> {
    Some(match tag {
        0 => Value::Null,
        1 => Value::Bool(fixed::<1>(bytes)? == [1]),
        2 => Value::Int(i64::from_le_bytes(fixed(bytes)?)),
        3 => Value::Float(f64::from_bits(u64::from_le_bytes(fixed(bytes)?))),
        4 => Value::Decimal(Decimal { units: i64::from_le_bytes(fixed(bytes)?), scale: fixed::<1>(bytes)?[0] }),
        5 => Value::Text(Arc::from(std::str::from_utf8(take_sized(bytes)?).ok()?)),
        6 => Value::Uuid(Uuid::from_bytes(fixed(bytes)?)),
        7 => Value::Bytes(Arc::from(take_sized(bytes)?)),
        8 => Value::Timestamp(i64::from_le_bytes(fixed(bytes)?)),
        9 => Value::Date(i32::from_le_bytes(fixed(bytes)?)),
        10 => Value::Time(i64::from_le_bytes(fixed(bytes)?)),
        _ => return None,
    })
}

fn fixed<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

fn take_sized<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let len = u32::from_le_bytes(fixed(bytes)?) as usize;
    let (head, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_context_alone() {
        let key = CursorKey::new(&[7; 32]);
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(-5),
            Value::Float(0.5),
            Value::Decimal(Decimal { units: 5, scale: 2 }),
            Value::text("é"),
            Value::Uuid(Uuid::nil()),
            Value::Bytes([1, 2].into()),
            Value::Timestamp(1),
            Value::Date(2),
            Value::Time(3),
        ];
        let cursor = key.seal(b"skills", &values);
        assert_eq!(key.open(b"skills", &cursor).ok().as_deref(), Some(&values[..]));
        assert_eq!(nulls(&values), 1);
        assert!(key.open(b"people", &cursor).is_err());
        assert!(CursorKey::new(&[8; 32]).open(b"skills", &cursor).is_err());
    }

    #[test]
    fn a_changed_or_cut_cursor_is_refused() {
        let key = CursorKey::new(&[7; 32]);
        let cursor = key.seal(b"", &[Value::Int(1)]);
        assert!(key.open(b"", &cursor[1..]).is_err());
        assert!(key.open(b"", "").is_err());
        assert!(key.open(b"", "not base64!").is_err());
        let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap_or_default();
        bytes[2] ^= 1;
        assert!(key.open(b"", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }
}
