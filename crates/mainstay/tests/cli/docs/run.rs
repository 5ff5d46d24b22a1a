//! Runs a page from top to bottom.
use std::{fs, path::PathBuf};

use mainstay_expr::{Limits, Type, compile};
use mainstay_schema::{Schema, Source};
use mainstay_test_db::{Engine, engine};

use super::{
    cargo, output,
    page::{Block, Line, Page, commands},
    shell::{ADDRESS, Shell},
};
use crate::support::Server;

/// Where a server says its address.
const LISTENING: &str = "listening on http://";

/// What a page has come to.
struct Runner {
    path: PathBuf,
    shell: Shell,
    server: Option<Server>,
    address: String,
    schema: String,
    /// What the commands of the last block have printed.
    printed: Option<String>,
    /// Blocks that should say something else, where that is wanted instead of a failure.
    other: Option<Vec<(usize, String)>>,
}

/// Runs the page in this file. With `UPDATE_DOCS` set, what commands print is written into it instead of compared.
pub(super) fn run(path: PathBuf) {
    let page = Page::parse(&fs::read_to_string(&path).unwrap());
    let other = std::env::var_os("UPDATE_DOCS").map(|_| Vec::new());
    let mut shell = Shell::start();
    if let Some(project) = &page.project {
        let template = if project == "skillmap" { "--template skillmap" } else { "" };
        assert_eq!(shell.run(&format!("mainstay new app {template} && cd app")).code, 0);
    }
    if let Some(folder) =
        path.parent().filter(|folder| folder.parent().is_some_and(|above| above.ends_with("examples")))
    {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        assert_eq!(shell.run(&format!("cd examples/{name}")).code, 0);
    }
    let (server, address, schema, printed) = (None, String::new(), String::new(), None);
    let mut runner = Runner { path, shell, server, address, schema, printed, other };
    for block in &page.blocks {
        runner.block(block);
    }
    if let Some(last) = page.blocks.last() {
        runner.expect_no_refusal(last);
    }
    if let Some(other) = runner.other.filter(|other| !other.is_empty()) {
        fs::write(&runner.path, page.with(&other)).unwrap();
    }
}

impl Runner {
    fn block(&mut self, block: &Block) {
        if !block.is_output() {
            self.expect_no_refusal(block);
        }
        match block.language.as_str() {
            "sh" => self.commands(block),
            "json" | "text" if block.file.is_none() => self.output(block),
            "graphql" => self.schema(block),
            "cel" => self.conditions(block),
            "toml" if block.file.is_none() => self.settings(block),
            "json" | "csv" | "ndjson" | "text" | "toml" => {}
            // Files and commands of other programs, which need not be there.
            "ini" | "nginx" | "dockerfile" | "console" => {}
            other => self.fail(block, &format!("blocks in {other:?} are not run")),
        }
        if let Some(file) = &block.file {
            fs::write(self.shell.here().join(file), &block.text).unwrap();
        }
    }

    /// Commands whose output is not shown must not be answered by an error.
    fn expect_no_refusal(&mut self, block: &Block) {
        if let Some(printed) = self.printed.take().filter(|printed| printed.contains("\"/docs/errors#")) {
            self.fail(block, &format!("a call above was refused, and the page does not say so:\n{printed}"));
        }
    }

    fn commands(&mut self, block: &Block) {
        let mut printed = String::new();
        for line in commands(&block.text) {
            printed.push_str(&self.command(block, &line));
        }
        self.printed = Some(printed);
    }

