//! Numbers with more digits than a 64-bit float keeps: exact, or refused by name, wherever one is written.
use mainstay_testing::{TestApp, refused_schema};
use serde_json::json;

const SCHEMA: &str = r#"
type Sum @define(name: "isWide", expr: "wide == 1234567890123456.78") @rules(read: "true", write: "true") {
  name: String
  wide: Decimal @decimal(precision: 18, scale: 2)
  fine: Decimal @decimal(precision: 18, scale: 18)
  int: Int
  long: Long
  float: Float
  json: JSON
}
"#;

/// Each reads as a whole float, and is no whole number.
const NOT_WHOLE: [&str; 4] =
    ["0.99999999999999999999", "1.00000000000000000001", "1.0000000000000001e0", "0.9999999999999999999999e2"];

#[tokio::test]
async fn a_number_in_a_body_is_not_rounded() {
    let app = TestApp::with_schema(SCHEMA).await;
    let ids = app.seed("sums", [json!({"wide": "1.00", "fine": "0.5", "int": 1, "long": "1"})]).await;
    let record = format!("/api/sums/{}", ids[0]);
    let client = app.user("anna");
    for number in NOT_WHOLE {
        for field in ["wide", "fine", "int", "long"] {
            for (method, path, body) in [
                ("POST", "/api/sums", format!(r#"{{"{field}":{number}}}"#)),
                ("POST", "/api/sums", format!(r#"[{{"float":0.5,"name":"\"1.5"}},{{"{field}":-{number}}}]"#)),
                ("PATCH", record.as_str(), format!(r#"{{"float":1e2,"{field}": {number}}}"#)),
                ("PATCH", record.as_str(), format!(r#"{{"{field}":{{"add":{number}}}}}"#)),
            ] {
                let reply = client.bytes(method, path, "application/json", body.clone().into_bytes()).await;
                assert_eq!(reply.code(), "invalid_record", "{body}: {}", reply.text);
            }
        }
        let batch =
            format!(r#"{{"ops":[{{"op":"update","in":"sums","id":"{}","version":{number},"data":{{}}}}]}}"#, ids[0]);
        let reply = client.bytes("POST", "/api/batch", "application/json", batch.into_bytes()).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
    }
    let said =
        client.bytes("POST", "/api/sums", "application/json", br#"{"int": 0.99999999999999999999}"#.to_vec()).await;
    assert!(said.text.contains("expected a whole number, got 0.99999999999999999999"), "{}", said.text);
    // Two more than 2^53, which no float is.
    let above =
        client.bytes("POST", "/api/sums", "application/json", br#"{"long": 9007199254740993.0}"#.to_vec()).await;
    assert_eq!(above.code(), "invalid_record", "{}", above.text);
    assert_eq!(client.get(&record).await.json()["version"], 1);
    // What is the same number is taken as before; a float is the nearest one.
    for (body, field, kept) in [
        (r#"{"int": 1.00000000000000000000}"#, "int", json!(1)),
        (r#"{"int": 10e-1}"#, "int", json!(1)),
        (r#"{"float": 0.99999999999999999999}"#, "float", json!(1.0)),
        (r#"{"float": 0.1000000000000000055511151231257827}"#, "float", json!(0.1)),
        (r#"{"json": [0.99999999999999999999, {"a": 2.5}]}"#, "json", json!([1.0, {"a": 2.5}])),
        (r#"{"wide": "1234567890123456.78"}"#, "wide", json!("1234567890123456.78")),
    ] {
        let reply = client.bytes("POST", "/api/sums", "application/json", body.as_bytes().to_vec()).await;
        assert_eq!((reply.status, reply.json()[field].clone()), (201, kept), "{body}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_number_in_a_filter_is_the_one_that_was_written() {
    let app = TestApp::with_schema(SCHEMA).await;
    let wide = ["1234567890123456.77", "1234567890123456.78", "1234567890123456.79", "1.00"];
    app.seed("sums", wide.map(|wide| json!({"name": wide, "wide": wide, "fine": "0.123456789012345678"}))).await;
    let client = app.anonymous();
    let found = async |filter: &str| client.query("/api/sums", &[("filter", filter), ("sort", "name")]).await;
    for (filter, names) in [
        ("wide == 1234567890123456.78", &wide[1..2]),
        ("wide > 1234567890123456.77", &wide[1..3]),
        ("wide in [1234567890123456.79, 1.0]", &[wide[3], wide[2]]),
        ("wide + 0.01 == 1234567890123456.78", &wide[..1]),
        ("wide - 1234567890123456.77 == 0.01", &wide[1..2]),
        ("-wide == -1234567890123456.79", &wide[2..3]),
        ("isWide", &wide[1..2]),
        ("fine == 0.123456789012345678 && wide == 1.00000000000000000000", &wide[3..]),
        ("fine == 0.123456789012345679", &[]),
    ] {
        let reply = found(filter).await;
        assert_eq!(reply.status, 200, "{filter}: {}", reply.text);
        assert_eq!(reply.column("name"), names, "{filter}");
    }
    for filter in [
        "wide == 0.99999999999999999999",
        "wide != 1.00000000000000000001",
        "wide + 0.99999999999999999999 > 1.0",
        "wide == 1234567890123456.789",
        // 19 digits behind the point.
        "fine * 1.5 == fine",
    ] {
        let reply = found(filter).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_argument".to_owned()), "{filter}: {}", reply.text);
    }
    let told = found("wide == 0.99999999999999999999").await.problem();
    assert!(told.contains(r#""0.99999999999999999999" has more than 2 digits behind the point"#), "{told}");
    for number in NOT_WHOLE {
        let sent = [("filter", "wide == p.x"), ("p.x", number)];
        assert_eq!(client.query("/api/sums", &sent).await.status, 400, "{number}");
        for value in [number.to_owned(), format!("[{number}]")] {
            let filter = if value.starts_with('[') { "wide in p.x" } else { "wide == p.x" };
            let body = format!(r#"{{"from":"sums","filter":"{filter}","params":{{"x":{value}}}}}"#);
            let reply = client.bytes("POST", "/api/query", "application/json", body.clone().into_bytes()).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.text);
        }
    }
    let exact = r#"{"from":"sums","filter":"wide == p.x","params":{"x":1234567890123456.78}}"#;
    let reply = client.bytes("POST", "/api/query", "application/json", exact.as_bytes().to_vec()).await;
    assert_eq!(reply.column("name"), ["1234567890123456.78"], "{}", reply.text);
}

#[test]
fn a_number_in_a_schema_is_not_rounded() {
    for field in [
        "x: Decimal! @decimal(precision: 6, scale: 2) @default(value: 0.99999999999999999999)",
        "x: [Decimal!]! @decimal(precision: 6, scale: 2) @default(value: [0.99999999999999999999])",
        "x: Int! @default(value: 0.99999999999999999999)",
        "x: Decimal @decimal(precision: 6, scale: 2) @check(expr: \"x < 0.99999999999999999999\", message: \"m\")",
        "x: Decimal @decimal(precision: 6, scale: 2) @set(write: \"0.99999999999999999999\")",
    ] {
        let said = refused_schema(&format!("type Thing {{ name: String {field} }}"));
        assert!(said.contains("0.99999999999999999999") || said.contains("Decimal"), "{field}: {said}");
    }
}
