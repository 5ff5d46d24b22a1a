//! A file of tests as it is written.
use std::{collections::BTreeMap, fs};

use mainstay_schema::nearest;
use serde::Deserialize;
use serde_json::Value as Json;
use toml::{Spanned, Value, value::Datetime};

use crate::{failure::Failure, project::Project, settings};

/// Bytes of one file of tests at most.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A file that was read.
pub(super) struct TestFile {
    /// Its name in the project: `tests/notes.toml`.
    pub(super) name: String,
    text: String,
    pub(super) callers: BTreeMap<String, Who>,
    pub(super) tests: Vec<Test>,
}

/// Who may be named as the caller of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Who {
    /// `auth.id`; the name itself where there is none.
    pub(super) id: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) claims: BTreeMap<String, Value>,
    pub(super) admin: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    seed: Vec<String>,
    time: Option<Datetime>,
    #[serde(default)]
    callers: BTreeMap<String, Who>,
    #[serde(default)]
    records: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    test: Vec<Spanned<WrittenTest>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTest {
    name: String,
    seed: Option<Vec<String>>,
    time: Option<Datetime>,
    #[serde(default)]
    records: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    request: Vec<Spanned<WrittenStep>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    #[serde(rename = "as")]
    caller: String,
    get: Option<String>,
    post: Option<String>,
    patch: Option<String>,
    delete: Option<String>,
    time: Option<Datetime>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    status: Option<u16>,
    answer: Option<Value>,
    #[serde(default)]
    absent: Vec<String>,
    count: Option<usize>,
    error: Option<String>,
    rule: Option<String>,
    keep: Option<String>,
}

/// One test.
pub(super) struct Test {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) seed: Vec<String>,
    pub(super) time: Option<i64>,
    pub(super) records: BTreeMap<String, Json>,
    pub(super) steps: Vec<Step>,
}

/// One request of a test, with what is expected of its answer.
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) caller: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) time: Option<i64>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Json>,
    pub(super) status: Option<u16>,
    pub(super) answer: Option<Json>,
    pub(super) absent: Vec<String>,
    pub(super) count: Option<usize>,
    pub(super) error: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) keep: Option<String>,
}

/// The files of `tests/`, in the order of their names.
pub(super) fn read_all(project: &Project) -> Result<Vec<TestFile>, Failure> {
    let mut files = Vec::new();
    for name in project.folder_files("tests", &["toml"])? {
        let path = project.path(&name);
        let length = fs::metadata(&path).map_err(|error| Failure::io(&name, &error))?.len();
        if length > FILE_BYTES_MAX {
            return Err(Failure::new("too_large", format!("{name}: it has more than {FILE_BYTES_MAX} bytes"))
                .hint("cut it into several files"));
        }
        let text = fs::read_to_string(&path).map_err(|error| Failure::io(&name, &error))?;
        files.push(parse(name, text)?);
    }
    Ok(files)
}

fn parse(name: String, text: String) -> Result<TestFile, Failure> {
    let written: Written =
        toml::from_str(&text).map_err(|error| Failure { code: "tests", ..settings::in_file(&name, &text, &error) })?;
    let mut file = TestFile { name, text, callers: written.callers, tests: Vec::new() };
    for test in written.test {
        let line = file.line(test.span().start);
        let test = test.into_inner();
        let mut records = written.records.clone();
        for (collection, more) in test.records {
            records.entry(collection).or_default().extend(more);
        }
        let steps = test.request.into_iter().map(|step| file.step(step)).collect::<Result<Vec<_>, _>>()?;
        if steps.is_empty() {
            return Err(file
                .failure(line, format!("the test {:?} has no request", test.name))
                .hint("[[test.request]] adds one: as = \"anonymous\", get = \"/api/…\""));
        }
        let time = file.time(line, test.time.or(written.time))?;
        let seed = test.seed.unwrap_or_else(|| written.seed.clone());
        let records = records.into_iter().map(|(name, list)| (name, json(Value::Array(list)))).collect();
        file.tests.push(Test { name: test.name, line, seed, time, records, steps });
    }
    Ok(file)
}

