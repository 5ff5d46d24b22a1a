//! The change feed, held against what is there.
use rusqlite::Connection;

use super::Violation;
use crate::Outcome;

/// The change feed tells of what is there, and of nothing else: a record of version n has n changes, the last of which is of that
/// version and no delete; one that is told of and is not there has been deleted.
pub(super) fn check(db: &Connection) -> Outcome<Option<Violation>> {
    let has_feed = "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'mainstay_changes'";
    if !db.query_row(has_feed, [], |row| row.get::<_, bool>(0))? {
        return Ok(Some(Violation("there is no change feed".to_owned())));
    }
    let told = "(SELECT record, max(version) AS version, count(*) AS changes, max(op) = 3 AS gone FROM mainstay_changes \
                WHERE collection = 'entries' GROUP BY record) AS told";
    let sql = format!(
        "SELECT (SELECT count(*) FROM entries LEFT JOIN {told} ON told.record = entries.id WHERE told.record IS NULL OR told.gone OR \
         told.version <> entries.version OR told.changes <> entries.version), (SELECT count(*) FROM {told} WHERE NOT told.gone AND \
         told.record NOT IN (SELECT id FROM entries)), (SELECT count(*) FROM mainstay_changes)"
    );
    let (untold, unfounded, all): (i64, i64, i64) =
        db.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let text = || {
        format!("of {all} changes: {untold} records are there and told otherwise, {unfounded} are told and not there")
    };
    Ok((untold + unfounded > 0 || all == 0).then(|| Violation(text())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(changes: &[(&str, u8, i64)]) -> Option<String> {
        let db = Connection::open_in_memory().expect("a database");
        let tables = "CREATE TABLE entries (id TEXT, version INTEGER); INSERT INTO entries VALUES ('a', 2), ('b', 1); \
                      CREATE TABLE mainstay_changes (collection TEXT, record TEXT, op INTEGER, version INTEGER)";
        db.execute_batch(tables).expect("tables");
        for (record, op, version) in changes {
            let sql = "INSERT INTO mainstay_changes VALUES ('entries', ?1, ?2, ?3)";
            db.execute(sql, (record, op, version)).expect("a change");
        }
        check(&db).expect("an answer").map(|Violation(text)| text)
    }

    #[test]
    fn a_feed_that_tells_otherwise_or_is_not_there_is_found() {
        let right = [("a", 1, 1), ("a", 2, 2), ("b", 1, 1), ("c", 1, 1), ("c", 3, 2)];
        assert_eq!(told(&right), None);
        for (without, text) in [(0, "1 records are there and told otherwise"), (4, "1 are told and not there")] {
            let mut changes = right.to_vec();
            changes.remove(without);
            let said = told(&changes).expect("a violation");
            assert!(said.contains(text), "{said}");
        }
        let twice = [&right[..], &right[2..3]].concat();
        assert!(told(&twice).expect("a violation").contains("1 records are there and told otherwise"));
        assert!(told(&[]).expect("a violation").contains("of 0 changes"));
        let empty = Connection::open_in_memory().expect("a database");
        assert_eq!(check(&empty).expect("an answer"), Some(Violation("there is no change feed".to_owned())));
    }
}
