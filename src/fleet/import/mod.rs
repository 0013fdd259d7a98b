//! A graph of the Internet Topology Zoo, or another GML file with its keys -> the nodes and links of a fleet file.
//!
//! Of a node, `label`, `Latitude` and `Longitude` are read, of an edge `LinkSpeedRaw` in bit/s; Knight et al., The Internet
//! Topology Zoo (IEEE JSAC 29(9), 2011) describe them. What a file lacks is a default that the user gives, and a comment of
//! the fleet file says where it was used. The file that comes out has been read back.

mod gml;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::FleetSpec;
use crate::files::{self, InputError, Source, did_you_mean};
use gml::List;

/// What the user adds to a graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The bandwidth in gigabits per second of links without a speed.
    pub gbps: Option<f64>,
    /// The delay in microseconds of links of which an end has no coordinates.
    pub delay_us: Option<f64>,
    /// Sites, each by node and system.
    pub sites: Vec<(String, String)>,
}

/// An imported fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedFleet {
    /// The fleet file: the same bytes for the same graph, options and name.
    pub toml: String,
    /// The counts of the fleet.
    pub summary: Summary,
    /// What the file does not have as the graph has it, and where defaults were used.
    pub notes: Vec<String>,
}

/// The counts of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The name of the fleet.
    pub fleet: String,
    /// Number of nodes.
    pub nodes: u64,
    /// Number of links.
    pub links: u64,
    /// Number of sites.
    pub sites: u64,
}

struct Node {
    name: String,
    place: Option<[f64; 2]>,
}

struct Link {
    ends: [usize; 2],
    gbps: f64,
    delay_us: Option<f64>,
}

/// Imports a graph, and names the fleet.
pub fn import_gml(path: &Path, name: &str, options: &Options) -> Result<ImportedFleet, InputError> {
    let source = Source::read(path)?;
    let file = gml::read(&source)?;
    let graphs = file.lists("graph")?;
    let [graph] = graphs.as_slice() else {
        return Err(InputError::file(path, format!("{} graphs: expected one `graph [ ... ]`", graphs.len())));
    };
    if graph.number("directed")? == Some(1.0) {
        let message = "the graph is directed; the links of a fleet carry both directions";
        return Err(graph.error_at("directed", message));
    }
    let mut notes = Vec::new();
    let (nodes, places) = nodes(graph, &mut notes)?;
    let links = links(graph, &nodes, &places, options, &mut notes)?;
    for (node, _) in &options.sites {
        if !nodes.iter().any(|known| known.name == *node) {
            let hint = did_you_mean(node, nodes.iter().map(|node| node.name.as_str()));
            return Err(InputError::file(path, format!("--site {node}: no node of that label{hint}")));
        }
    }
    let toml = written(path, name, graph, &nodes, &links, options, &notes)?;
    let read_back = Source { path: path.to_path_buf(), text: toml.clone(), verbatim: false };
    let fleet = FleetSpec::parse(&read_back)
        .map_err(|e| InputError::file(path, format!("the fleet would not be valid: {}", e.message)))?;
    let [nodes, links, sites] =
        [fleet.nodes.len(), fleet.links.len(), fleet.sites.len()].map(|count| count as u64);
    Ok(ImportedFleet { toml, summary: Summary { fleet: fleet.name, nodes, links, sites }, notes })
}

/// The nodes under distinct names, and the place of each by its number in the graph.
fn nodes(graph: &List, notes: &mut Vec<String>) -> Result<(Vec<Node>, BTreeMap<i64, usize>), InputError> {
    let (mut nodes, mut places) = (Vec::<Node>::new(), BTreeMap::new());
    let (mut renamed, mut nowhere) = (Vec::new(), Vec::new());
    for raw in graph.lists("node")? {
        let id = id(raw, "id")?;
        let label =
            raw.text("label")?.filter(|label| !label.is_empty()).unwrap_or_else(|| format!("node {id}"));
        let is_new = |name: &String| !nodes.iter().any(|node| node.name == *name);
        let numbered = (2..).map(|number| format!("{label} {number}"));
        let name = std::iter::once(label.clone()).chain(numbered).find(is_new).expect("numbers never end");
        if name != label {
            renamed.push(format!("`{name}` (id {id})"));
        }
        let place = match (coordinate(raw, "Latitude", 90.0)?, coordinate(raw, "Longitude", 180.0)?) {
            (Some(latitude), Some(longitude)) => Some([latitude, longitude]),
            _ => None,
        };
        if place.is_none() {
            nowhere.push(format!("`{name}`"));
        }
        if places.insert(id, nodes.len()).is_some() {
            return Err(raw.error_at("id", format!("two nodes have the id {id}")));
        }
        nodes.push(Node { name, place });
    }
    if nodes.is_empty() {
        return Err(graph.error("the graph has no `node`"));
    }
    note(notes, "labels that others have as well, numbered", &renamed);
    note(notes, "nodes without coordinates", &nowhere);
    Ok((nodes, places))
}

fn id(raw: &List, key: &str) -> Result<i64, InputError> {
    let number = raw.number(key)?.filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
    number
        .map(|number| number as i64)
        .ok_or_else(|| raw.error_at(key, format!("expected a whole number as `{key}`")))
}

