//! `docs/rules.md` is what `wachter rules` makes of our files. `UPDATE_DOCS=1` writes it.

use std::env;
use std::fs;
use std::path::Path;

use crate::loading::{text, wachter};
use crate::policy;

#[test]
fn page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let cases = policy::dir().join("cases");
    let output = wachter(&["rules", "--markdown", "--cases", cases.to_str().unwrap()]);
    assert_eq!(text(&output.stderr), "");
    let page = text(&output.stdout);
    if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, page).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap();
    let different = written.lines().zip(page.lines()).find(|(left, right)| left != right);
    assert_eq!(different, None, "UPDATE_DOCS=1 writes docs/rules.md");
    assert_eq!(written.len(), page.len(), "UPDATE_DOCS=1 writes docs/rules.md");
}
