fn main() {
    use escher_core::{CatalogWorld, World};
    for name in std::env::args().skip(1) {
        let r = CatalogWorld.record(&name);
        match r {
            Some(r) => println!(
                "{name}: {:?} {:?} {:?}",
                r.operation.class.risk, r.operation.class.repeat, r.operation.class.effects
            ),
            None => println!("{name}: -"),
        }
    }
}
