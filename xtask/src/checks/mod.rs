//! The rules of this repository that no other tool holds, one file each.
pub(crate) mod arrows;
pub(crate) mod heads;
pub(crate) mod lengths;
pub(crate) mod licences;
pub(crate) mod ring;
