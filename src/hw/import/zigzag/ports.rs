//! The ports of a memory: their widths, and which of them read and write.
//!
//! Two spellings: since 2025 each port has a name, a type, a bandwidth and its uses; before that the memory has `r_bw`
//! and `w_bw`, and each operand names a port per direction (`fh`, `fl`: written from above and below; `th`, `tl`: read
//! to above and below).

use super::super::draft::Bandwidth;
use super::super::expression::Scope;
use super::super::yaml::Node;
use super::dataflow::operand;
use crate::files::InputError;

/// A limit beyond which a bandwidth is none, in words per cycle: the most that an accelerator file may have.
const UNLIMITED: f64 = 1e12;

/// What the ports of a memory move per cycle, in bits.
pub(super) struct Ports {
    /// Of one access.
    pub(super) read_bits: u64,
    pub(super) write_bits: u64,
    ports: Vec<Port>,
}

struct Port {
    name: String,
    bits: u64,
    reads: bool,
    writes: bool,
}

pub(super) fn read(memory: &Node) -> Result<Ports, InputError> {
    let list = memory.need(&["ports"])?;
    let is_named = list.list()?.iter().any(|port| port.has("bandwidth_max"));
    let ports = if is_named { named(list)? } else { by_operand(memory, list)? };
    let first = |which: fn(&Port) -> bool| ports.iter().find(|port| which(port)).map(|port| port.bits);
    let (read, write) = (first(|port| port.reads), first(|port| port.writes));
    let Some(any) = read.or(write) else { return Err(list.error("no port reads or writes")) };
    Ok(Ports { read_bits: read.unwrap_or(any), write_bits: write.unwrap_or(any), ports })
}

fn bits(node: &Node) -> Result<u64, InputError> {
    Scope::default().whole(node, 1..=1 << 62)
}

/// Ports with their own bandwidth and uses.
fn named(list: &Node) -> Result<Vec<Port>, InputError> {
    let mut ports = vec![];
    for node in list.list()? {
        let kind = node.need(&["type"])?;
        if !["read", "write", "read_write"].contains(&kind.text()?) {
            return Err(kind.expected("read, write or read_write"));
        }
        let name = node.need(&["name"])?.text()?.to_string();
        let most = bits(node.need(&["bandwidth_max"])?)?;
        let least = node.peek("bandwidth_min").map(bits).transpose()?;
        if least == Some(most) {
            node.find(&["bandwidth_min"])?;
        }
        let mut port = Port { name, bits: most, reads: false, writes: false };
        let uses = node.need(&["allocation"])?;
        // `- I1, tl` is one text, `[I1, tl]` two.
        let mut words: Vec<(&Node, &str)> = vec![];
        for item in uses.list()? {
            words.extend(item.text()?.split(',').map(|word| (item, word.trim())));
        }
        for pair in words.chunks(2) {
            let [(item, name), (_, direction)] = pair else {
                return Err(uses.expected("operands, each with a direction such as `I1, tl`"));
            };
            operand(name, item)?;
            port.uses(direction, item)?;
        }
        ports.push(port);
    }
    Ok(ports)
}

/// Ports by operand, with the bandwidths of the memory.
fn by_operand(memory: &Node, list: &Node) -> Result<Vec<Port>, InputError> {
    let (read, write) = (bits(memory.need(&["r_bw"])?)?, bits(memory.need(&["w_bw"])?)?);
    let mut ports: Vec<Port> = vec![];
    for node in list.list()? {
        for entry in node.table()? {
            let name = entry.take().text()?;
            let place = ports.iter().position(|port| port.name == name).unwrap_or_else(|| {
                let bits = match name.split_once('_').map(|(kind, _)| kind) {
                    Some("r") => read,
                    Some("w") => write,
                    _ => read.min(write),
                };
                ports.push(Port { name: name.to_string(), bits, reads: false, writes: false });
                ports.len() - 1
            });
            ports[place].uses(&entry.key, &entry.node)?;
        }
    }
    Ok(ports)
}

impl Port {
    fn uses(&mut self, direction: &str, node: &Node) -> Result<(), InputError> {
        match direction {
            "fh" | "fl" => self.writes = true,
            "th" | "tl" => self.reads = true,
            _ => return Err(node.error(format!("the direction `{direction}`: expected fh, fl, th or tl"))),
        }
        Ok(())
    }
}

impl Ports {
    /// Words per cycle. Ports that both read and write are shared by all accesses.
    pub(super) fn words_per_cycle(&self, word_bits: u64) -> Bandwidth {
        let words = |which: fn(&Port) -> bool| {
            let bits: f64 = self.ports.iter().filter(|port| which(port)).map(|port| port.bits as f64).sum();
            Some(bits / word_bits as f64).filter(|&words| words > 0.0 && words <= UNLIMITED)
        };
        match self.ports.iter().any(|port| port.reads && port.writes) {
            true => Bandwidth { shared: words(|_| true), ..Default::default() },
            false => {
                Bandwidth { read: words(|port| port.reads), write: words(|port| port.writes), shared: None }
            }
        }
    }
}
