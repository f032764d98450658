fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        // file: chunks separated by a line "=== name"
        for chunk in text.split("\n=== ") {
            let (name, source) = chunk.split_once('\n').unwrap_or((chunk, ""));
            let t = std::time::Instant::now();
            let checked = escher_core::check(&escher_core::CatalogWorld, source);
            println!("## {name} ({:?})", t.elapsed());
            for d in &checked.diagnostics {
                let line = source[..d.span.start as usize].matches('\n').count() + 1;
                println!(
                    "  {:?} {} {line}: [{}] {} | {}",
                    d.severity,
                    d.code,
                    &source[d.span.start as usize..d.span.end as usize],
                    d.message,
                    d.help.clone().unwrap_or_default()
                );
                for l in &d.labels {
                    println!("      label [{}] {}", &source[l.span.start as usize..l.span.end as usize], l.text);
                }
                for f in &d.fixes {
                    println!("      fix {}", f.title);
                }
            }
        }
    }
}