impl TestFile {
    fn line(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())].matches('\n').count() + 1
    }

    /// Something that is wrong at a line.
    pub(super) fn failure(&self, line: usize, message: impl std::fmt::Display) -> Failure {
        Failure::new("tests", format!("{}:{line}: {message}", self.name))
    }

    /// A time as microseconds since 1970; without an offset it is in UTC.
    fn time(&self, line: usize, time: Option<Datetime>) -> Result<Option<i64>, Failure> {
        let Some(time) = time else { return Ok(None) };
        micros(&time).map(Some).ok_or_else(|| {
            self.failure(line, format!("the time \"{time}\" is no moment"))
                .hint("a date, a time and an offset: 2026-01-31T12:00:00Z")
        })
    }

    fn step(&self, written: Spanned<WrittenStep>) -> Result<Step, Failure> {
        let line = self.line(written.span().start);
        let written = written.into_inner();
        let calls =
            [("GET", written.get), ("POST", written.post), ("PATCH", written.patch), ("DELETE", written.delete)];
        let mut calls = calls.into_iter().filter_map(|(method, path)| Some((method, path?)));
        let (Some((method, path)), None) = (calls.next(), calls.next()) else {
            return Err(self
                .failure(line, "a request has one of get, post, patch and delete")
                .hint("get = \"/api/skills\" asks for a page"));
        };
        self.known_caller(line, &written.caller)?;
        let time = self.time(line, written.time)?;
        Ok(Step {
            line,
            caller: written.caller,
            method,
            path,
            time,
            headers: written.headers,
            body: self.text_or_value(line, "body", written.body)?,
            status: written.status,
            answer: self.text_or_value(line, "answer", written.answer)?,
            absent: written.absent,
            count: written.count,
            error: written.error,
            rule: written.rule,
            keep: written.keep,
        })
    }

    fn known_caller(&self, line: usize, name: &str) -> Result<(), Failure> {
        if ["anonymous", "admin"].contains(&name) || self.callers.contains_key(name) {
            return Ok(());
        }
        let failure = self.failure(line, format!("the caller \"{name}\" is not declared"));
        let known = self.callers.keys().map(String::as_str).chain(["anonymous", "admin"]);
        Err(match nearest(name, known) {
            Some(near) => failure.hint(format!("do you mean \"{near}\"?")),
            None => failure.hint(format!("declare it: [callers] {name} = {{ id = \"{name}\", roles = [] }}")),
        })
    }

    /// A TOML value; a text is JSON, so that null can be said.
    fn text_or_value(&self, line: usize, what: &str, value: Option<Value>) -> Result<Option<Json>, Failure> {
        match value {
            Some(Value::String(text)) => serde_json::from_str(&text).map(Some).map_err(|error| {
                self.failure(line, format!("{what}: the text is no JSON: {error}"))
                    .hint("a table is written { name = \"value\" }, or as JSON in quotes: '{\"name\": null}'")
            }),
            value => Ok(value.map(json)),
        }
    }
}

/// TOML as JSON; moments become texts.
fn json(value: Value) -> Json {
    match value {
        Value::String(text) => Json::String(text),
        Value::Integer(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Boolean(value) => value.into(),
        Value::Datetime(time) => Json::String(time.to_string()),
        Value::Array(items) => items.into_iter().map(json).collect(),
        Value::Table(members) => members.into_iter().map(|(name, value)| (name, json(value))).collect(),
    }
}

/// Microseconds since 1970, by the calendar's arithmetic.
pub(super) fn micros(time: &Datetime) -> Option<i64> {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let (date, clock) = (time.date?, time.time?);
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    // Years that begin in March have their odd day at the end.
    let year = i64::from(date.year) - i64::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = year.rem_euclid(400);
    let days = year.div_euclid(400) * DAYS_OF_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let offset_minutes = match time.offset {
        Some(toml::value::Offset::Custom { minutes }) => i64::from(minutes),
        _ => 0,
    };
    let minutes = days * 1_440 + i64::from(clock.hour) * 60 + i64::from(clock.minute) - offset_minutes;
    let seconds = minutes * 60 + clock.second.map_or(0, i64::from);
    Some(seconds * 1_000_000 + clock.nanosecond.map_or(0, i64::from) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse("tests/a.toml".into(), text.into()).err().map(|failure| failure.to_string()).unwrap_or_default()
    }

    #[test]
    fn errors_show_the_place_and_the_nearest_name() {
        let misspelt = wrong("[[test]]\nname = \"a\"\n[[test.request]]\nas = \"admin\"\ngett = \"/api/x\"\n");
        assert!(misspelt.contains("tests/a.toml:5:1") && misspelt.contains("do you mean \"get\"?"), "{misspelt}");
        let caller =
            wrong("[callers]\nanna = {}\n[[test]]\nname = \"a\"\n[[test.request]]\nas = \"ana\"\nget = \"/\"\n");
        assert!(caller.contains("tests/a.toml:5: the caller \"ana\"") && caller.contains("\"anna\""), "{caller}");
        let two = wrong("[[test]]\nname = \"a\"\n[[test.request]]\nas = \"admin\"\nget = \"/\"\npost = \"/\"\n");
        assert!(two.contains("one of get, post"), "{two}");
        assert!(wrong("[[test]]\nname = \"a\"\n").contains("has no request"));
        assert!(wrong("[[test]]\n").contains("missing field"));
        let time = wrong("time = 12:00:00\n[[test]]\nname = \"a\"\n[[test.request]]\nas = \"admin\"\nget = \"/\"\n");
        assert!(time.contains("is no moment"), "{time}");
    }

    #[test]
    fn times_are_counted_from_1970() {
        for (text, wanted) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00.5Z", 951_825_600_500_000),
            ("2026-03-01T01:00:00+01:00", 1_772_323_200_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000),
        ] {
            assert_eq!(text.parse::<Datetime>().ok().and_then(|time| micros(&time)), Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_body_in_quotes_is_json() {
        let file = "[[test]]\nname = \"a\"\n[[test.request]]\nas = \"admin\"\npatch = \"/\"\nbody = '{\"a\": null}'\n";
        let file = parse("a".into(), file.into()).ok();
        let body = file.and_then(|file| file.tests.into_iter().next()?.steps.into_iter().next()?.body);
        assert_eq!(body, Some(serde_json::json!({"a": null})));
    }
}
