//! E-mail addresses and URLs: what is surely none is refused; whether one works, only its owner knows.
use super::{
    WireError,
    scalar::{invalid, short},
};

/// Bytes of the part before the `@` (RFC 5321).
const LOCAL_PART_BYTES_MAX: usize = 64;
/// Bytes of a domain (RFC 1035).
const DOMAIN_BYTES_MAX: usize = 255;

/// `local@domain`: the local part of letters, digits, the marks that RFC 5322 allows unquoted, single dots inside; the domain
/// of labels of letters, digits and inner dashes. Letters beyond ASCII are fine in both.
pub(super) fn check_email(text: &str) -> Result<(), WireError> {
    let is_email = text.rsplit_once('@').is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
    if is_email {
        return Ok(());
    }
    Err(invalid(format!("{} is no e-mail address: expected a form like anna@example.com", short(text))))
}

fn is_local_part(local: &str) -> bool {
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atom_char);
    local.len() <= LOCAL_PART_BYTES_MAX && local.split('.').all(is_atom)
}

fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_beyond_ascii(c)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || is_beyond_ascii(c))
    };
    domain.len() <= DOMAIN_BYTES_MAX && domain.split('.').all(is_label)
}

fn is_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}

/// An absolute URL of the web by RFC 3986: `http` or `https`, a colon, and characters that may stand in a URL (beyond ASCII too),
/// `%` only before two hexadecimal digits; with a host.
pub(super) fn check_url(text: &str) -> Result<(), WireError> {
    let wrong = |why: &str| Err(invalid(format!("{} is no absolute URL: {why}", short(text))));
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return wrong("expected a form like https://example.com/page");
    };
    // Whoever puts an address into a page runs what stands behind `javascript:`.
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return wrong("it begins with neither http: nor https:");
    }
    if !rest.chars().all(is_url_char) {
        return wrong("it holds a character that must be escaped");
    }
    if !escapes_are_whole(rest) {
        return wrong("\"%\" stands before two hexadecimal digits only");
    }
    if host(rest).is_none_or(str::is_empty) {
        return wrong("it names no host");
    }
    Ok(())
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c) || is_beyond_ascii(c)
}

fn escapes_are_whole(text: &str) -> bool {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let mut escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    escapes.all(|(at, _)| is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)))
}

/// The host behind `//`, without user and port.
fn host(rest: &str) -> Option<&str> {
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    host.split(':').next().filter(|_| !host.starts_with('[')).or(Some(host))
}
