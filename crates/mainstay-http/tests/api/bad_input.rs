//! Every odd value in every field, on a create and on a change: answered in words or taken, never our fault, and what is refused
//! changes nothing.
use mainstay_testing::{Client, TestApp};
use serde_json::json;

const SCHEMA: &str = r#"
enum Color { RED GREEN }
type Point @embedded { x: Float! y: Float! label: String }
type Odd @rules(read: "true", write: "true") {
  string: String int: Int float: Float boolean: Boolean other: ID long: Long
  decimal: Decimal @decimal(precision: 6, scale: 2)
  date: Date time: Time moment: DateTime uuid: UUID email: Email url: URL json: JSON bytes: Bytes
  color: Color point: Point points: [Point!] strings: [String!] ints: [Int!] colors: [Color!]
  link: Odd links: [Odd!]! @many
  short: String @check(expr: "size(short) <= 5") small: Int @check(expr: "small * 1000 < 5000")
}
"#;

/// JSON as text, so that it can hold what no JSON value can.
fn odd_values() -> Vec<String> {
    let plain = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "1.5",
        "1e999",
        "-1e999",
        "1E400",
        "NaN",
        "Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "2147483648",
        "1e18",
        "1e-999",
        "123456789012345678901234567890",
        "\"\"",
        "\" \"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\u{202e}\u{feff}\"",
        "\"e\u{301}\"",
        "\"\u{10ffff}\"",
        "\"NaN\"",
        "\"9223372036854775808\"",
        "\"1e5\"",
        "\"0x10\"",
        "\"12345.678\"",
        "\"--\"",
        "\"2026-02-30\"",
        "\"2026-11-21T24:00:00Z\"",
        "\"0000-00-00T00:00:00Z\"",
        "\"9999-12-31T23:59:60Z\"",
        "\"-0001-01-01\"",
        "\"24:00:00\"",
        "\"00000000-0000-0000-0000-000000000000\"",
        "\"RED\"",
        "\"red\"",
        "\"a@b\"",
        "\"@\"",
        "\"javascript:alert(1)\"",
        "\"====\"",
        "\"YQ==\"",
        "\"YQ\"",
        "[]",
        "[null]",
        "[[]]",
        "[1,\"a\"]",
        "[{}]",
        "{}",
        "{\"x\":1}",
        "{\"x\":1,\"x\":2}",
        "{\"x\":1,\"y\":2,\"z\":3}",
        "{\"x\":1e999,\"y\":0}",
        "{\"add\":1}",
        "{\"add\":[]}",
        "{\"add\":null,\"remove\":7}",
        "{\"by\":{}}",
        "{\"by\":{\"id\":1}}",
        "{\"by\":null}",
        "{\"ref\":\"o\"}",
        "{\"\":\"\"}",
        "{\"__proto__\":{}}",
        "{\"a\":{\"a\":{\"a\":{}}}}",
        "\u{7f}",
        "'a'",
        "undefined",
        "\"unended",
        "[1,]",
        "{\"a\":}",
    ];
    let mut values: Vec<String> = plain.iter().map(ToString::to_string).collect();
    values.push(format!("\"{}\"", "x".repeat(100_000)));
    values.push(format!("{}{}", "[".repeat(200), "]".repeat(200)));
    values.push(format!("[{}1]", "1,".repeat(5_000)));
    values.push("9".repeat(5_000));
    values
}

async fn all(app: &TestApp) -> String {
    app.admin().get("/api/odds?limit=1000&fields=*,links(id)&sort=id").await.text
}

/// Sends a body; where it is refused, everything is as it was.
async fn send(app: &TestApp, client: &Client, (method, path): (&str, &str), body: &[u8], before: &mut String) {
    let reply = client.bytes(method, path, "application/json", body.to_vec()).await;
    let what =
        || format!("{method} {}: {}", String::from_utf8_lossy(body).chars().take(300).collect::<String>(), reply.text);
    match reply.status {
        200..=299 => *before = all(app).await,
        400..=499 => {
            assert!(!reply.code().is_empty(), "{}", what());
            assert_eq!(all(app).await, *before, "{}", what());
        }
        _ => panic!("{}", what()),
    }
}

