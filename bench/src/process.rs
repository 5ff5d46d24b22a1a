//! A server as the kernel sees it: started, watched, ended, killed.
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Failure, Outcome,
    http::{Connection, request},
};

/// How long a server may take to its first answer; the yardstick fills its table first.
const READY_WAIT: Duration = Duration::from_secs(180);
/// How long a server may take to end when it is asked to.
const STOP_WAIT: Duration = Duration::from_secs(15);
/// The unit of times in `/proc/PID/stat`: the kernel shows programs 100 a second on every common machine.
const TICK_US: u64 = 10_000;
/// Bytes of the log that an error shows.
const LOG_TAIL_BYTES: usize = 2_000;

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    started: Instant,
    log: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Process {
    /// Starts a server that was told to listen on `address`; what it says goes to the end of the file `log`.
    pub fn start(mut command: Command, address: SocketAddr, log: &Path) -> Outcome<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .map_err(|error| format!("cannot start \"{program}\": {error}"))?;
        Ok(Process { child, started: Instant::now(), log: log.to_owned(), address })
    }

    /// Waits for the first 2xx to a GET of `path` and gives the time since the start.
    pub async fn ready(&mut self, path: &str) -> Outcome<Duration> {
        let text = request("GET", path, None, "");
        let mut last = String::from("nobody listens");
        while self.started.elapsed() < READY_WAIT {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failure(&format!("the server ended at its start ({status})")));
            }
            if let Ok(mut connection) = Connection::open(self.address).await {
                match connection.exchange(text.as_bytes()).await {
                    Ok(answer) if answer.status / 100 == 2 => return Ok(self.started.elapsed()),
                    Ok(answer) => last = format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)),
                    Err(error) => last = error.to_string(),
                }
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        Err(self.failure(&format!("no good answer to GET {path} in {} s, the last: {last}", READY_WAIT.as_secs())))
    }

    /// Waits for a good answer again, of a server that runs; gives the time that took.
    pub async fn again(&mut self, path: &str) -> Outcome<Duration> {
        self.started = Instant::now();
        self.ready(path).await
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits for it to end well.
    pub fn stop(mut self) -> Outcome<()> {
        Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status()?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_WAIT {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(self.failure("the server does not end when it is asked to"))
    }

    fn failure(&self, text: &str) -> Failure {
        let log = fs::read(&self.log).unwrap_or_default();
        let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_TAIL_BYTES)..]).into_owned();
        format!("{text}\n{}:\n{tail}", self.log.display()).into()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on this machine that nobody listens on.
pub fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Runs a command to its end and gives its standard output; its standard error is part of the failure.
pub fn run(command: &mut Command) -> Outcome<String> {
    let said = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {said}: {error}"))?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return Err(format!("{said} failed ({}):\n{out}{err}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Microseconds on a processor that this process has used, in user and kernel mode.
pub fn cpu_us(pid: u32) -> Outcome<u64> {
    cpu_parts_us(pid).map(|[user, kernel]| user + kernel)
}

/// The same in two parts: in user mode, in the kernel.
pub fn cpu_parts_us(pid: u32) -> Outcome<[u64; 2]> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the name in brackets, which may hold spaces and brackets.
    let fields: Vec<&str> =
        text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let [user, system] = [11, 12].map(|at| fields.get(at).and_then(|text| text.parse::<u64>().ok()));
    Ok(user
        .zip(system)
        .map(|(user, system)| [user, system].map(|ticks| ticks * TICK_US))
        .ok_or("no times in /proc/PID/stat")?)
}

/// KiB of memory that this process holds now.
pub fn rss_kib(pid: u32) -> Outcome<u64> {
    status_kib(pid, "VmRSS:")
}

/// The most KiB of memory that it ever held.
pub fn rss_peak_kib(pid: u32) -> Outcome<u64> {
    status_kib(pid, "VmHWM:")
}

fn status_kib(pid: u32, name: &str) -> Outcome<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.ok_or_else(|| format!("no {name} in /proc/PID/status"))?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}

/// Microseconds on a processor that this thread has used.
pub fn thread_cpu_us() -> Outcome<f64> {
    // The kernel brings this figure up to date when the thread gives way, else at each tick (4 ms).
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: u64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanos as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_this_process() {
        let pid = std::process::id();
        let held = rss_kib(pid).expect("rss");
        assert!(held > 100 && rss_peak_kib(pid).expect("peak") >= held);
        assert!(cpu_us(pid).is_ok());
        assert!(thread_cpu_us().expect("cpu") > 0.0);
        assert!(cpu_us(u32::MAX).is_err());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_server_that_ends_at_once_is_told_with_its_words() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'no such table'; exit 3"]);
        let address = free_address().expect("an address");
        let mut process = Process::start(command, address, &dir.path().join("log")).expect("sh");
        let error = process.ready("/").await.expect_err("it ended").to_string();
        assert!(error.contains("exit status: 3") && error.contains("no such table"), "{error}");
    }
}
