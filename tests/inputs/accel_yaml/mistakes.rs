//! What is wrong in an accelerator's YAML is told with file and line, and no text ends in a panic.

use std::path::Path;

use proptest::prelude::*;

use super::{EYERISS, SIMBA, TIMELOOP, ZIGZAG, import_text, import_texts, small};

/// Text, the line of the error, and what it says.
#[test]
fn mistakes_are_told_with_their_place() {
    let with = |from: &str, to: &str| small("depth: 9", "temporal: {factors: [N=1]}").replace(from, to);
    let tpu = std::fs::read_to_string(Path::new(ZIGZAG).join("tpu_like.yaml")).unwrap();
    let tpu = |from: &str, to: &str| tpu.replacen(from, to, 1);
    let mut deep = "a: ".to_string() + &"[".repeat(100);
    deep += &"]".repeat(100);
    let laughs = (1..9).fold("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_string(), |text, i| {
        let alias = format!("*a{}", i - 1);
        text + &format!("a{i}: &a{i} [{}]\n", vec![alias; 9].join(", "))
    });
    let mut wrong = vec![];
    for (text, line, said) in [
        (String::new(), None, "there is nothing in this file"),
        ("# only a comment\n".into(), None, "there is nothing in this file"),
        ("a: 1\n".into(), None, "no accelerator: expected the key `architecture` (Timeloop), or `memories`"),
        ("just text".into(), None, "no accelerator"),
        ("- 1\n- 2\n".into(), None, "no accelerator"),
        ("a: [1\n".into(), Some(2), "this is not YAML"),
        ("a:\n\t- b: 1\n".into(), Some(2), "this is not YAML"),
        ("a: *nobody\n".into(), Some(1), "this is not YAML"),
        ("a: &a [*a]\n".into(), Some(1), "an alias inside what it stands for"),
        (deep, Some(1), ""),
        (laughs, Some(6), "more than 200000 values"),
        ("? [a]\n: 1\n".into(), Some(1), "expected a name"),
        ("<<: 3\n".into(), Some(1), "expected a table to merge"),
        ("architecture:\n  nodes: {{x}}\n".into(), Some(2), "a Jinja template"),
        ("architecture: 3\n".into(), Some(1), "`architecture` is 3: expected a table"),
        ("architecture: {version: 0.4}\n".into(), Some(1), "expected `nodes` (version 0.4), or `subtree`"),
        ("architecture: {nodes: []}\n".into(), Some(1), "no compute unit"),
        (
            with("!Component\n    name: buffer", "!Thing\n    name: buffer"),
            Some(9),
            "expected a node tagged !Container",
        ),
        (
            with("!Component\n    name: buffer", "!include buffer.yaml\n  - !Component\n    name: buffer"),
            Some(8),
            "give the included file",
        ),
        (with("    name: buffer\n", ""), Some(9), "`name` is missing"),
        (with("class: SRAM", "class: [SRAM]"), Some(10), "is [SRAM]: expected a single value"),
        (with("class: SRAM", "class: toaster"), Some(9), "the class `toaster"),
        (
            with("depth: 9", "depth: 9, depth: 9"),
            Some(12),
            "the key `depth` is here a second time (first: line 12)",
        ),
        (
            with("depth: 9", "depth: 1e99"),
            Some(12),
            "attributes.depth` is 1e99: expected a whole number from 1 to 1000000000000",
        ),
        (with("depth: 9", "depth: 99999999999999999999999"), Some(12), "expected a whole number"),
        (with("depth: 9", "depth: -1"), Some(12), "is -1: expected a whole number"),
        (with("depth: 9", "depth: 1.5"), Some(12), "is 1.5: expected a whole number"),
        (with("depth: 9", "depth: wide"), Some(12), "no attribute or variable is named `wide`"),
        (with("depth: 9", "depth: depth + 1"), Some(12), "leads back to itself"),
        (with("depth: 9", "depth: 9 9"), Some(12), "is 9 9: expected a number, or an expression"),
        (with("depth: 9", "depth: len(9)"), Some(12), "expected a number, or an expression"),
        (with("depth: 9", "depth: \"9 * 2\""), Some(12), "without quotes"),
        (with("depth: 9", "depth: [9]"), Some(12), "is [9]: expected a single value"),
        (
            with("width: 64, datawidth: 8, depth", "width: 65, datawidth: 8, depth"),
            Some(9),
            "65 bits is no multiple of 8 bits",
        ),
        (
            with("meshX: 4}\n    attributes", "meshX: 0}\n    attributes"),
            Some(11),
            "`architecture.nodes[buffer].spatial.meshX` is 0",
        ),
        (with("N=1", "X=1"), Some(13), "the dimension `X`: expected N, G, M"),
        (with("N=1", "N=one"), Some(13), "no attribute or variable is named `one`"),
        (with("N=1", "N"), Some(13), "`N`: expected a factor such as M=1"),
        (
            with("factors: [N=1]", "no_iteration_over_dataspaces: [A]"),
            Some(13),
            "the data space `A`: expected Weights",
        ),
        (
            with("class: DRAM", "class: SRAM").replacen("datawidth: 8}", "datawidth: 8, depth: 4}", 1),
            Some(5),
            "is no DRAM",
        ),
        (with("class: intmac", "class: SRAM"), Some(2), "no compute unit"),
        (
            with("name: mac\n", "name: mac\n    class: intmac\n  - !Component\n    name: inner\n"),
            Some(18),
            "stands inside the compute unit `mac`",
        ),
        (with("name: mac\n", "name: buffer\n"), None, "another level has this name"),
        (with("name: DRAM\n", "name: DRAM\n    spatial: {meshX: 2}\n"), Some(5), "a fan-out outside DRAM"),
        (
            small("depth: 1", "") + "constraints: {targets: [{target: buffr, type: temporal}]}\n",
            Some(18),
            "has no `buffr` (did you mean `buffer`?)",
        ),
        (
            small("depth: 1", "") + "constraints: {targets: [{target: buffer, type: maybe}]}\n",
            Some(18),
            "is maybe: expected temporal, spatial",
        ),
        (
            small("depth: 1", "") + "ERT: {tables: [{name: a.DRAM, actions: [{name: read, energy: hot}]}]}\n",
            Some(18),
            "is hot: expected a number",
        ),
        (small("depth: 1", "") + "memories: {}\n", Some(1), "import one at a time"),
        (tpu("size: 1024", "size: lots"), Some(6), "memories.rf_128B.size"),
        (tpu("operands: [I2]", "operands: [I3]"), Some(11), "is I3: expected I1, I2 or O"),
        (
            tpu("served_dimensions: []", "served_dimensions: [D7]"),
            Some(25),
            "is D7: expected a dimension of the array: D1, D2",
        ),
        (tpu("rf_2B:", "rf_128B:"), Some(26), "the key `rf_128B` is here a second time (first: line 6)"),
        (
            tpu("type: read\n", "type: sideways\n"),
            Some(14),
            "is sideways: expected read, write or read_write",
        ),
        (tpu("- I2, tl", "- I2, up"), Some(18), "the direction `up`: expected fh, fl, th or tl"),
        (
            tpu("  dram:", "  dram2:").replace("operands: [I1, I2, O]", "operands: [I1, O]"),
            Some(85),
            "the last memory must be the DRAM",
        ),
        (tpu("sizes: [32, 32]", "sizes: [32]"), None, "one size for each of the dimensions"),
        (tpu("sizes: [32, 32]", "sizes: [32, 0]"), None, "expected a whole number from 1"),
        (tpu("- K, 32", "- Z, 32"), None, "the dimension `Z`: expected B, G, K, C, OY, OX, FY or FX"),
        (tpu("  D2:\n    - C, 32", "  D9:\n    - C, 32"), None, "the array has no such dimension"),
        (tpu("unit_area: 1", "is_imc: True"), None, "computes in memory"),
    ] {
        match import_text(&text) {
            Ok(imported) => wrong.push(format!("{said}: it reads as {}", imported.summary.format)),
            Err(error) => {
                let message = error.to_string();
                let first = message.lines().next().unwrap();
                if !first.contains(said) || (line.is_some() && error.line != line) {
                    wrong.push(format!("{said} in line {line:?}: {message}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let error = import_texts(&[b"a: \xff\xfe"]).unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

/// Whatever stands in a file, there is an accelerator that reads back, or an error with the file.
fn ends_well(texts: &[&[u8]]) {
    match import_texts(texts) {
        Ok(imported) => assert_eq!(imported.spec.macs_per_cycle(), imported.summary.macs),
        Err(error) => assert!(!error.message.is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_end_well(
        which in 0..6usize,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, "[\\PC\n]{0,6}"), 1..4),
    ) {
        let (folder, files): (&str, &[&str]) = [
            (TIMELOOP, &EYERISS[..]),
            (TIMELOOP, &SIMBA[..]),
            (TIMELOOP, &["eyeriss_like_v3.yaml"]),
            (ZIGZAG, &["tpu_like.yaml"]),
            (ZIGZAG, &["eyeriss_like.yaml", "eyeriss_like_mapping.yaml"]),
            (ZIGZAG, &["meta_prototype.yaml", "meta_prototype_mapping.yaml"]),
        ][which];
        let mut texts: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(Path::new(folder).join(file)).unwrap()).collect();
        for (at, length, inserted) in cuts {
            let text = &mut texts[0];
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, inserted.bytes());
        }
        ends_well(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }

    #[test]
    fn any_text_ends_well(text in "[ \\-:{}\\[\\],&*<#!|>'\"a-c0-2\n\t]{0,60}") {
        ends_well(&[text.as_bytes()]);
        ends_well(&[format!("architecture:\n  nodes: {text}\n").as_bytes()]);
        ends_well(&[format!("memories: {text}\noperational_array: {text}\n").as_bytes()]);
        ends_well(&[small(&text, "").as_bytes()]);
        ends_well(&[small("depth: 1", &text).as_bytes()]);
    }
}
