//! What JSON lines say of a decoder, made once for each decoder.

use crate::DecoderView;
use crate::digits::push_number;
use crate::json_string::push_string;

/// A decoder's keys, serialised.
#[derive(Clone, Debug)]
pub struct DecoderJson {
    /// `,"decoder":…,"decoder_parent":…`
    names: Vec<u8>,
    /// `{"parent":…,"name":…}`
    object: Vec<u8>,
}

impl DecoderJson {
    pub fn new(decoder: &DecoderView<'_>) -> Self {
        Self { names: names(decoder), object: object(decoder) }
    }

    pub(crate) fn push_names(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.names);
    }

    pub(crate) fn push_object(&self, out: &mut Vec<u8>, key: &[u8]) {
        out.extend_from_slice(key);
        out.extend_from_slice(&self.object);
    }
}

fn names(decoder: &DecoderView<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    push_string(&mut out, b",\"decoder\":\"", decoder.name.as_bytes());
    if let Some(parent) = decoder.parent {
        push_string(&mut out, b",\"decoder_parent\":\"", parent.as_bytes());
    }
    out
}

fn object(decoder: &DecoderView<'_>) -> Vec<u8> {
    let mut out = b"{".to_vec();
    for (key, number) in
        [(&b"\"fts\":"[..], decoder.first_seen), (b"\"accumulate\":", decoder.accumulate)]
    {
        if number != 0 {
            out.extend_from_slice(key);
            push_number(&mut out, u64::from(number));
            out.push(b',');
        }
    }
    if let Some(parent) = decoder.parent {
        push_string(&mut out, b"\"parent\":\"", parent.as_bytes());
        out.push(b',');
    }
    push_string(&mut out, b"\"name\":\"", decoder.name.as_bytes());
    if let Some(comment) = decoder.first_seen_comment {
        push_string(&mut out, b",\"ftscomment\":\"", comment.as_bytes());
    }
    out.push(b'}');
    out
}
