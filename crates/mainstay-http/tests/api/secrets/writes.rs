//! Writes that name what is hidden, and what they tell on purpose.
use super::{
    positions::{Call, Position},
    worlds::Guarded,
};

const T: &str = "/api/things";
const H: &str = "/api/holders";
const H0: &str = "/api/holders/by/name/h0";
const BATCH: &str = "/api/batch";
/// Of Bert, shut and in a shut holder; of Anna, open and in an open one.
const F: &str = "/api/things/00000000-0000-4000-8000-000000000010";
const A: &str = "/api/things/00000000-0000-4000-8000-00000000000a";

const fn send(method: &'static str, path: &'static str, body: &'static str) -> Call {
    Call::Send { method, path, body, headers: &[] }
}

const fn refused(name: &'static str, method: &'static str, path: &'static str, body: &'static str) -> Position {
    Position { name, call: send(method, path, body), refused: true }
}

const fn done(name: &'static str, method: &'static str, path: &'static str, body: &'static str) -> Position {
    Position { name, call: send(method, path, body), refused: false }
}

/// In an order: what one has changed, the next one finds.
pub(super) const WRITES: &[Position] = &[
    refused("change: what is hidden", "PATCH", F, "{'label': 'x'}"),
    refused("change: what is hidden, by a unique", "PATCH", "/api/things/by/code/f", "{'label': 'x'}"),
    refused("change: by a unique that may not be read", "PATCH", "/api/things/by/badge/bf0", "{'open': false}"),
    Position {
        name: "change: what is hidden, of a version",
        call: Call::Send { method: "PATCH", path: F, body: "{'label': 'x'}", headers: &[("if-match", "\"9\"")] },
        refused: true,
    },
    refused("link: to what is hidden", "PATCH", H0, "{'main': '00000000-0000-4000-8000-000000000010'}"),
    refused("link: by a unique", "PATCH", H0, "{'main': {'by': {'code': 'f'}}}"),
    refused("link: by a unique that may not be read", "PATCH", H0, "{'main': {'by': {'badge': 'bf0'}}}"),
    refused("link: one more", "PATCH", H0, "{'picked': {'add': ['00000000-0000-4000-8000-000000000010']}}"),
    done(
        "link: one less",
        "PATCH",
        "/api/holders/by/name/h0?fields=name,version,n:size(picked)",
        "{'picked': {'remove': ['00000000-0000-4000-8000-000000000010']}}",
    ),
    done(
        "link: one less, by a unique",
        "PATCH",
        "/api/holders/by/name/h0?fields=name,version,n:size(picked)",
        "{'picked': {'remove': [{'by': {'code': 'f'}}]}}",
    ),
    refused("link: the whole list", "PATCH", H0, "{'picked': ['00000000-0000-4000-8000-000000000010']}"),
    refused(
        "create: with a link",
        "POST",
        H,
        "{'name': 'new', 'open': true, 'main': '00000000-0000-4000-8000-000000000010'}",
    ),
    refused(
        "create: with a list of links",
        "POST",
        H,
        "[{'name': 'n1', 'open': true}, {'name': 'n2', 'open': true, 'picked': [{'by': {'code': 'f'}}]}]",
    ),
    refused(
        "create: records inside of records",
        "POST",
        H,
        "{'name': 'n', 'open': false, 'things': [{'code': 'n', 'owner': 'x', 'open': false, 'org': 'west', 'until': '2001-01-01T00:00:00Z', 'friends': [{'by': {'code': 'f'}}]}]}",
    ),
    refused(
        "upsert: with a link",
        "POST",
        "/api/holders?upsert=name",
        "{'name': 'h0', 'open': true, 'main': {'by': {'code': 'f'}}}",
    ),
    refused(
        "batch: change",
        "POST",
        BATCH,
        "{'ops': [{'op': 'update', 'in': 'things', 'by': {'code': 'f'}, 'data': {'label': 'x'}}]}",
    ),
    refused(
        "batch: link",
        "POST",
        BATCH,
        "{'ops': [{'op': 'create', 'in': 'holders', 'as': 'h', 'data': {'name': 'b', 'open': true}}, {'op': 'update', 'in': 'holders', 'by': {'name': 'b'}, 'data': {'main': {'by': {'code': 'f'}}}}]}",
    ),
    refused(
        "batch: refused behind what was done",
        "POST",
        BATCH,
        "{'ops': [{'op': 'update', 'in': 'holders', 'by': {'name': 'h1'}, 'data': {'number': 9}, 'fields': 'name'}, {'op': 'update', 'in': 'things', 'by': {'badge': 'bf0'}, 'data': {'open': false}}]}",
    ),
    done("bulk: filter by an own field", "PATCH", "/api/things?filter=label=='label 1'||score>35", "{}"),
    done("bulk: filter through a link: one", "PATCH", "/api/holders?filter=main.label=='label 3'", "{}"),
    done("bulk: filter through a link: one, negated", "PATCH", "/api/holders?filter=!(main.code=='d')", "{}"),
    done("bulk: filter through a link: some", "PATCH", "/api/holders?filter=things.exists(t,t.score>20)", "{}"),
    done("bulk: filter through a link: sizes", "PATCH", "/api/holders?filter=size(things)==2||size(picked)>4", "{}"),
    done("bulk: delete", "DELETE", "/api/holders?filter=main.code=='zd'", ""),
    done(
        "link: away from what is hidden",
        "PATCH",
        "/api/holders/by/name/h0?fields=name,version,main(code),n:size(picked)",
        "{'main': null}",
    ),
    done(
        "link: another list in its place",
        "PATCH",
        "/api/holders/by/name/h1?fields=name,version,picked(code)",
        "{'picked': []}",
    ),
    Position {
        name: "create: again under another's key",
        call: Call::Send {
            method: "POST",
            path: H,
            body: "{'name': 'once', 'open': false}",
            headers: &[("idempotency-key", "\"once\"")],
        },
        refused: false,
    },
    Position {
        name: "create: again under an own key",
        call: Call::Send {
            method: "POST",
            path: H,
            body: "{'name': 'once', 'open': false}",
            headers: &[("idempotency-key", "\"once\"")],
        },
        refused: false,
    },
    done(
        "answers: of a change",
        "PATCH",
        "/api/holders/by/name/h1?fields=name,main(code,label),things(code,label;sort:code)",
        "{'number': 3}",
    ),
    done("answers: of a change of what is read", "PATCH", A, "{'open': true}"),
    done(
        "answers: of a batch",
        "POST",
        BATCH,
        "{'ops': [{'op': 'update', 'in': 'things', 'by': {'code': 'a'}, 'data': {'open': true}, 'fields': 'code,label,friends(code;sort:code)'}]}",
    ),
    done(
        "answers: of an upsert",
        "POST",
        "/api/holders?upsert=name&fields=name,n:size(things),m:max(things.score)",
        "{'name': 'h2', 'open': false}",
    ),
    done(
        "change: a link's list that may not be read",
        "PATCH",
        A,
        "{'friends': {'remove': ['00000000-0000-4000-8000-00000000000b']}}",
    ),
    done("change: to the value that it may have", "PATCH", A, "{'label': 'label 0', 'tags': ['tag 0']}"),
    done("add: to a number", "PATCH", A, "{'score': {'add': 5}}"),
    done("add: up to the limit", "PATCH", A, "{'score': {'add': 2147483600}}"),
    done(
        "create: a record",
        "POST",
        T,
        "{'code': 'n9', 'owner': 'x', 'open': false, 'org': 'west', 'until': '2001-01-01T00:00:00Z', 'holder': '00000000-0000-4000-8000-0000000000f2', 'label': 'n'}",
    ),
    refused("delete: by a unique that may not be read", "DELETE", "/api/things/by/badge/bf0", ""),
    refused("delete: what is hidden", "DELETE", F, ""),
    refused(
        "batch: delete",
        "POST",
        BATCH,
        "{'ops': [{'op': 'delete', 'in': 'things', 'id': '00000000-0000-4000-8000-000000000010'}]}",
    ),
    refused("delete: what is hidden, by a unique", "DELETE", "/api/things/by/code/f", ""),
];

