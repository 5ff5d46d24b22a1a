//! A core with a fresh database, and callers.
use std::{collections::BTreeMap, sync::Arc};

use mainstay_core::{
    AdminPass, Answer, Answered, Caller, Core, CoreSettings, Create, Delete, Error, Explanation, Identity, Limits,
    List, Operation, ReadOne, Record, Request, Select, Selection, Sort, Target, Update,
};
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, Json, JsonLimits, Schema, Source};
use mainstay_store::{Settings, Store};
use mainstay_test_db::TestDatabase;

/// Time in every test: 2026-01-02T03:04:05Z.
pub(crate) const NOW: i64 = 1_767_323_045_000_000;

pub(crate) struct House {
    pub(crate) core: Core,
    _database: TestDatabase,
}

/// What an operation came to: the answer as JSON text, or the error in one line.
pub(crate) type Told = String;

impl House {
    pub(crate) fn new(sdl: &str) -> House {
        House::with(sdl, |_| {})
    }

    pub(crate) fn with(sdl: &str, change: impl FnOnce(&mut CoreSettings)) -> House {
        let schema =
            Schema::load(&[Source { name: "schema.graphql", text: sdl }]).unwrap_or_else(|wrong| panic!("{wrong}"));
        let database = TestDatabase::new();
        let store = Store::open(Settings { explains: true, ..database.settings() }).unwrap();
        let schema = Arc::new(schema);
        store.follow(&schema).unwrap();
        let mut settings = CoreSettings { limits: Limits::default(), cursor_key: [1; 32], explain_refusals: false };
        change(&mut settings);
        House { core: Core::new(schema, Arc::new(store), settings), _database: database }
    }

    pub(crate) fn id(&self, path: &str) -> CollectionId {
        self.core.schema().by_path[path]
    }

    pub(crate) async fn run(&self, caller: &Caller, operation: Operation<'_>) -> Result<Answer, Error> {
        self.core.run(&request(caller), operation).await
    }

    pub(crate) async fn explain(&self, caller: &Caller, operation: Operation<'_>) -> Explanation {
        self.core.explain(&request(caller), &operation).await.unwrap()
    }

    pub(crate) async fn create(&self, caller: &Caller, path: &str, body: &str) -> Told {
        tell(self.run(caller, self.create_of(path, body)).await)
    }

    pub(crate) fn create_of<'a>(&self, path: &str, body: &'a str) -> Operation<'a> {
        let (records, many) = match parse(body) {
            Json::Array(records) => (records, true),
            record => (vec![record], false),
        };
        Operation::Create(Create {
            collection: self.id(path),
            records,
            many,
            upsert: None,
            answered: Answered::default(),
        })
    }

    /// Creates as an admin and answers the id.
    pub(crate) async fn seed(&self, path: &str, body: &str) -> String {
        match self.run(&admin(), self.create_of(path, body)).await.unwrap() {
            Answer::Created { records, .. } => id_of(&records[0]),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn get(&self, caller: &Caller, path: &str, id: &str, fields: &[Select]) -> Told {
        tell(self.run(caller, self.get_of(path, id, fields)).await)
    }

    pub(crate) fn get_of(&self, path: &str, id: &str, fields: &[Select]) -> Operation<'static> {
        let target = Target::Key(id.to_owned());
        Operation::ReadOne(ReadOne {
            collection: self.id(path),
            target,
            params: Vec::new(),
            selection: selection(fields),
        })
    }

    pub(crate) fn list_of(&self, path: &str) -> List {
        List {
            collection: self.id(path),
            filter: vec![],
            params: vec![],
            sort: vec![],
            selection: None,
            limit: None,
            after: None,
            count: false,
        }
    }

    pub(crate) async fn list(&self, caller: &Caller, list: List) -> Told {
        tell(self.run(caller, Operation::List(list)).await)
    }

    /// The names of the records that a filter lets through, or the error.
    pub(crate) async fn filter(&self, caller: &Caller, path: &str, filter: &str, field: &str) -> Told {
        let list = List { filter: vec![filter.into()], selection: selection(&[plain(field)]), ..self.list_of(path) };
        self.list(caller, list).await
    }

    pub(crate) async fn patch(&self, caller: &Caller, path: &str, id: &str, body: &str) -> Told {
        tell(self.run(caller, self.patch_of(path, id, body, None)).await)
    }

    pub(crate) fn patch_of<'a>(&self, path: &str, id: &str, body: &'a str, version: Option<i64>) -> Operation<'a> {
        let (collection, target) = (self.id(path), Target::Key(id.to_owned()));
        Operation::Update(Update { collection, target, version, patch: parse(body), answered: Answered::default() })
    }

    pub(crate) async fn delete(&self, caller: &Caller, path: &str, id: &str) -> Told {
        tell(self.run(caller, self.delete_of(path, id, None)).await)
    }

    pub(crate) fn delete_of(&self, path: &str, id: &str, version: Option<i64>) -> Operation<'static> {
        Operation::Delete(Delete { collection: self.id(path), target: Target::Key(id.to_owned()), version })
    }
}

