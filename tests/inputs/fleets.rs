//! Does it run: every shipped fleet loads with what its systems and models name, a wrong file is refused with its line, and
//! a graph becomes a fleet.

use std::fs;
use std::path::{Path, PathBuf};

use mascot::experiment::{DataRoot, Kind};
use mascot::files::InputError;
use mascot::fleet::{
    AccessSpec, FleetSpec, ImportOptions, ImportedFleet, LinkSharing, LinkSpec, MemorySpec, SiteSpec,
    import_gml,
};
use mascot::units::Time;

fn written<T>(name: &str, text: &str, read: impl Fn(&Path) -> T) -> T {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path = folder.path().join(name);
    fs::write(&path, text).expect("the folder is ours");
    read(&path)
}

fn read(text: &str) -> Result<FleetSpec, InputError> {
    written("pair.toml", text, FleetSpec::read)
}

const PAIR: &str = "name = 'pair'
source = 't'
[[node]]
name = 'A'
latitude = 0
longitude = 0
[[node]]
name = 'B'
latitude = 0
longitude = 1
[[link]]
between = ['A', 'B']
gbps = 8
[[site]]
name = 'a'
node = 'A'
system = 'small'
";

#[test]
fn a_fleet_is_read_as_written() {
    let more = "scheduler = { name = 'gated', alpha = 0.3 }
slots = inf
models = ['m']
cost_per_s = 1.5
[[link]]
between = ['B', 'A']
gbps = inf
delay_us = 7
sharing = 'fifo'
pj_per_bit = 0.5
[[site]]
name = 'b'
node = 'B'
system = 'large'
scheduler = 'edf'
slots = 4
memory_mb = 512
load_bandwidth_gbps = 2
[access]
gbps = 0.1
delay_us = 2_000
";
    let fleet =
        read(&format!("report_us = 5\nkm_per_ms = 100\nsharing = 'none'\npj_per_bit = 3\n{PAIR}{more}"))
            .unwrap();
    assert_eq!((fleet.name.as_str(), fleet.report), ("pair", Time::from_us(5.0)));
    assert_eq!((fleet.node("B"), fleet.node("C")), (Some(1), None));
    // One degree of a great circle is 111.194927 km.
    let of_degree = Time(1_111_949_000);
    assert_eq!(
        fleet.links,
        [
            LinkSpec {
                between: [0, 1],
                bytes_per_s: 1e9,
                delay: of_degree,
                sharing: LinkSharing::None,
                pj_per_bit: 3.0
            },
            LinkSpec {
                between: [1, 0],
                bytes_per_s: f64::INFINITY,
                delay: Time::from_us(7.0),
                sharing: LinkSharing::Fifo,
                pj_per_bit: 0.5,
            },
        ]
    );
    let scheduler = |text: &str| Some(text.parse::<toml::Table>().expect("TOML"));
    assert_eq!(
        fleet.sites,
        [
            SiteSpec {
                name: "a".into(),
                node: 0,
                system: "small".into(),
                scheduler: scheduler("name = 'gated'\nalpha = 0.3"),
                slots: Some(u32::MAX),
                models: Some(vec!["m".into()]),
                memory: None,
                cost_per_s: Some(1.5),
            },
            SiteSpec {
                name: "b".into(),
                node: 1,
                system: "large".into(),
                scheduler: scheduler("name = 'edf'"),
                slots: Some(4),
                models: None,
                memory: Some(MemorySpec { bytes: 512e6, load_bytes_per_s: 2e9 }),
                cost_per_s: None,
            },
        ]
    );
    let access = AccessSpec { bytes_per_s: 0.1e9 / 8.0, delay: Time::from_us(2_000.0), pj_per_bit: 3.0 };
    assert_eq!(fleet.access, Some(access));
    assert_eq!(fleet.routes().path(0, 1), Some(&[1][..]));
    let plain = read(PAIR).unwrap();
    assert_eq!((plain.report, plain.links[0].sharing), (Time::ZERO, LinkSharing::Ps));
    assert_eq!(plain.links[0].pj_per_bit, 0.0);
    assert_eq!((plain.links[0].delay, plain.access), (Time(555_975_000), None));
}

