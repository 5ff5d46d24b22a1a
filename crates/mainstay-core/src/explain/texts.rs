//! Parts of rules as they are written.
use std::ops::Range;

use mainstay_expr::{Compiled, Expr};

/// A part as it was written; what comes out of a define is written anew.
pub(super) fn text_of(compiled: &Compiled, part: &Expr) -> String {
    let whole = part.span == compiled.expr.span && *part != compiled.expr;
    match source_of(compiled, part) {
        text if whole || text.is_empty() => part.to_string(),
        text => text.to_owned(),
    }
}

/// What stands at the place of a part.
pub(super) fn source_of<'a>(compiled: &'a Compiled, part: &Expr) -> &'a str {
    let range = part.span.start as usize..part.span.end as usize;
    compiled.text.get(with_brackets(&compiled.text, range)).unwrap_or_default()
}

/// The range of a part with the brackets that it opens or closes itself: the place of `(a && b) || c` begins behind the first one.
fn with_brackets(text: &str, mut range: Range<usize>) -> Range<usize> {
    let (mut open, mut missing, mut quote) = (0, 0, None);
    for sign in text.get(range.clone()).unwrap_or_default().chars() {
        match (quote, sign) {
            (Some(begun), _) if begun == sign => quote = None,
            (None, '\'' | '"') => quote = Some(sign),
            (None, '(') => open += 1,
            (None, ')') if open > 0 => open -= 1,
            (None, ')') => missing += 1,
            _ => {}
        }
    }
    for _ in 0..open {
        let rest = text.get(range.end..).unwrap_or_default();
        let Some(at) = rest.find(|sign: char| !sign.is_whitespace()).filter(|at| rest[*at..].starts_with(')')) else {
            break;
        };
        range.end += at + 1;
    }
    for _ in 0..missing {
        let before = text.get(..range.start).unwrap_or_default().trim_end();
        let Some(before) = before.strip_suffix('(') else { break };
        range.start = before.len();
    }
    range
}