pub(crate) fn parse(body: &str) -> Json<'_> {
    Json::parse(body.as_bytes(), JsonLimits::default()).unwrap()
}

pub(crate) fn request(caller: &Caller) -> Request {
    Request {
        caller: caller.clone(),
        time_micros: NOW,
        ip: "::1".into(),
        method: "GET".into(),
        host: "localhost".into(),
        id: None,
        once: None,
    }
}

pub(crate) fn anonymous() -> Caller {
    Caller::Anonymous
}

pub(crate) fn user(id: &str) -> Caller {
    user_with(id, &[])
}

pub(crate) fn user_with(id: &str, roles: &[&str]) -> Caller {
    let roles = roles.iter().map(|role| Value::text(*role)).collect();
    Caller::User(Arc::new(Identity { id: id.into(), roles, claims: BTreeMap::new() }))
}

pub(crate) fn admin() -> Caller {
    Caller::Admin(AdminPass::for_command("a test"))
}

pub(crate) fn plain(name: &str) -> Select {
    Select::Field { alias: None, name: name.into() }
}

pub(crate) fn link(name: &str, fields: &[&str]) -> Select {
    let parts = fields.iter().map(|name| plain(name)).collect();
    let nested = mainstay_core::Nested { selection: Selection { parts }, ..Default::default() };
    Select::Link { alias: None, name: name.into(), nested }
}

pub(crate) fn selection(parts: &[Select]) -> Option<Arc<Selection>> {
    (!parts.is_empty()).then(|| Arc::new(Selection { parts: parts.to_vec() }))
}

pub(crate) fn by(path: &str) -> Sort {
    let (path, descending) = path.strip_prefix('-').map_or((path, false), |path| (path, true));
    Sort { path: path.split('.').map(str::to_owned).collect(), descending }
}

pub(crate) fn id_of(record: &Record) -> String {
    let json: serde_json::Value = serde_json::from_slice(&record.json).unwrap();
    json["id"].as_str().unwrap().to_owned()
}

/// An answer or an error as one text.
pub(crate) fn tell(told: Result<Answer, Error>) -> Told {
    let text = |json: &[u8]| String::from_utf8(json.to_vec()).unwrap();
    match told {
        Ok(Answer::One(record) | Answer::Updated(record)) => text(&record.json),
        Ok(Answer::Page(page)) => text(&page.json),
        Ok(Answer::Created { records, .. } | Answer::Batch(records)) => {
            records.iter().map(|record| text(&record.json)).collect::<Vec<_>>().join(",")
        }
        Ok(Answer::Deleted) => "deleted".to_owned(),
        Ok(Answer::Matched(json)) => text(&json),
        Ok(Answer::Kept(kept)) => format!("kept {} bytes", kept.bytes.len()),
        Err(error) => tell_error(&error),
    }
}

pub(crate) fn tell_error(error: &Error) -> Told {
    let mut out = format!("{:?}: {}", error.kind, error.message);
    for field in &error.fields {
        out.push_str(&format!("\n{} {}: {}", field.pointer, field.code, field.message));
        out.push_str(&field.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default());
    }
    out.push_str(&error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default());
    if let Some(cause) = &error.cause {
        out.push_str(&format!(" [{cause}]"));
    }
    out
}