#[tokio::test]
async fn an_odd_value_is_taken_or_refused_and_what_is_refused_changes_nothing() {
    let app = TestApp::with_schema(SCHEMA).await;
    let ids = app.seed("odds", [json!({"string": "kept", "int": 7})]).await;
    let client = app.user("anna");
    let record = format!("/api/odds/{}", ids[0]);
    let mut before = all(&app).await;
    let fields: Vec<String> = app.schema().collections[0].fields.iter().map(|field| field.name.clone()).collect();
    let values = odd_values();
    for (at, field) in fields.iter().chain([&"unknown".to_owned(), &String::new()]).enumerate() {
        // Every value meets a create or a change of every field; both together would only take longer.
        for (number, value) in values.iter().enumerate() {
            let call = if (at + number) % 2 == 0 { ("POST", "/api/odds") } else { ("PATCH", record.as_str()) };
            send(&app, &client, call, format!("{{\"{field}\":{value}}}").as_bytes(), &mut before).await;
        }
        let call = ("PATCH", record.as_str());
        send(&app, &client, call, format!("{{\"{field}\":null,\"{field}\":null}}").as_bytes(), &mut before).await;
        send(&app, &client, call, &[b"{\"", field.as_bytes(), b"\":\"\xff\xfe\"}"].concat(), &mut before).await;
    }
}

#[tokio::test]
async fn a_body_that_is_no_record_changes_nothing() {
    let app = TestApp::with_schema(SCHEMA).await;
    let ids = app.seed("odds", [json!({"string": "kept"})]).await;
    let client = app.user("anna");
    let mut before = all(&app).await;
    for call in [("POST", "/api/odds".to_owned()), ("PATCH", format!("/api/odds/{}", ids[0]))] {
        for value in odd_values() {
            send(&app, &client, (call.0, &call.1), value.as_bytes(), &mut before).await;
        }
        send(&app, &client, (call.0, &call.1), b"", &mut before).await;
        send(&app, &client, (call.0, &call.1), b"\xef\xbb\xbf{}", &mut before).await;
    }
}

/// A number with a digit that counts is never kept as 0, nor compared as 0, wherever it is named.
#[tokio::test]
async fn a_number_that_is_too_small_is_no_zero() {
    let app = TestApp::with_schema(SCHEMA).await;
    let ids = app.seed("odds", [json!({"string": "kept", "int": 7})]).await;
    let client = app.user("anna");
    let record = format!("/api/odds/{}", ids[0]);
    let before = all(&app).await;
    let zeros = format!("0.{}1", "0".repeat(400));
    for number in ["1e-400", "-1E-999", "0.001e-330", zeros.as_str()] {
        let mut bodies: Vec<(&str, &str, String)> = Vec::new();
        for field in ["decimal", "float", "int", "json"] {
            bodies.push(("POST", "/api/odds", format!(r#"{{"{field}":{number}}}"#)));
            bodies.push(("POST", "/api/odds", format!("[{{}},\n {{\"string\":\"\\\"1\",\"{field}\": {number}}}]")));
            bodies.push(("PATCH", &record, format!(r#"{{"{field}":{number}}}"#)));
            bodies.push(("PATCH", &record, format!(r#"{{"{field}":{{"add":{number}}}}}"#)));
        }
        for field in ["decimal", "float", "int"] {
            bodies.push(("POST", "/api/query", format!(r#"{{"from":"odds","filter":"{field} == {number}"}}"#)));
            let params = format!(r#"{{"from":"odds","filter":"{field} == p.x","params":{{"x":{number}}}}}"#);
            bodies.push(("POST", "/api/query", params));
        }
        for (method, path, body) in bodies {
            let reply = client.bytes(method, path, "application/json", body.clone().into_bytes()).await;
            assert_eq!(reply.status, 400, "{method} {path} {body}: {}", reply.text);
        }
        for field in ["decimal", "float"] {
            let literal = client.query("/api/odds", &[("filter", &format!("{field} == {number}"))]).await;
            assert_eq!(literal.status, 400, "{field} {number}: {}", literal.text);
            let value = client.query("/api/odds", &[("filter", &format!("{field} == p.x")), ("p.x", number)]).await;
            assert_eq!(value.status, 400, "{field} {number}: {}", value.text);
        }
        assert_eq!(all(&app).await, before);
    }
    let told =
        client.bytes("POST", "/api/odds", "application/json", b"{\"float\": 0.0,\n \"int\": 1e-400}".to_vec()).await;
    assert_eq!(
        told.problem(),
        "400 invalid_body: \"1e-400\" is too small a number: it would be kept as 0 at line 2 column 9"
    );
    for zero in ["0e-400", "-0.0", "0.000", "0E5"] {
        let taken =
            client.bytes("POST", "/api/odds", "application/json", format!(r#"{{"float":{zero}}}"#).into()).await;
        assert_eq!((taken.status, taken.json()["float"].clone()), (201, json!(0.0)), "{zero}: {}", taken.text);
    }
}
