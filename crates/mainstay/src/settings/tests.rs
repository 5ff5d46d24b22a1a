//! Settings: defaults, files, the environment.
#![expect(clippy::unwrap_used, reason = "a test may fail where it likes")]

use mainstay_store::Location;

use super::*;

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Failure> {
    let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::parse(text, "mainstay.toml", &variables)
}

fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    parse(text, variables).unwrap_err().to_string()
}

#[test]
fn without_a_file_everything_has_its_default() {
    let settings = parse("", &[]).unwrap();
    assert_eq!(settings.server.listen, "127.0.0.1:8090");
    assert_eq!(settings.database.location(Path::new("/app")).unwrap(), Location::File("/app/data/mainstay.db".into()));
    assert!(settings.database.durable && !settings.auth.has_key());
    assert_eq!(settings.limits.core().page_max, 1_000);
}

#[test]
fn an_unknown_setting_is_named_with_its_place() {
    let shown = refusal("[server]\nlistn = \"x\"\n", &[]);
    assert!(shown.starts_with("error: mainstay.toml:2:1: unknown field \"listn\""), "{shown}");
    assert!(shown.ends_with("hint: do you mean \"listen\"?"), "{shown}");
    assert!(refusal("[sever]\n", &[]).contains("unknown field \"sever\""));
    assert!(refusal("[server]\nlisten = 8090\n", &[]).contains("mainstay.toml:2:10: invalid type: integer"));
    assert!(refusal("[server\n", &[]).contains("mainstay.toml:1:"));
}

#[test]
fn the_environment_goes_over_the_file() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\npage_max = 5\n";
    let variables = [
        ("MAINSTAY_SERVER_LISTEN", "127.0.0.1:2"),
        ("MAINSTAY_DATABASE_DURABLE", "false"),
        ("MAINSTAY_LIMITS_PAGE_MAX", "7"),
        ("MAINSTAY_AUTH_AUDIENCE", "api, web"),
        ("MAINSTAY_AUTH_JWT_SECRET", "12345"),
    ];
    let settings = parse(file, &variables).unwrap();
    assert_eq!((settings.server.listen.as_str(), settings.limits.page_max), ("127.0.0.1:2", 7));
    assert!(!settings.database.durable);
    assert_eq!(settings.auth.audience, ["api", "web"]);
    assert_eq!(settings.auth.jwt_secret, "12345");
}

#[test]
fn an_issuer_is_one_text_or_several() {
    let of = |value: &str| parse(&format!("[auth]\nissuer = {value}\n"), &[]).map(|settings| settings.auth.issuer);
    assert_eq!(of("\"a\"").unwrap(), ["a"]);
    assert_eq!(of("[\"a\", \"b\"]").unwrap(), ["a", "b"]);
    assert!(of("1").unwrap_err().to_string().contains("expected a text or a list of texts"));
}

#[test]
fn a_wrong_variable_is_named() {
    let shown = refusal("", &[("MAINSTAY_SERVER_LISTN", "x")]);
    assert_eq!(
        shown,
        "error: MAINSTAY_SERVER_LISTN: [server] has no setting \"listn\"\n hint: do you mean MAINSTAY_SERVER_LISTEN?"
    );
    let shown = refusal("", &[("MAINSTAY_LIMITS_PAGE_MAX", "many")]);
    assert_eq!(shown, "error: MAINSTAY_LIMITS_PAGE_MAX: expected a whole number, found \"many\"");
    assert!(parse("", &[("MAINSTAY_SERVICE_HOST", "10.0.0.1"), ("MAINSTAY_PORT", "tcp://10.0.0.1")]).is_ok());
}

#[test]
fn secrets_come_from_the_environment() {
    let file = "[auth]\njwt_secret = \"env:JWT_SECRET\"\n";
    assert_eq!(parse(file, &[("JWT_SECRET", "s")]).unwrap().auth.jwt_secret, "s");
    let missing = "error: auth.jwt_secret: the variable \"JWT_SECRET\" is not set";
    assert_eq!(refusal(file, &[]), missing);
    assert_eq!(refusal(file, &[("JWT_SECRET", "")]), missing);
    assert!(!format!("{:?}", parse(file, &[("JWT_SECRET", "geheim")]).unwrap()).contains("geheim"));
}

#[test]
fn the_address_says_which_database() {
    let at = |url: &str| {
        let settings = parse(&format!("[database]\nurl = \"{url}\"\n"), &[]).unwrap();
        settings.database.location(Path::new("/app")).map_err(|refused| refused.message)
    };
    let refused = at("mysql://me:secret@db/x").unwrap_err();
    assert_eq!(refused, "database.url: there is no kind of database \"mysql\"");
    assert_eq!(at("data/x.db").unwrap_err(), "database.url: it has no kind");
    assert_eq!(at("sqlite:").unwrap_err(), "database.url: it names no file");
    assert_eq!(at("sqlite:/var/lib/x.db").unwrap(), Location::File("/var/lib/x.db".into()));
    assert_eq!(at("").unwrap(), Location::File("/app/data/mainstay.db".into()));
    let url = "postgres://me:secret@db/x";
    assert_eq!(at(url).unwrap(), Location::Postgres(url.into()));
    let settings = parse(&format!("[database]\nurl = \"{url}\"\n"), &[]).unwrap();
    assert!(!format!("{settings:?} {:?}", at(url)).contains("secret"));
}