fn coordinate(raw: &List, key: &str, largest: f64) -> Result<Option<f64>, InputError> {
    match raw.number(key)? {
        Some(degrees) if degrees.abs() > largest => {
            let message = format!("`{key}` is {degrees}: expected a number from -{largest} to {largest}");
            Err(raw.error_at(key, message))
        }
        degrees => Ok(degrees),
    }
}

fn links(
    graph: &List,
    nodes: &[Node],
    places: &BTreeMap<i64, usize>,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Vec<Link>, InputError> {
    let mut links = Vec::new();
    let (mut loops, mut slow, mut far) = (Vec::new(), Vec::new(), Vec::new());
    for raw in graph.lists("edge")? {
        let end = |key: &str| {
            let id = id(raw, key)?;
            let place = places.get(&id).copied();
            place.ok_or_else(|| raw.error_at(key, format!("`{key}` is {id}, which is the id of no node")))
        };
        let ends = [end("source")?, end("target")?];
        let told = ends.map(|end| format!("`{}`", nodes[end].name)).join(" - ");
        if ends[0] == ends[1] {
            loops.push(told);
            continue;
        }
        let gbps = match raw.number("LinkSpeedRaw")?.map(|bits_per_s| bits_per_s / 1e9) {
            Some(gbps) if (1e-6..=1e9).contains(&gbps) => gbps,
            Some(_) => return Err(raw.error_at("LinkSpeedRaw", "`LinkSpeedRaw`: expected 1e3 to 1e18 bit/s")),
            None => {
                slow.push(told.clone());
                options.gbps.ok_or_else(|| {
                    raw.error(format!("the link {told} has no `LinkSpeedRaw`: give --gbps for such links"))
                })?
            }
        };
        let delay_us = match ends.iter().all(|&end| nodes[end].place.is_some()) {
            true => None,
            false => {
                far.push(told.clone());
                Some(options.delay_us.ok_or_else(|| {
                    let message = "has an end without coordinates: give --delay-us for such links";
                    raw.error(format!("the link {told} {message}"))
                })?)
            }
        };
        links.push(Link { ends, gbps, delay_us });
    }
    note(notes, "edges from a node to itself, left out", &loops);
    note(notes, "links without a speed, which have that of --gbps", &slow);
    note(notes, "links of which an end has no coordinates, which have the delay of --delay-us", &far);
    Ok(links)
}

fn note(notes: &mut Vec<String>, what: &str, of: &[String]) {
    if !of.is_empty() {
        notes.push(format!("{what} ({}): {}", of.len(), of.join(", ")));
    }
}

/// The command line that imports the file with these options.
fn command(path: &Path, options: &Options) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut command = format!("mascot import {}", files::quoted(&file));
    command.extend(options.gbps.map(|gbps| format!(" --gbps {gbps}")));
    command.extend(options.delay_us.map(|us| format!(" --delay-us {us}")));
    let sites = options.sites.iter().map(|(node, system)| files::quoted(&format!("{node}={system}")));
    command.extend(sites.map(|site| format!(" --site {site}")));
    command
}

fn written(
    path: &Path,
    name: &str,
    graph: &List,
    nodes: &[Node],
    links: &[Link],
    options: &Options,
    notes: &[String],
) -> Result<String, InputError> {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut toml = format!("# Written by `{}`: nodes and links of the graph.\n", command(path, options));
    if options.sites.is_empty() {
        toml += "# Sites are yet to be added: [[site]] with name, node and system.\n";
    }
    // A label may hold the end of a line.
    let lines = notes.iter().map(|note| format!("# {}\n", crate::files::visible_line(note)));
    toml.extend(lines);
    toml += &format!("name = {}\nsource = {}\n", quoted(name), quoted(&origin(path, graph)?));
    for node in nodes {
        toml += &format!("\n[[node]]\nname = {}\n", quoted(&node.name));
        if let Some([latitude, longitude]) = node.place {
            toml += &format!("latitude = {latitude}\nlongitude = {longitude}\n");
        }
    }
    for Link { ends, gbps, delay_us } in links {
        let [one, other] = ends.map(|end| quoted(&nodes[end].name));
        toml += &format!("\n[[link]]\nbetween = [{one}, {other}]\ngbps = {gbps}\n");
        toml.extend(delay_us.map(|us| format!("delay_us = {us}\n")));
    }
    for (number, (node, system)) in options.sites.iter().enumerate() {
        let earlier = options.sites[..number].iter().filter(|(other, _)| other == node).count();
        let site = if earlier == 0 { node.clone() } else { format!("{node} {}", earlier + 1) };
        toml += &format!(
            "\n[[site]]\nname = {}\nnode = {}\nsystem = {}\n",
            quoted(&site),
            quoted(node),
            quoted(system)
        );
    }
    Ok(toml)
}

/// Where the graph comes from, with the attribution that the licence of the Topology Zoo asks for.
fn origin(path: &Path, graph: &List) -> Result<String, InputError> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let told: Vec<String> = ["Network", "NetworkDate", "Source"]
        .iter()
        .filter_map(|key| graph.text(key).transpose())
        .collect::<Result<_, _>>()?;
    let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) };
    let is_of_zoo = graph.text("Creator")?.is_some_and(|creator| creator.contains("Topology Zoo"));
    Ok(match is_of_zoo {
        true => format!(
            "Internet Topology Zoo (Knight et al., IEEE JSAC 29(9), 2011; CC BY 4.0), {file}{told}; changed: nodes and \
             links only"
        ),
        false => format!("{file}{told}"),
    })
}
