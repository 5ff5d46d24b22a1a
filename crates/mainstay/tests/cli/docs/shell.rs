//! A shell that runs one command after the other, as a reader does in one window.
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::databases::{Databases, provide};

/// The address that pages show; servers of tests have another one.
pub(super) const ADDRESS: &str = "127.0.0.1:8090";

/// How long a command may take before it is called hung.
const HUNG: Duration = Duration::from_secs(60);

/// What each command is told of a server of tests, and no reader of a page.
const FORGETFUL: &str = "runs with fsync = off";

/// Begins the line behind a command's output.
const MARK: char = '\u{1e}';

/// A running shell in a folder of its own.
pub(super) struct Shell {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    folder: TempDir,
    _databases: Databases,
}

/// What a command did.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    /// Both of its outputs, as a terminal shows them.
    pub(super) output: String,
}

impl Shell {
    /// A shell in an empty folder with a copy of the examples, which stands for the repository.
    pub(super) fn start() -> Shell {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("home");
        let work = folder.path().join("mainstay");
        fs::create_dir_all(&home).unwrap();
        copy(&repository().join("examples"), &work.join("examples"));
        let programs = folder.path().join("programs");
        let databases = provide(&programs, Path::new(env!("CARGO_BIN_EXE_mainstay")));
        let mut command = clean(Command::new("bash"), &programs);
        command.args(["--noprofile", "--norc"]).current_dir(&work).env("HOME", &home).env("CURL_HOME", &home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            let lines = output.split(b'\n').map_while(Result::ok);
            let texts = lines.map(|line| String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned());
            texts.map(|line| sender.send(line)).all(|sent| sent.is_ok())
        });
        let mut shell = Shell { input: child.stdin.take().unwrap(), child, lines, folder, _databases: databases };
        assert_eq!(shell.run("exec 2>&1").code, 0);
        shell.lead(None);
        shell
    }

    /// Leads what curl asks of the address that pages show to the address of a server.
    pub(super) fn lead(&mut self, to: Option<&str>) {
        let way = to.map_or_else(String::new, |to| format!("connect-to = \"{ADDRESS}:{to}\"\n"));
        fs::write(self.folder.path().join("home/.curlrc"), format!("silent\nshow-error\n{way}")).unwrap();
    }

    /// Runs a command to its end.
    pub(super) fn run(&mut self, command: &str) -> Ran {
        // In braces, not in a subshell: what it sets stays set.
        let text = format!("{{ {command}\n}} </dev/null\nprintf '\\n\\036%d\\n' $?\n");
        self.input.write_all(text.as_bytes()).unwrap();
        let mut output = Vec::new();
        loop {
            let line = self.lines.recv_timeout(HUNG).unwrap_or_else(|_| panic!("{command} hangs: {output:?}"));
            if let Some(code) = line.strip_prefix(MARK) {
                while output.last().is_some_and(String::is_empty) {
                    output.pop();
                }
                let output: String = output.into_iter().map(|line| line + "\n").collect();
                return Ran { code: code.parse().unwrap(), output };
            }
            if !line.contains(FORGETFUL) {
                output.push(line);
            }
        }
    }

    /// The folder that the shell is in.
    pub(super) fn here(&mut self) -> PathBuf {
        PathBuf::from(self.run("pwd").output.trim_end())
    }

    /// A command that runs beside the shell, in its folder and with its environment.
    pub(super) fn beside(&mut self, text: &str) -> Command {
        let variables = self.folder.path().join("variables");
        assert_eq!(self.run(&format!("env -0 > '{}'", variables.display())).code, 0);
        let variables = String::from_utf8(fs::read(variables).unwrap()).unwrap();
        let mut command = Command::new("bash");
        command.env_clear().envs(variables.split('\0').filter_map(|variable| variable.split_once('=')));
        command.env("MAINSTAY_SERVER_LISTEN", "127.0.0.1:0").current_dir(self.here());
        // The server in the shell's place, so that signals reach it; one output, so that the order is kept.
        command.args(["-c", &format!("{} 2>&1", text.replacen("mainstay ", "exec mainstay ", 1))]);
        command
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The root of the repository.
pub(super) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A command that finds our binary, or what stands for it in a folder, and none of our settings.
fn clean(mut command: Command, programs: &Path) -> Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MAINSTAY_")) {
        command.env_remove(name);
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_mainstay")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [programs.to_path_buf(), binary.to_path_buf()].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap()).env("LC_ALL", "C.UTF-8");
    command
}

/// A folder without what is not under version control.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "data") {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => fs::copy(from, to).map(|_| ()).unwrap(),
        }
    }
}
