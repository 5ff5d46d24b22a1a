//! Parameters of an address: percent-decoded, none ignored, none twice.
use std::borrow::Cow;

use mainstay_schema::nearest;
use percent_encoding::percent_decode_str;

use crate::problem::{Code, Outcome, Problem};

/// Parameters of one address at most.
const PARAMETERS_MAX: usize = 100;

/// Parameters that later versions know.
const LATER: [&str; 1] = ["having"];

/// The parameters of one request, in their order.
#[derive(Debug, Default)]
pub(crate) struct Params<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Decodes one part of a path. `what` names it in the error.
pub(crate) fn decode_path<'a>(part: &'a str, what: &str) -> Outcome<Cow<'a, str>> {
    decode(part).ok_or_else(|| invalid_encoding(what))
}

fn decode(part: &str) -> Option<Cow<'_, str>> {
    let text = percent_decode_str(part).decode_utf8().ok()?;
    (!text.contains('\0')).then_some(text)
}

/// Decodes one part of a query, where `+` is a space.
fn decode_query(part: &str) -> Option<Cow<'_, str>> {
    if !part.contains('+') {
        return decode(part);
    }
    decode(&part.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()))
}

fn invalid_encoding(what: &str) -> Box<Problem> {
    Problem::new(Code::InvalidEncoding, format!("{what} is not percent-encoded UTF-8, or holds U+0000"))
}

impl<'a> Params<'a> {
    /// Reads a query, where every parameter must be one of `known`; `p.NAME` is known with `filter`, and where `p.` is.
    pub(crate) fn parse(query: Option<&'a str>, known: &'static [&'static str]) -> Outcome<Params<'a>> {
        let mut params = Params::default();
        for part in query.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode_query(name).ok_or_else(|| invalid_encoding("the name of a parameter"))?;
            let value = decode_query(value).ok_or_else(|| invalid_encoding(&format!("the parameter {name:?}")))?;
            params.check(&name, known)?;
            params.pairs.push((name, value));
        }
        Ok(params)
    }

    /// Adds a parameter that came otherwise than in an address.
    pub(crate) fn push(
        &mut self,
        name: Cow<'a, str>,
        value: Cow<'a, str>,
        known: &'static [&'static str],
    ) -> Outcome<()> {
        self.check(&name, known)?;
        self.pairs.push((name, value));
        Ok(())
    }

    fn check(&self, name: &str, known: &'static [&'static str]) -> Outcome<()> {
        if self.pairs.len() == PARAMETERS_MAX {
            return Err(Problem::new(Code::LimitExceeded, format!("more than {PARAMETERS_MAX} parameters")));
        }
        let of_filter = (known.contains(&"filter") || known.contains(&"p."))
            && name.strip_prefix("p.").is_some_and(|rest| !rest.is_empty());
        if LATER.contains(&name) {
            return Err(Problem::new(Code::NotAvailable, format!("the parameter {name:?} is not available yet")));
        }
        if !of_filter && (!known.contains(&name) || name == "p.") {
            let near = nearest(name, known.iter().copied().filter(|known| *known != "p."))
                .map(|near| format!("did you mean {near:?}?"));
            return Err(Problem::new(Code::UnknownParameter, format!("no parameter {name:?} here")).hint(near));
        }
        if name != "filter" && self.get(name).is_some() {
            return Err(Problem::new(Code::RepeatedParameter, format!("the parameter {name:?} comes twice")));
        }
        Ok(())
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// The parameters `p.NAME` without their `p.`.
    pub(crate) fn bound(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().filter_map(|(name, value)| Some((name.strip_prefix("p.")?, &**value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["filter", "sort", "limit"];

    fn check(query: &str) -> String {
        match Params::parse(Some(query), KNOWN) {
            Ok(params) => params.pairs.iter().map(|(name, value)| format!("[{name}={value}]")).collect(),
            Err(problem) => {
                format!("{}: {} {}", problem.code.row().name, problem.detail, problem.hint.unwrap_or_default())
            }
        }
    }

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(check(""), "");
        assert_eq!(check("&filter=a%20%3D%3D+1&&filter=b&p.q=%C3%A9%2B"), "[filter=a == 1][filter=b][p.q=é+]");
        assert_eq!(check("sort"), "[sort=]");
        assert_eq!(check("sort=a=b"), "[sort=a=b]");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(check("lmit=3"), "unknown_parameter: no parameter \"lmit\" here did you mean \"limit\"?");
        assert_eq!(check("p.=3"), "unknown_parameter: no parameter \"p.\" here ");
        assert_eq!(check("limit=3&limit=3"), "repeated_parameter: the parameter \"limit\" comes twice ");
        assert_eq!(check("p.a=3&p.a=3"), "repeated_parameter: the parameter \"p.a\" comes twice ");
        assert_eq!(check("having=x"), "not_available: the parameter \"having\" is not available yet ");
        assert_eq!(
            check("filter=%ff"),
            "invalid_encoding: the parameter \"filter\" is not percent-encoded UTF-8, or holds U+0000 "
        );
        assert_eq!(
            check("%00=1"),
            "invalid_encoding: the name of a parameter is not percent-encoded UTF-8, or holds U+0000 "
        );
    }
}
