//! Who a request comes from where proxies stand between: read from a header only when the connection is a trusted proxy's.
use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

/// Which header the trusted proxies write. The other one is never read: a client could have sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy`, as nginx, HAProxy and cloud balancers write it.
    #[default]
    XForwardedFor,
    /// `Forwarded: for=client, for="[2001:db8::1]:4711"` (RFC 7239).
    Forwarded,
}

/// Which proxies are believed, and what they write. None: every address is that of the connection.
#[derive(Clone, Debug, Default)]
pub struct ForwardedSettings {
    /// The networks that the proxies are in.
    pub trusted_proxies: Vec<IpNet>,
    /// The header that they write.
    pub header: ForwardedHeader,
}

impl ForwardedSettings {
    /// Whether this address is that of a trusted proxy.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the last one in the header that is no trusted proxy's. What stands before it anybody may have
    /// written. `None`: the header is missing, or says nothing that is an address there.
    pub(crate) fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let name: HeaderName = match self.header {
            ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        // Several lines of a header are one list, in their order (RFC 9110 § 5.2).
        let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str()).collect::<Result<_, _>>().ok()?;
        let mut last = None;
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let address = match self.header {
                ForwardedHeader::XForwardedFor => address(hop),
                ForwardedHeader::Forwarded => node(hop).and_then(address),
            };
            // Behind a hop that cannot be read nothing is known.
            let Some(address) = address else { return last };
            last = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        last
    }
}

/// The value of `for` in one element of `Forwarded`.
fn node(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(header: ForwardedHeader, lines: &[&str]) -> Option<String> {
        let trusted_proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().expect("a network")).into();
        let name = if header == ForwardedHeader::Forwarded { "forwarded" } else { "x-forwarded-for" };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_str(line).expect("a header"));
        }
        ForwardedSettings { trusted_proxies, header }.client(&headers).map(|address| address.to_string())
    }

    #[test]
    fn what_a_client_writes_before_the_proxies_is_not_believed() {
        let found = |lines: &[&str]| client(ForwardedHeader::XForwardedFor, lines);
        assert_eq!(found(&["203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(found(&["1.1.1.1, 203.0.113.9, 10.1.2.3"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(found(&["1.1.1.1", "203.0.113.9,10.1.2.3"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(found(&["203.0.113.9:4711, [2001:db8::7]:80"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(found(&["::ffff:203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        // All of them are proxies: the first one is the client.
        assert_eq!(found(&["10.0.0.1, 10.0.0.2"]).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        let found = |lines: &[&str]| client(ForwardedHeader::XForwardedFor, lines);
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[""]), None);
        assert_eq!(found(&["unknown"]), None);
        assert_eq!(found(&["1.1.1.1, unknown, 10.0.0.2"]).as_deref(), Some("10.0.0.2"));
        assert_eq!(found(&["1.1.1.1, , 10.0.0.2"]).as_deref(), Some("10.0.0.2"));
    }

    #[test]
    fn the_standard_header_is_read_as_rfc_7239_says() {
        let found = |lines: &[&str]| client(ForwardedHeader::Forwarded, lines);
        assert_eq!(found(&["for=192.0.2.60;proto=http;by=203.0.113.43"]).as_deref(), Some("192.0.2.60"));
        assert_eq!(found(&["For=1.1.1.1, for=\"[2001:db9::17]:4711\""]).as_deref(), Some("2001:db9::17"));
        assert_eq!(found(&["for=192.0.2.60, for=10.0.0.1"]).as_deref(), Some("192.0.2.60"));
        assert_eq!(found(&["for=_hidden"]), None);
        assert_eq!(found(&["proto=https"]), None);
    }
}
