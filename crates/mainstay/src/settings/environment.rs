//! Settings from the environment: `MAINSTAY_SERVER_LISTEN` is `listen` of `[server]`, and `"env:NAME"` takes a value from `NAME`.
use mainstay_schema::nearest;
use toml::{Table, Value};

use super::Settings;
use crate::failure::Failure;

const PREFIX: &str = "MAINSTAY_";
const REFERENCE: &str = "env:";

/// Puts the variables over the table. A variable of an area that we have must be a setting; others are not ours: container
/// platforms make some with our name.
pub(super) fn overlay(table: &mut Table, variables: &[(String, String)]) -> Result<(), Failure> {
    let defaults = Table::try_from(Settings::default())
        .map_err(|error| Failure::new("settings", format!("the defaults: {error}")))?;
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let rest = rest.to_ascii_lowercase();
        let Some((area, key)) = rest.split_once('_') else { continue };
        let Some(Value::Table(known)) = defaults.get(area) else { continue };
        let inner = key.split_once('_').and_then(|(part, key)| match known.get(part) {
            Some(Value::Table(inner)) => Some((part, key, inner)),
            _ => None,
        });
        let (part, key, known) = inner.map_or((None, key, known), |(part, key, inner)| (Some(part), key, inner));
        let Some(default) = known.get(key) else { return Err(unknown(name, area, key, known)) };
        let value = parse(default, text).map_err(|problem| Failure::new("settings", format!("{name}: {problem}")))?;
        let entry = table.entry(area).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(entry) = entry else { continue };
        let mut entry = entry;
        if let Some(part) = part {
            let inner = entry.entry(part).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else { continue };
            entry = inner;
        }
        entry.insert(key.to_owned(), value);
    }
    Ok(())
}

/// The first variable that alone, over the defaults, is no value of its setting.
pub(super) fn misfit(variables: &[(String, String)]) -> Option<&str> {
    let fits = |variable: &(String, String)| {
        let mut table = Table::new();
        let alone = std::slice::from_ref(variable);
        overlay(&mut table, alone).and_then(|()| resolve(&mut table, variables)).is_err()
            || Value::Table(table).try_into::<Settings>().is_ok()
    };
    variables.iter().find(|variable| !fits(variable)).map(|(name, _)| name.as_str())
}

fn unknown(name: &str, area: &str, key: &str, known: &Table) -> Failure {
    let failure = Failure::new("settings", format!("{name}: [{area}] has no setting \"{key}\""));
    match nearest(key, known.keys().map(String::as_str)) {
        Some(near) => failure.hint(format!("do you mean {PREFIX}{}_{}?", area.to_uppercase(), near.to_uppercase())),
        None => failure,
    }
}

/// A text as a value of the default's type; lists are cut at commas.
fn parse(default: &Value, text: &str) -> Result<Value, String> {
    match default {
        Value::String(_) => Ok(Value::String(text.to_owned())),
        Value::Boolean(_) => {
            text.parse().map(Value::Boolean).map_err(|_| format!("expected true or false, found {text:?}"))
        }
        Value::Integer(_) => {
            text.parse().map(Value::Integer).map_err(|_| format!("expected a whole number, found {text:?}"))
        }
        Value::Array(_) => {
            Ok(Value::Array(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect()))
        }
        _ => Err("it cannot be set from the environment".to_owned()),
    }
}

/// Replaces `"env:NAME"` by the value of the variable. A variable that is not set is an error, never an empty secret.
pub(super) fn resolve(table: &mut Table, variables: &[(String, String)]) -> Result<(), Failure> {
    for (area, settings) in table.iter_mut() {
        let Value::Table(settings) = settings else { continue };
        for (key, value) in settings.iter_mut() {
            let Value::String(text) = value else { continue };
            let Some(name) = text.strip_prefix(REFERENCE) else { continue };
            let found = variables.iter().find(|(variable, text)| variable == name && !text.is_empty());
            let Some((_, found)) = found else {
                return Err(Failure::new("settings", format!("{area}.{key}: the variable \"{name}\" is not set")));
            };
            *text = found.clone();
        }
    }
    Ok(())
}
