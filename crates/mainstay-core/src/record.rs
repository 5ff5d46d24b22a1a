//! Records as they are sent: read by the schema, completed by the server, checked.
pub(crate) mod checks;
pub(crate) mod field;
pub(crate) mod json;
pub(crate) mod late;
pub(crate) mod links;
pub(crate) mod lists;
pub(crate) mod new;
pub(crate) mod normalize;
pub(crate) mod patch;
pub(crate) mod reading;

use mainstay_schema::WireError;

use crate::FieldError;

/// A wrong field by its name, under the place of its record.
pub(crate) fn field_error(place: &str, name: &str, code: &str, message: impl Into<String>) -> FieldError {
    let pointer = format!("{place}/{}", escape(name));
    FieldError { pointer, code: code.to_owned(), message: message.into(), hint: None }
}

/// What is told to be wrong with one record, at most: a body of nothing but mistakes makes no answer that is many times as large.
pub(crate) const ERRORS_MAX: usize = 100;

/// What is wrong with a value, as errors of its field.
pub(crate) fn wire_errors(place: &str, name: &str, error: WireError, errors: &mut Vec<FieldError>) {
    push_wire(&format!("{place}/{}", escape(name)), error, errors);
}

/// The same below a place that is known already.
pub(crate) fn push_wire(base: &str, error: WireError, errors: &mut Vec<FieldError>) {
    let room = ERRORS_MAX.saturating_sub(errors.len());
    errors.extend(error.into_all().into_iter().take(room).map(|error| FieldError {
        pointer: format!("{base}{}", error.pointer),
        code: error.code.to_owned(),
        message: error.message,
        hint: error.hint,
    }));
}

/// A name as a part of a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
