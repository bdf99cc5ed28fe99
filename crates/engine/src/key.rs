//! Keys of first-time-seen and ignore entries: values with single blanks between them.

use model::limits::KEY_BYTES_MAX;

/// Writes the parts into `key`, replacing what it held. Longer keys are cut.
pub(crate) fn write_joined(key: &mut Vec<u8>, parts: &[&[u8]]) {
    key.clear();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            key.push(b' ');
        }
        // A key is a line of a file.
        key.extend(part.iter().map(|&byte| if byte == b'\n' { b' ' } else { byte }));
    }
    key.truncate(KEY_BYTES_MAX);
}
