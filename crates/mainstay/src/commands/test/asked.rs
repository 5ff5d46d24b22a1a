//! What a request of a test asks the rules of, and the records that are there for it.
use std::collections::BTreeSet;

use mainstay_core::{AdminPass, Answer, Caller, Core, List, Operation, Request, Sort};
use serde_json::Value as Json;

use super::runner::Call;

/// Records of one page, where the keys of a collection are looked at.
const KEYS_PAGE: u32 = 1_000;

/// A call whose rules are asked: the request itself, or an operation of a batch.
pub(super) struct Asked {
    pub(super) method: &'static str,
    path: String,
    body: Vec<u8>,
}

impl Asked {
    /// What the clauses come to, over the records as they are now.
    pub(super) async fn coverage(&self, core: &Core, request: &Request) -> Vec<mainstay_core::ClauseSeen> {
        let request = Request { method: self.method.into(), ..request.clone() };
        mainstay_http::coverage(core, &request, &self.path, &self.body).await
    }
}

/// What a request asks the rules of, as far as it is about records that are there.
pub(super) fn asked(call: &Call) -> Vec<Asked> {
    let own = Asked { method: call.method, path: call.path.clone(), body: call.bytes() };
    if call.path != "/api/batch" {
        return vec![own];
    }
    let operations = call.body.as_ref().and_then(|body| body.get("ops")?.as_array());
    operations.into_iter().flatten().filter_map(operation).collect()
}

fn operation(operation: &Json) -> Option<Asked> {
    let text = |name: &str| operation.get(name)?.as_str();
    let collection = text("in")?;
    let body = operation.get("data").map_or_else(Vec::new, |data| data.to_string().into_bytes());
    let method = match text("op")? {
        "create" => return Some(Asked { method: "POST", path: format!("/api/{collection}"), body }),
        "upsert" => {
            return Some(Asked { method: "POST", path: format!("/api/{collection}?upsert={}", text("by")?), body });
        }
        "update" => "PATCH",
        "delete" => "DELETE",
        _ => return None,
    };
    let path = match (text("id"), operation.get("by").and_then(Json::as_object)) {
        (Some(id), _) => format!("/api/{collection}/{id}"),
        (None, Some(by)) => {
            let fields: Vec<&str> = by.keys().map(String::as_str).collect();
            let values: Vec<&str> = by.values().filter_map(Json::as_str).collect();
            format!("/api/{collection}/by/{}/{}", fields.join(","), values.join(","))
        }
        _ => return None,
    };
    Some(Asked { method, path, body })
}

/// The keys of all records.
pub(super) async fn keys(core: &Core) -> BTreeSet<(u32, String)> {
    let mut keys = BTreeSet::new();
    for collection in core.schema().collections.iter().filter(|collection| collection.system.id.is_some()) {
        let mut after = None;
        loop {
            let list = List {
                collection: collection.id,
                filter: Vec::new(),
                params: Vec::new(),
                sort: Vec::<Sort>::new(),
                selection: None,
                limit: Some(KEYS_PAGE.min(core.limits().page_max)),
                after: after.take(),
                count: false,
            };
            let request = Request {
                caller: Caller::Admin(AdminPass::for_command("a rule test looks at what is there")),
                time_micros: 0,
                ip: "".into(),
                method: "GET".into(),
                host: "".into(),
                id: None,
                once: None,
            };
            let Ok(Answer::Page(page)) = core.run(&request, Operation::List(list)).await else { break };
            let json: Json = serde_json::from_slice(&page.json).unwrap_or_default();
            let items = json.get("items").and_then(Json::as_array).into_iter().flatten();
            let ids = items.filter_map(|item| item.get("id")?.as_str());
            keys.extend(ids.map(|id| (collection.id.0, id.to_owned())));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    keys
}