#[test]
fn wrong_files_are_refused_with_their_line() {
    let changed = |from: &str, to: &str| {
        assert!(PAIR.contains(from), "{from}");
        read(&PAIR.replacen(from, to, 1)).unwrap_err()
    };
    for (error, line, part) in [
        (changed("'B'", "'A'"), 8, "two nodes are named `A`"),
        (changed("['A', 'B']", "['A', 'Bb']"), 12, "no node `Bb`: expected one of A, B"),
        (changed("['A', 'B']", "['A', 'A']"), 12, "joins `A` with itself"),
        (changed("['A', 'B']", "['A']"), 12, "lists 1: expected the two nodes"),
        (changed("gbps = 8", "gbps = -8"), 13, "`gbps` is -8: expected a number from 1e-6 to 1e9, or inf"),
        (changed("gbps = 8", "gbps = 0"), 13, "`gbps` is 0: expected"),
        (changed("gbps = 8", "gbps = 8\ndelay_us = -1"), 14, "`delay_us` is -1: expected a number from 0"),
        (changed("gbps = 8", "gbps = 8\nsharing = 'fair'"), 14, "fair"),
        (changed("gbps = 8", "mbps = 8"), 13, "unknown field `mbps`"),
        (changed("latitude = 0\n", ""), 5, "`longitude` needs a `latitude`"),
        (changed("longitude = 1\n", ""), 9, "`latitude` needs a `longitude`"),
        (changed("latitude = 0", "latitude = 91"), 5, "`latitude` is 91: expected a number from -90 to 90"),
        (changed("latitude = 0\nlongitude = 1\n", ""), 10, "node `B` no coordinates to compute it from"),
        (changed("node = 'A'", "node = 'C'"), 16, "no node `C`"),
        (
            changed("system = 'small'", "system = 'small'\nslots = 0"),
            18,
            "`slots` is 0: expected a whole number",
        ),
        (
            changed("system = 'small'", "system = 'small'\nslots = 1.5"),
            18,
            "`slots` is 1.5: expected a whole",
        ),
        (changed("system = 'small'", "system = 'small'\nmodels = []"), 18, "`models` is empty"),
        (changed("system = 'small'", "system = 'small'\nscheduler = 3"), 18, "a scheduler's name"),
        (
            changed("system = 'small'", "system = 'small'\nscheduler = { alpha = 3 }"),
            18,
            "a scheduler's name",
        ),
        (
            changed("system = 'small'", "system = 'small'\n[[site]]\nname = 'a'\nnode = 'B'\nsystem = 's'"),
            19,
            "two sites are named `a`",
        ),
        (
            changed("system = 'small'", "system = 'small'\n[[node]]\nname = 'C'"),
            19,
            "no site is reachable from node `C`",
        ),
        (changed("system = 'small'", "system = 'small'\n[access]\ngbps = 'fast'"), 19, "gbps"),
    ] {
        assert_eq!(error.line, Some(line), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let none = read("name = 'n'\nsource = 's'\nnode = []\n").unwrap_err();
    assert!(none.to_string().contains("1 to 1000 nodes"), "{none}");
}

#[test]
fn every_shipped_fleet_loads_with_all_that_it_names() {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let names = data.names(Kind::Fleet);
    assert_eq!(names, ["dc-cloud", "gpu-ring", "gpu-ring-fresh", "gpu-site", "one-site", "rediris-4"]);
    for name in names {
        let fleet = data.fleet(&name).unwrap();
        for site in &fleet.sites {
            data.system(&site.system).unwrap();
            site.models.iter().flatten().for_each(|model| drop(data.model(model).unwrap()));
        }
    }
}

/// The one-way propagation between all pairs of Rediris' nodes, as computed from its coordinates by numpy and a Dijkstra
/// of scipy: 1.2, 2.9, 10.1 and 11.6 ms at the quantiles 0.1, 0.5, 0.9 and 1.
#[test]
fn the_ways_of_rediris_are_as_long_as_computed_elsewhere() {
    let data = DataRoot::find(None).expect("the data is in the source tree");
    let fleet = data.fleet("rediris-4").unwrap();
    assert_eq!((fleet.nodes.len(), fleet.links.len()), (19, 32));
    let routes = fleet.routes();
    let pairs = (0..19).flat_map(|a| (0..a).map(move |b| (a, b)));
    let mut ms: Vec<f64> =
        pairs.map(|(a, b)| routes.delay(a, b).expect("it is connected").as_us() / 1e3).collect();
    ms.sort_by(f64::total_cmp);
    for (quantile, expected) in [(0.1, 1.2), (0.5, 2.9), (0.9, 10.1), (1.0, 11.6)] {
        let found = ms[(quantile * (ms.len() - 1) as f64).round() as usize];
        assert!((found - expected).abs() < 0.06, "{quantile}: {found} for {expected}");
    }
}

const GRAPH: &str = r#"# A comment
graph [
  Creator "Topology Zoo Toolset"
  Network "Test &amp; Co"
  node [
    id 0
    label "A"
    Longitude -1.5
    Latitude 42.25
  ]
  node [ id 1 label "A" Longitude 2 Latitude 41 ]
  node [ id 7 label "C" ]
  edge [
    source 0
    target 1
    LinkSpeedRaw 622000000.0
  ]
  edge [ source 1 target 0 ]
  edge [ source 0 target 7 LinkSpeedRaw 1e9 ]
  edge [ source 7 target 7 ]
]
"#;

fn import(text: &str, options: &ImportOptions) -> Result<ImportedFleet, InputError> {
    written("graph.gml", text, |path| import_gml(path, "graph", options))
}

fn with_defaults() -> ImportOptions {
    ImportOptions { gbps: Some(2.5), delay_us: Some(500.0), sites: vec![("C".into(), "hetero-4".into())] }
}

#[test]
fn a_graph_becomes_a_fleet_that_names_its_source_and_every_default() {
    let imported = import(GRAPH, &with_defaults()).unwrap();
    let fleet = written("graph.toml", &imported.toml, FleetSpec::read).unwrap();
    assert_eq!((fleet.nodes.len(), fleet.links.len(), fleet.sites.len()), (3, 3, 1));
    assert!(fleet.source.contains("CC BY 4.0") && fleet.source.contains("Test & Co"), "{}", fleet.source);
    assert_eq!(fleet.nodes[1].name, "A 2");
    assert_eq!(
        fleet.links.iter().map(|link| link.bytes_per_s).collect::<Vec<_>>(),
        [77.75e6, 312.5e6, 125e6]
    );
    assert_eq!(fleet.links[0].delay, fleet.links[1].delay);
    assert_eq!(fleet.links[2].delay, Time::from_us(500.0));
    assert_eq!(imported.notes.len(), 5);
    for note in &imported.notes {
        assert!(imported.toml.contains(&format!("# {note}\n")), "{note}");
    }
    assert_eq!(import(GRAPH, &with_defaults()).unwrap(), imported);
}

#[test]
fn what_a_graph_lacks_is_asked_for_by_name() {
    for (options, line, part) in [
        (ImportOptions { gbps: None, ..with_defaults() }, Some(18), "give --gbps"),
        (ImportOptions { delay_us: None, ..with_defaults() }, Some(19), "give --delay-us"),
        (
            ImportOptions { sites: vec![("D".into(), "hetero-4".into())], ..with_defaults() },
            None,
            "--site D: no node of that label",
        ),
    ] {
        let error = import(GRAPH, &options).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn broken_graphs_are_refused_with_their_line() {
    let changed = |from: &str, to: &str| {
        assert!(GRAPH.contains(from), "{from}");
        import(&GRAPH.replacen(from, to, 1), &with_defaults()).unwrap_err()
    };
    for (error, line, part) in [
        (changed("label \"A\"", "label \"A"), Some(12), "the text that begins here has no end"),
        (changed("id 0", "id"), Some(7), "`id` is `label`: expected a number, a text or a list"),
        (changed("id 0", "id zero"), Some(6), "`id` is `zero`: expected a number"),
        (changed("id 0", "id 0.5"), Some(6), "expected a whole number as `id`"),
        (changed("id 0", ""), Some(5), "expected a whole number as `id`"),
        (changed("id 1", "id 0"), Some(11), "two nodes have the id 0"),
        (changed("target 1", "target 5"), Some(15), "`target` is 5, which is the id of no node"),
        (changed("target 1", ""), Some(13), "expected a whole number as `target`"),
        (
            changed("Latitude 42.25", "Latitude 142"),
            Some(9),
            "`Latitude` is 142: expected a number from -90 to 90",
        ),
        (changed("Latitude 42.25", "Latitude [ x 1 ]"), Some(9), "`Latitude`: expected a number"),
        (changed("622000000.0", "-5"), Some(16), "`LinkSpeedRaw`: expected 1e3 to 1e18 bit/s"),
        (changed("622000000.0", "inf"), Some(16), "expected a number"),
        (changed("graph [", "graph [ directed 1"), Some(2), "the graph is directed"),
        (changed("graph [", "graph 1 ["), Some(2), "`[` where a key should be"),
        (changed("graph [", "grape ["), None, "0 graphs"),
        (changed("graph [", "graph [ ]\ngraph ["), None, "2 graphs"),
    ] {
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let open = import(&GRAPH[..GRAPH.len() - 2], &with_defaults()).unwrap_err();
    assert!(open.line == Some(2) && open.to_string().contains("has no end"), "{open}");
    let deep = format!("graph {}", "[ x ".repeat(100_000));
    assert!(import(&deep, &with_defaults()).unwrap_err().to_string().contains("lists more than 32 deep"));
    let empty = import("graph [ ]", &with_defaults()).unwrap_err();
    assert!(empty.to_string().contains("has no `node`"), "{empty}");
}

/// No cut and no changed byte makes the reader panic, and what it accepts is a fleet.
#[test]
fn damaged_graphs_never_panic() {
    let bytes = GRAPH.as_bytes();
    let cuts = (0..bytes.len()).step_by(3).map(|at| bytes[..at].to_vec());
    let changes = (0..bytes.len()).step_by(3).flat_map(|at| {
        b"\0\"[]#9\n-\xff".iter().map(move |&byte| {
            let mut changed = bytes.to_vec();
            changed[at] = byte;
            changed
        })
    });
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let path: PathBuf = folder.path().join("graph.gml");
    let mut accepted = 0;
    for content in cuts.chain(changes) {
        fs::write(&path, content).expect("the folder is ours");
        accepted += u32::from(import_gml(&path, "graph", &with_defaults()).is_ok());
    }
    assert!(accepted > 100, "{accepted}");
}
