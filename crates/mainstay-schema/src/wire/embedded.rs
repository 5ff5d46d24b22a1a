//! Embedded values: objects with the members of their type, kept as canonical JSON.
use mainstay_expr::Value;

use super::{WireError, list_items, scalar};
use crate::{Embedded, EmbeddedId, EmbeddedMember, Json, JsonLimits, Schema, json_string, nearest};

impl Schema {
    /// Reads an embedded value, or a list of them, into canonical JSON. Everything that is wrong is told at once.
    pub(super) fn read_embedded(&self, of: EmbeddedId, list: bool, json: &Json<'_>) -> Result<Value, WireError> {
        let mut out = Vec::new();
        let mut errors = Vec::new();
        if list {
            out.push(b'[');
            for (at, item) in list_items(json)?.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                if let Err(error) = self.copy_embedded(of, item, &mut out) {
                    errors.push(error.under(&at.to_string()));
                }
            }
            out.push(b']');
        } else if let Err(error) = self.copy_embedded(of, json, &mut out) {
            errors.push(error);
        }
        match WireError::join(errors) {
            Some(error) => Err(error),
            None => Ok(Value::Json(String::from_utf8_lossy(&out).into())),
        }
    }

    /// Appends one embedded value in canonical form: all members, sorted by name, absent ones as null.
    fn copy_embedded(&self, of: EmbeddedId, json: &Json<'_>, out: &mut Vec<u8>) -> Result<(), WireError> {
        let of = &self.embedded[of.0 as usize];
        let Json::Object(sent) = json else {
            return Err(scalar::wrong_type(&format!("an object of type \"{}\"", of.name), json));
        };
        let mut errors: Vec<_> = sent.iter().filter_map(|(name, _)| unknown_member(of, name)).collect();
        let mut members: Vec<_> = of.members.iter().collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        for (at, member) in members.into_iter().enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            json_string(out, &member.name);
            out.push(b':');
            match self.read_member(member, json.get(&member.name)) {
                Ok(value) => self.write_value(&member.kind, &value, out),
                Err(error) => errors.push(error.under(&member.name)),
            }
        }
        out.push(b'}');
        WireError::join(errors).map_or(Ok(()), Err)
    }

    fn read_member(&self, member: &EmbeddedMember, json: Option<&Json<'_>>) -> Result<Value, WireError> {
        match json {
            None if member.required => Err(WireError::new("required", "this member is required")),
            Some(Json::Null) if member.required => Err(WireError::new("required", "this member is never null")),
            None => Ok(Value::Null),
            Some(json) => self.read_value(&member.kind, None, json),
        }
    }

    /// The member of an embedded value by its position, typed by the member; null where there is none.
    pub fn member_value(&self, of: EmbeddedId, value: &Value, member: usize) -> Value {
        let member = self.embedded.get(of.0 as usize).and_then(|of| of.members.get(member));
        let (Value::Json(text), Some(member)) = (value, member) else { return Value::Null };
        let json = Json::parse(text.as_bytes(), JsonLimits { depth_max: 100 }).unwrap_or(Json::Null);
        let json = json.get(&member.name).unwrap_or(&Json::Null);
        self.read_value(&member.kind, None, json).unwrap_or(Value::Null)
    }
}

fn unknown_member(of: &Embedded, name: &str) -> Option<WireError> {
    if of.members.iter().any(|member| member.name == name) {
        return None;
    }
    let message = format!("no member named {} in \"{}\"", scalar::short(name), of.name);
    let error = WireError::new("unknown_field", message).under(name);
    Some(match nearest(name, of.members.iter().map(|member| member.name.as_str())) {
        Some(near) => error.hint(format!("did you mean \"{near}\"?")),
        None => error,
    })
}
