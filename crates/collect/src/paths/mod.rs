//! Paths as the configuration writes them: plain, with wildcards, with dates; and the names that
//! rotated files are given.

pub(crate) mod component;
pub(crate) mod dates;
pub(crate) mod rotated;

/// Components of one pattern; what has more is refused.
pub(crate) const COMPONENTS_MAX: usize = 128;
/// Bytes of a path.
pub(crate) const PATH_BYTES_MAX: usize = 4096;

/// A path or glob without dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: Vec<u8>,
    components: Vec<Component>,
    is_wild: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    /// Exactly this name.
    Name(Vec<u8>),
    /// What fits.
    Wild(Vec<u8>),
}

impl Component {
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Wild(pattern) => component::matches(pattern, name),
        }
    }
}

impl Pattern {
    /// As OSSEC: a text without `*`, `?` and `[` is a path, to the last byte. `None` if it is
    /// empty or has too many components or bytes.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        Self::of(text, component::is_wild(text))
    }

    /// A text in which backslashes escape even if there is no wildcard.
    pub(crate) fn glob(text: &[u8]) -> Option<Self> {
        Self::of(text, true)
    }

    fn of(text: &[u8], is_wild: bool) -> Option<Self> {
        let component = |text: &[u8]| match is_wild {
            true if component::is_wild(text) => Component::Wild(text.to_vec()),
            true => Component::Name(component::without_escapes(text)),
            false => Component::Name(text.to_vec()),
        };
        let parts = text.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
        let components: Vec<Component> = parts.take(COMPONENTS_MAX + 1).map(component).collect();
        let is_usable = (1..=COMPONENTS_MAX).contains(&components.len())
            && text.len() <= PATH_BYTES_MAX
            && !text.contains(&0);
        is_usable.then(|| Self { text: text.to_vec(), components, is_wild })
    }

    /// Whether it may stand for several paths, or none.
    pub(crate) fn is_wild(&self) -> bool {
        self.is_wild
    }

    pub(crate) fn component(&self, at: usize) -> Option<&Component> {
        self.components.get(at)
    }

    pub(crate) fn is_last(&self, at: usize) -> bool {
        at + 1 == self.components.len()
    }

    /// Where walking starts.
    pub(crate) fn root(&self) -> &'static [u8] {
        if self.text.first() == Some(&b'/') { b"/" } else { b"." }
    }

    /// The path of `name` in `directory`, which fits the last component. A plain path stays as it
    /// was written.
    pub(crate) fn path(&self, directory: &[u8], name: &[u8]) -> Vec<u8> {
        if self.is_wild { join(directory, name) } else { self.text.clone() }
    }

    /// Whether `path` is one of those it stands for.
    pub(crate) fn covers(&self, path: &[u8]) -> bool {
        if !self.is_wild {
            return self.text == path;
        }
        let is_absolute = |text: &[u8]| text.first() == Some(&b'/');
        let mut parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
        is_absolute(&self.text) == is_absolute(path)
            && self.components.iter().all(|own| parts.next().is_some_and(|name| own.matches(name)))
            && parts.next().is_none()
    }
}

/// The path of `name` in `directory`.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        b"." => name.to_vec(),
        b"/" => [b"/", name].concat(),
        directory => [directory, b"/", name].concat(),
    }
}

/// The directory and the name of a path.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'/', path) {
        Some(0) => (b"/", path.get(1..).unwrap_or_default()),
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None => (b".", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_covers() {
        for (pattern, path, covers) in [
            ("/var/log/a", "/var/log/a", true),
            ("/var/log/a", "/var/log//a", false),
            ("/var/log/*", "/var/log/a", true),
            ("/var//log/*", "/var/log/a", true),
            ("/var/log/*", "/var/log/a/b", false),
            ("/var/*/a", "/var/log/a", true),
            ("/var/*/a", "/var/log/b", false),
            ("/var/*/\\a", "/var/log/a", true),
            ("var/*", "/var/log", false),
            ("var/*", "var/log", true),
            ("/var/lo\\g", "/var/lo\\g", true),
        ] {
            let parsed = Pattern::parse(pattern.as_bytes()).unwrap();
            assert_eq!(parsed.covers(path.as_bytes()), covers, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        assert_eq!(Pattern::parse(b""), None);
        assert_eq!(Pattern::parse(b"/"), None);
        assert_eq!(Pattern::parse(b"/a\0b"), None);
        assert_eq!(Pattern::parse(&b"/a".repeat(COMPONENTS_MAX + 1)), None);
        assert!(Pattern::parse(&b"/a".repeat(COMPONENTS_MAX)).is_some());
        assert_eq!(Pattern::parse(&b"a".repeat(PATH_BYTES_MAX + 1)), None);
    }

    #[test]
    fn paths_come_apart_and_together() {
        for (path, directory, name) in
            [("/a", "/", "a"), ("/a/b", "/a", "b"), ("a", ".", "a"), ("a/b", "a", "b")]
        {
            assert_eq!(split(path.as_bytes()), (directory.as_bytes(), name.as_bytes()));
            assert_eq!(join(directory.as_bytes(), name.as_bytes()), path.as_bytes());
        }
    }
}
