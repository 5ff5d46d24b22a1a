//! All routes, in one list.
use http::Method;

/// Segments that a path is cut into at most; no route has more, files aside.
const SEGMENTS_MAX: usize = 5;

/// What a path names. The parts of the address are as they came: still percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// All records of a collection.
    Collection { path: &'a str },
    /// One record by its key.
    Record { path: &'a str, key: &'a str },
    /// One record by a unique.
    Unique { path: &'a str, fields: &'a str, values: &'a str },
    /// Operations in one transaction.
    Batch,
    /// A page asked for by a body.
    Query,
    /// The change feed.
    Changes,
    /// A path that is kept for later.
    Later { name: &'static str },
    /// The description of the API.
    OpenApi,
    /// The page to read and try it.
    Docs,
    /// The style sheet of the page.
    DocsCss,
    /// The script of the page.
    DocsJs,
    /// The list of errors.
    DocsErrors,
    /// Whether the process lives.
    Healthz,
    /// Whether it can answer.
    Readyz,
    /// Counters for Prometheus.
    Metrics,
    /// A file of `public/`.
    File,
    /// Nothing.
    Unknown,
}

/// Finds the route of a path.
pub(crate) fn route(path: &str) -> Route<'_> {
    let mut segments = [""; SEGMENTS_MAX];
    let mut count = 0;
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        if count == SEGMENTS_MAX {
            return if segments[0] == "api" { Route::Unknown } else { Route::File };
        }
        segments[count] = segment;
        count += 1;
    }
    match segments[..count] {
        ["api", "query"] => Route::Query,
        ["api", "batch"] => Route::Batch,
        ["api", "changes"] => Route::Changes,
        ["api", "actions", ..] => Route::Later { name: "/api/actions" },
        // No record has an empty key: a client has put nothing where its key belongs.
        ["api", ..] if segments[count - 1].is_empty() => Route::Unknown,
        ["api", path] => Route::Collection { path },
        ["api", path, key] => Route::Record { path, key },
        ["api", path, "by", fields, values] => Route::Unique { path, fields, values },
        ["api", ..] => Route::Unknown,
        ["openapi.json"] => Route::OpenApi,
        ["docs"] => Route::Docs,
        ["docs", "page.css"] => Route::DocsCss,
        ["docs", "page.js"] => Route::DocsJs,
        ["docs", "errors"] => Route::DocsErrors,
        ["healthz"] => Route::Healthz,
        ["readyz"] => Route::Readyz,
        ["metrics"] => Route::Metrics,
        _ => Route::File,
    }
}

impl Route<'_> {
    /// The methods that it knows, as the `Allow` header says them.
    pub(crate) fn allow(&self) -> &'static str {
        match self {
            Route::Collection { .. } => "DELETE, GET, HEAD, OPTIONS, PATCH, POST",
            Route::Record { .. } | Route::Unique { .. } => "DELETE, GET, HEAD, OPTIONS, PATCH",
            Route::Batch | Route::Query => "OPTIONS, POST",
            Route::Later { .. } | Route::Unknown => "OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether it knows this method.
    pub(crate) fn allows(&self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_routes() {
        assert_eq!(route("/api/skills"), Route::Collection { path: "skills" });
        assert_eq!(route("/api/skills/a%2Fb"), Route::Record { path: "skills", key: "a%2Fb" });
        let unique = Route::Unique { path: "p", fields: "owner,skill", values: "a,b" };
        assert_eq!(route("/api/p/by/owner,skill/a,b"), unique);
        for unknown in [
            "/api",
            "/api/",
            "/api/a/",
            "/api/a/b/",
            "/api/a/by/b/",
            "/api/a/b/c",
            "/api/a/by/b/c/d",
            "/api/a/b/c/d/e/f/g",
        ] {
            assert_eq!(route(unknown), Route::Unknown, "{unknown}");
        }
        for file in ["/", "", "/a/b/c/d/e/f/g.js", "/apis", "*"] {
            assert_eq!(route(file), Route::File, "{file}");
        }
    }
}
