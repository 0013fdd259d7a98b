//! Columns of traces beside times and names: sizes that stand for networks, priorities, deadlines, and those that nobody
//! reads.

use super::PAIR;
use super::bench::{Bench, succeed};
use crate::common::mascot;

/// Runs as many requests as there are, all measured.
fn experiment(requests: usize, trace: &str) -> String {
    format!(
        "requests = {requests}\nwarmup_requests = 0\ndrain_requests = 0\nlate = 'finish'\n[trace]\n{trace}\n"
    )
}

/// A tenant that runs one network at two batch sizes, with arrivals from a file.
fn scenario(arrivals: &str) -> String {
    let networks = "networks = [{ name = 'kws_res8' }, { name = 'kws_res8', batch = 4 }]";
    format!("[[tenant]]\nname = 'a'\n{networks}\npriority = 3\narrivals = {{ kind = 'trace', {arrivals} }}\n")
}

fn shipped(name: &str) -> String {
    format!("{}/tests/data/traces/{name}", env!("CARGO_MANIFEST_DIR"))
}

const RANGES: &str = "ranges = [{ up_to = 512, network = 'kws_res8' }, { network = 'kws_res8@4' }] }";

/// What a run says on the terminal, with its exit code.
fn said(bench: &Bench) -> (Option<i32>, String) {
    let output = mascot(&["run", &bench.path("run.toml"), "--out", &bench.path("out"), "--overwrite"]);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn tokens_stand_for_networks_and_batches() {
    let file = shipped("azure_llm.csv");
    let by = |columns: &str| format!("network_by = {{ columns = {columns}, {RANGES}");
    let one = by("['ContextTokens']");
    let own = Bench::new(&scenario(&format!("file = '{file}', {one}")), "late = 'finish'\n");
    let networks = own.run(&[]).column("requests.csv", "network");
    assert_eq!(networks, ["kws_res8@4", "kws_res8@4", "kws_res8", "kws_res8", "kws_res8@4"]);
    let told = "left out of the trace: column `GeneratedTokens` of azure_llm.csv\n";
    assert_eq!(said(&own).1.matches(told).count(), 1);
    // The sum: 512 + 1 is beyond the range.
    let (file, both) = (format!("file = '{file}'"), by("['ContextTokens', 'GeneratedTokens']"));
    let bench = Bench::new(&scenario(&format!("{file}, {both}")), "late = 'finish'\n");
    let networks = bench.run(&[]).column("requests.csv", "network");
    assert_eq!(networks, ["kws_res8@4", "kws_res8@4", "kws_res8", "kws_res8@4", "kws_res8@4"]);
    assert!(!said(&bench).1.contains("left out"), "{}", said(&bench).1);
    // The same of the experiment, for all tenants.
    let bench = Bench::new(PAIR, &experiment(5, &format!("{file}\n{one}")));
    let networks = bench.run(&[]).column("requests.csv", "network");
    assert_eq!(networks, ["kws_res8@4", "kws_res8@4", "kws_res8", "kws_res8", "kws_res8@4"]);
    assert_eq!(said(&bench).1.matches(told).count(), 1);
}

#[test]
fn priorities_and_deadlines_are_those_of_the_file() {
    let terms = PAIR.replace("qos_levels = [{ level = 'H' }, { level = 'L' }]", "qos = 'L'");
    let bench = Bench::new(&terms, &experiment(3, &format!("file = '{}'", shipped("terms.csv"))));
    let results = bench.run(&[]);
    let of = |name| results.numbers("requests.csv", name);
    assert_eq!(of("arrival_us"), [0.0, 1_000.0, 2_000.0]);
    let (priorities, deadlines) = (of("priority"), of("deadline_us"));
    assert_eq!((priorities[0], priorities[2]), (7.0, 0.0));
    assert!([1.0, 9.0].contains(&priorities[1]), "drawn, as the row says nothing: {priorities:?}");
    // At QoS L 1.2 times, at M as in the file.
    assert_eq!((deadlines[0], deadlines[2]), (1.2 * 2_500.0, 2_000.0 + 10_000.0));
    // By the rule of the experiment.
    assert!(deadlines[1] > 1_000.0 && deadlines[1] != 1_000.0 + 1.2 * 2_500.0, "{deadlines:?}");
}

#[test]
fn columns_of_other_names_are_read_where_they_are_named() {
    let bench = Bench::new(&scenario("file = 't.csv', priority = 'rank', deadline_us = 'slo'"), "");
    bench.write(
        "t.csv",
        "TIMESTAMP,rank,slo,priority\n2023-11-16 18:17:03,5,700,1\n2023-11-16 18:17:04,6,800,1\n",
    );
    let results = bench.run(&[]);
    assert_eq!(results.numbers("requests.csv", "priority"), [5.0, 6.0]);
    let deadlines = results.numbers("requests.csv", "deadline_us");
    assert_eq!(deadlines, [700.0, 1_000_000.0 + 800.0]);
    assert!(
        said(&bench).1.contains("left out of the trace: column `priority` of t.csv\n"),
        "{}",
        said(&bench).1
    );
}

#[test]
fn wrong_columns_are_told_with_file_line_column_and_value() {
    let by = "network_by = { columns = ['size'], ranges = [{ up_to = 9, network = 'kws_res8' }] }";
    for (text, keys, part) in [
        (
            "t_s,size\n0,4\n1,10\n",
            by,
            "t.csv:3: column `size`: 10: `network_by` has no network for it, the last is for up to 9",
        ),
        ("t_s,size\n0,4\n1,\n", by, "t.csv:3: column `size`: it is empty: expected a whole number"),
        ("t_s,size\n0,few\n", by, "t.csv:2: column `size`: `few`: expected a whole number"),
        ("t_s,sizes\n0,4\n", by, "t.csv:1: unknown column `sizes` (did you mean `size`?)"),
        ("TIMESTAMP,sizes\n", by, "t.csv:1: no column `size` (did you mean `sizes`?) in the header"),
        ("t_s,priority\n0,-1\n", "", "t.csv:2: column `priority`: `-1`: expected a whole number"),
        (
            "t_s,priority\n0,4294967296\n",
            "",
            "column `priority`: `4294967296`: expected a whole number from 0 to 4294967295",
        ),
        (
            "t_s,deadline_us\n0,5\n1,0\n",
            "",
            "t.csv:3: column `deadline_us`: `0`: expected the microseconds from arrival to deadline",
        ),
        ("t_s,deadline_us\n0,soon\n", "", "t.csv:2: column `deadline_us`: `soon`: expected a number"),
        (
            "HashApp,HashFunction,1\na,f,1\n",
            "priority = 'p'",
            "t.csv: `network_by`, `priority` and `deadline_us` name columns of a CSV",
        ),
    ] {
        let bench = Bench::new(&scenario(&format!("file = 't.csv', {keys}")), "");
        bench.write("t.csv", text);
        let error = bench.error();
        assert!(error.contains(part), "{error}");
    }
    for (by, part) in [
        (
            "columns = [], ranges = [{ network = 'kws_res8' }]",
            "`columns`: expected one or more names of columns",
        ),
        ("columns = ['a', 'a'], ranges = [{ network = 'kws_res8' }]", "all different"),
        ("columns = ['a'], ranges = []", "`ranges`: expected one or more tables"),
        (
            "columns = ['a'], ranges = [{ network = 'x' }, { network = 'y' }]",
            "only the last one may leave `up_to` out",
        ),
        (
            "columns = ['a'], ranges = [{ up_to = 5, network = 'x' }, { up_to = 5, network = 'y' }]",
            "`up_to` is 5 after 5: expected more each time",
        ),
        (
            "columns = ['a'], ranges = [{ upto = 5, network = 'x' }]",
            "unknown field `upto` (did you mean `up_to`?)",
        ),
    ] {
        let bench = Bench::new(PAIR, &experiment(3, &format!("file = 't.csv'\nnetwork_by = {{ {by} }}")));
        let error = bench.error();
        assert!(error.contains("run.toml:10: ") && error.contains(part), "{error}");
        let bench = Bench::new(&scenario(&format!("file = 't.csv', network_by = {{ {by} }}")), "");
        let error = bench.error();
        assert!(error.contains("own.toml:7: arrivals `trace`: ") && error.contains(part), "{error}");
    }
}

#[test]
fn statistics_name_what_is_not_read() {
    let told = |name: &str| String::from_utf8(mascot(&["trace", "stats", &shipped(name)]).stderr).unwrap();
    assert_eq!(
        told("azure_llm.csv"),
        "left out: columns `ContextTokens`, `GeneratedTokens` of azure_llm.csv\n"
    );
    assert_eq!(
        told("functions_2019.csv"),
        "left out: columns `HashOwner`, `Trigger` of functions_2019.csv\n"
    );
    assert_eq!((told("functions_2021.csv"), told("terms.csv")), (String::new(), String::new()));
    assert!(succeed(&["trace", "stats", &shipped("terms.csv")]).contains(" all            3"));
}
