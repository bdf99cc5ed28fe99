//! Users and groups of this host, by name.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;

/// A user to run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// Bytes of one entry of the user or group database.
const ENTRY_BYTES_MAX: usize = 64 * 1024;

impl Account {
    /// The user of a name, with `group` in place of its own where one is given.
    ///
    /// # Errors
    ///
    /// Where there is no such user or group, or the database cannot be read.
    pub fn of(name: &str, group: Option<&str>) -> io::Result<Self> {
        let text = c_text(name)?;
        let mut entry = MaybeUninit::<libc::passwd>::zeroed();
        let mut found = std::ptr::null_mut();
        let mut strings = vec![0; ENTRY_BYTES_MAX];
        // SAFETY: all pointers are valid for the call, the length is that of `strings`.
        #[expect(unsafe_code, reason = "the user database is reached through the C library")]
        let (uid, own) = unsafe {
            let code = libc::getpwnam_r(
                text.as_ptr(),
                entry.as_mut_ptr(),
                strings.as_mut_ptr(),
                strings.len(),
                &raw mut found,
            );
            answer(code, found.is_null(), "user", name)?;
            let entry = entry.assume_init_ref();
            (entry.pw_uid, entry.pw_gid)
        };
        let gid = match group {
            Some(group) => group_id(group)?,
            None => own,
        };
        Ok(Self { name: name.to_owned(), uid, gid })
    }
}

/// The group of a name.
///
/// # Errors
///
/// Where there is none, or the database cannot be read.
pub fn group_id(name: &str) -> io::Result<u32> {
    let text = c_text(name)?;
    let mut entry = MaybeUninit::<libc::group>::zeroed();
    let mut found = std::ptr::null_mut();
    let mut strings = vec![0; ENTRY_BYTES_MAX];
    // SAFETY: all pointers are valid for the call, the length is that of `strings`.
    #[expect(unsafe_code, reason = "the group database is reached through the C library")]
    unsafe {
        let code = libc::getgrnam_r(
            text.as_ptr(),
            entry.as_mut_ptr(),
            strings.as_mut_ptr(),
            strings.len(),
            &raw mut found,
        );
        answer(code, found.is_null(), "group", name)?;
        Ok(entry.assume_init_ref().gr_gid)
    }
}

fn c_text(name: &str) -> io::Result<CString> {
    CString::new(name).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "name holds NUL"))
}

fn answer(code: libc::c_int, is_missing: bool, what: &str, name: &str) -> io::Result<()> {
    match code {
        0 if is_missing => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no {what} `{name}` on this host"),
        )),
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_user_is_there_and_nobody_else() {
        let root = Account::of("root", None).unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(Account::of("root", Some("root")).unwrap(), root);
        let error = Account::of("no such user", None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains("`no such user`"));
        assert!(Account::of("root", Some("no such group")).is_err());
        assert!(group_id("a\0b").is_err());
    }
}
