//! `sslmode` and `sslrootcert`, as libpq means them.
use std::{fs, path::Path, process::Command};

use mainstay_test_db::postgres_only;

use super::{Site, check};

/// Who comes in encrypted alone, and who comes in as plain text alone.
const ADMITTED: &str =
    "local all all trust\nhostssl all sealed 127.0.0.1/32 trust\nhostnossl all plain 127.0.0.1/32 trust\n";

/// Keys and certificates, made by `openssl`.
struct Authority<'f> {
    folder: &'f Path,
    name: &'static str,
}

impl<'f> Authority<'f> {
    fn new(folder: &'f Path, name: &'static str) -> Authority<'f> {
        let of = Authority { folder, name };
        let subject = format!("/CN={name}");
        let (key, certificate) = (of.file("key"), of.certificate());
        openssl(&["req", "-x509", "-keyout", &key, "-out", &certificate, "-subj", &subject, "-days", "30"]);
        of
    }

    fn file(&self, ending: &str) -> String {
        self.folder.join(format!("{}.{ending}", self.name)).display().to_string()
    }

    fn certificate(&self) -> String {
        self.file("crt")
    }

    /// The key and the certificate of a server called `localhost`, good for so many days.
    fn sign(&self, days: &str) -> [String; 2] {
        let (key, request, signed, names) =
            (self.file("s.key"), self.file("s.csr"), self.file("s.crt"), self.file("s.ext"));
        fs::write(&names, "subjectAltName=DNS:localhost").unwrap();
        openssl(&["req", "-keyout", &key, "-out", &request, "-subj", "/CN=localhost"]);
        let (authority, own) = (self.certificate(), self.file("key"));
        let by = ["-CA", &authority, "-CAkey", &own, "-CAcreateserial", "-days", days, "-extfile", &names];
        openssl(&[&["x509", "-req", "-in", &request, "-out", &signed], &by[..]].concat());
        [key, signed].map(|file| fs::read_to_string(file).unwrap())
    }
}

fn openssl(arguments: &[&str]) {
    let mut command = Command::new("openssl");
    command.args(arguments);
    if arguments[0] == "req" {
        command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn certificates_are_looked_at_as_far_as_the_mode_says() {
    postgres_only!("a server with certificates");
    let folder = tempfile::tempdir().unwrap();
    let (ours, others) = (Authority::new(folder.path(), "ours"), Authority::new(folder.path(), "others"));
    let site = Site::new();
    site.server.sql("postgres", &["CREATE ROLE sealed LOGIN SUPERUSER", "CREATE ROLE plain LOGIN SUPERUSER"]).unwrap();
    site.server.reconfigure("", ADMITTED).unwrap();
    let named = |of: &Authority<'_>| format!("&sslrootcert={}", of.certificate());
    let (ours_named, others_named) = (named(&ours), named(&others));

    // Without TLS.
    let check_all = |cases: &[(&str, &str, &str, &str, Option<&str>)]| {
        for (user, host, mode, rest, refused) in cases {
            let case = format!("{user} {host} {mode} {rest}");
            check(&site.open(user, host, "postgres", &format!("sslmode={mode}{rest}")), *refused, &case);
        }
    };
    check_all(&[
        ("plain", "localhost", "disable", "", None),
        ("plain", "localhost", "prefer", "", None),
        ("plain", "localhost", "require", "", Some("server does not support TLS")),
        ("plain", "localhost", "verify-full", &ours_named, Some("server does not support TLS")),
    ]);

    let [key, certificate] = ours.sign("30");
    site.server.put("server.key", &key).unwrap();
    site.server.put("server.crt", &certificate).unwrap();
    site.server.reconfigure("ssl = on", "").unwrap();
    let (unknown, other_name) =
        ("is signed by nobody who is trusted; sslrootcert names", "the server's certificate is for another host");
    check_all(&[
        ("plain", "localhost", "disable", "", None),
        ("sealed", "localhost", "disable", "", Some("no encryption")),
        ("sealed", "localhost", "prefer", "", None),
        // As libpq does it: what is refused encrypted is asked for in plain text.
        ("plain", "localhost", "prefer", "", None),
        ("plain", "localhost", "require", "", Some("SSL encryption")),
        ("sealed", "127.0.0.1", "require", "", None),
        ("sealed", "localhost", "require", &others_named, Some(unknown)),
        ("sealed", "127.0.0.1", "verify-ca", &ours_named, None),
        ("sealed", "127.0.0.1", "verify-ca", &others_named, Some(unknown)),
        ("sealed", "localhost", "verify-ca", "", Some(unknown)),
        ("sealed", "localhost", "verify-full", &ours_named, None),
        ("sealed", "127.0.0.1", "verify-full", &ours_named, Some(other_name)),
        ("sealed", "localhost", "verify-full", &others_named, Some(unknown)),
        ("sealed", "localhost", "verify-full", "&sslrootcert=system", Some(unknown)),
        ("sealed", "localhost", "verify-full", "&sslrootcert=/no/such/file", Some("sslrootcert \"/no/such/file\"")),
    ]);

    let [key, certificate] = ours.sign("-1");
    site.server.put("server.key", &key).unwrap();
    site.server.put("server.crt", &certificate).unwrap();
    site.server.reconfigure("", "").unwrap();
    check_all(&[
        ("sealed", "localhost", "require", "", None),
        ("sealed", "localhost", "verify-ca", &ours_named, Some("the server's certificate has expired")),
        ("sealed", "localhost", "verify-full", &ours_named, Some("the server's certificate has expired")),
    ]);
}
