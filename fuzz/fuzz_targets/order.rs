//! Any packet between roles is a note or an error, any order in one is one that may be acted on, and
//! both are the same when they are written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use respond::order::{ORDER_BYTES_MAX, Order};
use wire::note::Note;

fuzz_target!(|packet: &[u8]| {
    if let Ok(note) = Note::parse(packet) {
        assert_eq!(note.write(), packet);
    }
    let Ok(order) = Order::parse(packet) else { return };
    assert!(packet.len() <= ORDER_BYTES_MAX);
    let mut written = Vec::new();
    order.write(&mut written);
    assert_eq!(written, packet);
    // Nobody is acted against who cannot attack.
    assert!(order.target.net.is_none_or(|net| net.checked() == Ok(net)));
    if let Some(user) = &order.target.user {
        assert!(!user.as_str().starts_with('-') && !user.as_str().contains(['/', ' ', '$', '`']));
    }
    if let Some(name) = &order.target.filename {
        assert!(!name.as_bytes().iter().any(u8::is_ascii_control));
    }
});
