use decode::*;
use model::*;
fn main() {
    let text = std::fs::read("/work/shared/ossec-ruleset/decoder.xml").unwrap();
    let mut sources = Sources::default();
    let id = sources.add(Source::new("decoder.xml", text.clone()));
    let t = std::time::Instant::now();
    let loaded = load(&LoadInput { files: &[(id, &text)], options: DecodeOptions { server_name: b"vm".to_vec(), ..Default::default() }, order_fields_max: 256 });
    eprintln!("loaded {} in {:?}", loaded.decoders.iter().count(), t.elapsed());
    for d in &loaded.diagnostics { let (l, c) = d.at.map(|(s, sp)| sources.get(s).unwrap().position(sp.start)).unwrap_or_default(); eprintln!("{l}:{c} {} {:?}", d.message, d.hint); }
    let set = loaded.decoders;
    let mut scratch = DecodeScratch::default();
    let mut bad = 0; let mut n = 0;
    for f in std::fs::read_dir("/work/shared/corpus/oracle").unwrap() {
        let p = f.unwrap().path();
        if !p.file_name().unwrap().to_str().unwrap().starts_with("single") { continue }
        for (i, l) in std::fs::read_to_string(&p).unwrap().lines().enumerate() {
            let v: serde_json::Value = serde_json::from_str(l).unwrap();
            let ev = Event { line: v["event"].as_str().unwrap().as_bytes().to_vec(), location: b"stdin".to_vec(), ..Default::default() };
            let d = set.decode(ev, &mut scratch, Decoded::default());
            n += 1;
            let name = d.decoder.and_then(|x| set.decoder(x)).map(|d| d.name.clone());
            let s = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            let mut fields = serde_json::Map::new();
            for &nm in d.fields.names() { let label = match nm { Name::Static(f) => f.label().to_string(), Name::Dynamic(x) => set.dynamic_names()[x.0 as usize].clone() }; fields.insert(label, s(d.fields.value(nm, d.full_log()).unwrap()).into()); }
            let got = serde_json::json!({"program_name": d.program_name().map(s), "log": s(d.log()), "decoder": name, "fields": fields});
            for k in ["program_name", "log", "decoder", "fields"] { if got[k] != v[k] { bad += 1; if bad < 20 { println!("{}:{} {k}\n  {}\n  theirs {}\n  ours   {}", p.file_name().unwrap().to_str().unwrap(), i + 1, v["event"], v[k], got[k]); } } }
        }
    }
    println!("{n} lines, {bad} differ; {:?}", scratch.search.counts);
}
