//! Imports: all forms, links by unique, forward and to itself, what is wrong with its place.
use mainstay_core::{
    AdminPass, List,
    import::{Format, Input, Options, Report, Source, import},
};

use crate::house::{House, admin, by, link, plain, selection, user};

const SDL: &str = r#"
type Category @rules(read: "true") { slug: String! @unique name: String! }
type Skill @rules(read: "true") {
  slug: String! @unique
  category: Category!
  monthsMin: Int
  price: Decimal @decimal(precision: 10, scale: 2)
  tags: [String!]
  good: Boolean! @default(value: true)
  next: Skill
  requires: [Skill!]! @many
}
type Note @rules(read: "owner == auth.id") { owner: ID! @set(create: "auth.id") text: String! }
"#;

fn source(format: Format, collection: Option<mainstay_schema::CollectionId>, text: &str) -> Source {
    Source { name: "file".to_owned(), input: Input::Bytes(text.as_bytes().to_vec()), format, collection }
}

async fn load(house: &House, format: Format, path: Option<&str>, text: &str) -> Report {
    let collection = path.map(|path| house.id(path));
    let mut steps = 0;
    let (pass, sources) = (AdminPass::for_command("a test"), vec![source(format, collection, text)]);
    import(&house.core, pass, sources, &Options::default(), &mut |_| steps += 1).await.unwrap()
}

fn problems(report: &Report) -> Vec<String> {
    let told = |problem: &mainstay_core::import::Problem| {
        let line = problem.line.map(|line| format!("line {line} ")).unwrap_or_default();
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{line}{}: {}{hint}", problem.pointer, problem.message)
    };
    report.errors.iter().map(told).collect()
}

