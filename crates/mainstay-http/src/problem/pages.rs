//! The table of errors as documentation.
use std::fmt::Write as _;

use super::TABLE;

/// `docs/errors.md`: one entry for each code of the table.
pub fn errors_markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for row in &TABLE {
        let _ = write!(
            out,
            "\n## {}\n\n**{}**: {}.\n\n{}\n\nWhat to do: {}.\n",
            row.name, row.status, row.title, row.about, row.hint
        );
    }
    out
}

const INTRODUCTION: &str = "\
<!-- Written from the table in crates/mainstay-http/src/problem/table.rs, and held to it by a test. -->
# Errors

Every error is a JSON object with the content type `application/problem+json` (RFC 9457):

| member | what it holds |
| --- | --- |
| `type` | an address of its entry in this list, relative to the server |
| `title`, `status`, `code` | the same for all errors of one kind; programs go by `code` |
| `detail` | what is wrong this time, for people |
| `hint` | what to do next |
| `rule` | of a refused request: the rule that refused it |
| `version` | of `version_mismatch`: the version that the record has |
| `errors` | the wrong fields, all at once: `pointer` (RFC 6901, into the body), `code`, `detail`, `hint` |
| `requestId` | also in the header `X-Request-Id`; the log has the cause under it |
";

/// The page at `/docs/errors`, where the `type` of every problem points.
pub fn errors_html() -> String {
    let mut out = String::from(HEAD);
    for row in &TABLE {
        let _ = writeln!(
            out,
            "<section id=\"{}\"><h2>{}</h2><p><b>{}</b> {}</p><p>{}</p><p>What to do: {}.</p></section>",
            row.name,
            row.name,
            row.status,
            row.title,
            row.about.replace('`', ""),
            row.hint
        );
    }
    out.push_str("</main>\n");
    out
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Errors</title>\n\
    <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/docs/page.css\">\n\
    <main class=\"errors\"><h1>Errors</h1>\n";
