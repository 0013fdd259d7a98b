//! How many accelerators a system may have.

use std::fs;
use std::path::Path;

use mascot::hw::{MAX_ACCELERATORS, SystemSpec};

/// Reads a system of so many accelerators of one model beside one of another.
fn read(count: usize) -> Result<SystemSpec, String> {
    let folder = tempfile::tempdir().expect("a folder for a file");
    let path = folder.path().join("wide.toml");
    let accelerator = |model, count| format!("[[accelerator]]\nmodel = \"{model}\"\ncount = {count}\n");
    let text = format!(
        "name = \"wide\"\nsource = \"test\"\ndram_bandwidth_gbps = 32\n\n{}\n{}",
        accelerator("simba_256", 1),
        accelerator("eyeriss_256", count)
    );
    fs::write(&path, text).expect("the folder is ours");
    SystemSpec::read(&path, Path::new("accel-models")).map_err(|error| error.to_string())
}

#[test]
fn a_system_has_up_to_1024_accelerators_and_one_more_is_an_error_with_its_place() {
    assert_eq!(MAX_ACCELERATORS, 1_024);
    let wide = read(MAX_ACCELERATORS - 1).expect("as many as there may be");
    assert_eq!(wide.accelerators.len(), MAX_ACCELERATORS);
    let error = read(MAX_ACCELERATORS).expect_err("one too many");
    assert!(error.contains("wide.toml:11: "), "{error}");
    assert!(error.contains("a system has 1 to 1024 accelerators in all"), "{error}");
    assert!(error.contains("count = 1024"), "{error}");
}
