//! The keys of a project: that of cursors is in its database, the secret of development beside it, readable by its owner alone.
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use mainstay_auth::{AuthSettings, random_secret};
use mainstay_store::Store;

use crate::{failure::Failure, project::Project};

/// Whether a key may be made up where the settings have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Development: a secret is made and kept in the data folder.
    Development,
    /// Production: keys come from the settings.
    Production,
}

/// What the key of cursors is called in the database.
const CURSOR_KEY: &str = "cursor";
/// Bytes of it.
const CURSOR_KEY_BYTES: usize = 32;

/// The key that cursors are authenticated with: in the database, the same for all of its nodes. Earlier versions kept it in a file,
/// which becomes it.
pub(crate) fn cursor_key(project: &Project, store: &Store) -> Result<[u8; CURSOR_KEY_BYTES], Failure> {
    let path = project.data_folder()?.join("cursor_key");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            random_secret().map_err(|error| Failure::new("keys", error.to_string()))?
        }
        Err(error) => return Err(Failure::io(path.display(), &error)),
    };
    let candidate = read_key(&text).ok_or_else(|| {
        Failure::new("keys", format!("{}: it does not hold 64 hexadecimal digits", path.display()))
            .hint("delete it: a new one is made, and cursors that are under way end")
    })?;
    let key = store.key(CURSOR_KEY, &candidate).map_err(Failure::database)?;
    key.try_into().map_err(|_| {
        Failure::new("keys", format!("mainstay_keys: the key \"{CURSOR_KEY}\" has not {CURSOR_KEY_BYTES} bytes"))
            .hint("delete its row: a new one is made, and cursors that are under way end")
    })
}

fn read_key(hex: &str) -> Option<[u8; CURSOR_KEY_BYTES]> {
    let mut key = [0; CURSOR_KEY_BYTES];
    for (at, byte) in key.iter_mut().enumerate() {
        let digits = hex.get(2 * at..2 * at + 2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}

/// What tokens are verified against.
pub(crate) fn auth_settings(project: &Project, mode: Mode) -> Result<AuthSettings, Failure> {
    let auth = &project.settings.auth;
    let file = |setting: &str, path: &str| {
        let full = project.path(path);
        let read = || fs::read_to_string(&full).map_err(|error| Failure::io(format!("auth.{setting}: {path}"), &error));
        if path.is_empty() { Ok(None) } else { read().map(Some) }
    };
    let secret = if !auth.jwt_secret.is_empty() {
        Some(auth.jwt_secret.clone())
    } else if !auth.has_key() && mode == Mode::Development {
        Some(dev_secret(project)?)
    } else {
        None
    };
    if secret.is_none() && !auth.has_key() && !auth.anonymous_only {
        return Err(Failure::new("no_keys", "no key is configured to verify callers with")
            .hint("set auth.jwt_secret = \"env:NAME\", auth.jwt_public_key_file or auth.jwks_file; auth.anonymous_only = true does without"));
    }
    if auth.takes_tokens_for_others() && mode == Mode::Production {
        tracing::warn!(
            "auth.audience is not set: tokens that the keys of auth.jwks_file made for other services are taken too"
        );
    }
    Ok(AuthSettings {
        secret,
        public_key_pem: file("jwt_public_key_file", &auth.jwt_public_key_file)?,
        jwks_json: file("jwks_file", &auth.jwks_file)?,
        jwks_admin: auth.jwks_admin,
        issuers: auth.issuer.clone(),
        audiences: auth.audience.clone(),
        leeway_s: auth.leeway_s,
        cache_max: auth.tokens_max,
        token_length_max: auth.token_length_max,
        ..AuthSettings::default()
    })
}

/// The secret that development uses where none is configured.
pub(crate) fn dev_secret(project: &Project) -> Result<String, Failure> {
    kept(&project.data_folder()?.join("jwt_secret"))
}

/// The secret in a file; a random one is put there first if there is none.
fn kept(path: &Path) -> Result<String, Failure> {
    let failure = |error: io::Error| Failure::io(path.display(), &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failure)?;
    }
    let secret = random_secret().map_err(|error| Failure::new("keys", error.to_string()))?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(secret.as_bytes()).and_then(|()| file.sync_all()).map_err(failure)?;
            Ok(secret)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(fs::read_to_string(path).map_err(failure)?.trim().to_owned())
        }
        Err(error) => Err(failure(error)),
    }
}
