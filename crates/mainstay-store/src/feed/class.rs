//! Which changes are kept for how long.
use super::Retention;

/// Collections whose changes are kept for the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    keep_s: u64,
    /// Their addresses, as a JSON list.
    pub(crate) names: String,
    /// Whether it is those; else all others.
    pub(crate) inside: bool,
}

impl Class {
    /// All of them: those that are spoken of, and one of all others, which are kept for so many seconds.
    pub(crate) fn all(keep_s: u64, spoken_of: &[Retention]) -> Vec<Class> {
        let mut keeps: Vec<u64> = spoken_of.iter().map(|one| one.keep_s).collect();
        keeps.sort_unstable();
        keeps.dedup();
        let json = |keep_s: Option<u64>| {
            let named = spoken_of.iter().filter(|one| keep_s.is_none_or(|keep_s| one.keep_s == keep_s));
            let names: Vec<&str> = named.map(|one| &*one.collection).collect();
            serde_json::to_string(&names).unwrap_or_default()
        };
        let class = |keep_s: u64| Class { keep_s, names: json(Some(keep_s)), inside: true };
        let others = Class { keep_s, names: json(None), inside: false };
        keeps.into_iter().map(class).chain([others]).collect()
    }

    /// The moment before which its changes are too old, in microseconds since 1970.
    pub(crate) fn before(&self, now_micros: i64) -> i64 {
        let kept_micros = i64::try_from(self.keep_s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        now_micros.saturating_sub(kept_micros)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn collections_are_kept_together_that_say_the_same() {
        let of = |name: &str, keep_s| Retention { collection: Arc::from(name), keep_s };
        let classes = Class::all(9, &[of("a", 3), of("b", 5), of("c", 3)]);
        let shown: Vec<_> = classes.iter().map(|class| (class.keep_s, class.names.as_str(), class.inside)).collect();
        assert_eq!(shown, [(3, r#"["a","c"]"#, true), (5, r#"["b"]"#, true), (9, r#"["a","b","c"]"#, false)]);
        assert_eq!(classes[0].before(10_000_000), 7_000_000);
    }
}
