//! What `alerts.json` says of a decoder, made once for each decoder.

use crate::DecoderView;
use crate::alert_json::push_string;
use crate::digits::push_number;

/// A decoder's keys, serialised.
#[derive(Clone, Debug)]
pub struct DecoderJson {
    /// `,"decoder":…,"decoder_parent":…`
    pub(crate) names: Vec<u8>,
    /// `,"decoder_desc":{…}`
    pub(crate) description: Vec<u8>,
}

impl DecoderJson {
    pub fn new(decoder: &DecoderView<'_>) -> Self {
        Self { names: names(decoder), description: description(decoder) }
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

fn description(decoder: &DecoderView<'_>) -> Vec<u8> {
    let mut out = b",\"decoder_desc\":{".to_vec();
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
