//! What starts the installation at boot.

use std::path::Path;

use super::bundled;
use super::layout::{self, Rights};
use crate::home;

/// A file that tells the system how to start it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// Relative to the root.
    pub(super) path: &'static str,
    pub(super) text: String,
    pub(super) rights: Rights,
    /// What the user does next.
    pub(super) hint: &'static str,
}

/// The one that fits the system below `root`, by the directories that are there.
pub(super) fn fitting(root: &Path, home: &Path) -> Option<Service> {
    let is_dir = |path: &str| root.join(path).is_dir();
    let has_systemd = ["run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];
    let (path, text, rights, hint) = if has_systemd.into_iter().any(is_dir) {
        (
            "etc/systemd/system/ossec-hids.service",
            bundled::UNIT,
            layout::UNIT,
            "start it with: systemctl daemon-reload && systemctl enable --now ossec-hids",
        )
    } else if is_dir("etc/rc.d") && !is_dir("etc/init.d") {
        (
            "etc/rc.d/init.d/ossec",
            bundled::INIT_SCRIPT,
            layout::SCRIPT,
            "start it with: /etc/rc.d/init.d/ossec start (at boot: from /etc/rc.d/rc.local)",
        )
    } else if is_dir("etc/init.d") {
        (
            "etc/init.d/ossec",
            bundled::INIT_SCRIPT_LSB,
            layout::SCRIPT,
            "start it with: /etc/init.d/ossec start (at boot: update-rc.d, chkconfig or rc-update)",
        )
    } else {
        return None;
    };
    let text = text.replace(home::DEFAULT, &home.display().to_string());
    Some(Service { path, text, rights, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dirs: &[&str]) -> Option<&'static str> {
        let root = tempfile::tempdir().unwrap();
        for dir in dirs {
            std::fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        fitting(root.path(), Path::new("/opt/o")).map(|service| service.path)
    }

    #[test]
    fn systems() {
        let unit = "etc/systemd/system/ossec-hids.service";
        assert_eq!(path(&["etc/init.d", "lib/systemd/system"]), Some(unit));
        assert_eq!(path(&["etc/rc.d"]), Some("etc/rc.d/init.d/ossec"));
        assert_eq!(path(&["etc/rc.d/init.d", "etc/init.d"]), Some("etc/init.d/ossec"));
        assert_eq!(path(&["etc/init.d"]), Some("etc/init.d/ossec"));
        assert_eq!(path(&["etc"]), None);
    }

    #[test]
    fn another_home() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("run/systemd/system")).unwrap();
        let unit = fitting(root.path(), Path::new("/opt/o")).unwrap().text;
        assert!(unit.contains("ExecStart=/opt/o/bin/wachter supervise --home /opt/o\n"));
        assert!(!unit.contains(home::DEFAULT));
    }
}
