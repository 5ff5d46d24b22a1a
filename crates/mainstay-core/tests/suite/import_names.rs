//! Imports of files whose records name each other: in other spellings, before they are there, and wrongly.
use mainstay_core::{
    AdminPass, List,
    import::{Format, Input, MissingLinks, Options, Report, Source, import},
};

use crate::house::{House, admin, by, link, plain, selection, tell_error};

const SDL: &str = r#"
type Category @rules(read: "true") { slug: String! @unique @normalize(expr: "slug.lowerAscii()") name: String }
type Skill @rules(read: "true") { name: String! @unique category: Category! }
"#;

/// Loads an object of arrays, or lines for a collection; what is wrong, each with its line and place.
async fn load(house: &House, path: Option<&str>, text: &str, options: &Options) -> (Vec<String>, Report) {
    let format = if path.is_some() { Format::Ndjson } else { Format::Json };
    let (collection, input) = (path.map(|path| house.id(path)), Input::Bytes(text.as_bytes().to_vec()));
    let sources = vec![Source { name: "file".to_owned(), input, format, collection }];
    let pass = AdminPass::for_command("a test");
    let report = match import(&house.core, pass, sources, options, &mut |_| {}).await {
        Ok(report) => report,
        Err(error) => panic!("{}", tell_error(&error)),
    };
    let told = |problem: &mainstay_core::import::Problem| {
        format!("line {} {}: {}", problem.line.unwrap_or(0), problem.pointer, problem.message)
    };
    (report.errors.iter().map(told).collect(), report)
}

