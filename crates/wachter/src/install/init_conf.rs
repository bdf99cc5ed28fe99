//! `/etc/ossec-init.conf`: where OSSEC is, for scripts that source it.

use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;

use super::Kind;
use crate::home::files;

/// Its place below the root; a copy lies in `etc/` of the installation.
pub(crate) const PATH: &str = "etc/ossec-init.conf";

/// OSSEC's version whose files and answers these are.
pub(crate) const OSSEC_VERSION: &str = "v4.3.0";

const FILE_BYTES_MAX: usize = 64 * 1024;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InitConf {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) version: Option<String>,
    pub(crate) kind: Option<Kind>,
}

impl InitConf {
    /// Reads the file below `root`. Without it, or the right to read it, it says nothing.
    pub(crate) fn read(root: &Path) -> Self {
        let bytes = files::read(&root.join(PATH), FILE_BYTES_MAX).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Self {
        let mut said = Self::default();
        for line in text.lines() {
            let Some((name, value)) = line.trim().split_once('=') else { continue };
            let value = value.trim_matches('"').to_owned();
            match name {
                "DIRECTORY" if value.starts_with('/') => said.directory = Some(value.into()),
                "VERSION" => said.version = Some(value),
                "TYPE" => said.kind = Kind::of(&value),
                _ => {}
            }
        }
        said
    }

    /// Whether it already says this.
    pub(super) fn says(&self, directory: &Path, kind: Kind) -> bool {
        self.directory.as_deref() == Some(directory)
            && self.version.as_deref() == Some(OSSEC_VERSION)
            && self.kind == Some(kind)
    }
}

/// The text of the file.
pub(super) fn text(directory: &Path, kind: Kind, now: &ZonedDateTime) -> String {
    format!(
        "DIRECTORY=\"{}\"\nVERSION=\"{OSSEC_VERSION}\"\nDATE=\"{}\"\nTYPE=\"{kind}\"\n",
        directory.display(),
        now.strftime("%a %b %e %H:%M:%S %Z %Y"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let time = jiff::Timestamp::from_second(1_429_466_747).unwrap();
        let now = ZonedDateTime::new(time, jiff::tz::TimeZone::UTC);
        let text = text(Path::new("/var/ossec"), Kind::Server, &now);
        assert!(text.contains("DATE=\"Sun Apr 19 18:05:47 UTC 2015\"\n"), "{text}");
        let said = InitConf::parse(&text);
        assert!(said.says(Path::new("/var/ossec"), Kind::Server));
        assert!(!said.says(Path::new("/opt/ossec"), Kind::Server));
        assert!(!said.says(Path::new("/var/ossec"), Kind::Local));
    }

    #[test]
    fn files_of_others() {
        let said = InitConf::parse("#x\nDIRECTORY=\"relative\"\nTYPE=\"hybrid\"\nVERSION=\"v2.8\"");
        assert_eq!(said, InitConf { version: Some("v2.8".to_owned()), ..InitConf::default() });
    }
}
