//! An explanation for people.
use std::{
    fmt::Write as _,
    io::{self, IsTerminal},
};

use indicatif::HumanCount;
use mainstay_core::{Changes, Explanation, Figures, Held, MissingIndex, Over, RuleExplained, Verdict};
use mainstay_http::Explained;

/// Colours, where somebody sees them.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// No colours.
    pub(crate) const PLAIN: Paint = Paint { on: false };

    /// Colours on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn for_terminal() -> Paint {
        Paint { on: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn title(self, text: &str) -> String {
        self.with("1", text)
    }

    fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("31", text)
    }
}

/// All of it.
pub(super) fn text(explained: &Explained, paint: Paint) -> String {
    let explanation = &explained.explanation;
    let mut out = format!("{}, asked by {}\n", explanation.operation, explanation.caller);
    let _ = writeln!(out, "{}", answer(explained, paint));
    section(&mut out, paint, "rules", explanation.rules.iter().map(|of| rule(of, paint)));
    let title = if explanation.held_by.is_empty() { "" } else { "held by" };
    section(&mut out, paint, title, explanation.held_by.iter().map(held));
    let changes = "what it changes, tried and rolled back";
    section(&mut out, paint, changes, explanation.changes.iter().flat_map(change));
    statements(&mut out, paint, explanation);
    section(&mut out, paint, "what it took", explanation.measured.iter().map(figures));
    section(&mut out, paint, "missing indexes: paste the line behind the name of its type", lacking(explanation));
    out.truncate(out.trim_end().len());
    out
}

fn answer(explained: &Explained, paint: Paint) -> String {
    let status = explained.status;
    let Some(refused) = &explained.explanation.refused else {
        return paint.good(&format!("allowed: {status}"));
    };
    let code = explained.code.map(|code| format!(" {code}")).unwrap_or_default();
    let mut out = paint.bad(&format!("refused: {status}{code}: {refused}"));
    // With the rules below, the clauses are said already.
    let known = explained.explanation.rules.iter().any(|rule| rule.outcome == Verdict::False);
    if let Some(hint) = explained.hint.as_ref().filter(|_| !known) {
        let _ = write!(out, "\n   hint: {hint}");
    }
    out
}

fn section(out: &mut String, paint: Paint, title: &str, entries: impl Iterator<Item = String>) {
    for (at, entry) in entries.enumerate() {
        if at == 0 {
            let _ = writeln!(out, "\n{}", paint.title(title));
        }
        for line in entry.lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
}

/// A rule with its clauses.
pub(crate) fn rule(rule: &RuleExplained, paint: Paint) -> String {
    let shown = rule.text.as_deref().unwrap_or("no rule: admins only");
    let over = match rule.over {
        None => "",
        Some(Over::Before) => ", of the record as it was",
        Some(Over::After) => ", of the record as it becomes",
    };
    let of = rule.of.as_ref().map(|of| format!("{of} ")).unwrap_or_default();
    let mut out = format!("{} {of}{}{over}: {shown}", verdict(rule.outcome, paint), rule.name);
    for clause in &rule.clauses {
        let values: Vec<String> =
            clause.values.iter().map(|value| format!("{} is {}", value.name, value.value)).collect();
        let values = if values.is_empty() { String::new() } else { format!("   ({})", values.join(", ")) };
        let _ = write!(out, "\n  {} {}{values}", verdict(clause.outcome, paint), clause.text);
    }
    out
}

fn verdict(verdict: Verdict, paint: Paint) -> String {
    let word = |word: &str| format!("{word:<12}");
    match verdict {
        Verdict::True => paint.good(&word("true")),
        Verdict::False => paint.bad(&word("false")),
        Verdict::Error => paint.bad(&word("error")),
        Verdict::PerRecord => word("per record"),
        Verdict::Skipped => word("skipped"),
    }
}

fn held(held: &Held) -> String {
    format!("{} of {} by \"{}\"", HumanCount(held.records), held.collection, held.field)
}

fn change(changes: &Changes) -> Vec<String> {
    let counts = [("created", changes.created), ("changed", changes.changed), ("deleted", changes.deleted)];
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(word, count)| format!("{:>8} {} {word}", HumanCount(count), changes.collection)).collect()
}

fn statements(out: &mut String, paint: Paint, explanation: &Explanation) {
    section(out, paint, "SQL", explanation.statements.iter().map(|statement| statement.sql.clone()));
    let many = explanation.statements.len() > 1;
    let words = explanation.statements.iter().enumerate().map(|(at, statement)| {
        let lines = statement.words.iter().map(|line| if many { format!("   {line}\n") } else { format!("{line}\n") });
        let lines: String = lines.collect();
        match (many, lines.is_empty()) {
            (true, false) => format!("{:>2}{}", at + 1, &lines[2.min(lines.len())..]),
            (_, _) => lines,
        }
    });
    section(out, paint, "query plan", words.filter(|words| !words.trim().is_empty()));
}

fn figures(figures: &Figures) -> String {
    let Figures { times, median_ms, rows, scanned, sorts, steps } = figures;
    let runs = if *times == 1 { "one run".to_owned() } else { format!("the median of {times} runs") };
    format!(
        "{median_ms:.2} ms, {runs}\n{} rows came out, {} records were looked at from end to end, {} sorted in memory\n{} steps of the engine",
        HumanCount(*rows),
        HumanCount(*scanned),
        if *sorts == 0 { "nothing was".to_owned() } else { format!("{sorts} times something was") },
        HumanCount(*steps),
    )
}

fn lacking(explanation: &Explanation) -> impl Iterator<Item = String> {
    explanation.missing_indexes.iter().map(|index: &MissingIndex| {
        format!("type {} {}\n  {}: {}", index.collection, index.directive, index.place, index.reason)
    })
}
