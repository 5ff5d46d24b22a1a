//! Chinook, loaded and asked: every answer is compared with what plain SQL says of its own script, on the same engine.
use std::{fs, path::PathBuf};

use mainstay_test_db::{Engine, TestDatabase, beside, engine};
use reqwest::StatusCode;
use serde_json::Value;
use toml::Table;

use crate::support::{Project, Server};

/// A value of an answer, as text.
type Cell = Option<String>;

/// How far two numbers may be apart, of the larger one: SQL adds the decimals of SQLite up as floats.
const CLOSE: f64 = 1e-9;

fn example(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/chinook").join(file)
}

/// The project with everything loaded, and the original beside it.
fn loaded() -> (Project, Original) {
    let project = Project::empty();
    for file in ["schema.graphql", "mainstay.toml"] {
        project.write(file, &fs::read_to_string(example(file)).unwrap());
    }
    let original = Original::load(&project);
    project.ok(&["apply", "--yes"]);
    project.ok(&["import", "files"]);
    (project, original)
}

/// The tables of the script.
enum Original {
    File(PathBuf),
    Server(TestDatabase),
}

impl Original {
    /// Runs the script, and makes the files that are imported.
    fn load(project: &Project) -> Original {
        let file = project.path("original.db");
        let mut convert = project.command_of("python3");
        convert.args([example("convert.py"), example("chinook.sql"), project.path("files"), file.clone()]);
        let ran = convert.output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        if engine() == Engine::Sqlite {
            return Original::File(file);
        }
        let database = TestDatabase::new();
        let script = fs::read_to_string(example("chinook.sql")).unwrap();
        // Before this it makes a database.
        database.execute(script.split_once("\\c chinook;").unwrap().1);
        Original::Server(database)
    }

    fn ask(&self, sql: &str) -> Vec<Vec<Cell>> {
        match self {
            Original::File(file) => {
                let sql = said(sql, "COLLATE BINARY", "strftime('%Y-%m-%dT%H:%M:%S.000000Z', {})", "date({})");
                beside::rows(file, &sql)
            }
            Original::Server(database) => {
                let moment = r#"to_char({}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#;
                database.rows(&said(sql, r#"COLLATE "C""#, moment, "to_char({}, 'YYYY-MM-DD')"))
            }
        }
    }
}

/// A question in the words of an engine.
fn said(sql: &str, bytes: &str, moment: &str, day: &str) -> String {
    let mut sql = sql.replace("{bytes}", bytes);
    for (name, words) in [("{moment:", moment), ("{day:", day)] {
        while let Some((before, behind)) = sql.split_once(name) {
            let (column, behind) = behind.split_once('}').unwrap();
            sql = format!("{before}{}{behind}", words.replace("{}", column));
        }
    }
    sql
}

/// The rows of an answer: one for each element of a list in it.
fn rows(value: &Value) -> Vec<Vec<Cell>> {
    match value {
        Value::Object(members) => members.values().fold(vec![Vec::new()], |rows, member| {
            let further = self::rows(member);
            let row = |row: &Vec<Cell>| further.iter().map(|more| [&row[..], more].concat()).collect::<Vec<_>>();
            rows.iter().flat_map(row).collect()
        }),
        Value::Array(elements) => elements.iter().flat_map(rows).collect(),
        Value::Null => vec![vec![None]],
        Value::String(text) => vec![vec![Some(text.clone())]],
        other => vec![vec![Some(other.to_string())]],
    }
}

fn same(ours: &Cell, theirs: &Cell) -> bool {
    let number = |cell: &Cell| cell.as_ref().and_then(|text| text.parse::<f64>().ok());
    match (number(ours), number(theirs)) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= CLOSE * ours.abs().max(theirs.abs()),
        _ => ours == theirs,
    }
}

async fn ask(server: &Server, question: &Table) -> Vec<Vec<Cell>> {
    let empty = Table::new();
    let query = question.get("query").and_then(toml::Value::as_table).unwrap_or(&empty);
    let mut query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, value.as_str().unwrap())).collect();
    let counts = question.contains_key("count");
    if counts {
        query.extend([("count", "true"), ("limit", "1")]);
    }
    let path = format!("/api/{}", question["path"].as_str().unwrap());
    let (status, answer) = server.get(&path, &query, None).await;
    assert_eq!(status, StatusCode::OK, "{question}\n{answer}");
    assert!(counts || answer["next"].is_null() || query.iter().any(|(name, _)| *name == "limit"), "{question}");
    if counts { vec![vec![Some(answer["count"].to_string())]] } else { rows(&answer["items"]) }
}

#[tokio::test]
async fn questions_are_answered_as_the_script_answers_them() {
    let (project, original) = loaded();
    let server = project.start(&["serve"]);
    let questions: Table = fs::read_to_string(example("questions.toml")).unwrap().parse().unwrap();
    let questions = questions["question"].as_array().unwrap();
    assert!(questions.len() >= 20);
    for question in questions {
        let question = question.as_table().unwrap();
        let (ours, theirs) = (ask(&server, question).await, original.ask(question["sql"].as_str().unwrap()));
        assert!(!theirs.is_empty(), "nothing is asked: {question}");
        assert_eq!(ours.len(), theirs.len(), "{question}\n{ours:?}\n{theirs:?}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let same = ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs));
            assert!(same, "{question}\n{ours:?}\n{theirs:?}");
        }
    }
}

/// What is exported is what was imported, so that both engines export the same.
#[test]
fn what_was_imported_is_exported() {
    let (project, _original) = loaded();
    project.ok(&["export", "--out", "out"]);
    let mut records = 0;
    for entry in fs::read_dir(project.path("files")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let lines = |folder: &str| -> Vec<Value> {
            let text = project.read(&format!("{folder}/{name}"));
            let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            lines.sort_by_key(|line| line["id"].as_str().unwrap().parse::<i64>().unwrap());
            lines
        };
        let (imported, exported) = (lines("files"), lines("out"));
        assert_eq!(imported.len(), exported.len(), "{name}");
        for (imported, exported) in imported.iter().zip(exported) {
            records += 1;
            for (field, value) in imported.as_object().unwrap() {
                let sent = if field == "invoice_date" { moment(value) } else { value.clone() };
                assert_eq!(exported[camel(field)], sent, "{name}: {field} of {imported}");
            }
        }
    }
    assert_eq!(records, 6_892);
}

fn moment(value: &Value) -> Value {
    value.as_str().unwrap().replace('Z', ".000000Z").into()
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}
