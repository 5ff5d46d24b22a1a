//! What all operations share: problems, their answers, headers, parameters.
use super::{
    names::Names,
    node::{Node, object, reference},
};
use crate::problem::TABLE;

/// The answers with a problem: status, name of the component.
const PROBLEMS: [(u16, &str); 14] = [
    (400, "BadRequest"),
    (401, "Unauthenticated"),
    (403, "Forbidden"),
    (404, "NotFound"),
    (408, "BodyTimeout"),
    (409, "Conflict"),
    (410, "ChangesGone"),
    (412, "VersionMismatch"),
    (413, "BodyTooLarge"),
    (415, "UnsupportedMediaType"),
    (422, "InvalidRecord"),
    (500, "Internal"),
    (503, "Unavailable"),
    (507, "DiskFull"),
];

/// References to the answers with these statuses, to be put behind the good ones.
pub(super) fn problems(statuses: &[u16]) -> Vec<(String, Node)> {
    let wanted = PROBLEMS.iter().filter(|(status, _)| statuses.contains(status));
    wanted.map(|(status, name)| (status.to_string(), reference("responses", name))).collect()
}

/// The component `responses`.
pub(super) fn responses(names: &Names) -> Node {
    let one = |(status, name): &(u16, &str)| ((*name).to_owned(), response(names, *status));
    let mut all: Vec<(String, Node)> = PROBLEMS.iter().map(one).collect();
    let not_modified = object([
        ("description", "What you have is still right.".into()),
        ("headers", headers(&["ETag", "X-Request-Id"])),
    ]);
    all.push(("NotModified".into(), not_modified));
    Node::Object(all)
}

fn response(names: &Names, status: u16) -> Node {
    let codes: Vec<String> =
        TABLE.iter().filter(|row| row.status == status).map(|row| format!("`{}`", row.name)).collect();
    let about: Vec<&str> = TABLE.iter().filter(|row| row.status == status).map(|row| row.about).collect();
    let mut more = vec!["X-Request-Id"];
    match status {
        401 => more.push("WWW-Authenticate"),
        503 => more.push("Retry-After"),
        _ => {}
    }
    let content = object([("application/problem+json", object([("schema", reference("schemas", &names.problem))]))]);
    object([
        ("description", format!("{} ({})", about.join(" "), codes.join(", ")).into()),
        ("headers", headers(&more)),
        ("content", content),
    ])
}

/// References to headers.
pub(super) fn headers(of: &[&str]) -> Node {
    Node::Object(of.iter().map(|name| ((*name).to_owned(), reference("headers", name))).collect())
}

/// The component `headers`.
pub(super) fn all_headers() -> Node {
    let header = |about: &str| object([("description", about.into()), ("schema", object([("type", "string".into())]))]);
    object([
        ("ETag", header("Tells one state of the answer from another; strong when it comes from the record's version.")),
        ("Location", header("The address of the new record.")),
        ("Idempotent-Replayed", header("`true` where the answer is the one that was given before for the same key.")),
        ("Preference-Applied", header("The preference that was followed.")),
        ("Mainstay-Position", header("Behind which change the answer ends: the next call goes on there.")),
        ("X-Request-Id", header("The id of the request; the log has it too.")),
        ("WWW-Authenticate", header("How to sign in.")),
        ("Retry-After", header("How many seconds to wait.")),
    ])
}

/// The schemas of a problem.
pub(super) fn problem_schemas(names: &Names) -> [(String, Node); 2] {
    let text = |about: &str| object([("type", "string".into()), ("description", about.into())]);
    let codes = TABLE.iter().map(|row| row.name.into()).collect();
    let code = object([("type", "string".into()), ("enum", Node::Array(codes))]).described(Some("For programs."));
    let errors = object([("type", "array".into()), ("items", reference("schemas", &names.field_problem))]);
    let problem = object([
        ("type", "object".into()),
        ("description", "Why a request was not done (RFC 9457).".into()),
        ("required", Node::Array(["type", "title", "status", "code", "detail", "requestId"].map(Node::from).into())),
        (
            "properties",
            object([
                ("type", text("The address of its entry in the list of errors.").with("format", "uri-reference")),
                ("title", text("The kind of error, for people.")),
                ("status", object([("type", "integer".into()), ("description", "The status of the answer.".into())])),
                ("code", code),
                ("detail", text("What is wrong this time.")),
                ("hint", text("What to do next.")),
                ("rule", text("The rule that refused.")),
                (
                    "version",
                    object([("type", "integer".into()), ("format", "int64".into())])
                        .described(Some("The version that the record has.")),
                ),
                ("errors", errors.described(Some("The wrong fields, all at once."))),
                ("requestId", text("The id of the request.")),
            ]),
        ),
    ]);
    let field_problem = object([
        ("type", "object".into()),
        ("description", "One wrong field.".into()),
        ("required", Node::Array(["pointer", "code", "detail"].map(Node::from).into())),
        (
            "properties",
            object([
                ("pointer", text("Where in the body (RFC 6901).")),
                ("code", text("For programs.")),
                ("detail", text("What is wrong.")),
                ("hint", text("What to do next.")),
            ]),
        ),
    ]);
    [(names.problem.clone(), problem), (names.field_problem.clone(), field_problem)]
}

/// The component `securitySchemes`.
pub(super) fn security_schemes() -> Node {
    let bearer = object([
        ("type", "http".into()),
        ("scheme", "bearer".into()),
        ("bearerFormat", "JWT".into()),
        ("description", "A signed token that says who calls; without one the caller is anonymous.".into()),
    ]);
    object([("bearer", bearer)])
}
