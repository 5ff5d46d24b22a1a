//! Imports of random records that link to each other, against what must come in: those that have all that they need, with all links to
//! records that come in, in whatever order the files and the records are.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    task::Poll,
};

use mainstay_core::{
    AdminPass, List,
    import::{Format, Input, MissingLinks, Options, Report, Source, import},
};
use serde_json::{Map, Value, json};

use crate::house::{House, admin, by, link, plain, selection, tell_error};

/// Imports of each kind, where the environment says no other number.
const CASES: u64 = 25;
/// Records of each type, at most.
const RECORDS_MAX: u64 = 12;

/// A link: its field, which type it leads to, and whether a record needs it.
type Link = (&'static str, usize, bool);

/// The types, each with its links.
const LINKS: [(&str, &[Link]); 3] = [
    ("a", &[("next", 0, false), ("far", 2, false)]),
    ("b", &[("need", 0, true), ("friend", 1, false)]),
    ("c", &[("need", 1, true), ("up", 2, false)]),
];

fn sdl(counted: u64) -> String {
    let id = |bit: u64| if counted >> bit & 1 == 1 { "id: Int!" } else { "" };
    format!(
        "type A @path(name: \"a\") @check(expr: \"!led || next != null\", message: \"it is led\") {{ {} name: String! @unique n: Int! \
         led: Boolean! @default(value: false) next: A far: C many: [B!]! @many }}\n\
         type B @path(name: \"b\") {{ {} name: String! @unique n: Int! need: A! friend: B }}\n\
         type C @path(name: \"c\") {{ {} name: String! @unique n: Int! need: B! up: C }}",
        id(0),
        id(1),
        id(2)
    )
}

fn cases() -> u64 {
    std::env::var("IMPORT_CASES").map_or(CASES, |text| text.parse().unwrap())
}

/// Random numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

type Record = Map<String, Value>;

/// The records of each type.
type Records = [Vec<Record>; 3];

fn name(of: usize, at: u64) -> String {
    format!("{}{at}", LINKS[of].0)
}

/// Records that link to others; where they are right, to such as there are, and the led ones to such as are not.
fn records(dice: &mut Dice, right: bool) -> Records {
    let counts = [0; 3].map(|_| 1 + dice.below(RECORDS_MAX));
    let led = |at: u64| at % 3 == 2;
    [0, 1, 2].map(|of| {
        let mut records: Vec<Record> = (0..counts[of])
            .map(|at| {
                let mut record = Record::from_iter([("name".into(), name(of, at).into()), ("n".into(), at.into())]);
                for (field, target, required) in LINKS[of].1 {
                    let to = dice.below(counts[*target] + if right { 0 } else { 2 });
                    let is_led = of == 0 && *field == "next" && led(at);
                    if *required || is_led || dice.below(3) > 0 {
                        // A record whose key is not known yet does not lead itself.
                        let to = if is_led && (right && led(to) || to == at) { to / 3 * 3 } else { to };
                        record.insert((*field).to_owned(), name(*target, to).into());
                    }
                }
                if of == 0 {
                    record.insert("led".into(), led(at).into());
                    let many: BTreeSet<String> = (0..dice.below(4))
                        .map(|_| name(1, dice.below(counts[1] + if right { 0 } else { 2 })))
                        .collect();
                    record.insert("many".into(), many.into_iter().collect());
                }
                record
            })
            .collect();
        dice.shuffle(&mut records);
        records
    })
}

/// What must come in: who needs none, then who needs only those, and so on.
fn wanted(records: &Records) -> [BTreeMap<String, Record>; 3] {
    let mut come: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = come.len();
        for (of, records) in records.iter().enumerate() {
            for record in records {
                let needs = LINKS[of]
                    .1
                    .iter()
                    .filter(|(field, _, required)| *required || *field == "next" && record["led"] == true);
                let mut needed =
                    needs.map(|(field, ..)| record.get(*field).and_then(Value::as_str).unwrap_or_default());
                if needed.all(|name| come.contains(name)) {
                    come.insert(record["name"].as_str().unwrap());
                }
            }
        }
        if come.len() == before {
            break;
        }
    }
    let comes = |name: &Value| name.as_str().is_some_and(|name| come.contains(name));
    records.each_ref().map(|records| {
        let records = records.iter().filter(|record| comes(&record["name"]));
        records
            .map(|record| {
                let mut record = record.clone();
                for field in ["next", "far", "friend", "up"] {
                    if record.get(field).is_some_and(|name| !comes(name)) {
                        record.remove(field);
                    }
                }
                if let Some(Value::Array(many)) = record.get_mut("many") {
                    many.retain(comes);
                }
                (record["name"].as_str().unwrap().to_owned(), record)
            })
            .collect()
    })
}

