//! `cargo xtask fuzz TARGET SECONDS`: builds one target of `fuzz/` with counters in every branch, and runs it.
use std::{env, fs, process::Command};

use crate::{cargo::root, steps::Outcome};

/// What libFuzzer needs of the compiler; all of it is stable.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// The machine that is built for: naming it keeps the counters out of build scripts.
const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };
/// More memory than this is growth.
const MEMORY_MIB_MAX: u32 = 2_048;
/// One input may take so many seconds.
const INPUT_S_MAX: u32 = 30;

pub(crate) fn run(target: &str, seconds: &str) -> Outcome {
    let folder = root().join("fuzz");
    let made = |path: &str| -> Result<String, Vec<String>> {
        let path = folder.join(path).join(target);
        fs::create_dir_all(&path).map_err(|error| vec![format!("{}: {error}", path.display())])?;
        Ok(path.display().to_string())
    };
    let (corpus, seeds, found) = (made("corpus")?, made("seeds")?, made("found")?);
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&folder).env("RUSTFLAGS", FLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.args(["run", "--release", "--target", TARGET, "--bin", target, "--", &corpus, &seeds]);
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-artifact_prefix={found}/"),
        format!("-dict={}", folder.join("words/mainstay.dict").display()),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-timeout={INPUT_S_MAX}"),
        "-max_len=4096".to_owned(),
        "-print_final_stats=1".to_owned(),
    ]);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(vec![format!("the target \"{target}\" ended with {status}")]),
        Err(error) => Err(vec![format!("cargo cannot be run: {error}")]),
    }
}
