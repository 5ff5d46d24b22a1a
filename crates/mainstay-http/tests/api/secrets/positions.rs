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
    Send {
        method: &'static str,
        path: &'static str,
        body: &'static str,
        headers: &'static [(&'static str, &'static str)],
    },
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

const fn query(name: &'static str, body: &'static str) -> Position {
    let call = Call::Send { method: "POST", path: "/api/query", body, headers: &[] };
    Position { name, call, refused: false }
}

impl Position {
    /// Whether all that it names is a page of things.
    pub(super) fn is_page(&self) -> bool {
        match self.call {
            Call::Get { path: T, query } | Call::Pages { path: T, query } => query
                .iter()
                .all(|(_, value)| !["holder.", "friends", "holder("].iter().any(|link| value.contains(link))),
            _ => false,
        }
    }
}

const T: &str = "/api/things";
const H: &str = "/api/holders";
/// Of Bert, shut and in a shut holder; open and in an open one, of Anna; of Anna, shut and in a shut one.
const F: &str = "/api/things/00000000-0000-4000-8000-000000000010";
const A: &str = "/api/things/00000000-0000-4000-8000-00000000000a";
const C: &str = "/api/things/00000000-0000-4000-8000-00000000000c";

pub(super) const READS: &[Position] = &[
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
    get("list: filter by a unique", T, &[("filter", "badge == 'bf0' || badge == null")]),
    get("list: filter by a list of texts", T, &[("filter", "'tag 1' in tags || size(tags) == 0")]),
    get("list: filter by a moment", T, &[("filter", "seen > timestamp('2026-01-10T00:00:00Z') && seen != null")]),
    get("list: filter by a choice", T, &[("filter", "score > 20 ? true : label == 'label 1'")]),
    get(
        "list: filter by a link's key",
        T,
        &[("filter", "mate == '00000000-0000-4000-8000-0000000000f1' || mate == null")],
    ),
    get("list: filter by a figure of a link", T, &[("filter", "friends.sum(f, f.score) > 60")]),
    get("list: filter by exactly one of a link", T, &[("filter", "friends.exists_one(f, f.label == 'label 1')")]),
    get("list: own fields", T, &[("fields", "code,label,score,price,seen,tags")]),
    get("list: own fields under other names", T, &[("fields", "a:code,b:badge,c:mate(name),d:size(friends)")]),
    get("list: filter by what is computed", T, &[("filter", "more > 25 || more == null"), ("fields", "code,more")]),
    pages("list: pages by what is computed", T, &[("sort", "-more")]),
    get("list: several filters", T, &[("filter", "score > 5"), ("filter", "label != null"), ("sort", "-seen")]),
    pages("list: pages by a moment, counted", T, &[("sort", "-seen"), ("count", "true")]),
    pages("list: pages by a decimal under a filter", T, &[("sort", "price"), ("filter", "score >= 10")]),
    pages("list: pages by a unique", T, &[("sort", "-badge")]),
    pages("list: pages by a link that is set or not", T, &[("sort", "mate.name,-label")]),
    get("one: fields", A, &[("fields", "code,label,badge,mate(name),friends(code,label;sort:-score;limit:3)")]),
    absent("one: by a unique that may not be read", "/api/things/by/badge/bf0", &[]),
    get("through a link: other way round", H, &[("fields", "name,mated(code;sort:code),n:size(mated)")]),
    get(
        "filter through a link: other way round",
        H,
        &[("fields", "name"), ("filter", "mated.exists(t, t.code == 'f')")],
    ),
    get("filter through a link: other way round, size", H, &[("fields", "name"), ("filter", "size(mated) > 2")]),
    get("figures: other way round", H, &[("fields", "name,a:max(mated.code),b:size(mated)")]),
    get(
        "filter through a link: figures",
        H,
        &[("fields", "name"), ("filter", "things.sum(t, t.score) > 30 || picked.max(t, t.score) == 60")],
    ),
    get("filter through a link: a mean", H, &[("fields", "name"), ("filter", "things.avg(t, t.score) > 20.0")]),
    get(
        "filter through a link: exactly one",
        H,
        &[("fields", "name"), ("filter", "things.exists_one(t, t.score > 30)")],
    ),
    get(
        "filter through a link: inside of a list",
        H,
        &[("fields", "name,picked(code;filter:friends.exists(f, f.score > 45))")],
    ),
    get("group: by a link that is set or not", T, &[("group", "mate.name"), ("select", "count,max(badge)")]),
    get(
        "group: by a field that is open",
        T,
        &[("group", "open"), ("select", "count,sum(score),min(badge),max(seen),avg(price)")],
    ),
    query(
        "query: a page",
        "{'from': 'things', 'filter': ['score > p.s', 'label != p.l'], 'params': {'s': '5', 'l': 'label 1'}, 'count': true}",
    ),
    query(
        "query: through links",
        "{'from': 'holders', 'fields': ['name', 'main(code,label)', 'picked(code;sort:-score)'], 'sort': ['-main.score', 'name']}",
    ),
    absent("explain: a parameter", T, &[("explain", "true")]),
    absent("explain: an address", "/api/explain", &[("path", "/api/things")]),
    query("query: groups", "{'from': 'things', 'group': ['label'], 'select': 'count,m:max(price)', 'sort': '-count'}"),
];