/// What is there, in the words of the files.
async fn found(house: &House) -> [BTreeMap<String, Record>; 3] {
    let mut found = [const { BTreeMap::new() }; 3];
    for (of, found) in found.iter_mut().enumerate() {
        let (path, links) = LINKS[of];
        let mut fields = vec![plain("name"), plain("n")];
        fields.extend(links.iter().map(|(field, ..)| link(field, &["name"])));
        if of == 0 {
            fields.extend([plain("led"), link("many", &["name"])]);
        }
        let list =
            List { sort: vec![by("name")], limit: Some(100), selection: selection(&fields), ..house.list_of(path) };
        let told: Value = serde_json::from_str(&house.list(&admin(), list).await).unwrap();
        for item in told["items"].as_array().unwrap() {
            let mut record = item.as_object().unwrap().clone();
            for (field, ..) in links {
                match record[*field]["name"].take() {
                    Value::Null => record.remove(*field),
                    name => record.insert((*field).to_owned(), name),
                };
            }
            if let Some(Value::Array(many)) = record.get("many") {
                let names: BTreeSet<String> = many.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
                record.insert("many".into(), names.into_iter().collect());
            }
            found.insert(item["name"].as_str().unwrap().to_owned(), record);
        }
    }
    found
}

fn write(folder: &Path, records: &Records) {
    for (of, records) in records.iter().enumerate() {
        let lines: String = records.iter().map(|record| format!("{}\n", Value::Object(record.clone()))).collect();
        std::fs::write(folder.join(LINKS[of].0), lines).unwrap();
    }
}

/// The files of each type, in any order.
fn files(house: &House, dice: &mut Dice, folder: &Path) -> Vec<Source> {
    let file = |(path, ..): &(&str, &[Link])| Source {
        name: (*path).to_owned(),
        input: Input::File(folder.join(path)),
        format: Format::Ndjson,
        collection: Some(house.id(path)),
    };
    let mut sources: Vec<Source> = LINKS.iter().map(file).collect();
    dice.shuffle(&mut sources);
    sources
}

async fn load(house: &House, dice: &mut Dice, records: &Records, options: &Options) -> Report {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), records);
    load_from(house, dice, folder.path(), options).await
}

async fn load_from(house: &House, dice: &mut Dice, folder: &Path, options: &Options) -> Report {
    let sources = files(house, dice, folder);
    let loaded = import(&house.core, AdminPass::for_command("a test"), sources, options, &mut |_| {}).await;
    loaded.unwrap_or_else(|error| panic!("{}", tell_error(&error)))
}

/// Begins an import that ends somewhere.
async fn interrupt(house: &House, dice: &mut Dice, folder: &Path, options: &Options) {
    let sources = files(house, dice, folder);
    let mut left = dice.below(60);
    let mut tell = |_| {};
    let mut loading =
        std::pin::pin!(import(&house.core, AdminPass::for_command("a test"), sources, options, &mut tell));
    std::future::poll_fn(|context| {
        left = left.saturating_sub(1);
        if left == 0 { Poll::Ready(()) } else { loading.as_mut().poll(context).map(|_| ()) }
    })
    .await;
}

fn left_out(records: &Records, wanted: &[BTreeMap<String, Record>; 3]) -> u64 {
    let links = |record: &Record| {
        let to_one = ["next", "far", "friend", "up"].iter().filter(|field| record.contains_key(**field)).count();
        (to_one + record.get("many").and_then(Value::as_array).map_or(0, Vec::len)) as u64
    };
    let all = records.iter().zip(wanted).flat_map(|(records, wanted)| {
        records.iter().filter_map(|record| Some((record, wanted.get(record["name"].as_str()?)?)))
    });
    all.map(|(record, wanted)| links(record) - links(wanted)).sum()
}

#[tokio::test]
async fn who_has_all_that_it_needs_comes_in_with_its_links() {
    for seed in 0..cases() {
        let mut dice = Dice(seed);
        let (house, records) = (House::new(&sdl(seed)), records(&mut dice, false));
        let folder = tempfile::tempdir().unwrap();
        let bad = Some(folder.path().join("bad.ndjson"));
        let names_max = [3, 50_000][dice.below(2) as usize];
        let options = Options { missing_links: MissingLinks::Null, bad, names_max, ..Options::default() };
        let report = load(&house, &mut dice, &records, &options).await;
        let wanted = wanted(&records);
        assert_eq!(found(&house).await, wanted, "seed {seed}: {records:#?}");
        let created: u64 = report.collections.iter().map(|one| one.created).sum();
        let count: usize = wanted.iter().map(BTreeMap::len).sum();
        let all: usize = records.iter().map(Vec::len).sum();
        assert_eq!((created, report.bad), (count as u64, (all - count) as u64), "seed {seed}");
        let told: u64 = report.collections.iter().map(|one| one.links_left_out).sum();
        assert_eq!(told, left_out(&records, &wanted), "seed {seed}: {records:#?}");
    }
}

