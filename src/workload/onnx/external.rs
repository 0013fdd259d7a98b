//! The elements of tensors whose data lie in a file beside the model, where shapes may be made of them.
//!
//! As in `wire`, that is short data; weights are never read, and their file may be missing. A tensor that cannot be
//! read is no error by itself: its reason takes the place of its `external_data` entries ([`unread`]), for the case that
//! somebody needs it.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use rten_onnx::onnx::{DataLocation, GraphProto, NodeProto, StringStringEntryProto, TensorProto};

use super::{decode, wire};
use crate::workload::layer::product;

/// The key of the entry that says why a tensor could not be read.
const UNREAD: &str = "mascot: unread because";

/// Reads the short external data of a graph; `folder` is that of the model.
pub(super) fn load(graph: &mut GraphProto, folder: &Path) {
    let mut left = wire::MAX_KEPT_DATA_BYTES;
    graph.initializer.iter_mut().for_each(|tensor| load_tensor(tensor, folder, &mut left));
    load_constants(&mut graph.node, folder, &mut left);
}

fn load_constants(nodes: &mut [NodeProto], folder: &Path, left: &mut u64) {
    for attribute in nodes.iter_mut().flat_map(|node| &mut node.attribute) {
        attribute.t.iter_mut().for_each(|tensor| load_tensor(tensor, folder, left));
        attribute.g.iter_mut().for_each(|branch| load_constants(&mut branch.node, folder, left));
    }
}

fn load_tensor(tensor: &mut TensorProto, folder: &Path, left: &mut u64) {
    let Some(length) = length(tensor).filter(|length| length <= left) else { return };
    *left -= length;
    match read(tensor, folder, length) {
        Ok(data) => tensor.raw_data = Some(RefCell::new(data)),
        Err(why) => {
            let (key, value) = (Some(UNREAD.into()), Some(why));
            tensor.external_data = vec![StringStringEntryProto { key, value }];
        }
    }
}

/// Why the elements of a tensor could not be read.
pub(super) fn unread(tensor: &TensorProto) -> Option<&str> {
    entry(tensor, UNREAD)
}

/// How many bytes the elements of a tensor have, if they are external and short.
fn length(tensor: &TensorProto) -> Option<u64> {
    let is_external = tensor.data_location == Some(DataLocation::EXTERNAL);
    let bits = decode::bits(tensor.data_type?).filter(|_| is_external)?;
    let elements = product(tensor.dims.iter().map(|&size| u64::try_from(size).unwrap_or(u64::MAX)))?;
    Some(elements.checked_mul(bits)?.div_ceil(8)).filter(|&length| length <= wire::MAX_DATA_BYTES)
}

fn read(tensor: &TensorProto, folder: &Path, length: u64) -> Result<Vec<u8>, String> {
    let location = entry(tensor, "location").ok_or("its external data have no `location`")?;
    let path = inside(folder, location)?;
    let at = |what: String| format!("`{location}`: {what}");
    let offset = number(tensor, "offset")?.unwrap_or(0);
    if let Some(given) = number(tensor, "length")?.filter(|&given| given < length) {
        return Err(at(format!("it has {given} bytes there, its shape needs {length}")));
    }
    let of_io = |error: std::io::Error| at(error.to_string());
    if !path.metadata().map_err(of_io)?.is_file() {
        return Err(at("not a file".into()));
    }
    let mut file = File::open(path).map_err(of_io)?;
    file.seek(SeekFrom::Start(offset)).map_err(of_io)?;
    let mut data = Vec::new();
    file.take(length).read_to_end(&mut data).map_err(of_io)?;
    match data.len() as u64 == length {
        true => Ok(data),
        false => Err(at(format!("the file ends before the {length} bytes from {offset} on"))),
    }
}

/// The place of a file that must not lie outside the folder of the model.
fn inside(folder: &Path, location: &str) -> Result<PathBuf, String> {
    let is_inside = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
    match Path::new(location).components().all(is_inside) {
        true => Ok(folder.join(location)),
        false => Err(format!("`{location}`: it leaves the folder of the model, which is not allowed")),
    }
}

fn entry<'t>(tensor: &'t TensorProto, key: &str) -> Option<&'t str> {
    tensor.external_data.iter().find(|entry| entry.key.as_deref() == Some(key))?.value.as_deref()
}

fn number(tensor: &TensorProto, key: &str) -> Result<Option<u64>, String> {
    let Some(text) = entry(tensor, key) else { return Ok(None) };
    let wrong = |_| format!("its external data have {key} `{text}`, which is not a number of bytes");
    text.parse().map(Some).map_err(wrong)
}
