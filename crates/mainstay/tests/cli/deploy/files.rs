//! What of deploy/ cannot be executed here, held to what broke once.
use std::{fs, net::Ipv4Addr, path::Path, process::Command};

use tempfile::TempDir;

use super::file;

/// The value behind a key, in a line of its own.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(key));
    found.unwrap_or_else(|| panic!("no {key} in {text}")).trim()
}

#[test]
fn no_secret_stands_in_a_file_that_the_cluster_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes");
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("kind: Secret"), "{text}");
    }
    assert!(file("kubernetes/mainstay.yaml").starts_with(
        "# Nodes on a PostgreSQL that is there already: kubectl apply -f deploy/kubernetes/mainstay.yaml\n"
    ));
}

/// The greatest number of connections is told where the number of nodes is.
#[test]
fn the_connections_of_a_cluster_are_counted_as_the_server_counts_them() {
    let text = file("kubernetes/mainstay.yaml");
    let nodes: usize = value(&text, "maxReplicas:").parse().unwrap();
    let surge: usize = value(&text, "maxSurge:").parse().unwrap();
    let each = text.split("name: MAINSTAY_DATABASE_CONNECTIONS").nth(1).unwrap();
    let each: usize = value(each, "value:").trim_matches('"').parse().unwrap();
    let told = format!("({nodes} + {surge}) × {} = {}", each + 6, (nodes + surge) * (each + 6));
    assert!(text.contains(&told), "{told}");
}

#[test]
fn a_unit_is_tried_until_its_database_is_there() {
    let text = file("systemd/mainstay@.service");
    let (unit, service) = text.split_once("[Service]").unwrap();
    assert_eq!(value(unit, "StartLimitIntervalSec="), "0");
    assert_eq!(value(service, "Restart="), "on-failure");
}

/// The proxy is believed, and nothing else that is in its network: not the gateway, by which requests from outside may come.
#[test]
fn nodes_of_compose_believe_the_proxy_alone() {
    let text = file("docker/compose.yaml");
    let proxy = value(&text, "MAINSTAY_SERVER_TRUSTED_PROXIES:");
    assert_eq!(value(&text, "ipv4_address:"), proxy);
    let (subnet, range) = (value(&text, "subnet:"), value(&text, "ip_range:"));
    let [subnet, range] = [subnet, range].map(|net| net.parse::<ipnet::Ipv4Net>().unwrap());
    let proxy: Ipv4Addr = proxy.parse().unwrap();
    assert!(subnet.contains(&proxy) && subnet.contains(&range) && !range.contains(&proxy));
}

/// What says how SQLite is compiled is there when the image is.
#[test]
fn an_image_is_built_as_a_checkout_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ignored = fs::read_to_string(root.join(".dockerignore")).unwrap();
    let named: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let settings = fs::read_to_string(root.join(".cargo/config.toml")).unwrap();
    assert!(settings.contains("LIBSQLITE3_FLAGS") && named.contains(&".cargo/config.toml"), "{named:?}");
    // All members of the workspace, or Cargo reads none of them.
    for member in ["Cargo.toml", "Cargo.lock", "crates", "bench", "xtask"] {
        assert!(named.contains(&member), "{member}");
    }
}

/// HAProxy takes the configuration of its container, where no name of a node is known.
#[test]
fn the_proxy_of_compose_starts_before_its_nodes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("haproxy.cfg");
    fs::write(&path, file("docker/haproxy.cfg")).unwrap();
    let output = Command::new("haproxy").arg("-c").arg("-f").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Both configurations of HAProxy are the same but for where nodes are.
#[test]
fn the_proxies_of_haproxy_differ_in_addresses_alone() {
    let lines = |path: &str| -> Vec<String> {
        let text = file(path);
        let (head, resolved) = text.split_once("# The names of containers.").unwrap_or((&text, ""));
        let rest = resolved.split_once("frontend api").map_or("", |(_, rest)| rest);
        let lines = head.lines().chain(rest.lines()).map(|line| line.split(" resolvers ").next().unwrap().trim());
        let is_own = |line: &&str| {
            let own = ["#", "bind ", "server ", "frontend "];
            !line.is_empty() && !own.iter().any(|own| line.starts_with(own))
        };
        lines.filter(is_own).map(str::to_owned).collect()
    };
    assert_eq!(lines("docker/haproxy.cfg"), lines("haproxy/haproxy.cfg"));
}
