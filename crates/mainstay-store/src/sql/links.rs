//! Links of a record that is written: questions about their ends, changes of join tables.
use mainstay_expr::{Expr, Type};
use mainstay_plan::{LinkChange, LinkCheck, LinkMode};
use mainstay_schema::{CollectionId, FieldKind, KeyKind, Schema};

use crate::{
    StoreError,
    sql::{
        Bind, Cell, ChangeSql, Dialect, LinkRuleSql, LinkSql, Sql, columns,
        quantify::{JOIN_FROM, JOIN_TO},
        test::Test,
        writer::{Writer, defect},
    },
};

/// Asks of each link whether its other end is there and may be seen.
pub(crate) fn links(schema: &Schema, dialect: &dyn Dialect, links: &[LinkCheck]) -> Result<Vec<LinkSql>, StoreError> {
    links.iter().map(|link| Ok(LinkSql { field: link.field, check: check(schema, dialect, link)? })).collect()
}

fn check(schema: &Schema, dialect: &dyn Dialect, link: &LinkCheck) -> Result<Sql, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(link.target);
    let key = writer.bind_as(Bind::Value(link.key), &schema.collection(link.target).key.ty());
    let tie = Test::when(format!("{} = {key}", writer.key(&row)));
    let filter = tie.and(writer.holds(&link.visible, &row)?).filter(dialect);
    let there = format!("{key} IS NULL OR EXISTS (SELECT 1 FROM {}{filter})", writer.from(&row));
    let text = format!("SELECT {}", dialect.verdict(&there));
    Ok(writer.finish(text))
}

/// The statements of changes of to-many links.
pub(crate) fn changes(
    schema: &Schema,
    dialect: &dyn Dialect,
    of: CollectionId,
    changes: &[LinkChange],
) -> Result<Vec<ChangeSql>, StoreError> {
    changes.iter().map(|change| Change { schema, dialect, of, change }.render()).collect()
}

struct Change<'a> {
    schema: &'a Schema,
    dialect: &'a dyn Dialect,
    of: CollectionId,
    change: &'a LinkChange,
}

