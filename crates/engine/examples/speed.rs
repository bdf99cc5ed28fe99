#[path = "../tests/support/mod.rs"]
mod support;
use engine::*;
use model::*;
fn main() {
    let t = std::time::Instant::now();
    let policy = support::ossec(Options::default()).unwrap();
    eprintln!("load {:?}", t.elapsed());
    let text = std::fs::read("/work/shared/corpus/mix.tsv").unwrap();
    let lines: Vec<(Vec<u8>, Vec<u8>)> = text
        .split(|&b| b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| {
            let t = l.iter().position(|&b| b == b'\t').unwrap();
            (l[..t].to_vec(), l[t + 1..].to_vec())
        })
        .collect();
    let passes: usize = std::env::args().nth(1).map_or(15, |x| x.parse().unwrap());
    let mut engine = Engine::new(policy.clone(), Box::new(RamMemory::default()), 1);
    let mut ev = Event::default();
    let mut times = vec![];
    let mut alerts = 0;
    for p in 0..passes + 2 {
        let t = std::time::Instant::now();
        alerts = 0;
        for (l, m) in &lines {
            ev.received = Timestamp::utc(1_790_000_000 + p as i64);
            ev.location.extend_from_slice(l);
            ev.line.extend_from_slice(m);
            let o = engine.process(ev);
            if o.is_alert() {
                alerts += 1;
            }
            ev = engine.reclaim(o);
        }
        if p >= 2 {
            times.push(t.elapsed().as_nanos() as f64 / lines.len() as f64);
        }
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{:.0} median {:.0} best ns/event, {alerts} alerts {:?} {:?}",
        times[times.len() / 2],
        times[0],
        engine.screener().search_counts(),
        engine.judge().remembered()
    );
}
