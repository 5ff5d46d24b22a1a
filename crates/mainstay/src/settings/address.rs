//! Addresses and origins as texts of the settings: whether they can be what they stand for, without a look-up.
use std::net::{Ipv6Addr, SocketAddr};

/// Whether a server can listen there: an address or the name of a host, with a port.
pub(super) fn is_address(text: &str) -> bool {
    let named = |(host, port): (&str, &str)| is_host(host) && is_port(port);
    text.parse::<SocketAddr>().is_ok() || text.rsplit_once(':').is_some_and(named)
}

/// Whether browsers can send this as the origin of a page: `https://app.example.com`, without a path.
pub(super) fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let (host, port) = match rest.rsplit_once(':').filter(|_| !rest.ends_with(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.map_or_else(|| is_name(host), |address| address.parse::<Ipv6Addr>().is_ok());
    is_scheme(scheme) && host && port.is_none_or(is_port)
}

fn is_host(text: &str) -> bool {
    is_name(text) || text.parse::<Ipv6Addr>().is_ok()
}

/// A name, or an address of four numbers: parts that are not empty, with one dot behind the last at most.
fn is_name(text: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    text.strip_suffix('.').unwrap_or(text).split('.').all(part)
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}
