//! Every place of a request where something hidden could be named: one line each. A new surface, or a new word in a query, adds
//! its lines here.

/// A request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    /// `GET` with parameters.
    Get { path: &'static str, query: &'static [(&'static str, &'static str)] },
    /// The same page by page, one record each.
    Pages { path: &'static str, query: &'static [(&'static str, &'static str)] },
    /// Something with a JSON body, in which `'` stands for `"`.
    Send { method: &'static str, path: &'static str, body: &'static str },
}

/// A place of a request.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) name: &'static str,
    pub(super) call: Call,
    /// Whether it is refused whatever is hidden.
    pub(super) refused: bool,
}

const fn get(name: &'static str, path: &'static str, query: &'static [(&'static str, &'static str)]) -> Position {
    Position { name, call: Call::Get { path, query }, refused: false }
}

/// A request of which the one who is asked in [`super::every_position_is_a_request_that_is_understood`] sees nothing.
const fn absent(name: &'static str, path: &'static str, query: &'static [(&'static str, &'static str)]) -> Position {
    Position { name, call: Call::Get { path, query }, refused: true }
}

const fn pages(name: &'static str, path: &'static str, query: &'static [(&'static str, &'static str)]) -> Position {
    Position { name, call: Call::Pages { path, query }, refused: false }
}

const fn refused(name: &'static str, method: &'static str, path: &'static str, body: &'static str) -> Position {
    Position { name, call: Call::Send { method, path, body }, refused: true }
}

/// A write that changes nothing.
const fn sent(name: &'static str, method: &'static str, path: &'static str, body: &'static str) -> Position {
    Position { name, call: Call::Send { method, path, body }, refused: false }
}

const T: &str = "/api/things";
const H: &str = "/api/holders";
/// Of Bert, shut and in a shut holder; open and in an open one, of Anna; of Anna, shut and in a shut one.
const F: &str = "/api/things/00000000-0000-4000-8000-000000000010";
const A: &str = "/api/things/00000000-0000-4000-8000-00000000000a";
const C: &str = "/api/things/00000000-0000-4000-8000-00000000000c";

