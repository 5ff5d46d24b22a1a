//! A record as it was, out of what it has become and the members that were other ones.

/// The object `after` with the members of `was` in the places of its own.
pub(crate) fn restore(was: &str, after: &str) -> Option<String> {
    let was: Vec<(&str, &str)> = members(was)?;
    let mut out = String::with_capacity(after.len() + 16);
    for (at, (name, value)) in members(after)?.into_iter().enumerate() {
        out.push(if at == 0 { '{' } else { ',' });
        out.push_str(name);
        out.push(':');
        let old = was.iter().find(|(old, _)| *old == name);
        out.push_str(old.map_or(value, |(_, value)| value));
    }
    if out.is_empty() {
        out.push('{');
    }
    out.push('}');
    Some(out)
}

/// The members of an object that was written without spaces between its parts: names in quotes, and values.
fn members(json: &str) -> Option<Vec<(&str, &str)>> {
    let inside = json.strip_prefix('{')?.strip_suffix('}')?;
    let mut found = Vec::with_capacity(16);
    let mut rest = inside;
    while !rest.is_empty() {
        let name_end = value_end(rest)?;
        let (name, behind) = rest.split_at(name_end);
        let behind = behind.strip_prefix(':')?;
        let end = value_end(behind)?;
        found.push((name, &behind[..end]));
        rest = match behind[end..].strip_prefix(',') {
            Some(next) => next,
            None if behind.len() == end => "",
            None => return None,
        };
    }
    Some(found)
}

/// Where the value ends that stands at the beginning.
fn value_end(json: &str) -> Option<usize> {
    let bytes = json.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = text_end(bytes, at)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' | b':' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then_some(at)
}

/// Where the closing quote of the text is that begins here.
fn text_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(was: &str, after: &str, wanted: &str) {
        assert_eq!(restore(was, after).as_deref(), Some(wanted));
    }

    #[test]
    fn what_changed_takes_the_place_of_what_is() {
        check("{}", "{}", "{}");
        check(r#"{"a":1}"#, r#"{"id":"x","a":2,"b":[3,{"a":4}]}"#, r#"{"id":"x","a":1,"b":[3,{"a":4}]}"#);
        check(r#"{"a":"x,\"}:\\"}"#, r#"{"a":null,"b":"{,\\\""}"#, r#"{"a":"x,\"}:\\","b":"{,\\\""}"#);
        check(r#"{"l":[]}"#, r#"{"é":"ü","l":["1","2"]}"#, r#"{"é":"ü","l":[]}"#);
    }

    #[test]
    fn what_is_no_object_is_not_restored() {
        for wrong in ["", "[]", r#"{"a"}"#, r#"{"a":1,"#, r#"{"a":"1}"#, r#"{"a":]}"#, r#"{"a":1:2}"#] {
            assert_eq!(restore("{}", wrong), None, "{wrong}");
        }
    }
}
