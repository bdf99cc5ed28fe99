#[path = "../tests/support/mod.rs"]
mod support;
fn main() {
    let p = support::ossec(engine::Options::default()).unwrap();
    for (what, set) in [("rules", &p.ruleset.patterns), ("decoders", p.decoders.patterns())] {
        let (mut exact, mut gated, mut none) = (0, 0, 0);
        for i in 0..set.len() as u32 {
            let id = pattern::PatternId(i);
            let s = String::from_utf8_lossy(set.source(id).unwrap().1).into_owned();
            match set.needles(id) {
                Some(n) => {
                    if n.exact {
                        exact += 1
                    } else {
                        gated += 1
                    }
                    for l in &n.literals {
                        if !l.at_start && l.bytes.len() < 5 {
                            println!(
                                "{what} short {:?} in {s:.100}",
                                String::from_utf8_lossy(&l.bytes)
                            );
                        }
                    }
                }
                None => {
                    none += 1;
                    println!("{what} none: {s:.100}")
                }
            }
        }
        println!("{what}: {exact} exact {gated} gated {none} none");
    }
}
