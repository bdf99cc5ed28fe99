//! Lists the files of `ruleset/` for `src/install/bundled.rs`: who adds one edits nothing else.

use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

/// The folders below `ruleset/`, and the names of their tables.
const FOLDERS: [(&str, &str); 3] =
    [("decoders", "DECODERS"), ("rules", "RULES"), ("shared", "SHARED")];

fn main() -> io::Result<()> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let ruleset = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../../ruleset");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", ruleset.display());
    let mut code = String::new();
    for (folder, table) in FOLDERS {
        let list = files_of(&ruleset.join(folder))?;
        writeln!(code, "pub(crate) const {table}: &[Bundled] = &[{list}];")
            .map_err(io::Error::other)?;
    }
    let order = ruleset.join("include-order.xml");
    let order = match order.is_file() {
        true => format!("include_bytes!({order:?})"),
        false => "b\"\"".to_owned(),
    };
    writeln!(code, "pub(crate) const INCLUDE_ORDER: &[u8] = {order};").map_err(io::Error::other)?;
    fs::write(Path::new(&variable("OUT_DIR")?).join("bundled.rs"), code)
}

/// The files of a folder in the order of their names, as elements of a table.
fn files_of(folder: &Path) -> io::Result<String> {
    let mut list = String::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A folder without files does not exist in a checkout.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(list),
        Err(error) => return Err(error),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths.iter().filter(|path| path.is_file()) {
        let name = path.file_name().unwrap_or_default();
        write!(list, "Bundled {{ name: {name:?}, bytes: include_bytes!({path:?}) }},")
            .map_err(io::Error::other)?;
    }
    Ok(list)
}
