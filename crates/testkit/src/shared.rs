//! Test material that lies beside the workspace, such as rule sets whose licence keeps them out.

use std::env;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Names another place for the material.
pub const VARIABLE: &str = "WACHTER_SHARED";

/// The folder of the material: `$WACHTER_SHARED`, else `shared` beside the workspace. Where it is
/// missing, says so once; the tests that need it then pass without doing anything.
pub fn dir() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(find).as_deref()
}

/// A file or folder of the material. Where the material is there but this is not, opening it fails.
pub fn path(name: &str) -> Option<PathBuf> {
    dir().map(|dir| dir.join(name))
}

fn find() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let dir = env::var_os(VARIABLE).map_or_else(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    // Written to the stream itself: the test harness would swallow what `eprintln` prints. Where
    // even that fails, nobody is there to be told.
    let _ = writeln!(
        io::stderr(),
        "skipped: no test material at {}; set {VARIABLE} to its folder",
        dir.display()
    );
    None
}
