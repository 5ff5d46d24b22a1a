//! What is told of a server that cannot be used: a clear word each.
use mainstay_test_db::postgres_only;

use super::{Site, check, open};

const ADMITTED: &str =
    "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

#[test]
fn each_reason_has_its_words() {
    postgres_only!("a server with passwords and rights");
    let site = Site::new();
    site.server.reconfigure("", ADMITTED).unwrap();
    let server = &site.server;
    server
        .sql(
            "postgres",
            &[
                "CREATE ROLE app LOGIN PASSWORD 'geheim'",
                "CREATE ROLE guest LOGIN PASSWORD 'geheim'",
                "CREATE ROLE many LOGIN PASSWORD 'geheim' CONNECTION LIMIT 0",
                "CREATE DATABASE shop OWNER app",
                "CREATE DATABASE bare OWNER app",
                "CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'",
                "CREATE DATABASE frozen OWNER app",
                "ALTER DATABASE frozen SET default_transaction_read_only = on",
                "CREATE DATABASE old OWNER app",
                "ALTER DATABASE old SET search_path = fake, pg_catalog, public",
            ],
        )
        .unwrap();
    // It says that it is another version.
    server
        .sql(
            "old",
            &[
                "CREATE SCHEMA fake AUTHORIZATION app",
                "CREATE FUNCTION fake.current_setting(text) RETURNS text LANGUAGE sql AS \
                 $$ SELECT CASE $1 WHEN 'server_version_num' THEN '120017' ELSE pg_catalog.current_setting($1) END $$",
            ],
        )
        .unwrap();
    let cases = [
        ("app:geheim", "127.0.0.1", "shop", None),
        ("app:gehei", "127.0.0.1", "shop", Some("password authentication failed for user \"app\"")),
        ("app", "127.0.0.1", "shop", Some("the address holds no password")),
        ("nobody:geheim", "127.0.0.1", "shop", Some("password authentication failed for user \"nobody\"")),
        ("app:geheim", "db.invalid", "shop", Some("there is no host \"db.invalid\"")),
        ("app:geheim", "127.0.0.1", "shopp", Some("database \"shopp\" does not exist; CREATE DATABASE makes it")),
        (
            "guest:geheim",
            "127.0.0.1",
            "shop",
            Some("permission denied for table mainstay_schema; the user must own it"),
        ),
        ("guest:geheim", "127.0.0.1", "bare", Some("permission denied for schema public; the user must own it")),
        ("many:geheim", "127.0.0.1", "shop", Some("too many connections for role \"many\"; database.connections")),
        ("app:geheim", "127.0.0.1", "bytes", Some("its encoding is SQL_ASCII")),
        ("app:geheim", "127.0.0.1", "frozen", Some("default_transaction_read_only is on")),
        ("app:geheim", "127.0.0.1", "old", Some("the server is PostgreSQL 12, and 13 is the oldest that works")),
    ];
    for (user, host, database, refused) in cases {
        check(&site.open(user, host, database, "sslmode=disable"), refused, &format!("{user} {host} {database}"));
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = open(&format!("postgres://app:geheim@127.0.0.1:{port}/shop"));
    check(&nobody, Some("nobody listens at 127.0.0.1:"), "no server");
    // Somebody who never says a word.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let project = crate::support::Project::with_schema(super::SCHEMA)
        .env("MAINSTAY_DATABASE_URL", &format!("postgres://app:geheim@127.0.0.1:{port}/shop"))
        .env("MAINSTAY_DATABASE_CONNECT_TIMEOUT_MS", "200");
    check(&project.run(&["apply", "--yes"]), Some("no answer within 200 ms"), "a server without a word");

    // One that takes fewer connections than a process may want.
    server.reconfigure("max_connections = 12", "").unwrap();
    let few = site.open("app:geheim", "127.0.0.1", "shop", "sslmode=disable");
    check(&few, None, "few connections");
    let told = "takes 9 connections at most (max_connections), and this process may want 22";
    assert!(few.stderr.contains(told), "{}", few.stderr);

    // A server that follows another one takes no writes.
    server.end(mainstay_servers::Stop::Fast).unwrap();
    server.put("standby.signal", "").unwrap();
    server.begin().unwrap();
    check(&site.open("app:geheim", "127.0.0.1", "shop", "sslmode=disable"), Some("it is a standby"), "a standby");
}
