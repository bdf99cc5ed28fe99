//! Lines of limited length from a stream.

use std::io::{self, BufRead};

use model::limits::LINE_BYTES_MAX;

/// Cuts a stream into lines.
pub(super) struct Lines<R> {
    input: R,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input }
    }

    /// Puts the next line into `line`, without its end, and says how many bytes were too many.
    /// `None` at the end of the stream.
    // Fixed: OSSEC makes several events of a long line, so that an attacker may forge one.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
        line.clear();
        let mut cut = 0;
        let mut is_any = false;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok(is_any.then_some(cut));
            }
            is_any = true;
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let room = LINE_BYTES_MAX - line.len();
            let taken = part.get(..room).unwrap_or(part);
            line.extend_from_slice(taken);
            cut += part.len() - taken.len();
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(Some(cut));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines(text: &[u8], buffer: usize) -> Vec<(Vec<u8>, usize)> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, text));
        let mut line = Vec::new();
        let mut found = Vec::new();
        while let Some(cut) = lines.next(&mut line).unwrap() {
            found.push((line.clone(), cut));
        }
        found
    }

    #[test]
    fn wherever_the_stream_is_cut() {
        let text = b"one\n\ntwo\nthree";
        let expected: Vec<_> =
            [&b"one"[..], b"", b"two", b"three"].iter().map(|line| (line.to_vec(), 0)).collect();
        for buffer in 1..=text.len() + 1 {
            assert_eq!(lines(text, buffer), expected, "{buffer}");
        }
        assert_eq!(lines(b"", 4), []);
    }

    #[test]
    fn a_line_at_its_limit() {
        for more in [0, 1, 70_000] {
            let mut text = vec![b'x'; LINE_BYTES_MAX + more];
            text.extend_from_slice(b"\nnext\n");
            let found = lines(&text, 1000);
            assert_eq!(found[0], (vec![b'x'; LINE_BYTES_MAX], more));
            assert_eq!(found[1], (b"next".to_vec(), 0));
        }
    }
}
