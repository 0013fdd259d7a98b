//! Does a report show what the CSV says: its files, their numbers, and the page in a browser where there is one; and does
//! `compare` find what differs.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says when it is skipped")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::common::mascot;

type Row = BTreeMap<String, String>;

fn run(folder: &Path, more: &[&str]) {
    let out = folder.to_str().unwrap();
    let few = [
        "--set",
        "seeds=3",
        "--set",
        "requests=40",
        "--set",
        "schedulers=[\"fcfs\",\"edf_drop\",\"random\"]",
    ];
    let run = ["run", "experiments/quickstart.toml", "--quiet", "--out", out];
    let output = mascot(&[&run[..], &few, more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn report(folder: &Path) -> String {
    let output = mascot(&["report", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(folder.join("report.html")).unwrap()
}

fn rows(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// The pictures of a folder, by name.
fn pictures(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("report")).unwrap().flatten().map(|entry| entry.path());
    let data = entries.filter(|path| path.extension().is_some_and(|e| e == "csv"));
    let mut names: Vec<String> =
        data.map(|p| p.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const EVERYTHING: [&str; 7] = [
    "--requests",
    "--layers",
    "--bound",
    "--set",
    "scenarios=[\"light\",\"mixed\"]",
    "--set",
    "loads=[0.6,1.1]",
];

/// The pictures of a kind.
fn of_kind(folder: &Path, kind: &str) -> Vec<String> {
    let is_of_kind = |name: &String| name == kind || name.starts_with(&format!("{kind}-"));
    pictures(folder).into_iter().filter(is_of_kind).collect()
}

#[test]
fn every_picture_is_in_the_page_and_a_file_with_its_numbers() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &EVERYTHING);
    let page = report(folder.path());
    let names = pictures(folder.path());
    // Two panels, four cases, two Gantt charts.
    for (kind, many) in
        [("sla", 2), ("gain", 4), ("latency", 4), ("energy", 4), ("gap", 4), ("utilization", 4), ("gantt", 2)]
    {
        let of_kind = |name: &&String| name.split_once('-').is_some_and(|(of, _)| of == kind);
        assert_eq!(names.iter().filter(of_kind).count(), many, "{kind}: {names:?}");
    }
    for name in &names {
        assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
        let data = rows(&folder.path().join(format!("report/{name}.csv")));
        assert!(data.len() > 1, "{name}");
        let svg = std::fs::read_to_string(folder.path().join(format!("report/{name}.svg"))).unwrap();
        assert!(svg.starts_with("<svg xmlns=") && !svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
    assert_eq!(page.matches("<figure").count(), names.len());
    for foreign in ["<script", "http:", "https:", "url(", "@import"] {
        assert!(!page.contains(foreign), "the page shall need nothing else: {foreign}");
    }
    assert!(page.contains("&quot;argv&quot;"), "the manifest is there");

    // Elsewhere, and without titles; the report here stays.
    let elsewhere = TempDir::new().unwrap();
    let [here, there] = [folder.path(), elsewhere.path()].map(|path| path.to_str().unwrap());
    let told = mascot(&["report", here, "--out", there, "--no-titles", "--y", "sla_rate"]);
    assert_eq!(String::from_utf8(told.stdout).unwrap().trim(), format!("{there}/report.html"));
    assert_eq!(pictures(folder.path()), names);
    let svg = |folder: &Path, name: &str| std::fs::read_to_string(folder.join("report").join(name)).unwrap();
    // The title is larger than the other texts.
    let has_title = |svg: String| svg.contains("font-size=\"13\"");
    let untitled = pictures(elsewhere.path());
    assert!(
        !untitled.is_empty()
            && names.iter().all(|name| has_title(svg(folder.path(), &format!("{name}.svg"))))
    );
    assert!(
        !untitled.iter().any(|name| has_title(svg(elsewhere.path(), &format!("{name}.svg")))),
        "{untitled:?}"
    );

    // A second time: the same bytes, and pictures of another time are gone.
    for name in ["report/old.svg", "report/old.csv"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    assert!(report(folder.path()) == page && pictures(folder.path()) == names);
}

#[test]
fn the_numbers_are_those_of_the_summary() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &EVERYTHING);
    report(folder.path());
    let summary = rows(&folder.path().join("summary.csv"));
    let of = |scheduler: &str, scenario: &str, load: &str, column: &str| -> Vec<f64> {
        let is_it =
            |row: &&Row| row["scheduler"] == scheduler && row["scenario"] == scenario && row["load"] == load;
        summary.iter().filter(is_it).map(|row| number(row, column)).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let find = |file: &str, scheduler: &str, load: &str| -> Row {
        let all = rows(&folder.path().join("report").join(file));
        all.into_iter().find(|row| row["scheduler"] == scheduler && row["load"] == load).unwrap()
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} {b}");

    let (own, fcfs) = (of("edf_drop", "mixed", "1.1", "sla_rate"), of("fcfs", "mixed", "1.1", "sla_rate"));
    assert_eq!(own.len(), 3);
    let drawn = find("sla-mixed.csv", "fcfs", "1.1");
    near(number(&drawn, "sla_rate"), mean(&fcfs));
    // Student's t of 0.975 with 2 degrees of freedom is 4.30265273. The interval of a rate near 1 would be cut there.
    let deviation = fcfs.iter().map(|rate| (rate - mean(&fcfs)).powi(2)).sum::<f64>() / 2.0;
    near(number(&drawn, "sla_rate_ci95"), 4.302_652_729_9 * (deviation / 3.0).sqrt());
    near(
        number(&find("gain-mixed-load-1.1.csv", "edf_drop", "1.1"), "gain_percent"),
        100.0 * (mean(&own) / mean(&fcfs) - 1.0),
    );

    let energy = find("energy-light-load-0.6.csv", "fcfs", "0.6");
    let per_request = of("fcfs", "light", "0.6", "energy_per_request_uj");
    near(number(&energy, "energy_per_request_uj"), mean(&per_request));
    let gap = number(&find("gap-mixed-load-1.1.csv", "fcfs", "1.1"), "gap_to_bound");
    near(gap, mean(&of("bound", "mixed", "1.1", "sla_rate")) - mean(&fcfs));

    // The line of latencies ends where the share of finished requests is.
    let latency = rows(&folder.path().join("report/latency-mixed-load-1.1.csv"));
    let last = latency.iter().rfind(|row| row["scheduler"] == "fcfs").unwrap();
    near(number(last, "share"), of("fcfs", "mixed", "1.1", "finished").iter().sum::<f64>() / 120.0);
}

#[test]
fn what_is_not_there_is_said() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &["--set", "scenarios=light", "--set", "loads=0.9"]);
    let page = report(folder.path());
    for hint in ["mascot run --requests", "mascot run --layers", "mascot run --bound"] {
        assert!(page.contains(hint), "{hint}");
    }
    assert_eq!(
        pictures(folder.path()),
        ["energy-light", "gain-light", "latency-light", "sla-light", "utilization-light"]
    );
}

#[test]
fn without_several_loads_the_swept_number_is_on_the_axis() {
    let folder = TempDir::new().unwrap();
    let swept = ["--set", "loads=0.9", "--set", "dram_bandwidth_gbps=[16,64]"];
    run(folder.path(), &[&swept[..], &["--set", "scenarios=[\"light\",\"mixed\"]"]].concat());
    let page = report(folder.path());
    assert!(page.contains("SLA rate against DRAM bandwidth: mixed"), "{page}");
    let (sla, summary) = (folder.path().join("report/sla-mixed.csv"), folder.path().join("summary.csv"));
    let drawn: Vec<String> = rows(&sla)
        .iter()
        .filter(|row| row["scheduler"] == "edf_drop")
        .map(|row| row["dram_bandwidth_gbps"].clone())
        .collect();
    assert_eq!(drawn, ["16", "64"]);
    let rate = |bandwidth: &str| -> f64 {
        let is_it = |row: &&Row| {
            [&row["scenario"], &row["scheduler"], &row["dram_bandwidth_gbps"]]
                == ["mixed", "edf_drop", bandwidth]
        };
        rows(&summary).iter().filter(is_it).map(|row| number(row, "sla_rate") / 3.0).sum()
    };
    let of = |bandwidth: &str| {
        let all = rows(&sla);
        let is_it = |row: &&Row| row["scheduler"] == "edf_drop" && row["dram_bandwidth_gbps"] == bandwidth;
        number(all.iter().find(is_it).unwrap(), "sla_rate")
    };
    assert!(["16", "64"].iter().all(|bandwidth| (of(bandwidth) - rate(bandwidth)).abs() < 1e-12));
    assert_eq!(of_kind(folder.path(), "sla"), ["sla-light", "sla-mixed"]);
}

/// What `mascot report` draws with options: metrics of one's own, side by side, in other files, of some of the cells.
#[test]
fn metrics_are_drawn_as_asked() {
    let folder = TempDir::new().unwrap();
    let swept = ["--set", "loads=0.9", "--set", "dram_bandwidth_gbps=[16,32,64]"];
    run(folder.path(), &[&swept[..], &["--set", "scenarios=[\"light\",\"mixed\"]"]].concat());
    let path = folder.path().to_str().unwrap();
    let asked = |more: &[&str]| {
        let output = mascot(&[&["report", path][..], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(folder.path().join("report.html")).unwrap()
    };
    let file = |name: &str| std::fs::read(folder.path().join("report").join(name)).unwrap();
    let page =
        asked(&["--y", "energy_per_request_uj", "--facet", "scenario", "--errorbars", "--format", "pdf,png"]);
    assert_eq!(pictures(folder.path()), ["energy_per_request_uj"]);
    assert!(page.contains("Energy per request against DRAM bandwidth"), "{page}");
    assert!(
        page.contains("energy_per_request_uj.pdf") && !page.contains("energy_per_request_uj.svg"),
        "{page}"
    );
    assert!(file("energy_per_request_uj.pdf").starts_with(b"%PDF-"));
    assert!(file("energy_per_request_uj.png").starts_with(b"\x89PNG"));
    let (drawn, summary) = (
        rows(&folder.path().join("report/energy_per_request_uj.csv")),
        rows(&folder.path().join("summary.csv")),
    );
    let cells = summary.iter().filter(|row| row["seed"] == "1").count();
    assert_eq!(drawn.len(), cells, "a row per case and scheduler");
    let first = &drawn[0];
    let is_it = |row: &&Row| {
        row["scenario"] == "light"
            && row["scheduler"] == first["scheduler"]
            && row["dram_bandwidth_gbps"] == first["dram_bandwidth_gbps"]
    };
    let mean =
        summary.iter().filter(is_it).map(|row| number(row, "energy_per_request_uj") / 3.0).sum::<f64>();
    assert!((number(first, "energy_per_request_uj") / mean - 1.0).abs() < 1e-12);

    asked(&["--pareto", "energy_per_met_request_uj,sla_rate", "--only", "scenario=mixed"]);
    let names = pictures(folder.path());
    assert_eq!(names.len(), 4, "three bandwidths and their mean: {names:?}");
    for name in &names {
        let points = rows(&folder.path().join(format!("report/{name}.csv")));
        let beats = |one: &Row, other: &Row| {
            let gains = [
                number(one, "sla_rate") - number(other, "sla_rate"),
                number(other, "energy_per_met_request_uj") - number(one, "energy_per_met_request_uj"),
            ];
            gains.iter().all(|gain| *gain >= 0.0) && gains.iter().any(|gain| *gain > 0.0)
        };
        for point in &points {
            let is_on_front = !points.iter().any(|other| beats(other, point));
            assert_eq!(point["on_front"], u8::from(is_on_front).to_string(), "{name}: {point:?}");
        }
    }
    assert!(names.iter().any(|name| name.ends_with("-mean-of-all-3-cases")), "{names:?}");

    // Ticks stand at the swept values, and the axis is logarithmic: 32 is half way between 16 and 64.
    let page = asked(&["--x", "dram_bandwidth_gbps", "--only", "scenario=mixed", "--y", "sla_rate"]);
    let at = |label: &str| -> f64 {
        let end = page.find(&format!(">{label}</text>")).unwrap_or_else(|| panic!("no tick {label}: {page}"));
        let start = page[..end].rfind("x=\"").unwrap() + 3;
        page[start..end].split('"').next().unwrap().parse().unwrap()
    };
    assert!((at("32") - (at("16") + at("64")) / 2.0).abs() < 0.2, "{} {} {}", at("16"), at("32"), at("64"));
    assert!(page.contains("<h2 id=\"ranking\">") && page.contains("difference to "), "{page}");
}

#[test]
fn a_view_that_the_results_do_not_have_is_an_error() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &["--set", "scenarios=light"]);
    let path = folder.path().to_str().unwrap();
    for (asked, told) in [
        (&["--x", "scenario"][..], "no key with several numbers, named `scenario`; known: load"),
        (&["--y", "sla_rat"], "no metric `sla_rat` (did you mean `sla_rate`?)"),
        (&["--facet", "scenario"], "no key in which cases differ, named `scenario`; known: load"),
        (&["--only", "scenario=heavy"], "no scenario `heavy`; known: light"),
        (&["--pareto", "sla_rate"], "expected two metrics, separated by a comma"),
        (&["--format", "gif"], "possible values: svg, pdf, png"),
    ] {
        let output = mascot(&[&["report", path][..], asked].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(told), "{asked:?}: {error}");
        assert!(!folder.path().join("report.html").exists(), "{asked:?}");
    }
}

/// Requests that come at their own pace have a load per seed.
#[test]
fn a_measured_load_is_no_case_of_its_own() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let own = [
        "run",
        "experiments/quickstart.toml",
        "--quiet",
        "--out",
        out,
        "--seeds",
        "2",
        "--set",
        "requests=40",
    ];
    let trace = folder.path().join("trace.csv");
    let gen_trace =
        ["trace", "gen", "light", "--rate", "400", "--requests", "60", "-o", trace.to_str().unwrap()];
    assert!(mascot(&gen_trace).status.success());
    let recording = ["--trace", trace.to_str().unwrap(), "--set", "scenarios=light"];
    let output = mascot(&[&own[..], &recording].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    report(folder.path());
    assert_eq!(of_kind(folder.path(), "sla"), ["sla-light"]);
}

/// A browser, where there is one: `$CHROMIUM`, or a usual name in `PATH`.
fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let all = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|path| path.is_file())
}

/// Errors, pictures, pictures of no size or without a shape, and how far the page sticks out; into the page's title.
const PROBE: &str = "<script>
const errors = [];
addEventListener('error', e => errors.push(e.message));
addEventListener('load', () => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const svgs = [...document.querySelectorAll('figure svg')];
  const bad = svgs.filter(s => s.getBoundingClientRect().height < 60
    || s.querySelectorAll('polyline, polygon, circle, rect').length == 0);
  const out = [...document.querySelectorAll('figure:not(.wide) svg text')].filter(t => {
    const [text, svg] = [t.getBoundingClientRect(), t.closest('svg').getBoundingClientRect()];
    return text.left < svg.left - 2 || text.right > svg.right + 2;
  });
  const over = document.documentElement.scrollWidth - innerWidth;
  document.title = 'probe ' + [errors.length, svgs.length, bad.length, out.length, Math.max(0, over)].join(' ');
});
</script>";

#[test]
fn a_browser_shows_it_at_two_widths() {
    let Some(browser) = chromium() else {
        eprintln!("skipped: no Chromium in PATH, and CHROMIUM is not set");
        return;
    };
    let folder = TempDir::new().unwrap();
    run(folder.path(), &EVERYTHING);
    let page = report(folder.path());
    let probed = folder.path().join("probed.html");
    std::fs::write(&probed, page.replace("<head>", &format!("<head>{PROBE}"))).unwrap();
    for width in [500, 1300] {
        let output = Command::new(&browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .args([format!("--window-size={width},900"), "--virtual-time-budget=3000".into()])
            .arg(format!("file://{}", probed.display()))
            .output()
            .unwrap();
        let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!log.contains("CONSOLE"), "{log}");
        assert!(
            dom.contains("<title>probe 0 24 0 0 0</title>"),
            "at {width}: {:?}",
            dom.lines().find(|l| l.contains("<title>"))
        );
    }
}

#[test]
fn compare_finds_what_differs() {
    let folder = TempDir::new().unwrap();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| folder.path().join(name));
    let one = ["--set", "scenarios=mixed", "--set", "loads=1.1"];
    run(&a, &one);
    run(&b, &[&one[..], &["--set", "requests=50"]].concat());
    run(&c, &[&one[..], &["--set", "seeds=2"]].concat());
    let compare = |other: &Path, more: &[&str]| {
        let files = [a.join("summary.csv"), other.join("summary.csv")].map(|path| path.display().to_string());
        let output = mascot(&[&["compare", &files[0], &files[1]][..], more].concat());
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(compare(&a, &[]), (0, "sla_rate: 0 of 9 rows that both files have differ\n".to_string()));
    let folders = mascot(&["compare", &a.display().to_string(), &a.display().to_string()]);
    assert!(folders.status.success(), "folders are as good as their files");
    let (code, text) = compare(&b, &[]);
    assert!(code == 1 && text.contains("beyond") && text.contains("+- 95 %"), "{text}");
    assert_eq!(compare(&b, &["--tolerance", "1"]).0, 0);
    assert_eq!(compare(&b, &["--metric", "requests", "--tolerance", "24%"]).0, 1);
    assert_eq!(compare(&b, &["--metric", "requests", "--tolerance", "25%"]).0, 0);
    run(&d, &[&one[..], &["--set", "period_us=200"]].concat());
    let (_, text) = compare(&d, &[]);
    assert!(text.contains("`period_us` is 100 in the first file and 200 in the second file\n"), "{text}");
    let (code, text) = compare(&c, &["--tolerance", "1"]);
    assert!(!text.contains("in the first file and"), "{text}");
    assert!(code == 1 && text.contains("only in the first file: system=hetero-6 scenario=mixed"), "{text}");

    let (_, json) = compare(&b, &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rates = |folder: &Path| -> Vec<f64> {
        let all = rows(&folder.join("summary.csv"));
        all.iter().filter(|row| row["scheduler"] == "random").map(|row| number(row, "sla_rate")).collect()
    };
    let expected = rates(&b).iter().zip(rates(&a)).map(|(b, a)| b - a).sum::<f64>() / 3.0;
    let groups = told["groups"].as_array().unwrap();
    let random = groups.iter().find(|group| group["keys"]["scheduler"] == "random").unwrap();
    assert!((random["difference"].as_f64().unwrap() - expected).abs() < 1e-12, "{random}");
}

#[test]
fn rank_makes_one_table() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &["--set", "scenarios=[\"light\",\"mixed\"]", "--set", "loads=[0.6,1.1]"]);
    let path = folder.path().display().to_string();
    let rank = |more: &[&str]| {
        let output = mascot(&[&["rank", &path][..], more].concat());
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code().unwrap(), text.concat())
    };
    let (code, text) = rank(&["--over", "fcfs", "--by", "scenario", "--json"]);
    assert_eq!(code, 0, "{text}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let facts = ["over", "cells", "seeds", "left_out"].map(|key| told[key].to_string());
    assert_eq!(facts, ["\"fcfs\"", "4", "3", "0"]);
    // The mean over all rows is that over cells and seeds, as all have as many.
    let summary = rows(&folder.path().join("summary.csv"));
    for of in told["schedulers"].as_array().unwrap() {
        let of_scenario = |scenario: &str| -> f64 {
            let is_its = |row: &&Row| of["scheduler"] == row["scheduler"][..] && row["scenario"] == scenario;
            summary.iter().filter(is_its).map(|row| number(row, "sla_rate") / 6.0).sum()
        };
        let expected = ["light", "mixed"].map(of_scenario);
        for (group, expected) in of["of_groups"].as_array().unwrap().iter().zip(expected) {
            assert!((group["mean"].as_f64().unwrap() - expected).abs() < 1e-12, "{of}");
        }
        assert!((of["all"]["mean"].as_f64().unwrap() - (expected[0] + expected[1]) / 2.0).abs() < 1e-12);
    }
    let (_, table) = rank(&[]);
    let names: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["scheduler", "edf_drop", "fcfs", "random", "sla_rate:"], "{table}");
    assert!(table.ends_with("sla_rate: 4 cells, 3 seeds\n"), "{table}");
    let cells = folder.path().join("cells.csv").display().to_string();
    assert_eq!(rank(&["--over", "fcfs", "--only", "load=1.1", "--cells", &cells]).0, 0);
    let of_cells = rows(Path::new(&cells));
    assert_eq!(of_cells.len(), 6, "two cells of three schedulers");
    let is_its = |row: &&Row| row["scheduler"] == "random" && row["scenario"] == "mixed";
    let random = of_cells.iter().find(is_its).unwrap();
    let expected = summary.iter().filter(|row| is_its(row) && row["load"] == "1.1");
    let expected = expected.map(|row| number(row, "sla_rate") / 3.0).sum::<f64>();
    assert!((number(random, "mean") - expected).abs() < 1e-12, "{random:?}");
    assert!(number(random, "difference") < -0.1, "{random:?}");
    assert_eq!(random["to_bound"], "", "there is no bound");
    assert_eq!(rank(&["--cells", &path]).0, 1, "a folder is no file");
    let (_, table) = rank(&["--only", "scenario=mixed", "--only", "load=1.1"]);
    assert!(table.ends_with("sla_rate: 1 cell, 3 seeds\n"), "{table}");
    let (_, table) = rank(&["--only", "scheduler=fcfs", "--only", "scheduler=random", "--only", "load=1.10"]);
    assert!(table.contains("fcfs") && !table.contains("edf_drop") && table.contains("2 cells"), "{table}");
    for (more, expected) in [
        (["--by", "seed"], "has no key of cells `seed`"),
        (["--only", "scenario=mixd"], "has no scenario `mixd` (did you mean `mixed`?); known: light, mixed"),
        (["--only", "mixed"], "expected KEY=VALUE"),
        (["--over", "fcsf"], "has no scheduler `fcsf` (did you mean `fcfs`?); known: "),
        (["--metric", "sla"], "has no metric `sla`"),
        (["--by", "colour"], "has no key of cells `colour`"),
        (["--margin", "-1"], "expected a number >= 0"),
    ] {
        let (code, text) = rank(&more);
        assert!(code == 2 && text.contains(expected), "{text}");
    }
}
