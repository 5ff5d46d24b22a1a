//! Values on the wire, at their limits.
use mainstay_schema::{Field, FieldKind, Json, JsonLimits, KeyKind, Schema};

use crate::load;

const SDL: &str = r#"
type A {
  string: String @check(expr: "size(string) <= 3") int: Int float: Float boolean: Boolean ref: ID long: Long
  decimal: Decimal @decimal(precision: 5, scale: 2)
  date: Date time: Time dateTime: DateTime uuid: UUID email: Email url: URL json: JSON bytes: Bytes
  status: Status statuses: [Status!] ints: [Int!] longs: [Long!] address: Address addresses: [Address!]
  one: A number: N name: S
}
type N { id: Long! }
type S { id: String! }
type Address @embedded { street: String! country: Status size: Long point: Point tags: [String!] }
type Point @embedded { x: Float! y: Float! }
enum Status { draft live }
"#;

fn field<'s>(schema: &'s Schema, name: &str) -> &'s Field {
    schema.collections[0].field_named(name).unwrap()
}

/// What a value is read as and written back as, or its errors.
fn round(name: &str, json: &str) -> String {
    let schema = load(SDL);
    let field = field(&schema, name);
    let json = match Json::parse(json.as_bytes(), JsonLimits::default()) {
        Ok(json) => json,
        Err(error) => return error.to_string(),
    };
    match schema.read_value(&field.kind, field.length_max, &json) {
        Ok(value) => {
            let mut out = Vec::new();
            schema.write_value(&field.kind, &value, &mut out);
            String::from_utf8(out).unwrap()
        }
        Err(error) => {
            let errors = error.into_all().into_iter();
            let lines =
                errors.map(|error| format!("{} {}: {} ({:?})", error.code, error.pointer, error.message, error.hint));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn all(cases: &[(&str, &str)]) -> String {
    cases.iter().map(|(name, json)| format!("{name} {json} => {}\n", round(name, json))).collect()
}

#[test]
fn numbers_at_their_limits() {
    insta::assert_snapshot!(all(&[
        ("int", "2147483647"),
        ("int", "-2147483648"),
        ("int", "2147483648"),
        ("int", "1.0"),
        ("int", "1.5"),
        ("int", "-0"),
        ("int", "\"1\""),
        ("int", "null"),
        ("int", "9223372036854775808"),
        ("long", "\"9223372036854775807\""),
        ("long", "-9223372036854775808"),
        ("long", "\"9223372036854775808\""),
        ("long", "\"01\""),
        ("long", "true"),
        ("float", "1e999"),
        ("float", "1e308"),
        ("float", "0.30000000000000004"),
        ("float", "5e-324"),
        ("float", "-0.0"),
        ("float", "3"),
        ("float", "\"3\""),
        ("decimal", "\"999.99\""),
        ("decimal", "\"-0.10\""),
        ("decimal", "12"),
        ("decimal", "12.0"),
        ("decimal", "1000"),
        ("decimal", "\"1.234\""),
        ("decimal", "1.5"),
        ("decimal", "\"1e2\""),
        ("boolean", "true"),
        ("boolean", "1"),
    ]), @r#"
    int 2147483647 => 2147483647
    int -2147483648 => -2147483648
    int 2147483648 => out_of_range : the number 2147483648 does not fit into 32 bits (Some("a field of type Long holds 64 bits"))
    int 1.0 => 1
    int 1.5 => wrong_type : expected a whole number, got 1.5 (None)
    int -0 => 0
    int "1" => wrong_type : expected a whole number, got a text (None)
    int null => null
    int 9223372036854775808 => wrong_type : expected a whole number, got 9223372036854775808 (None)
    long "9223372036854775807" => "9223372036854775807"
    long -9223372036854775808 => "-9223372036854775808"
    long "9223372036854775808" => invalid_value : "9223372036854775808" is no whole number of 64 bits (None)
    long "01" => invalid_value : "01" is no whole number of 64 bits (None)
    long true => wrong_type : expected a whole number as a text, got a boolean (None)
    float 1e999 => this number is out of range at line 1 column 5
    float 1e308 => 1e308
    float 0.30000000000000004 => 0.30000000000000004
    float 5e-324 => 5e-324
    float -0.0 => 0.0
    float 3 => 3.0
    float "3" => wrong_type : expected a number, got a text (None)
    decimal "999.99" => "999.99"
    decimal "-0.10" => "-0.10"
    decimal 12 => "12.00"
    decimal 12.0 => "12.00"
    decimal 1000 => out_of_range : 1000.00 has more than 3 digits before the point (None)
    decimal "1.234" => invalid_value : "1.234" has more than 2 digits behind the point (None)
    decimal 1.5 => wrong_type : expected a decimal as a text, got a number (Some("a number with a fraction loses digits on its way; send a text, as in \"12.50\""))
    decimal "1e2" => invalid_value : "1e2" is no decimal number: expected a form like -12.50 (None)
    boolean true => true
    boolean 1 => wrong_type : expected true or false, got a number (None)
    "#);
}

/// A float takes what JavaScript prints of it, on both sides of each power of two; what is kept exactly is never rounded.
#[test]
fn whole_numbers_past_64_bits() {
    insta::assert_snapshot!(all(&[
        ("float", "9223372036854775808"),
        ("float", "9223372036854776000"),
        ("float", "-9223372036854775809"),
        ("float", "18446744073709552000"),
        ("long", "9223372036854775808"),
        ("decimal", "18446744073709551615"),
        ("json", "9223372036854775807"),
        ("json", "9223372036854775808"),
        ("json", r#"{"ids": [1, 18446744073709551616]}"#),
        ("json", "100000000000000000000"),
        ("json", "0.1234567890123456789"),
    ]), @r#"
    float 9223372036854775808 => 9.223372036854776e18
    float 9223372036854776000 => 9.223372036854776e18
    float -9223372036854775809 => -9.223372036854776e18
    float 18446744073709552000 => 1.8446744073709552e19
    long 9223372036854775808 => wrong_type : expected a whole number as a text, got 9223372036854775808 (None)
    decimal 18446744073709551615 => wrong_type : expected a decimal as a text, got a number (Some("a number with a fraction loses digits on its way; send a text, as in \"12.50\""))
    json 9223372036854775807 => 9223372036854775807
    json 9223372036854775808 => invalid_value : the whole number 9223372036854775808 has more digits than are kept (Some("send it as a text"))
    json {"ids": [1, 18446744073709551616]} => invalid_value : the whole number 18446744073709551616 has more digits than are kept (Some("send it as a text"))
    json 100000000000000000000 => 1e20
    json 0.1234567890123456789 => 0.12345678901234568
    "#);
}

#[test]
fn texts_and_moments() {
    insta::assert_snapshot!(all(&[
        ("string", "\"äöü\""),
        ("string", "\"äöüx\""),
        ("string", "\"a\\u0000\""),
        ("string", "\"\\ud800\""),
        ("string", "\"\""),
        ("string", "1"),
        ("ref", "\"x\\\"\\n\""),
        ("date", "\"2024-02-29\""),
        ("date", "\"2023-02-29\""),
        ("time", "\"23:59:59.999999\""),
        ("time", "\"24:00:00\""),
        ("dateTime", "\"2026-11-21T02:50:45+02:00\""),
        ("dateTime", "\"0000-01-01T00:00:00Z\""),
        ("dateTime", "\"2026-11-21\""),
        ("dateTime", "17"),
        ("uuid", "\"019A9F3E-7C1D-7B52-8A6E-3F4B5C6D7E8F\""),
        ("uuid", "\"019a9f3e\""),
        ("bytes", "\"AP8=\""),
        ("bytes", "\"A\""),
        ("status", "\"live\""),
        ("status", "\"lvie\""),
        ("status", "\"\""),
        ("status", "1"),
        ("email", "\"anna@example.com\""),
        ("email", "\"anna\""),
        ("email", "\"a b@example.com\""),
        ("email", "\"a..b@example.com\""),
        ("email", "\"a@-x.com\""),
        ("url", "\"https://example.com/ä?x=%20#y\""),
        ("url", "\"mailto:x@example.com\""),
        ("url", "\"javascript:alert(1)\""),
        ("url", "\"JAVASCRIPT://example.com/%0aalert(1)\""),
        ("url", "\"HTTPS://example.com\""),
        ("url", "\"/relative\""),
        ("url", "\"https://\""),
        ("url", "\"https://a b\""),
        ("url", "\"https://a/%zz\""),
        ("url", "\"https://[::1]:80/\""),
    ]), @r#"
    string "äöü" => "äöü"
    string "äöüx" => too_long : this text has 4 characters, at most 3 are kept (None)
    string "a\u0000" => invalid_value : text holds the character U+0000 (None)
    string "\ud800" => half of a surrogate pair is no character at line 1 column 8
    string "" => ""
    string 1 => wrong_type : expected a text, got a number (None)
    ref "x\"\n" => "x\"\n"
    date "2024-02-29" => "2024-02-29"
    date "2023-02-29" => invalid_value : "2023-02-29" is no day: expected a form like 2026-11-21 (None)
    time "23:59:59.999999" => "23:59:59.999999"
    time "24:00:00" => invalid_value : "24:00:00" is no time of day: expected a form like 02:50:45.123 (None)
    dateTime "2026-11-21T02:50:45+02:00" => "2026-11-21T00:50:45.000000Z"
    dateTime "0000-01-01T00:00:00Z" => "0000-01-01T00:00:00.000000Z"
    dateTime "2026-11-21" => invalid_value : "2026-11-21" is no moment: expected RFC 3339, as in 2026-11-21T02:50:45.123Z (None)
    dateTime 17 => wrong_type : expected a moment as a text, as in "2026-11-21T02:50:45Z", got a number (None)
    uuid "019A9F3E-7C1D-7B52-8A6E-3F4B5C6D7E8F" => "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f"
    uuid "019a9f3e" => invalid_value : "019a9f3e" is no UUID: expected a form like 019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f (None)
    bytes "AP8=" => "AP8="
    bytes "A" => invalid_value : "A" is no base64: invalid input length: 1 (None)
    status "live" => "live"
    status "lvie" => unknown_value : "Status" has no value "lvie" (Some("did you mean \"live\"?"))
    status "" => unknown_value : "Status" has no value "" (Some("one of draft, live"))
    status 1 => wrong_type : expected a value of "Status" as a text, got a number (None)
    email "anna@example.com" => "anna@example.com"
    email "anna" => invalid_value : "anna" is no e-mail address: expected a form like anna@example.com (None)
    email "a b@example.com" => invalid_value : "a b@example.com" is no e-mail address: expected a form like anna@example.com (None)
    email "a..b@example.com" => invalid_value : "a..b@example.com" is no e-mail address: expected a form like anna@example.com (None)
    email "a@-x.com" => invalid_value : "a@-x.com" is no e-mail address: expected a form like anna@example.com (None)
    url "https://example.com/ä?x=%20#y" => "https://example.com/ä?x=%20#y"
    url "mailto:x@example.com" => invalid_value : "mailto:x@example.com" is no absolute URL: it begins with neither http: nor https: (None)
    url "javascript:alert(1)" => invalid_value : "javascript:alert(1)" is no absolute URL: it begins with neither http: nor https: (None)
    url "JAVASCRIPT://example.com/%0aalert(1)" => invalid_value : "JAVASCRIPT://example.com/%0aalert(1)" is no absolute URL: it begins with neither http: nor https: (None)
    url "HTTPS://example.com" => "HTTPS://example.com"
    url "/relative" => invalid_value : "/relative" is no absolute URL: expected a form like https://example.com/page (None)
    url "https://" => invalid_value : "https://" is no absolute URL: it names no host (None)
    url "https://a b" => invalid_value : "https://a b" is no absolute URL: it holds a character that must be escaped (None)
    url "https://a/%zz" => invalid_value : "https://a/%zz" is no absolute URL: "%" stands before two hexadecimal digits only (None)
    url "https://[::1]:80/" => "https://[::1]:80/"
    "#);
}

#[test]
fn lists_and_embedded_values_tell_everything() {
    insta::assert_snapshot!(all(&[
        ("ints", "[1, 2]"),
        ("ints", "[1, null, \"x\"]"),
        ("ints", "1"),
        ("longs", "[1, \"2\"]"),
        ("statuses", "[\"live\", \"dead\"]"),
        ("address", r#"{"street": "x", "size": 5, "point": {"y": 1, "x": 2.5}, "tags": ["b", "a"]}"#),
        ("address", r#"{"stret": "x", "country": "dead", "point": {"x": "1"}, "tags": [1, "a", null]}"#),
        ("address", r#"{"street": null}"#),
        ("address", "[]"),
        ("addresses", r#"[{"street": "x"}, {"street": 1}, 5]"#),
        ("json", r#"{"b": [1, 2.50, "x\u00e9\u0001"], "a": {"d": null, "c": true}}"#),
        ("json", r#"{"a": "\u0000"}"#),
        ("json", r#"{"a\u0000": 1}"#),
        ("one", "\"019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f\""),
        ("one", "\"x\""),
        ("one", "5"),
        ("number", "\"5\""),
        ("number", "5"),
        ("number", "\"5.0\""),
        ("name", "\"x\""),
        ("name", "\"\""),
    ]), @r#"
    ints [1, 2] => [1,2]
    ints [1, null, "x"] => wrong_type /1: an element of a list is never null (None)
    wrong_type /2: expected a whole number, got a text (None)
    ints 1 => wrong_type : expected a list, got a number (None)
    longs [1, "2"] => ["1","2"]
    statuses ["live", "dead"] => unknown_value /1: "Status" has no value "dead" (Some("one of draft, live"))
    address {"street": "x", "size": 5, "point": {"y": 1, "x": 2.5}, "tags": ["b", "a"]} => {"country":null,"point":{"x":2.5,"y":1.0},"size":"5","street":"x","tags":["b","a"]}
    address {"stret": "x", "country": "dead", "point": {"x": "1"}, "tags": [1, "a", null]} => unknown_field /stret: no member named "stret" in "Address" (Some("did you mean \"street\"?"))
    unknown_value /country: "Status" has no value "dead" (Some("one of draft, live"))
    wrong_type /point/x: expected a number, got a text (None)
    required /point/y: this member is required (None)
    required /street: this member is required (None)
    wrong_type /tags/0: expected a text, got a number (None)
    wrong_type /tags/2: an element of a list is never null (None)
    address {"street": null} => required /street: this member is never null (None)
    address [] => wrong_type : expected an object of type "Address", got an array (None)
    addresses [{"street": "x"}, {"street": 1}, 5] => wrong_type /1/street: expected a text, got a number (None)
    wrong_type /2: expected an object of type "Address", got a number (None)
    json {"b": [1, 2.50, "x\u00e9\u0001"], "a": {"d": null, "c": true}} => {"a":{"c":true,"d":null},"b":[1,2.5,"xé\u0001"]}
    json {"a": "\u0000"} => invalid_value : text holds the character U+0000 (None)
    json {"a\u0000": 1} => invalid_value : text holds the character U+0000 (None)
    one "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f" => "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f"
    one "x" => invalid_value : "x" is no UUID: expected a form like 019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f (Some("send the id of a \"A\""))
    one 5 => wrong_type : expected a key as a text, got a number (Some("send the id of a \"A\""))
    number "5" => "5"
    number 5 => "5"
    number "5.0" => invalid_value : "5.0" is no key: expected a whole number as a text (Some("send the id of a \"N\""))
    name "x" => "x"
    name "" => invalid_value : this is no key: expected 1 to 255 characters, none of them a control character (Some("send the id of a \"S\""))
    "#);
}

#[test]
fn json_that_is_refused() {
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    let fits = format!("{}{}", "[".repeat(32), "]".repeat(32));
    let many: String = (0..40).map(|at| format!("\"k{at}\":0,")).collect();
    let double = format!("{{{many}\"k7\":1}}");
    assert!(Json::parse(fits.as_bytes(), JsonLimits::default()).is_ok());
    let cases = [
        deep.as_bytes(),
        b"{\"a\": 1,\n \"a\": 2}",
        double.as_bytes(),
        b"{\n\"a\": \"\xff\"}",
        b"1 2",
        b"",
        b"{\"a\" 1}",
        b"[1,]",
        b"18446744073709551615",
        b"NaN",
        b"1e400",
        b"\"\\ud800\"",
        b"\"a\nb\"",
    ];
    let out: String = cases
        .iter()
        .map(|bytes| match Json::parse(bytes, JsonLimits::default()) {
            Ok(json) => format!("{json:?}\n"),
            Err(error) => format!("{error}\n"),
        })
        .collect();
    insta::assert_snapshot!(out, @r#"
    this nests deeper than 32 at line 1 column 34
    the key "a" comes twice at line 2 column 4
    the key "k7" comes twice at line 1 column 315
    this is not valid UTF-8 at line 2 column 7
    something stands behind the JSON value at line 1 column 3
    the JSON ends too early at line 1 column 0
    expected `:` at line 1 column 6
    trailing comma at line 1 column 4
    Rounded("18446744073709551615")
    this is no JSON value at line 1 column 1
    this number is out of range at line 1 column 5
    half of a surrogate pair is no character at line 1 column 8
    control character (\u0000-\u001F) found while parsing a string at line 2 column 0
    "#);
}

#[test]
fn texts_in_addresses_and_cells() {
    let schema = load(SDL);
    let parse = |name: &str, text: &str| format!("{:?}\n", schema.parse_field_text(field(&schema, name), text));
    let out = [
        parse("string", "abc"),
        parse("string", "abcd"),
        parse("int", "5"),
        parse("int", "2147483648"),
        parse("long", "2147483648"),
        parse("float", "1e3"),
        parse("boolean", "true"),
        parse("boolean", "yes"),
        parse("decimal", "1.5"),
        parse("date", "2026-11-21"),
        parse("status", "live"),
        parse("status", "dead"),
        parse("ints", "[1, 2]"),
        parse("ints", "1"),
        parse("address", "{\"street\": \"x\"}"),
        parse("one", "x"),
        parse("number", "5"),
        parse("json", "{\"a\": 1}"),
    ];
    insta::assert_snapshot!(out.concat(), @r#"
    Some(Text("abc"))
    None
    Some(Int(5))
    None
    Some(Int(2147483648))
    Some(Float(1000.0))
    Some(Bool(true))
    None
    Some(Decimal(Decimal { units: 150, scale: 2 }))
    Some(Date(20778))
    Some(Text("live"))
    None
    Some(List([Int(1), Int(2)]))
    None
    Some(Json("{\"country\":null,\"point\":null,\"size\":null,\"street\":\"x\",\"tags\":null}"))
    None
    Some(Int(5))
    Some(Json("{\"a\":1}"))
    "#);
    let long = "x".repeat(256);
    assert_eq!(KeyKind::String.parse(&long), None);
    assert!(KeyKind::String.parse(&long[1..]).is_some());
    assert_eq!(KeyKind::Int.parse("+5"), None);
    assert_eq!(KeyKind::Uuid.parse("019A9F3E7C1D7B528A6E3F4B5C6D7E8F"), None);
}

#[test]
fn long_texts_and_lists_are_bounded() {
    let schema = load("type A { a: String b: [Int!] }");
    let kind = |name| &field(&schema, name).kind;
    let text = |length: usize| Json::Text("x".repeat(length).into());
    assert!(schema.read_value(kind("a"), None, &text(mainstay_schema::STRING_BYTES_MAX)).is_ok());
    assert_eq!(
        schema.read_value(kind("a"), None, &text(mainstay_schema::STRING_BYTES_MAX + 1)).unwrap_err().code,
        "too_long"
    );
    let list = |length: usize| Json::Array(vec![Json::Int(1); length]);
    assert!(schema.read_value(kind("b"), None, &list(mainstay_schema::LIST_LENGTH_MAX)).is_ok());
    assert_eq!(
        schema.read_value(kind("b"), None, &list(mainstay_schema::LIST_LENGTH_MAX + 1)).unwrap_err().code,
        "too_long"
    );
}

#[test]
fn members_of_embedded_values_are_typed() {
    let schema = load(SDL);
    let FieldKind::Embedded { of, .. } = field(&schema, "address").kind else { panic!("embedded") };
    let json = Json::parse(br#"{"street": "x", "size": 5}"#, JsonLimits::default()).unwrap();
    let value = schema.read_value(&field(&schema, "address").kind, None, &json).unwrap();
    let members: Vec<_> = (0..6).map(|at| schema.member_value(of, &value, at)).collect();
    insta::assert_debug_snapshot!(members, @r#"
    [
        Text(
            "x",
        ),
        Null,
        Int(
            5,
        ),
        Null,
        Null,
        Null,
    ]
    "#);
}