async fn names(house: &House, path: &str, field: &str) -> Vec<String> {
    let list = List { sort: vec![by(field)], selection: selection(&[plain(field)]), ..house.list_of(path) };
    let told: serde_json::Value = serde_json::from_str(&house.list(&admin(), list).await).unwrap();
    told["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_link_finds_its_record_in_whatever_spelling_is_normalized_to_it() {
    let text = "{\"name\": \"a\", \"category\": \"CORE\"}\n{\"name\": \"b\", \"category\": \"Core\"}\n\
                {\"name\": \"c\", \"category\": \"core\"}\n";
    // Small files are looked at as a whole first, unless links may be missing.
    for missing_links in [MissingLinks::Refuse, MissingLinks::Null] {
        let house = House::new(SDL);
        house.seed("categories", r#"{"slug": "core"}"#).await;
        let options = Options { missing_links, ..Options::default() };
        assert_eq!(load(&house, Some("skills"), text, &options).await.0, [""; 0]);
        assert_eq!(names(&house, "skills", "name").await, ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn so_does_one_to_a_record_of_the_same_file() {
    let house = House::new(SDL);
    let text = r#"{"categories": [{"slug": "Core"}], "skills": [{"name": "a", "category": "CORE"}, {"name": "b", "category": "core"}]}"#;
    assert_eq!(load(&house, None, text, &Options::default()).await.0, [""; 0]);
    assert_eq!(names(&house, "skills", "name").await, ["a", "b"]);
}

#[tokio::test]
async fn an_upsert_knows_a_record_in_whatever_spelling() {
    let house = House::new(SDL);
    let text = "{\"slug\": \"new\", \"name\": \"1\"}\n{\"slug\": \"NEW\", \"name\": \"2\"}\n\
                {\"slug\": \"Old\", \"name\": \"3\"}\n{\"slug\": \"old\", \"name\": \"4\"}\n";
    house.seed("categories", r#"{"slug": "old", "name": "0"}"#).await;
    let options = Options { upsert: vec!["slug".to_owned()], ..Options::default() };
    let (wrong, report) = load(&house, Some("categories"), text, &options).await;
    assert_eq!(wrong, [""; 0]);
    assert_eq!((report.collections[0].created, report.collections[0].updated), (1, 3));
    assert_eq!(names(&house, "categories", "name").await, ["2", "4"]);
}

const NODES: &str = r#"
type Node @rules(read: "true") { id: Int! name: String! @unique @check(expr: "name != 'never'") data: JSON next: Node }
type Wide @rules(read: "true") {
  a: Int b: Int c: Int d: Int e: Int f: Int g: Int h: Int i: Int j: Int k: Int l: Int
  name: String! @unique
}
"#;

fn bad_file() -> (tempfile::TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { bad: Some(folder.path().join("bad.ndjson")), ..Options::default() };
    (folder, options)
}

#[tokio::test]
async fn a_record_that_waited_and_is_wrong_is_told_with_its_line() {
    let text = "{\"name\": \"a\", \"next\": \"z\"}\n{\"name\": \"a\", \"next\": \"z\"}\n\
                {\"name\": \"b\", \"next\": \"z\"}\n{\"name\": \"z\"}\n";
    let sdl = NODES.replace("type Node ", "type Node @check(expr: \"name == 'z' || next != null\", message: \"\") ");
    let house = House::new(&sdl);
    let (wrong, _) = load(&house, Some("nodes"), text, &Options::default()).await;
    // What waits is gone over from its end first.
    assert_eq!(wrong, ["line 1 /name: another \"Node\" has the same \"name\""]);
    let house = House::new(&sdl);
    let (folder, options) = bad_file();
    let (wrong, report) = load(&house, Some("nodes"), text, &options).await;
    assert_eq!((wrong, report.bad), (vec![], 1));
    assert_eq!(report.collections[0].created, 3);
    assert_eq!(names(&house, "nodes", "name").await, ["a", "b", "z"]);
    let bad = std::fs::read_to_string(folder.path().join("bad.ndjson")).unwrap();
    assert!(bad.contains("another \\\"Node\\\" has the same") && bad.contains("\"line\":1"), "{bad}");
}

#[tokio::test]
async fn a_record_that_waits_may_be_as_deep_as_any() {
    let house = House::new(NODES);
    let deep = format!("{}1{}", "[".repeat(31), "]".repeat(31));
    let text =
        format!("{{\"name\": \"a\", \"next\": \"z\", \"data\": {deep}}}\n{{\"name\": \"z\", \"data\": {deep}}}\n");
    let (wrong, report) = load(&house, Some("nodes"), &text, &Options::default()).await;
    assert_eq!(wrong, [""; 0]);
    assert_eq!(report.collections[0].created, 2);
    assert_eq!(names(&house, "nodes", "name").await, ["a", "z"]);
}

#[tokio::test]
async fn what_waits_is_upserted_by_its_own_field() {
    let house = House::new(NODES);
    let text = r#"{"nodes": [{"name": "a", "next": "z"}, {"name": "z"}], "wides": [{"name": "x"}]}"#;
    let options = Options { upsert: vec!["name".to_owned()], ..Options::default() };
    for _ in 0..2 {
        let (wrong, _) = load(&house, None, text, &options).await;
        assert_eq!(wrong, [""; 0]);
    }
    let list = List {
        sort: vec![by("name")],
        selection: selection(&[plain("name"), link("next", &["name"])]),
        ..house.list_of("nodes")
    };
    let told = house.list(&admin(), list).await;
    assert_eq!(told, r#"{"items":[{"name":"a","next":{"name":"z"}},{"name":"z","next":null}],"next":null}"#);
}

/// Items that link to categories at random, so that names are remembered and forgotten all the time.
fn items_at_random(count: u64, of: u64) -> String {
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % of
    };
    (0..count).map(|at| format!("{{\"name\": \"i{at}\", \"category\": \"c{}\"}}\n", next())).collect()
}

#[tokio::test]
async fn names_that_are_forgotten_are_asked_for_once_more() {
    let categories: String = (0..300).map(|at| format!("{{\"slug\": \"c{at}\"}}\n")).collect();
    for missing_links in [MissingLinks::Refuse, MissingLinks::Null] {
        let house = House::new(SDL);
        let (_folder, bad) = bad_file();
        let options = Options { missing_links, names_max: 250, ..bad };
        assert_eq!(load(&house, Some("categories"), &categories, &options).await.0, [""; 0]);
        let (wrong, report) = load(&house, Some("skills"), &items_at_random(6_000, 300), &options).await;
        assert_eq!((wrong, report.bad), (vec![], 0));
        assert_eq!((report.collections[0].created, report.collections[0].links_left_out), (6_000, 0));
    }
}

/// There is room for two of those that wait: then nobody waits behind others, and nothing is lost.
#[tokio::test]
async fn where_more_wait_than_are_remembered_all_that_is_right_comes_in() {
    let house = House::new("type Twin @rules(read: \"true\") { name: String! @unique next: Twin }");
    let pairs: String =
        (0..12).map(|at| format!("{{\"name\": \"n{at:02}\", \"next\": \"n{:02}\"}}\n", at ^ 1)).collect();
    let options = Options { upsert: vec!["name".to_owned()], names_max: 2, ..Options::default() };
    assert_eq!(load(&house, Some("twins"), &pairs, &options).await.0, [""; 0]);
    let list = List {
        sort: vec![by("name")],
        selection: selection(&[plain("name"), link("next", &["name"])]),
        ..house.list_of("twins")
    };
    let told: serde_json::Value = serde_json::from_str(&house.list(&admin(), list).await).unwrap();
    let next = |item: &serde_json::Value| item["next"]["name"].as_str().unwrap_or_default().to_owned();
    let found: Vec<String> = told["items"].as_array().unwrap().iter().map(next).collect();
    assert_eq!(found, (0..12).map(|at| format!("n{:02}", at ^ 1)).collect::<Vec<_>>());
}