    fn command(&mut self, block: &Block, line: &Line) -> String {
        if line.stops {
            self.stop();
            return String::new();
        }
        let Some(text) = cargo::command(&line.text) else { return String::new() };
        if serves(&text) && line.code == 0 {
            self.stop();
            let server = Server::of(self.shell.beside(&text));
            let said = server.wait_for(LISTENING);
            self.address = said.split(LISTENING).nth(1).unwrap().trim().to_owned();
            self.shell.lead(Some(&self.address));
            self.server = Some(server);
            return String::new();
        }
        let ran = self.shell.run(&text);
        if ran.code != line.code {
            self.fail(block, &format!("{}\nexit code {}, not {}\n{}", line.text, ran.code, line.code, ran.output));
        }
        ran.output
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.signal("INT");
            assert_eq!(server.wait().code(), Some(0), "{}", server.said());
        }
    }

    /// What the commands above print; of `text server`, what the server has said. `text sqlite` shows statements or plans of that engine.
    fn output(&mut self, block: &Block) {
        if block.says("server") {
            let server = self.server.as_ref().unwrap_or_else(|| self.fail(block, "no server runs"));
            let expected = block.text.replace(ADDRESS, &self.address);
            server.wait_until(&expected, |said| output::among(&expected, said));
            return;
        }
        let Some(printed) = self.printed.take() else { self.fail(block, "nothing above prints this") };
        if block.says("sqlite") && engine() != Engine::Sqlite {
            return;
        }
        let Err(difference) = output::check(&block.language, &block.text, &printed) else { return };
        match &mut self.other {
            Some(other) => other.push((block.line, output::shown(&block.language, &printed))),
            None => self.fail(block, &difference),
        }
    }

    /// A whole schema; one that says `fails` is refused, and the next block may say how.
    fn schema(&mut self, block: &Block) {
        let name = block.file.as_deref().unwrap_or("schema.graphql");
        match (Schema::load(&[Source { name, text: &block.text }]), block.says("fails")) {
            (Ok(_), false) => self.schema.clone_from(&block.text),
            (Err(wrong), true) => self.printed = Some(wrong.to_string()),
            (Ok(_), true) => self.fail(block, "this schema is taken, and the page says that it is refused"),
            (Err(wrong), false) => self.fail(block, &wrong.to_string()),
        }
    }

    /// Conditions, a line each, over the type that is named behind `cel`, in the last schema above or in the example's.
    fn conditions(&mut self, block: &Block) {
        if self.schema.is_empty() {
            self.schema =
                fs::read_to_string(super::shell::repository().join("examples/skillmap/schema.graphql")).unwrap();
        }
        let schema = Schema::load(&[Source { name: "schema.graphql", text: &self.schema }]).unwrap();
        let of = block.words.first().map(|name| schema.by_name[name]);
        let limits = Limits::default().with_params();
        let mut problems = String::new();
        for line in block.text.lines().filter(|line| !line.trim().is_empty()) {
            let text = line.split(" // ").next().unwrap_or_default().trim();
            match (compile(text, &schema.scope(of), &Type::Bool, &limits), block.says("fails")) {
                (Ok(_), true) => self.fail(block, &format!("{text} is taken, and the page says that it is refused")),
                (Err(wrong), false) => self.fail(block, &format!("{text}: {wrong:?}")),
                (Err(wrong), true) => problems.push_str(&format!("{}\n", wrong[0].message)),
                (Ok(_), false) => {}
            }
        }
        self.printed = Some(problems).filter(|problems| !problems.is_empty());
    }

    /// Settings: a project that has them is sound.
    fn settings(&mut self, block: &Block) {
        let mut shell = Shell::start();
        let here = shell.here();
        fs::write(here.join("schema.graphql"), "").unwrap();
        fs::write(here.join("mainstay.toml"), &block.text).unwrap();
        let secrets = "export JWT_SECRET=0123456789abcdef0123456789abcdef DATABASE_URL=postgres://shop:secret@db.example.org/shop";
        let ran = shell.run(&format!("{secrets}; mainstay check"));
        if ran.code != 0 {
            self.fail(block, &ran.output);
        }
    }

    fn fail(&self, block: &Block, why: &str) -> ! {
        panic!("{}:{}: {why}", self.path.display(), block.line)
    }
}

/// Whether a command runs until it is stopped.
fn serves(text: &str) -> bool {
    let mut words = text.split_whitespace().skip_while(|word| word.contains('='));
    words.next() == Some("mainstay") && matches!(words.next(), Some("dev" | "serve"))
}
