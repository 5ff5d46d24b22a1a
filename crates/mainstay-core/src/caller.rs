//! Who is calling, and with what request.
use std::{collections::BTreeMap, sync::Arc};

use mainstay_expr::Value;
use mainstay_store::Author;

use crate::Once;

/// Who is calling.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody that we know.
    Anonymous,
    /// Somebody with a verified token.
    User(Arc<Identity>),
    /// Somebody who may do everything; rules do not apply, checks do.
    Admin(AdminPass),
}

/// A verified identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// `auth.id`: never empty.
    pub id: Arc<str>,
    /// `auth.roles`.
    pub roles: Arc<[Value]>,
    /// `auth.claims`: the declared claims that the token carries, in their declared types.
    pub claims: BTreeMap<Arc<str>, Value>,
}

/// The right to do everything. It cannot be made by accident: each way to one says why it is given.
#[derive(Clone, Debug)]
pub struct AdminPass {
    identity: Arc<Identity>,
    reason: &'static str,
}

impl AdminPass {
    /// A pass for somebody whose token says so and has been verified.
    pub fn for_verified_token(identity: Arc<Identity>) -> AdminPass {
        AdminPass { identity, reason: "a verified admin token" }
    }

    /// A pass for a command run by whoever holds the project folder, with the reason that the log shows.
    pub fn for_command(reason: &'static str) -> AdminPass {
        let identity = Identity { id: "command".into(), roles: Arc::from([]), claims: BTreeMap::new() };
        AdminPass { identity: Arc::new(identity), reason }
    }

    /// Why it was given.
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl Caller {
    /// Who it is, if anybody.
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        match self {
            Caller::Anonymous => None,
            Caller::User(identity) => Some(identity),
            Caller::Admin(pass) => Some(&pass.identity),
        }
    }

    /// Whether rules do not apply.
    pub fn is_admin(&self) -> bool {
        matches!(self, Caller::Admin(_))
    }
}

/// What is known of one request besides the operation: who calls, when, from where.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who is calling.
    pub caller: Caller,
    /// `request.time`, in microseconds since 1970; the same through the whole request.
    pub time_micros: i64,
    /// `request.ip`.
    pub ip: Arc<str>,
    /// `request.method`.
    pub method: Arc<str>,
    /// `request.host`.
    pub host: Arc<str>,
    /// The id of the request, which the change feed tells; writes have one.
    pub id: Option<Arc<str>>,
    /// The key that its write is done once for.
    pub once: Option<Arc<Once>>,
}

impl Request {
    /// Who writes, as the change feed tells it.
    pub(crate) fn author(&self) -> Author {
        Author { caller: self.caller.identity().map(|identity| identity.id.clone()), request: self.id.clone() }
    }

    /// Whether nothing is hidden from the caller.
    pub fn is_admin(&self) -> bool {
        self.caller.is_admin()
    }
}
