//! An installation that lasts as long as somebody wants it, of a user who need not be root.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::{Kind, bundled, layout};

/// Lays out a local installation with this `ossec.conf` in `home`, a directory that nobody else can
/// write to. Everything in it can be entered and read by this user alone.
pub(crate) fn lay_out_plain(home: &Path, conf: &str) -> io::Result<()> {
    for place in layout::directories(Kind::Local) {
        DirBuilder::new().recursive(true).mode(0o700).create(home.join(place.path))?;
    }
    for place in layout::empty_files(Kind::Local) {
        write(&home.join(place.path), b"")?;
    }
    for (path, bytes) in bundled::files(Kind::Local) {
        write(&home.join(path), &bytes)?;
    }
    write(&home.join("etc/ossec.conf"), conf.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use model::Diagnostic;

    use super::*;
    use crate::home::{Depth, Origin};
    use crate::install::{ConfOptions, conf, discover};

    #[test]
    fn a_home_that_can_be_read_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let root = tempfile::tempdir().unwrap();
        let options =
            ConfOptions { home: home.clone(), only_readable: true, ..ConfOptions::default() };
        lay_out_plain(&home, &conf(&discover(root.path()), Kind::Local, &options)).unwrap();
        let mode = |path: &str| home.join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(["", "etc", "queue/state"].map(mode), [0o700; 3]);
        assert_eq!(["etc/ossec.conf", "rules/local_rules.xml"].map(mode), [0o600; 2]);
        let installation = Origin::Home { home: home.clone(), conf: None }.read(Depth::Load);
        let mut sources = installation.sources.iter();
        let (conf, _) = sources.find(|(_, source)| source.name.ends_with("ossec.conf")).unwrap();
        let is_of_conf =
            |finding: &Diagnostic| finding.at.is_some_and(|(source, _)| source == conf);
        assert!(!installation.diagnostics.iter().any(is_of_conf), "{:?}", installation.diagnostics);
        assert!(lay_out_plain(&dir.path().join("home"), "").is_err());
    }
}