#[tokio::test]
async fn all_that_is_right_comes_in() {
    for seed in 0..cases() {
        let mut dice = Dice(seed);
        let (house, records) = (House::new(&sdl(seed)), records(&mut dice, true));
        let names_max = [3, 50_000][dice.below(2) as usize];
        let report = load(&house, &mut dice, &records, &Options { names_max, ..Options::default() }).await;
        assert_eq!(report.errors.len(), 0, "seed {seed}: {:?}", report.errors);
        assert_eq!(found(&house).await, wanted(&records), "seed {seed}: {records:#?}");
    }
}

/// Each name comes twice, with other values.
fn twice(dice: &mut Dice, records: &mut Records) {
    for records in records {
        // A field that is not sent stays as it is.
        let fields: BTreeSet<String> = records.iter().flat_map(|record| record.keys().cloned()).collect();
        let mut twice = records.clone();
        for record in &mut twice {
            record["n"] = json!(record["n"].as_u64().unwrap() + 100);
            for field in &fields {
                let other = &records[dice.below(records.len() as u64) as usize];
                if ["far", "friend", "up", "many"].contains(&field.as_str()) {
                    record.insert(field.clone(), other.get(field).cloned().unwrap_or_default());
                }
            }
        }
        records.append(&mut twice);
        dice.shuffle(records);
    }
}

/// The records of each name in one, the last of them on top.
fn last(records: &Records) -> Records {
    records.each_ref().map(|records| {
        let mut last: BTreeMap<String, Record> = BTreeMap::new();
        for record in records {
            last.entry(record["name"].as_str().unwrap().to_owned()).or_default().extend(record.clone());
        }
        let mut last: Vec<Record> = last.into_values().collect();
        last.iter_mut().for_each(|record| record.retain(|_, value| !value.is_null()));
        last
    })
}

#[tokio::test]
async fn with_upsert_the_last_of_a_name_holds() {
    for seed in 0..cases() {
        let mut dice = Dice(seed);
        let (house, mut records) = (House::new(&sdl(seed)), records(&mut dice, true));
        twice(&mut dice, &mut records);
        let options = Options { upsert: vec!["name".to_owned()], ..Options::default() };
        let report = load(&house, &mut dice, &records, &options).await;
        assert_eq!(report.errors.len(), 0, "seed {seed}: {:?}", report.errors);
        assert_eq!(found(&house).await, wanted(&last(&records)), "seed {seed}: {records:#?}");
    }
}

/// Loads files in which some records cannot be read, so that others lack what they need; then these are repaired where they stand.
async fn load_repaired(house: &House, dice: &mut Dice, records: &Records, upsert: Vec<String>) -> Report {
    let folder = tempfile::tempdir().unwrap();
    // Where none are put aside, the first wrong one ends the import.
    let bad = (dice.below(3) > 0).then(|| folder.path().join("bad.ndjson"));
    let options = Options { upsert, bad, resumable: true, ..Options::default() };
    let mut wrong: Vec<Vec<bool>> =
        records.iter().map(|records| records.iter().map(|_| dice.below(3) == 0).collect()).collect();
    for _ in 0..1 + dice.below(3) {
        let mut now = records.clone();
        for (record, _) in now.iter_mut().flatten().zip(wrong.iter().flatten()).filter(|(_, wrong)| **wrong) {
            record.insert("n".into(), "wrong".into());
        }
        write(folder.path(), &now);
        if dice.below(2) == 0 {
            interrupt(house, dice, folder.path(), &options).await;
        }
        load_from(house, dice, folder.path(), &options).await;
        // Where others are changed too, all of the file is loaded again.
        let breaks = !options.upsert.is_empty() && dice.below(3) == 0;
        for wrong in wrong.iter_mut().flatten() {
            *wrong = (*wrong || breaks) && dice.below(2) == 0;
        }
    }
    write(folder.path(), records);
    if dice.below(2) == 0 {
        interrupt(house, dice, folder.path(), &options).await;
    }
    load_from(house, dice, folder.path(), &options).await
}

#[tokio::test]
async fn what_is_repaired_comes_in_and_what_needs_it() {
    for seed in 0..cases() {
        let mut dice = Dice(seed);
        let (house, records) = (House::new(&sdl(seed)), records(&mut dice, true));
        let report = load_repaired(&house, &mut dice, &records, Vec::new()).await;
        assert_eq!((report.errors.len(), report.bad), (0, 0), "seed {seed}: {report:?}");
        assert_eq!(found(&house).await, wanted(&records), "seed {seed}: {records:#?}");
    }
}

#[tokio::test]
async fn with_upsert_the_last_of_a_name_holds_where_those_before_are_repaired() {
    for seed in 0..cases() {
        let mut dice = Dice(seed);
        let (house, mut records) = (House::new(&sdl(seed)), records(&mut dice, true));
        twice(&mut dice, &mut records);
        let report = load_repaired(&house, &mut dice, &records, vec!["name".to_owned()]).await;
        assert_eq!((report.errors.len(), report.bad), (0, 0), "seed {seed}: {report:?}");
        assert_eq!(found(&house).await, wanted(&last(&records)), "seed {seed}: {records:#?}");
    }
}
