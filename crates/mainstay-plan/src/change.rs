//! What happened to one record: what the change feed tells.
use std::{fmt, str::FromStr, sync::Arc};

/// One change of one record, of one committed write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it stands in the feed: those behind it were committed later, or together with it.
    pub position: Position,
    /// The collection, by its address.
    pub collection: Arc<str>,
    /// The record's key.
    pub id: Arc<str>,
    /// What happened.
    pub op: ChangeOp,
    /// The record's version after it; of a delete the last that it had.
    pub version: Option<i64>,
    /// The record as it was, as a JSON object of its own stored fields; `None` of a new one.
    pub before: Option<String>,
    /// The record as it has become; `None` of one that is deleted.
    pub after: Option<String>,
    /// The caller's id; `None`: an anonymous one.
    pub caller: Option<Arc<str>>,
    /// The time of the write, in microseconds since 1970.
    pub time_micros: i64,
    /// The id of the request.
    pub request: Option<Arc<str>>,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeOp {
    /// It was made.
    Create,
    /// It was changed.
    Update,
    /// It was deleted.
    Delete,
}

impl ChangeOp {
    /// As it is stored.
    pub fn number(self) -> i64 {
        match self {
            ChangeOp::Create => 1,
            ChangeOp::Update => 2,
            ChangeOp::Delete => 3,
        }
    }

    /// From what [`ChangeOp::number`] gave.
    pub fn of_number(number: i64) -> Option<ChangeOp> {
        [ChangeOp::Create, ChangeOp::Update, ChangeOp::Delete].into_iter().find(|op| op.number() == number)
    }

    /// As it is told.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeOp::Create => "create",
            ChangeOp::Update => "update",
            ChangeOp::Delete => "delete",
        }
    }
}

/// A place in the feed; places are ordered as commits are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The transaction, where the engine orders by it; else 0.
    pub xid: u64,
    /// The number of the change.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.xid {
            0 => write!(out, "{}", self.seq),
            xid => write!(out, "{xid}.{}", self.seq),
        }
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Position, ()> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // What no engine's whole number can be is no position.
            if plain { digits.parse().ok().filter(|number| i64::try_from(*number).is_ok()) } else { None }
        };
        let parsed = match text.split_once('.') {
            Some((xid, seq)) => number(xid).zip(number(seq)).map(|(xid, seq)| Position { xid, seq }),
            None => number(text).map(|seq| Position { xid: 0, seq }),
        };
        parsed.ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_told_and_read_back() {
        for (text, xid, seq) in [("0", 0, 0), ("17", 0, 17), ("812.4", 812, 4)] {
            assert_eq!(text.parse(), Ok(Position { xid, seq }));
            assert_eq!(Position { xid, seq }.to_string(), text);
        }
        for wrong in
            ["", ".", "1.", ".1", "-1", "+1", "1.2.3", "a", " 1", "99999999999999999999", "9223372036854775808"]
        {
            assert_eq!(wrong.parse::<Position>(), Err(()), "{wrong:?}");
        }
        assert!(Position { xid: 2, seq: 1 } > Position { xid: 1, seq: 9 });
    }
}
