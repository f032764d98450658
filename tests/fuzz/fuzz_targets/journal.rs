#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| escher_fuzz_targets::journal(data));
