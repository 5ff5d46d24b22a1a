//! The address of a database: what libpq reads, with `sslmode` and `sslrootcert` taken out of it.
use std::{net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

use crate::{OpenError, Pgbouncer, Place, Settings};

/// The port of a server that does not say another one.
const PORT: u16 = 5432;
/// What connections call themselves, unless the address says.
const APPLICATION: &str = "mainstay";
/// How long a connection may be silent before the system asks whether the other side is there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// The longest that the system takes for what the other side does not take.
const USER_TIMEOUT_MAX: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

/// How far TLS is asked for and its certificate looked at, as libpq means it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tls {
    /// Never.
    Disable,
    /// Where the server has it; nobody looks at the certificate.
    #[default]
    Prefer,
    /// Always; nobody looks at the certificate.
    Require,
    /// Always; an authority that is trusted has signed the certificate.
    VerifyCa,
    /// Always; an authority that is trusted has signed the certificate for this host.
    VerifyFull,
}

/// Where the certificates of the authorities are that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Roots {
    /// Where the system keeps them.
    #[default]
    System,
    /// In this file.
    File(PathBuf),
}

/// An address, read.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: Tls,
    pub(super) roots: Roots,
    /// How long a connection may take to be made.
    pub(super) connect: Duration,
}

/// What of an address the settings speak of where it says nothing.
#[derive(Default)]
struct Given {
    keepalives_idle: bool,
    tcp_user_timeout: Option<Duration>,
}

impl Address {
    /// Reads an address. The messages do not show it: it may hold a password.
    pub(super) fn read(url: &str, settings: &Settings) -> Result<Address, OpenError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut tls, mut roots, mut rest, mut given) = (None, None, Vec::new(), Given::default());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => tls = Some(mode_named(mode)?),
                Some(("sslrootcert", file)) => roots = Some(roots_named(&decoded(file))),
                Some((name @ ("sslcert" | "sslkey" | "sslcrl" | "sslpassword" | "gssencmode" | "service"), _)) => {
                    return Err(refused(&format!("\"{name}\" is not available")));
                }
                Some(("tcp_user_timeout", ms)) => given.tcp_user_timeout = Some(milliseconds(ms)?),
                other => {
                    given.keepalives_idle |= other.is_some_and(|(name, _)| name == "keepalives_idle");
                    rest.push(pair);
                }
            }
        }
        let tls = match (tls, &roots) {
            // As libpq: who names an authority wants it to be asked; who trusts all of the system's wants the host's name.
            (Some(Tls::Require), Some(Roots::File(_))) => Tls::VerifyCa,
            (None, Some(Roots::System)) => Tls::VerifyFull,
            (Some(mode), Some(Roots::System)) if mode != Tls::VerifyFull => {
                return Err(refused("sslrootcert=system goes with sslmode=verify-full alone"));
            }
            (tls, _) => tls.unwrap_or_default(),
        };
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config = Config::from_str(&url).map_err(|error| refused(&cause(&error)))?;
        let ours = Duration::from_millis(settings.postgres.connect_timeout_ms.max(1));
        let connect = config.get_connect_timeout().copied().unwrap_or(ours);
        prepare(&mut config, tls, settings)?;
        wait(&mut config, connect, &given, settings);
        Ok(Address { config, tls, roots: roots.unwrap_or_default(), connect })
    }

    /// The host and the database, for people.
    pub(super) fn shown(&self) -> String {
        format!("\"{}\" on {}", self.config.get_dbname().unwrap_or("postgres"), self.host())
    }

    /// The first host with its port, for people.
    pub(super) fn host(&self) -> String {
        format!("{}:{}", self.host_name(), self.config.get_ports().first().copied().unwrap_or(PORT))
    }

    /// The first host, for people.
    pub(super) fn host_name(&self) -> String {
        let address = || self.config.get_hostaddrs().first().map_or_else(String::new, ToString::to_string);
        self.config.get_hosts().first().map_or_else(address, |host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
    }
}

impl Address {
    /// Where the database is, as far as people may see it.
    pub(super) fn place(&self) -> Place {
        let is_name_local = |name: &str| {
            let address = name.parse::<IpAddr>();
            address.map_or(name == "localhost" || name.ends_with(".localhost"), |address| address.is_loopback())
        };
        let is_host_local = |host: &Host| match host {
            Host::Tcp(name) => is_name_local(name),
            Host::Unix(_) => true,
        };
        let is_local = match self.config.get_hostaddrs() {
            [] => self.config.get_hosts().iter().all(is_host_local),
            addresses => addresses.iter().all(IpAddr::is_loopback),
        };
        Place { shown: self.shown(), is_local }
    }
}

fn prepare(config: &mut Config, tls: Tls, settings: &Settings) -> Result<(), OpenError> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(refused("it names no host"));
    }
    // No TLS through a socket of this machine, as with libpq.
    let is_local =
        config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) && !config.get_hosts().is_empty();
    config.ssl_mode(match tls {
        Tls::Disable => SslMode::Disable,
        _ if is_local => SslMode::Disable,
        Tls::Prefer => SslMode::Prefer,
        Tls::Require | Tls::VerifyCa | Tls::VerifyFull => SslMode::Require,
    });
    if config.get_application_name().is_none() {
        config.application_name(APPLICATION);
    }
    if settings.postgres.pgbouncer == Pgbouncer::Transaction && config.get_options().is_some() {
        return Err(refused("\"options\" does not go through pgbouncer"));
    }
    Ok(())
}

