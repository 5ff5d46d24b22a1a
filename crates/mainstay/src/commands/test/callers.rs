//! The callers of tests, as tokens and as the server knows them.
use mainstay_auth::NewToken;
use mainstay_core::Caller;

use super::{
    file::{Step, TestFile, Who},
    runner::Runner,
    wire::Server,
};
use crate::failure::Failure;

/// How long the callers' tokens hold.
pub(super) const TTL_S: u32 = 3_600;

impl Runner<'_> {
    /// The token of the step's caller; `as_admin`: of the same person with the right to do everything.
    pub(super) fn token(
        &self,
        file: &TestFile,
        step: &Step,
        as_admin: bool,
        now: i64,
    ) -> Result<Option<String>, Failure> {
        if step.caller == "anonymous" && !as_admin {
            return Ok(None);
        }
        let admin = Who { admin: true, ..Who::default() };
        let who = file.callers.get(&step.caller).unwrap_or(&admin);
        let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let claims: Vec<(String, String)> =
            who.claims.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let new = NewToken {
            sub: who.id.as_deref().unwrap_or(&step.caller),
            roles: &who.roles,
            claims: &claims,
            admin: who.admin || as_admin,
            ttl_s: TTL_S,
        };
        self.tokens
            .make(&new, now)
            .map(Some)
            .map_err(|error| file.failure(step.line, format!("the caller \"{}\": {error}", step.caller)))
    }

    /// The caller as the server will know it.
    pub(super) fn caller(&self, server: &Server, file: &TestFile, step: &Step, now: i64) -> Result<Caller, Failure> {
        match self.token(file, step, false, now)? {
            None => Ok(Caller::Anonymous),
            Some(token) => server
                .authenticator
                .authenticate_token(&token, now)
                .map_err(|error| file.failure(step.line, format!("the caller \"{}\": {error}", step.caller))),
        }
    }
}