#[test]
fn every_setting_is_in_the_documentation_with_its_default() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md")).unwrap();
    let mut rows = Vec::new();
    for (area, settings) in Table::try_from(Settings::default()).unwrap() {
        let Value::Table(settings) = settings else { panic!("{area} is no area") };
        for (key, value) in settings {
            match value {
                // An area inside of an area.
                Value::Table(inner) => {
                    rows.extend(
                        inner.into_iter().map(|(name, value)| format!("| `{area}.{key}.{name}` | `{value}` |")),
                    );
                }
                value => rows.push(format!("| `{area}.{key}` | `{value}` |")),
            }
        }
    }
    let missing: Vec<_> = rows.iter().filter(|row| !page.contains(*row)).collect();
    assert!(missing.is_empty(), "docs/settings.md lacks {missing:#?}");
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), rows.len(), "docs/settings.md has more");
}

#[test]
fn proxies_are_addresses_or_networks_and_nodes_have_plain_names() {
    let settings = parse("[server]\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\", \"::1\"]\n", &[]).unwrap();
    assert_eq!(settings.server.http(None).forwarded.trusted_proxies.len(), 3);
    let refused = refusal("[server]\ntrusted_proxies = [\"proxy.internal\"]\n", &[]);
    assert!(refused.contains("\"proxy.internal\" is neither an address nor a network"), "{refused}");
    assert!(refusal("[server]\nforwarded_header = \"x-real-ip\"\n", &[]).contains("x-real-ip"));
    let named = parse("[server]\nnode = \"a-1\"\nnode_header = true\n", &[]).unwrap().server.http(None);
    assert_eq!(named.node.unwrap(), "a-1");
    assert!(parse("[server]\nnode = \"a-1\"\n", &[]).unwrap().server.http(None).node.is_none());
    assert!(refusal("[server]\nnode = \"a b\"\n", &[]).contains("\"a b\" is no name"));
}

#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    for (setting, value, told) in [
        ("server.listen", "\"99999\"", "server.listen: \"99999\" is no address with a port"),
        ("server.listen", "\"localhost:99999\"", "\"localhost:99999\" is no address with a port"),
        ("server.listen", "\"http://localhost:80\"", "\"http://localhost:80\" is no address with a port"),
        ("server.listen", "\"a b:80\"", "\"a b:80\" is no address with a port"),
        ("server.listen", "\"a..b:80\"", "\"a..b:80\" is no address with a port"),
        ("server.listen", "\"[::1:80\"", "\"[::1:80\" is no address with a port"),
        ("server.cors.origins", "[\"app.example.com\"]", "server.cors.origins: \"app.example.com\" is no origin"),
        ("server.cors.origins", "[\"https://a.example/\"]", "\"https://a.example/\" is no origin"),
        ("server.cors.origins", "[\"https://a.example:xx\"]", "\"https://a.example:xx\" is no origin"),
        ("server.cors.origins", "[\"https://a.example:\"]", "\"https://a.example:\" is no origin"),
        ("server.cors.origins", "[\"https://a.example:99999\"]", "\"https://a.example:99999\" is no origin"),
        ("server.cors.origins", "[\"https://a b.example\"]", "\"https://a b.example\" is no origin"),
        ("log.level", "\"\"", "log.level: \"\" is no level"),
        ("log.level", "\",\"", "\",\" is no level"),
        ("log.level", "\"loud\"", "log.level: \"loud\" is no level"),
        ("log.level", "\"info,store=loud\"", "log.level: "),
        ("server.connections_max", "0", "server.connections_max: 0 is too little"),
        ("database.readers", "0", "database.readers: 0 is too little"),
    ] {
        let (area, key) = setting.rsplit_once('.').unwrap();
        let shown = refusal(&format!("[{area}]\n{key} = {value}\n"), &[]);
        assert!(shown.contains(told) && shown.contains("hint: "), "{setting} = {value}: {shown}");
    }
    for (setting, value) in [
        ("server.listen", "\"[::1]:0\""),
        ("server.listen", "\"[fe80::1%2]:0\""),
        ("server.listen", "\"::1:0\""),
        ("server.listen", "\"0:8090\""),
        ("server.listen", "\"app_1.internal.:8090\""),
        ("server.cors.origins", "[\"*\"]"),
        ("server.cors.origins", "[\"http://localhost:3000\", \"capacitor://localhost\"]"),
        ("server.cors.origins", "[\"http://[::1]:3000\", \"https://app_1.a-b.example:8443\"]"),
        ("log.level", "\"off\""),
        ("log.level", "\"info,mainstay_store=debug\""),
        ("limits.sort_max", "0"),
    ] {
        let (area, key) = setting.rsplit_once('.').unwrap();
        parse(&format!("[{area}]\n{key} = {value}\n"), &[]).unwrap();
    }
}

#[test]
fn what_has_to_be_at_least_1_is_a_number_that_is_there() {
    let defaults = Table::try_from(Settings::default()).unwrap();
    for name in NEVER_ZERO {
        let (area, key) = name.split_once('.').unwrap();
        assert!(defaults[area][key].as_integer().is_some_and(|value| value > 0), "{name}");
    }
}

#[test]
fn a_variable_that_does_not_fit_is_named() {
    let shown = refusal("", &[("MAINSTAY_SERVER_NODE", "a"), ("MAINSTAY_LIMITS_PAGE_MAX", "-1")]);
    assert!(shown.starts_with("error: MAINSTAY_LIMITS_PAGE_MAX: invalid value"), "{shown}");
    let shown = refusal("", &[("MAINSTAY_DATABASE_PGBOUNCER", "session")]);
    assert!(shown.starts_with("error: MAINSTAY_DATABASE_PGBOUNCER: unknown variant"), "{shown}");
}