/// How long the other side is waited for.
fn wait(config: &mut Config, connect: Duration, given: &Given, settings: &Settings) {
    config.connect_timeout(connect);
    if !given.keepalives_idle {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    // What was sent and is not taken by the other side's system for so long ends the connection.
    let ours = Duration::from_millis(settings.statement_ms_max).saturating_add(connect);
    config.tcp_user_timeout(given.tcp_user_timeout.unwrap_or(ours).min(USER_TIMEOUT_MAX));
}

/// A number of milliseconds, as libpq has it.
fn milliseconds(text: &str) -> Result<Duration, OpenError> {
    let not_one = || refused(&format!("the tcp_user_timeout \"{text}\" is no number of milliseconds"));
    text.parse().map(Duration::from_millis).map_err(|_| not_one())
}

fn mode_named(mode: &str) -> Result<Tls, OpenError> {
    match mode {
        "disable" => Ok(Tls::Disable),
        "prefer" => Ok(Tls::Prefer),
        "require" => Ok(Tls::Require),
        "verify-ca" => Ok(Tls::VerifyCa),
        "verify-full" => Ok(Tls::VerifyFull),
        "allow" => Err(refused("sslmode \"allow\" is not available; \"prefer\" takes TLS where the server has it")),
        other => {
            let known = "disable, prefer, require, verify-ca, verify-full";
            Err(refused(&format!("there is no sslmode \"{other}\": {known}")))
        }
    }
}

fn roots_named(file: &str) -> Roots {
    if file == "system" { Roots::System } else { Roots::File(file.into()) }
}

/// Percent-encoded text as it is meant.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match (byte, pair(behind)) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &behind[2..];
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The two hexadecimal digits that come next.
fn pair(bytes: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(bytes.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

/// What the parser of addresses says, without the value.
fn cause(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn refused(reason: &str) -> OpenError {
    OpenError { message: format!("the address of the database (database.url) is not understood: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address, String> {
        Address::read(url, &Settings::at("")).map_err(|error| error.message)
    }

    #[test]
    fn sslmode_is_read_as_libpq_does() {
        let check = |query: &str, expected: Tls| {
            assert_eq!(read(&format!("postgres://u:p@h/d{query}")).expect("an address").tls, expected, "{query}");
        };
        check("", Tls::Prefer);
        check("?sslmode=disable", Tls::Disable);
        check("?sslmode=require&application_name=x", Tls::Require);
        check("?sslmode=require&sslrootcert=/etc/ca.pem", Tls::VerifyCa);
        check("?sslmode=verify-full&sslrootcert=/etc/ca.pem", Tls::VerifyFull);
        check("?sslrootcert=system", Tls::VerifyFull);
    }

    #[test]
    fn addresses_that_are_not_understood_are_refused_without_their_password() {
        for (url, reason) in [
            ("postgres://u:geheim@h/d?sslmode=allow", "sslmode \"allow\" is not available"),
            ("postgres://u:geheim@h/d?sslmode=vollstaendig", "there is no sslmode \"vollstaendig\""),
            ("postgres://u:geheim@h/d?sslmode=require&sslrootcert=system", "verify-full alone"),
            ("postgres://u:geheim@h/d?sslcert=x", "\"sslcert\" is not available"),
            ("postgres:///d", "no host"),
            ("postgres://u:geheim@h/d?tcp_user_timeout=soon", "\"soon\" is no number of milliseconds"),
            ("postgres://u:geheim@h/d?unheard=of", "unheard"),
        ] {
            let refused = read(url).expect_err("it is refused");
            assert!(refused.contains(reason) && !refused.contains("geheim"), "{refused}");
        }
    }

    #[test]
    fn what_the_address_says_of_waiting_goes_before_the_settings() {
        let waits = |query: &str| {
            let Address { config, connect, .. } = read(&format!("postgres://h/d{query}")).expect("an address");
            assert_eq!(config.get_connect_timeout(), Some(&connect));
            let user = config.get_tcp_user_timeout().copied().expect("a timeout");
            [connect, config.get_keepalives_idle(), user].map(|wait| wait.as_millis())
        };
        let [connect, idle, user] = waits("");
        assert_eq!((connect, idle, user), (5_000, 30_000, 15_000));
        assert_eq!(waits("?connect_timeout=7&keepalives_idle=40&tcp_user_timeout=900"), [7_000, 40_000, 900]);
        assert_eq!(waits("?connect_timeout=2"), [2_000, idle, user - 3_000]);
        assert_eq!(waits("?connect_timeout=0"), [connect, idle, user]);
    }

    #[test]
    fn a_database_is_local_where_all_its_hosts_are() {
        let is_local = |url: &str| read(url).expect("an address").place().is_local;
        for url in ["postgres://localhost/d", "postgres://127.0.0.9/d", "postgres://[::1]:1/d", "postgres://%2Ftmp/d"] {
            assert!(is_local(url), "{url}");
        }
        assert!(is_local("postgres://db.example.org/d?hostaddr=127.0.0.1"));
        for url in
            ["postgres://db/d", "postgres://10.0.0.1/d", "postgres://localhost,db/d", "postgres://db.localhost.org/d"]
        {
            assert!(!is_local(url), "{url}");
        }
        assert!(!is_local("postgres://localhost/d?hostaddr=10.0.0.1"));
    }

    #[test]
    fn percent_signs_in_paths_are_decoded() {
        let address = read("postgres://h/d?sslmode=verify-ca&sslrootcert=%2Fetc%2Fmy%20ca.pem").expect("an address");
        assert_eq!(address.roots, Roots::File("/etc/my ca.pem".into()));
        assert_eq!(address.shown(), "\"d\" on h:5432");
    }
}
