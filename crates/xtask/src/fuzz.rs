//! Builds and runs the fuzz targets.
//!
//! libFuzzer comes with the crate libfuzzer-sys; the flags that `cargo fuzz` would pass are passed
//! here, so that neither cargo-fuzz nor a nightly toolchain is needed.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::command::command;
use crate::command::output;
use crate::command::run as run_command;
use crate::command::works;

/// Coverage feedback as libFuzzer reads it, and checks that a release build leaves out.
const RUSTFLAGS: &str = "--cfg=fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0 \
    -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1";

const INPUT_BYTES_MAX_DEFAULT: i64 = 4096;

struct Target {
    name: String,
    input_bytes_max: i64,
}

/// Fuzzes one target, or all in turn, for `time` each.
pub(crate) fn run(root: &Path, only: Option<&str>, time: Duration) -> Result<()> {
    let mut targets = targets(&fs::read_to_string(root.join("fuzz/Cargo.toml"))?)?;
    if let Some(only) = only {
        let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
        targets.retain(|target| target.name == only);
        if targets.is_empty() {
            bail!("no fuzz target {only}; there are: {}", names.join(", "));
        }
    }
    let built = build(root, only)?;
    let mut failed = Vec::new();
    for target in &targets {
        let started = Instant::now();
        println!("\n== fuzz {} for {} s", target.name, time.as_secs());
        let result = fuzz(root, &built, target, time);
        println!("== fuzz {}: {:.0} s", target.name, started.elapsed().as_secs_f64());
        if let Err(error) = result {
            println!("fuzz {}: {error:#}; see fuzz/artifacts/{}", target.name, target.name);
            failed.push(target.name.as_str());
        }
    }
    println!("\nfuzz: {} passed, {} failed", targets.len() - failed.len(), failed.len());
    if !failed.is_empty() {
        bail!("findings in: {}", failed.join(", "));
    }
    Ok(())
}

/// Builds the targets and returns the folder of the programs.
fn build(root: &Path, only: Option<&str>) -> Result<PathBuf> {
    if !works("c++ --version") {
        bail!("libFuzzer needs a C++ compiler; install one (Debian: apt-get install g++)");
    }
    let host = host()?;
    let folder = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder).join("fuzz"),
        None => root.join("fuzz/target"),
    };
    // With --target, even for the host, build scripts are built without these flags.
    let mut cargo = command(root, "cargo build --release --manifest-path fuzz/Cargo.toml");
    cargo.args(["--target", &host]).arg("--target-dir").arg(&folder).env("RUSTFLAGS", RUSTFLAGS);
    match only {
        Some(name) => cargo.args(["--bin", name]),
        None => cargo.arg("--bins"),
    };
    run_command(&mut cargo)?;
    Ok(folder.join(host).join("release"))
}

fn fuzz(root: &Path, built: &Path, target: &Target, time: Duration) -> Result<()> {
    let fuzz = root.join("fuzz");
    let corpus = fuzz.join("corpus").join(&target.name);
    let artifacts = fuzz.join("artifacts").join(&target.name);
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let program = built.join(&target.name);
    let mut command = std::process::Command::new(&program);
    // libFuzzer writes what it learns into the first folder and only reads the second.
    command.current_dir(&fuzz).arg(corpus).arg(fuzz.join("seeds").join(&target.name)).args([
        format!("-max_total_time={}", time.as_secs().max(1)),
        format!("-max_len={}", target.input_bytes_max),
        "-timeout=5".to_owned(),
        "-rss_limit_mb=2048".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix={}/", artifacts.display()),
    ]);
    run_command(&mut command)
}

/// The targets that `fuzz/Cargo.toml` lists, with the limits of `package.metadata.max-len`.
fn targets(manifest: &str) -> Result<Vec<Target>> {
    let manifest: toml::Table = manifest.parse().context("reading fuzz/Cargo.toml")?;
    let limits = manifest
        .get("package")
        .and_then(|package| package.get("metadata"))
        .and_then(|metadata| metadata.get("max-len"));
    let bins = manifest.get("bin").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
    let names = bins.iter().filter_map(|bin| bin.get("name").and_then(toml::Value::as_str));
    let limit = |name: &str| limits.and_then(|limits| limits.get(name)?.as_integer());
    let targets = names.map(|name| Target {
        name: name.to_owned(),
        input_bytes_max: limit(name).unwrap_or(INPUT_BYTES_MAX_DEFAULT),
    });
    Ok(targets.collect())
}

fn host() -> Result<String> {
    let text = output(&mut command(Path::new("."), "rustc -vV")).context("rustc does not run")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}
