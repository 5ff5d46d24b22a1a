//! Settings, as far as they end a command.
use crate::support::Project;

const SCHEMA: &str = "type A @rules(read: \"true\") { b: String }";

#[test]
fn an_unknown_setting_is_named() {
    let project = Project::with_schema(SCHEMA);
    project.write("mainstay.toml", "[server]\nlisten = \"127.0.0.1:0\"\nports = 3\n");
    let ran = project.run(&["check"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("mainstay.toml:3:1: unknown field \"ports\""), "{}", ran.stderr);
}

#[test]
fn an_unknown_variable_is_named() {
    let ran = Project::with_schema(SCHEMA).env("MAINSTAY_SERVER_LISTN", "x").run(&["check"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("MAINSTAY_SERVER_LISTN: [server] has no setting \"listn\""), "{}", ran.stderr);
    assert!(ran.stderr.contains("do you mean MAINSTAY_SERVER_LISTEN?"), "{}", ran.stderr);
}

#[test]
fn a_database_of_another_kind_is_refused_by_name() {
    let project = Project::with_schema(SCHEMA).env("MAINSTAY_DATABASE_URL", "mongodb://me:geheim@db/app");
    let ran = project.run(&["plan"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("there is no kind of database \"mongodb\""), "{}", ran.stderr);
    assert!(!ran.stderr.contains("geheim"));
}

#[test]
fn an_address_that_is_taken_is_told() {
    let project = Project::with_schema(SCHEMA);
    let server = project.start(&["dev"]);
    let address = server.address();
    let other = Project::with_schema(SCHEMA).env("MAINSTAY_SERVER_LISTEN", address.trim_start_matches("http://"));
    let ran = other.run(&["dev"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("another program listens there"), "{}", ran.stderr);
}

/// What `serve` refuses of the settings, `check` refuses: a secret that is too short, an address that is none.
#[test]
fn check_looks_at_what_serve_looks_at() {
    for (name, value, told) in [
        ("MAINSTAY_AUTH_JWT_SECRET", "short", "the token secret has 5 bytes"),
        ("MAINSTAY_SERVER_LISTEN", "99999", "server.listen: \"99999\" is no address with a port"),
        ("MAINSTAY_SERVER_LISTEN", "http://localhost:80", "\"http://localhost:80\" is no address with a port"),
        ("MAINSTAY_SERVER_CORS_ORIGINS", "https://a.example:xx", "\"https://a.example:xx\" is no origin"),
        ("MAINSTAY_LOG_LEVEL", "", "log.level: \"\" is no level"),
        ("MAINSTAY_LIMITS_PAGE_MAX", "0", "limits.page_max: 0 is too little"),
    ] {
        for command in ["check", "serve"] {
            let ran = Project::with_schema(SCHEMA).env(name, value).run(&[command]);
            assert!(ran.code == Some(1) && ran.stderr.contains(told), "{command}, {name}: {}", ran.stderr);
        }
    }
}
