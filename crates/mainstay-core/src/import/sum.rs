//! Records as numbers that are added up: so a source is known again by the records that came in, wherever the others were repaired.
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::read::{Body, Raw};

/// Half of the SHA-256 of a record; or the halves of many, added up: their order does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub(super) struct Sum([u64; 2]);

impl Sum {
    pub(super) fn of(raw: &Raw) -> Sum {
        match &raw.body {
            Body::Json(bytes) => Sum::of_parts([bytes.as_slice()]),
            Body::Cells(cells) => Sum::of_parts(cells),
            Body::TooLong => Sum::default(),
        }
    }

    pub(super) fn of_parts<'b>(parts: impl IntoIterator<Item = &'b [u8]>) -> Sum {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let digest = context.finish();
        let half = |at: usize| digest.as_ref()[at..at + 8].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        Sum([half(0), half(8)])
    }

    pub(super) fn add(&mut self, other: Sum) {
        self.0 = [self.0[0].wrapping_add(other.0[0]), self.0[1].wrapping_add(other.0[1])];
    }

    pub(super) fn subtract(&mut self, other: Sum) {
        self.0 = [self.0[0].wrapping_sub(other.0[0]), self.0[1].wrapping_sub(other.0[1])];
    }
}

impl From<Sum> for String {
    fn from(Sum([first, second]): Sum) -> String {
        format!("{first:016x}{second:016x}")
    }
}

impl From<String> for Sum {
    /// What is none is one that nothing comes to.
    fn from(text: String) -> Sum {
        let half = |at: usize| u64::from_str_radix(text.get(at..at + 16)?, 16).ok();
        Sum([half(0).unwrap_or(0), half(16).unwrap_or(0)])
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn the_order_does_not_matter_and_what_is_added_can_be_taken_away() {
        let [a, b] = ["a", "b"].map(|text| Sum::of_parts([text.as_bytes()]));
        let (mut one, mut other) = (a, b);
        one.add(b);
        other.add(a);
        assert_eq!(one, other);
        other.subtract(a);
        assert_eq!(other, b);
        assert_ne!(a, b);
        assert_ne!(Sum::of_parts([&b"ab"[..], b"c"]), Sum::of_parts([&b"a"[..], b"bc"]));
        assert_eq!(Sum::from(String::from(one)), one);
    }
}