/// What an answer tells of what is hidden on purpose.
pub(super) struct Told {
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    pub(super) guarded: Guarded,
    pub(super) call: Call,
    /// How the answer begins where the hidden is there, and where not.
    pub(super) there: &'static str,
    pub(super) absent: &'static str,
}

pub(super) const TOLD: &[Told] = &[
    Told {
        what: "the key that a record's own link to one holds",
        why: "It is a value of the record that may be read. A rule on the field hides it.",
        guarded: Guarded::Records,
        call: Call::Get { path: H0, query: &[("fields", "main")] },
        there: "200 {\"main\":\"00000000-0000-4000-8000-00000000000d\"}",
        absent: "200 {\"main\":null}",
    },
    Told {
        what: "that a unique value is taken by a hidden record",
        why: "Two records may not have it, whoever sees them. Let the server choose what must not be guessed.",
        guarded: Guarded::Records,
        call: send(
            "POST",
            T,
            "{'code': 'f', 'open': true, 'owner': 'x', 'org': 'west', 'until': '2001-01-01T00:00:00Z', 'holder': '00000000-0000-4000-8000-0000000000f0'}",
        ),
        there: "409",
        absent: "201",
    },
    Told {
        what: "that a unique value is taken in a field that may not be read",
        why: "The same.",
        guarded: Guarded::Fields,
        call: send("PATCH", A, "{'badge': 'bf0'}"),
        there: "409",
        absent: "200",
    },
    Told {
        what: "that an upsert meets a hidden record",
        why: "It cannot create what is there, and may not change it: a unique value that is taken.",
        guarded: Guarded::Records,
        call: send(
            "POST",
            "/api/things?upsert=code",
            "{'code': 'f', 'open': true, 'owner': 'x', 'org': 'west', 'until': '2001-01-01T00:00:00Z', 'holder': '00000000-0000-4000-8000-0000000000f0'}",
        ),
        there: "409",
        absent: "201",
    },
    Told {
        what: "that something holds on to a record that is to be deleted, by its type alone",
        why: "`RESTRICT` is a promise to whoever holds on to it.",
        guarded: Guarded::Records,
        call: send("DELETE", "/api/holders/by/name/h2", ""),
        there: "409 {\"type\":\"/docs/errors#restricted\",\"title\":\"others hold on to it\",\"status\":409,\"code\":\"restricted\",\"detail\":\"records of \\\"Thing\\\" link to this one by \\\"holder\\\"\",\"hint\"",
        absent: "204",
    },
    Told {
        what: "the same, by a delete of all that match",
        why: "The same.",
        guarded: Guarded::Records,
        call: send("DELETE", "/api/holders?filter=name=='h2'", ""),
        there: "409 {\"type\":\"/docs/errors#restricted\",\"title\":\"others hold on to it\",\"status\":409,\"code\":\"restricted\",\"detail\":\"records of \\\"Thing\\\" link to this one by \\\"holder\\\"\",\"hint\"",
        absent: "200",
    },
    Told {
        what: "the same, in a batch",
        why: "The same.",
        guarded: Guarded::Records,
        call: send("POST", BATCH, "{'ops': [{'op': 'delete', 'in': 'holders', 'by': {'name': 'h2'}}]}"),
        there: "409 {\"type\":\"/docs/errors#restricted\",\"title\":\"others hold on to it\",\"status\":409,\"code\":\"restricted\",\"detail\":\"records of \\\"Thing\\\" link to this one by \\\"holder\\\"\",\"hint\"",
        absent: "200",
    },
];