pub(super) const POSITIONS: &[Position] = &[
    get("list", T, &[]),
    get("list: count", T, &[("count", "true"), ("limit", "2")]),
    get("list: filter by an own field", T, &[("filter", "label == 'label 1'"), ("count", "true")]),
    get("list: filter by a negation", T, &[("filter", "!(label == 'label 1')"), ("count", "true")]),
    get("list: filter by an order", T, &[("filter", "score >= 20 || price > 30.0")]),
    get("list: filter by a part of a text", T, &[("filter", "code.contains('z') || code.startsWith('c')")]),
    get("list: filter by a value beside it", T, &[("filter", "code == p.c"), ("p.c", "f")]),
    get(
        "list: filter by a key",
        T,
        &[("filter", "id in ['00000000-0000-4000-8000-00000000000c', '00000000-0000-4000-8000-000000000010']")],
    ),
    get("list: filter by links of links", T, &[("filter", "holder.things.exists(t, t.score > 20)")]),
    get("list: filter by all of a link", T, &[("filter", "friends.all(f, f.score < 40)")]),
    get("list: filter by a size", T, &[("filter", "size(friends) > 2")]),
    get(
        "list: fields",
        T,
        &[("fields", "code,holder(name,main(code),things(code;sort:code)),friends(code,friends(code))")],
    ),
    pages("list: pages by key", T, &[]),
    pages("list: pages by a text", T, &[("sort", "label,-code")]),
    pages("list: pages by a number that falls", T, &[("sort", "-score")]),
    pages("list: pages by a link's field", T, &[("sort", "holder.main.code,holder.name")]),
    get("one: by key", A, &[]),
    absent("one: by key, hidden from most", F, &[]),
    absent("one: by key, hidden from many", C, &[("fields", "code,friends(code)")]),
    get("one: by a unique", "/api/things/by/code/a", &[]),
    absent("one: by a unique, hidden from most", "/api/things/by/code/f", &[]),
    absent("one: by a unique that hidden records may have", "/api/things/by/code/zf", &[]),
    get("through a link: one, expanded", H, &[("fields", "name,main(code,label,holder(name))")]),
    get("through a link: many", H, &[("fields", "name,things(code;sort:-score;limit:2),picked(code;sort:label)")]),
    get(
        "through a link: many, filtered",
        H,
        &[("fields", "name,things(code;filter:score > 15),picked(code;filter:label != 'label 1')")],
    ),
    get("through a link: sizes", H, &[("fields", "name,n:size(things),m:size(picked)")]),
    get("filter through a link: one", H, &[("fields", "name"), ("filter", "main.label == 'label 3'")]),
    get("filter through a link: one, negated", H, &[("fields", "name"), ("filter", "!(main.code == 'd')")]),
    get("filter through a link: one, or", H, &[("fields", "name"), ("filter", "main.code == 'zd' || name == 'h1'")]),
    get("filter through a link: some", H, &[("fields", "name"), ("filter", "things.exists(t, t.label == 'label 1')")]),
    get("filter through a link: all", H, &[("fields", "name"), ("filter", "things.all(t, t.score < 40)")]),
    get(
        "filter through a link: not all",
        H,
        &[("fields", "name"), ("filter", "!picked.all(t, t.code != 'zf' && t.code != 'f')")],
    ),
    get("filter through a link: sizes", H, &[("fields", "name"), ("filter", "size(things) == 2 || size(picked) > 4")]),
    get(
        "filter through a link: two steps",
        H,
        &[("fields", "name"), ("filter", "things.exists(t, t.friends.exists(f, f.score > 25))")],
    ),
    pages("sort through a link", H, &[("sort", "-main.score,name"), ("fields", "name")]),
    pages("sort through a link, by a text", H, &[("sort", "main.label,-number"), ("fields", "name")]),
    get(
        "figures: sizes under a filter",
        H,
        &[("fields", "name,n:size(things;filter:score > 15),m:size(picked;filter:label != 'label 1')")],
    ),
    get(
        "figures: sums and means",
        H,
        &[("fields", "name,s:sum(things.score),a:avg(picked.price),d:countDistinct(picked.label)")],
    ),
    get(
        "figures: smallest and largest",
        H,
        &[("fields", "name,a:min(picked.code),b:max(things.score),c:max(picked.seen)")],
    ),
    get(
        "figures: through a link",
        H,
        &[("fields", "name,m:max(picked.holder.main.score),things(code,n:sum(friends.score))")],
    ),
    get("group: by an own field", T, &[("group", "label"), ("select", "count,sum(score),min(code),max(price)")]),
    get("group: by a part of a moment", T, &[("group", "day(seen)")]),
    get("group: by a link's key", T, &[("group", "holder"), ("select", "count,avg(price),countDistinct(code)")]),
    get("group: by a field behind a link", H, &[("group", "main.label"), ("select", "count,max(main.score)")]),
    get(
        "group: figures behind a link",
        H,
        &[("group", "open"), ("select", "sum(main.score),countDistinct(main.code)")],
    ),
    get("group: filtered", T, &[("group", "holder.name"), ("filter", "holder.main.score > 5"), ("sort", "-count")]),
    pages(
        "group: pages",
        T,
        &[("group", "label,holder.main.code"), ("select", "count,sum(score)"), ("sort", "-sumScore")],
    ),
    // A patch of nothing, so that the next position finds what this one has found.
    sent("bulk: filter through a link: one", "PATCH", "/api/holders?filter=main.label=='label 3'", "{}"),
    sent("bulk: filter through a link: one, negated", "PATCH", "/api/holders?filter=!(main.code=='d')", "{}"),
    sent("bulk: filter through a link: some", "PATCH", "/api/holders?filter=things.exists(t,t.score>20)", "{}"),
    sent("bulk: filter through a link: sizes", "PATCH", "/api/holders?filter=size(things)==2||size(picked)>4", "{}"),
    refused("change what is hidden", "PATCH", F, "{'label': 'x'}"),
    refused("change what is hidden, by a unique", "PATCH", "/api/things/by/code/f", "{'label': 'x'}"),
    refused("delete what is hidden", "DELETE", F, ""),
    refused(
        "link to what is hidden",
        "PATCH",
        "/api/holders/by/name/h0",
        "{'main': '00000000-0000-4000-8000-000000000010'}",
    ),
    refused(
        "add a link to what is hidden",
        "PATCH",
        "/api/holders/by/name/h0",
        "{'picked': {'add': ['00000000-0000-4000-8000-000000000010']}}",
    ),
    refused(
        "create with a link to what is hidden",
        "POST",
        H,
        "{'name': 'new', 'open': true, 'main': '00000000-0000-4000-8000-000000000010'}",
    ),
];

/// What an answer tells of hidden records on purpose: the request, how its answer begins where they are there, and where not.
pub(super) const TOLD: &[(Call, &str, &str)] = &[
    // The key that a record's own link holds is a value of that record.
    (
        Call::Get { path: "/api/holders/by/name/h0", query: &[("fields", "main")] },
        "200 {\"main\":\"00000000-0000-4000-8000-00000000000d\"}",
        "200 {\"main\":null}",
    ),
    // That another record has a unique value already.
    (
        Call::Send {
            method: "POST",
            path: T,
            body: "{'code': 'f', 'open': true, 'owner': 'x', 'holder': '00000000-0000-4000-8000-0000000000f0'}",
        },
        "409",
        "201",
    ),
    // That something holds on to a record, by its type's name alone.
    (Call::Send { method: "DELETE", path: "/api/holders/by/name/h2", body: "" }, "409", "204"),
];
