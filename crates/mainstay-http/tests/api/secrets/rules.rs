//! The kinds of rules, and whom each hides what from.
use super::worlds::{PAST, THINGS, Thing};

/// A rule, and whom it hides a record from; a caller whom it refuses outright is the same in every world.
pub(super) struct Rule {
    /// What the page calls it.
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
    pub(super) hides: fn(&str, &Thing) -> bool,
}

pub(super) const RULES: [Rule; 11] = [
    Rule { kind: "nobody", text: "false", hides: |_, _| true },
    Rule { kind: "signed in", text: "auth != null", hides: |who, _| who.is_empty() },
    Rule { kind: "role", text: "'editor' in auth.roles", hides: |who, _| who != "eva" },
    Rule { kind: "owner", text: "owner == auth.id", hides: |who, thing| thing.owner != who },
    Rule { kind: "record", text: "open", hides: |_, thing| !thing.open },
    Rule { kind: "link", text: "holder.open", hides: |_, thing| thing.holder != 0 },
    Rule { kind: "either", text: "open || owner == auth.id", hides: |who, thing| !thing.open && thing.owner != who },
    Rule {
        kind: "member",
        text: "holder.things.exists(t, t.owner == auth.id && t.open)",
        hides: |who, thing| {
            !THINGS.iter().any(|other| other.holder == thing.holder && other.open && other.owner == who)
        },
    },
    Rule { kind: "claim", text: "org == auth.claims.org", hides: |who, thing| who != "emil" || thing.org != "east" },
    Rule { kind: "time", text: "until > request.time", hides: |_, thing| thing.until == PAST },
    Rule { kind: "another's rule", text: "can(holder, 'delete')", hides: |_, thing| thing.holder == 1 },
];

/// A field that is no field for anybody but admins.
pub(super) const HIDDEN: Rule = Rule { kind: "hidden", text: "@hidden", hides: |_, _| true };