impl Change<'_> {
    fn render(&self) -> Result<ChangeSql, StoreError> {
        let (missing, statements) = match self.change.mode {
            LinkMode::Add => (Some(self.missing()?), vec![self.add()?]),
            LinkMode::Replace => (Some(self.missing()?), vec![self.take_out(false)?, self.add()?]),
            LinkMode::Remove => (None, vec![self.take_out(true)?]),
        };
        Ok(ChangeSql { field: self.change.field, missing, rules: self.rules()?, keys: self.change.keys, statements })
    }

    /// The rules of the link, as far as the change can come under them.
    fn rules(&self) -> Result<Vec<LinkRuleSql>, StoreError> {
        let LinkChange { mode, add, remove, .. } = self.change;
        let mut rules = Vec::new();
        if let (Some(rule), LinkMode::Add | LinkMode::Replace) = (add, mode) {
            rules.push(self.rule(true, self.comes()?, rule)?);
        }
        if let (Some(rule), LinkMode::Remove | LinkMode::Replace) = (remove, mode) {
            rules.push(self.rule(false, self.goes(*mode == LinkMode::Remove)?, rule)?);
        }
        Ok(rules)
    }

    fn rule(&self, adds: bool, items: Sql, rule: &Expr) -> Result<LinkRuleSql, StoreError> {
        let key = Cell { column: 0, decode: columns::decode_key(self.key_kind()) };
        Ok(LinkRuleSql { adds, items, key, refused: self.refused(rule)?, before: !self.change.is_new })
    }

    /// The keys that are not linked yet.
    fn comes(&self) -> Result<Sql, StoreError> {
        let mut writer = Writer::new(self.schema, self.dialect);
        let table = self.table()?;
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| format!("{table}.{}", self.dialect.quote(name)));
        let (rows, key) = self.keys(&mut writer);
        let own = writer.bind_key(self.of);
        let linked = format!("SELECT 1 FROM {table} WHERE {from} = {own} AND {to} = {key}");
        Ok(writer.finish(format!("SELECT {key} FROM {rows} WHERE NOT EXISTS ({linked})")))
    }

    /// The keys that are linked, and are taken out.
    fn goes(&self, listed: bool) -> Result<Sql, StoreError> {
        let mut writer = Writer::new(self.schema, self.dialect);
        let (test, to) = self.taken_out(&mut writer, listed)?;
        Ok(writer.finish(format!("SELECT {to} FROM {}{}", self.table()?, test.filter(self.dialect))))
    }

    /// Counts the keys of which a rule of the link does not hold.
    fn refused(&self, rule: &Expr) -> Result<Sql, StoreError> {
        let mut writer = Writer::new(self.schema, self.dialect);
        let (rows, key) = self.keys(&mut writer);
        let (this, item) = (writer.row(self.of), writer.row(self.change.target));
        let own = writer.bind_key(self.of);
        let ties = [format!("{} = {own}", writer.key(&this)), format!("{} = {key}", writer.key(&item))];
        let rule = writer.holds_of_link(rule, &this, &item)?;
        let filter = Test::all(ties.map(Test::when)).and(rule).filter(self.dialect);
        let holds = format!("SELECT 1 FROM {}, {}{filter}", writer.from(&this), writer.from(&item));
        Ok(writer.finish(format!("SELECT count(*) FROM {rows} WHERE NOT EXISTS ({holds})")))
    }

    fn table(&self) -> Result<String, StoreError> {
        match &self.schema.collection(self.of).field(self.change.field).kind {
            FieldKind::Many { table, .. } => Ok(self.dialect.quote(table)),
            _ => Err(defect("only links with a join table are changed as lists")),
        }
    }

    fn key_kind(&self) -> KeyKind {
        self.schema.collection(self.change.target).key
    }

    /// The list of keys as rows, and the key of such a row.
    fn keys(&self, writer: &mut Writer<'_>) -> (String, String) {
        let list = writer.bind_as(Bind::Value(self.change.keys), &Type::List(Box::new(self.key_kind().ty())));
        let alias = writer.alias();
        (self.dialect.elements(&list, &alias), self.dialect.element(&alias, &self.key_kind().ty()))
    }

    /// Whether the record of a key is there and may be seen.
    fn visible(&self, writer: &mut Writer<'_>, key: &str) -> Result<Test, StoreError> {
        let row = writer.row(self.change.target);
        let tie = Test::when(format!("{} = {key}", writer.key(&row)));
        let filter = tie.and(writer.holds(&self.change.visible, &row)?).filter(self.dialect);
        Ok(Test::when(format!("EXISTS (SELECT 1 FROM {}{filter})", writer.from(&row))))
    }

    fn missing(&self) -> Result<Sql, StoreError> {
        let mut writer = Writer::new(self.schema, self.dialect);
        let (rows, key) = self.keys(&mut writer);
        let hidden = self.visible(&mut writer, &key)?.fails(self.dialect).filter(self.dialect);
        Ok(writer.finish(format!("SELECT count(*) FROM {rows}{hidden}")))
    }

    fn add(&self) -> Result<Sql, StoreError> {
        let mut writer = Writer::new(self.schema, self.dialect);
        let (from, to) = (self.dialect.quote(JOIN_FROM), self.dialect.quote(JOIN_TO));
        let (rows, key) = self.keys(&mut writer);
        let own = writer.bind_key(self.of);
        let ignore = self.dialect.or_ignore();
        let table = self.table()?;
        // The WHERE keeps ON CONFLICT from being read as a part of a join.
        let text = format!("INSERT INTO {table} ({from}, {to}) SELECT {own}, {key} FROM {rows} WHERE true {ignore}");
        Ok(writer.finish(text))
    }

    /// Deletes the links to the keys, or to all others, whose records may be seen.
    fn take_out(&self, listed: bool) -> Result<Sql, StoreError> {
        let mut writer = Writer::new(self.schema, self.dialect);
        let (test, _) = self.taken_out(&mut writer, listed)?;
        Ok(writer.finish(format!("DELETE FROM {}{}", self.table()?, test.filter(self.dialect))))
    }

    /// Which rows of the join table are taken out, and the column of the other end.
    fn taken_out(&self, writer: &mut Writer<'_>, listed: bool) -> Result<(Test, String), StoreError> {
        let table = self.table()?;
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| format!("{table}.{}", self.dialect.quote(name)));
        let own = writer.bind_key(self.of);
        let (rows, key) = self.keys(writer);
        let not = if listed { "" } else { "NOT " };
        let test = Test::all([
            Test::when(format!("{from} = {own}")),
            Test::when(format!("{to} {not}IN (SELECT {key} FROM {rows})")),
        ]);
        let test = match self.change.visible.as_bool() {
            Some(true) => test,
            _ => test.and(self.visible(writer, &to)?),
        };
        Ok((test, to))
    }
}
