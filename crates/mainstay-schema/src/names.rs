//! Names: from the schema's words to columns, tables and paths, and the nearest of some.
use crate::hash::fingerprint;

/// Bytes of a column's name: PostgreSQL cuts longer ones without a word.
pub(crate) const COLUMN_BYTES_MAX: usize = 63;
/// Bytes of a table's name: what is called after it, such as `…_id_seq`, must fit too.
pub(crate) const TABLE_BYTES_MAX: usize = 56;
/// Digits of the hash in a name that would be too long.
const HASH_DIGITS: usize = 12;

/// `monthsMin` to `months_min`, `HTTPServer2` to `http_server2`.
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, c) in chars.iter().enumerate() {
        let after_small = at > 0 && (chars[at - 1].is_ascii_lowercase() || chars[at - 1].is_ascii_digit());
        let ends_capitals = at > 0
            && chars[at - 1].is_ascii_uppercase()
            && chars.get(at + 1).is_some_and(|next| next.is_ascii_lowercase());
        if c.is_ascii_uppercase() && (after_small || ends_capitals) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The plural of an English word by the plain rules: `category` to `categories`, `box` to `boxes`, else an `s`.
pub fn plural(word: &str) -> String {
    let vowel_before_y = ["ay", "ey", "iy", "oy", "uy"].iter().any(|end| word.ends_with(end));
    if let Some(stem) = word.strip_suffix('y').filter(|_| !vowel_before_y) {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end));
    format!("{word}{}", if hisses { "es" } else { "s" })
}

/// The join table of a link: `skills_requires`, with a hash where that is too long.
pub(crate) fn join_table(table: &str, field: &str) -> String {
    let name = format!("{table}_{}", snake_case(field));
    if name.len() <= TABLE_BYTES_MAX {
        return name;
    }
    let hash = &fingerprint(name.as_bytes())[..HASH_DIGITS];
    format!("{}_{hash}", &name[..name.len().min(TABLE_BYTES_MAX - HASH_DIGITS - 1)])
}

/// `OwnedMessage` to `ownedMessage`, `HTTPLog` to `httpLog`, `API` to `api`.
pub(crate) fn lower_camel(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let capitals = chars.iter().take_while(|c| c.is_ascii_uppercase()).count();
    let lowered = if capitals == chars.len() { capitals } else { capitals.saturating_sub(1).max(1) };
    chars.iter().enumerate().map(|(at, c)| if at < lowered { c.to_ascii_lowercase() } else { *c }).collect()
}

/// The name among `names` that is meant most likely, if one is near enough.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let near = names.into_iter().filter_map(|other| Some((how_far(name, length, other)?, other)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}

/// How far a name of this length is from another one; `None`: too far to be meant.
fn how_far(name: &str, length: usize, other: &str) -> Option<usize> {
    let most = (length / 3).clamp(1, 3);
    // The beginning of a name is as near as it gets, after names that differ less.
    let begins = length > 2 && other.starts_with(name);
    // Each letter more is one that differs. So a text of any length, as anybody may send it, is not compared letter by letter.
    if length.abs_diff(other.chars().count()) > most {
        return begins.then_some(most);
    }
    let distance = distance(&name.to_ascii_lowercase(), &other.to_ascii_lowercase());
    Some(if begins { distance.min(most) } else { distance }).filter(|distance| *distance <= most)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: [Vec<usize>; 3] = [Vec::new(), Vec::new(), (0..=b.len()).collect()];
    for i in 1..=a.len() {
        rows.rotate_left(1);
        rows[2] = vec![i];
        for j in 1..=b.len() {
            let change = rows[1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            rows[2].push(best);
        }
    }
    rows[2][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_columns_tables_and_paths() {
        let snake = ["monthsMin", "OwnedMessage", "HTTPServer", "a1B", "x"].map(snake_case);
        assert_eq!(snake, ["months_min", "owned_message", "http_server", "a1_b", "x"]);
        let plurals = ["category", "day", "box", "match", "dish", "class", "skill"].map(plural);
        assert_eq!(plurals, ["categories", "days", "boxes", "matches", "dishes", "classes", "skills"]);
        let near = |name: &str| nearest(name, ["monthsMin", "monthsMax", "slug"]);
        let found = ["monthMin", "months", "slugs", "sulg"].map(|name| near(name).unwrap_or_default());
        assert_eq!(found, ["monthsMin", "monthsMin", "slug", "slug"]);
        assert_eq!([near("x"), near("monthsMinimum"), near(&"slug".repeat(1_000_000))], [None; 3]);
        let camels = ["OwnedMessage", "HTTPLog", "API", "Skill", "skill"].map(lower_camel);
        assert_eq!(camels, ["ownedMessage", "httpLog", "api", "skill", "skill"]);
    }

    #[test]
    fn a_join_table_has_a_name_that_every_database_keeps_whole() {
        assert_eq!(join_table("skills", "requiresFirst"), "skills_requires_first");
        let (a, b) = ("a".repeat(30), "b".repeat(25));
        assert_eq!(join_table(&a, &b), format!("{a}_{b}"));
        let one = join_table(&a, &format!("{b}c"));
        assert!(one.len() == TABLE_BYTES_MAX && one.starts_with(&format!("{a}_bbbbbbbbbbbb_")), "{one}");
        assert_ne!(one, join_table(&a, &format!("{b}d")));
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("tilte", ["title", "time", "tiles"]), Some("title"));
        assert_eq!(nearest("Strng", ["String", "Int"]), Some("String"));
        assert_eq!(nearest("zebra", ["title", "time"]), None);
        assert_eq!(nearest("", ["a"]), Some("a"));
    }
}
