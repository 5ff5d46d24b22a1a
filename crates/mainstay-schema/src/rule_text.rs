//! Where the texts of rules stand in the files.
use std::sync::Arc;

use mainstay_expr::Compiled;

use crate::Collection;

/// Where the text of a rule stands.
#[derive(Clone, Debug)]
pub struct RuleText {
    /// The rule.
    pub(crate) rule: Arc<Compiled>,
    /// The file's name as it was given.
    pub(crate) file: Arc<str>,
    /// The line that each line of the text is in, each with the byte of the text that it begins with.
    pub(crate) lines: Vec<(usize, u32)>,
}

impl Collection {
    /// The file and the line where a byte of a rule's text stands; of a rule of this collection or of one of its fields.
    pub fn rule_line(&self, rule: &Arc<Compiled>, at: usize) -> Option<(Arc<str>, u32)> {
        let text = self.rule_texts.iter().find(|text| Arc::ptr_eq(&text.rule, rule))?;
        let (_, line) = text.lines.iter().rev().find(|(start, _)| *start <= at)?;
        Some((text.file.clone(), *line))
    }
}
