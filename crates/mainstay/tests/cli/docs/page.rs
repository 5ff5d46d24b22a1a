//! A page of documentation, cut into the blocks that are run.
//!
//! Comments say what a reader need not know: `<!-- project: skillmap -->` names the project that the page's commands run in
//! (a template of `mainstay new`; without it an empty folder beside the examples), `<!-- file: schema.graphql -->` writes the
//! next block into that file, `<!-- run: cd app -->` is a command that the reader does in words.

/// A fenced block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The line of its opening fence, from 1.
    pub(super) line: usize,
    /// The first word behind the fence.
    pub(super) language: String,
    /// The other words.
    pub(super) words: Vec<String>,
    pub(super) text: String,
    /// The file that it is written into.
    pub(super) file: Option<String>,
}

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    /// The template that its commands run in.
    pub(super) project: Option<String>,
    pub(super) blocks: Vec<Block>,
    lines: Vec<String>,
}

impl Block {
    pub(super) fn says(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }

    /// Whether it is what the commands before it print.
    pub(super) fn is_output(&self) -> bool {
        matches!(self.language.as_str(), "json" | "text") && self.file.is_none()
    }
}

impl Page {
    pub(super) fn parse(text: &str) -> Page {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut page = Page { project: None, blocks: Vec::new(), lines };
        let mut file = None;
        let mut open: Option<Block> = None;
        for (at, line) in page.lines.iter().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => page.blocks.extend(open.take()),
                (Some(words), None) => {
                    let mut words = words.split_whitespace().map(str::to_owned);
                    let language = words.next().unwrap_or_default();
                    let words = words.collect();
                    open = Some(Block { line: at + 1, language, words, text: String::new(), file: file.take() });
                }
                (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
                (None, None) => {
                    page.project = comment(line, "project").or(page.project.take());
                    file = comment(line, "file").or(file);
                    page.blocks.extend(comment(line, "run").map(|text| hidden(at + 1, text)));
                }
            }
        }
        assert!(open.is_none(), "a block is not closed");
        page
    }

    /// The page with other texts in some of its blocks.
    pub(super) fn with(&self, texts: &[(usize, String)]) -> String {
        let mut out = String::new();
        let mut at = 0;
        while at < self.lines.len() {
            out.push_str(&format!("{}\n", self.lines[at]));
            at += 1;
            if let Some((_, text)) = texts.iter().find(|(line, _)| *line == at) {
                out.push_str(text);
                while !self.lines[at].starts_with("```") {
                    at += 1;
                }
            }
        }
        out
    }
}

/// A command that is not shown.
fn hidden(line: usize, text: String) -> Block {
    Block { line, language: "sh".to_owned(), words: Vec::new(), text, file: None }
}

/// What a comment of this name says.
fn comment(line: &str, name: &str) -> Option<String> {
    let inner = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    let (found, value) = inner.trim().split_once(':')?;
    (found == name).then(|| value.trim().to_owned())
}

/// A command of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// The exit code that it must have: `# exit code 2`.
    pub(super) code: i32,
    /// `# Ctrl-C …`: the server is stopped.
    pub(super) stops: bool,
}

/// The commands of a block: a line each, or more where a line ends with a backslash or inside of quotes.
pub(super) fn commands(text: &str) -> Vec<Line> {
    let mut out = Vec::new();
    let mut command = String::new();
    for line in text.lines() {
        command.push_str(line);
        if is_whole(&command) {
            out.extend(read(&command));
            command.clear();
        } else {
            command.push('\n');
        }
    }
    assert!(command.is_empty(), "this command does not end: {command}");
    out
}

fn read(command: &str) -> Option<Line> {
    let stops = command.trim_start().starts_with("# Ctrl-C");
    if command.trim().is_empty() || (command.trim_start().starts_with('#') && !stops) {
        return None;
    }
    let code = command.split("# exit code ").nth(1).map_or(0, |rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    });
    Some(Line { text: command.to_owned(), code, stops })
}

fn is_whole(command: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for c in command.chars() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '#') => break,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    quote.is_none() && !escaped
}

#[test]
fn pages_are_cut_into_blocks_and_commands() {
    let page =
        Page::parse("<!-- project: small -->\n<!-- file: a.csv -->\n```csv\na\n```\nx\n```graphql fails\nb\n```\n");
    assert_eq!(page.project.as_deref(), Some("small"));
    assert_eq!((page.blocks[0].line, page.blocks[0].file.as_deref()), (3, Some("a.csv")));
    assert!(page.blocks[1].says("fails") && page.blocks[1].file.is_none());
    assert_eq!(page.with(&[(3, "c\nd\n".into())]).lines().nth(5), Some("```"), "one line more");
    let lines = commands("a 'b\nc' \\\n d\n# no\n\nmainstay plan   # exit code 2: there's more\n# Ctrl-C stops it\n");
    let texts: Vec<(&str, i32, bool)> = lines.iter().map(|line| (&*line.text, line.code, line.stops)).collect();
    assert_eq!(
        texts,
        [
            ("a 'b\nc' \\\n d", 0, false),
            ("mainstay plan   # exit code 2: there's more", 2, false),
            ("# Ctrl-C stops it", 0, true)
        ]
    );
}
