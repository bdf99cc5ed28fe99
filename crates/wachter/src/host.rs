//! What this machine says of itself: its name and its time.

/// The name of events that name no host where the machine has none.
const NAME_UNKNOWN: &str = "localhost";

/// The machine's name up to the first dot.
pub(crate) fn short_name() -> String {
    let read = |path| std::fs::read_to_string(path).ok();
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    let name = name.as_deref().unwrap_or_default().trim();
    match name.split('.').next() {
        Some(short) if !short.is_empty() => short.to_owned(),
        _ => NAME_UNKNOWN.to_owned(),
    }
}

/// Seconds to add at a moment for local time here.
pub(crate) fn utc_offset(seconds: i64) -> i32 {
    let moment = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    jiff::tz::TimeZone::system().to_offset(moment).seconds()
}