#[tokio::test]
async fn a_document_with_links_by_unique_forward_and_to_itself() {
    let house = House::new(SDL);
    let text = r#"{
      "note": "passed over",
      "skills": [
        {"slug": "b", "category": "core", "months_min": 2, "requires": ["a", "c"], "next": "c"},
        {"slug": "a", "category": "core", "requires": [], "next": "a"},
        {"slug": "c", "category": "core", "requires": ["a"], "next": "b"}
      ],
      "categories": [{"slug": "core", "name": "Core"}]
    }"#;
    let report = load(&house, Format::Json, None, text).await;
    assert_eq!(problems(&report), [""; 0]);
    assert_eq!(report.notes, ["\"note\" is a text, not a list, and was passed over"]);
    let counts: Vec<_> =
        report.collections.iter().map(|one| (one.collection.as_str(), one.created, one.skipped)).collect();
    assert_eq!(counts, [("Skill", 3, 0), ("Category", 1, 0)]);
    let fields = [
        plain("slug"),
        link("category", &["slug"]),
        link("next", &["slug"]),
        link("requires", &["slug"]),
        plain("monthsMin"),
    ];
    let list = List { sort: vec![by("slug")], selection: selection(&fields), ..house.list_of("skills") };
    let told = house.list(&admin(), list).await;
    let json: serde_json::Value = serde_json::from_str(&told).unwrap();
    let items = json["items"].as_array().unwrap();
    let names = |at: usize| {
        let mut names: Vec<_> =
            items[at]["requires"].as_array().unwrap().iter().map(|one| one["slug"].as_str().unwrap()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!((names(0), names(1), names(2)), (vec![], vec!["a", "c"], vec!["a"]));
    let next: Vec<_> = items.iter().map(|one| one["next"]["slug"].as_str().unwrap()).collect();
    assert_eq!(next, ["a", "c", "b"]);
    assert_eq!(items[1]["monthsMin"], 2);
    assert_eq!(items[1]["category"]["slug"], "core");
}

#[tokio::test]
async fn csv_cells_have_the_types_of_their_fields() {
    let house = House::new(SDL);
    house.seed("categories", r#"{"slug": "core", "name": "Core"}"#).await;
    let text = "slug,category,months_min,price,tags,good,requires\n\
                a,core,3,1.5,x; y,,\n\
                b,core,,,\"[\"\"p\"\"]\",false,a\n";
    let report = load(&house, Format::Csv, Some("skills"), text).await;
    assert_eq!(problems(&report), [""; 0]);
    let fields =
        [plain("slug"), plain("monthsMin"), plain("price"), plain("tags"), plain("good"), link("requires", &["slug"])];
    let list = List { sort: vec![by("slug")], selection: selection(&fields), ..house.list_of("skills") };
    assert_eq!(
        house.list(&admin(), list).await,
        concat!(
            r#"{"items":[{"slug":"a","monthsMin":3,"price":"1.50","tags":["x","y"],"good":true,"requires":[]},"#,
            r#"{"slug":"b","monthsMin":null,"price":null,"tags":["p"],"good":false,"requires":[{"slug":"a"}]}],"next":null}"#
        )
    );
}

#[tokio::test]
async fn lines_keep_what_the_server_would_have_written() {
    let house = House::new(SDL);
    let text = "{\"owner\": \"anna\", \"text\": \"a\", \"createdAt\": \"2020-01-01T00:00:00Z\"}\n\n{\"owner\": \"bob\", \"text\": \"b\"}\n";
    let report = load(&house, Format::Ndjson, Some("notes"), text).await;
    assert_eq!(problems(&report), [""; 0]);
    let list = List { selection: selection(&[plain("text"), plain("createdAt")]), ..house.list_of("notes") };
    let told = house.list(&user("anna"), list).await;
    assert_eq!(told, r#"{"items":[{"text":"a","createdAt":"2020-01-01T00:00:00.000000Z"}],"next":null}"#);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place_and_nothing_is_written() {
    let house = House::new(SDL);
    let text = r#"{"categories": [{"slug": "core", "name": "Core"}], "skills": [{"slug": "a", "category": "cor"}]}"#;
    let report = load(&house, Format::Json, None, text).await;
    assert_eq!(
        problems(&report),
        ["line 1 /skills/0/category: no \"Category\" has the key or a unique \"cor\" (did you mean \"core\"?)"]
    );
    assert!(report.collections.iter().all(|one| one.created == 0));
    let text = "{\"slug\": \"a\", \"name\": \"A\"}\n{\"slug\": 5, \"nam\": \"B\"}\n";
    let report = load(&house, Format::Ndjson, Some("categories"), text).await;
    assert_eq!(report.collections[0].created, 0);
    let told = problems(&report);
    assert!(told[0].starts_with("line 2 /slug: "), "{told:?}");
    assert!(told.iter().any(|one| one.contains("(did you mean \"name\"?)")), "{told:?}");
    let text = "{\"slug\": \"a\", \"name\": \"A\"}\n{\"slug\": \"a\", \"name\": \"B\"}\n";
    let report = load(&house, Format::Ndjson, Some("categories"), text).await;
    assert_eq!(problems(&report), ["line 2 /slug: another \"Category\" has the same \"slug\""]);
}

#[tokio::test]
async fn a_file_that_is_none_is_an_error() {
    let house = House::new(SDL);
    let told = |format, path: Option<&str>, text: &'static str| {
        let collection = path.map(|path| house.id(path));
        let (core, sources) = (&house.core, vec![source(format, collection, text)]);
        async move {
            let pass = AdminPass::for_command("a test");
            let error = import(core, pass, sources, &Options::default(), &mut |_| {}).await.err().unwrap();
            crate::house::tell_error(&error)
        }
    };
    assert!(told(Format::Json, None, "{").await.starts_with("InvalidBody: "));
    assert_eq!(
        told(Format::Json, None, r#"{"skils": []}"#).await,
        "InvalidBody: no collection named \"skils\" (did you mean \"skills\"?)"
    );
    assert_eq!(
        told(Format::Json, None, "[]").await,
        "InvalidBody: the file holds a list, but not of what (name the collection)"
    );
    let report = load(&house, Format::Ndjson, Some("notes"), "{\"a\": 1}\nnope\n").await;
    let told = problems(&report);
    assert!(told[0].starts_with("line 1 /a: ") && told[2].starts_with("line 2 : "), "{told:?}");
}

#[tokio::test]
async fn the_example_comes_in_whole() {
    let house = House::new(include_str!("../../../../examples/skillmap/schema.graphql"));
    let text = include_str!("../../../../examples/skillmap/seed/skillmap.json");
    let report = load(&house, Format::Json, None, text).await;
    assert_eq!(problems(&report), [""; 0]);
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let sent: usize =
        json["skills"].as_array().unwrap().iter().map(|skill| skill["requires"].as_array().unwrap().len()).sum();
    let size = mainstay_core::Select::Figure {
        alias: Some("n".into()),
        aggregate: mainstay_core::Aggregate::Count,
        path: vec!["requires".into()],
        filter: Vec::new(),
    };
    let list = List { limit: Some(1000), selection: selection(&[size, plain("version")]), ..house.list_of("skills") };
    let told: serde_json::Value = serde_json::from_str(&house.list(&admin(), list).await).unwrap();
    let items = told["items"].as_array().unwrap();
    assert_eq!(items.len(), json["skills"].as_array().unwrap().len());
    assert_eq!(items.iter().map(|item| item["n"].as_u64().unwrap() as usize).sum::<usize>(), sent);
    assert!(items.iter().all(|item| item["version"] == 1), "all links go in with their records");
}
