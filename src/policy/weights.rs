//! The weights of a network, or any other numbers, as named tensors of `f32` in a safetensors file
//! (<https://github.com/huggingface/safetensors>): the form in which training hands them to inference. The same tensors
//! give the same bytes.
//!
//! Left out: other types of numbers, metadata, and the meaning of the tensors, which a manifest records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, View};

use crate::files::{InputError, write_atomic};

/// A bound on memory. Our choice, because the checkpoint of a default training on eight accelerators, with every queue
/// at its longest, fits four times.
const MAX_FILE_BYTES: u64 = 1 << 31;

/// Numbers in row-major order: the last index varies fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// A tensor of this shape. Panics if the shape does not hold as many numbers.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "a tensor of shape {shape:?}");
        Self { shape: shape.to_vec(), values }
    }

    /// Its length along each index.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All its numbers.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Tensors by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(pub BTreeMap<String, Tensor>);

/// An error in a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a safetensors file, or a damaged one.
    #[error("not a sound safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// The header describes more data than the file has.
    #[error("not a sound safetensors file: tensor `{0}` ends after the file")]
    Beyond(String),
    /// A tensor has numbers of another type.
    #[error("tensor `{name}` holds numbers of type {dtype}; only F32 is allowed")]
    Type {
        /// The name of the tensor.
        name: String,
        /// The type of its numbers.
        dtype: Dtype,
    },
    /// A number is infinite or NaN.
    #[error("number {place} of tensor `{name}` is {value}; weights have to be finite")]
    NotFinite {
        /// The name of the tensor.
        name: String,
        /// The index of the number, counted from 0.
        place: usize,
        /// The number.
        value: f32,
    },
    /// A tensor has numbers that make no sense.
    #[error("tensor `{0}` is damaged")]
    Damaged(String),
    /// A tensor is missing.
    #[error("there is no tensor `{name}`; there are: {known}")]
    Missing {
        /// The name that was looked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A tensor has another shape.
    #[error("tensor `{name}` has the shape {found:?}; expected {expected:?}")]
    Shape {
        /// The name of the tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The expected shape.
        expected: Vec<usize>,
    },
    /// The layers of a net are not complete.
    #[error(
        "{tensors} tensors and {activations} activations: expected a weight and a bias for each activation"
    )]
    Layers {
        /// How many tensors there are.
        tensors: usize,
        /// How many activations the manifest names.
        activations: usize,
    },
}

impl Tensors {
    /// Adds a tensor, in place of an older one of that name. Panics if the shape does not hold as many numbers.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], values: Vec<f32>) {
        self.0.insert(name.into(), Tensor::new(shape, values));
    }

    /// The tensor of that name, whatever its shape.
    ///
    /// # Errors
    /// There is no such tensor.
    pub fn get(&self, name: &str) -> Result<&Tensor, WeightsError> {
        self.0.get(name).ok_or_else(|| WeightsError::Missing {
            name: name.into(),
            known: self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }

    /// The numbers of the tensor of that name and shape.
    ///
    /// # Errors
    /// There is no such tensor, or it has another shape.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<&[f32], WeightsError> {
        let tensor = self.get(name)?;
        if tensor.shape != shape {
            let (found, expected) = (tensor.shape.clone(), shape.to_vec());
            return Err(WeightsError::Shape { name: name.into(), found, expected });
        }
        Ok(&tensor.values)
    }

    /// How many numbers all hold.
    pub fn numbers(&self) -> usize {
        self.0.values().map(|tensor| tensor.values.len()).sum()
    }

    /// All numbers, in the order of the names.
    pub(crate) fn flat(&self) -> Vec<f32> {
        self.0.values().flat_map(|tensor| &tensor.values).copied().collect()
    }

    /// Tensors of the same names and shapes with other numbers. Panics if there are not as many.
    pub(crate) fn with_flat(&self, numbers: &[f32]) -> Self {
        let mut rest = numbers;
        let mut of = |tensor: &Tensor| {
            let values = rest.split_off(..tensor.values.len()).expect("as many numbers");
            Tensor { shape: tensor.shape.clone(), values: values.to_vec() }
        };
        let tensors = self.0.iter().map(|(name, tensor)| (name.clone(), of(tensor))).collect();
        assert!(rest.is_empty(), "{} numbers too many", rest.len());
        Self(tensors)
    }

    /// The shape of each, by name.
    pub fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.0.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect()
    }

    /// Adds all tensors of another set, with a prefix to their names.
    pub fn extend(&mut self, prefix: &str, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())));
    }

    /// The tensors whose names have a prefix, without the prefix.
    pub fn below(&self, prefix: &str) -> Self {
        let named = self.0.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)));
        Self(named.map(|(name, tensor)| (name.to_string(), tensor.clone())).collect())
    }

    /// The tensors of a safetensors file.
    ///
    /// # Errors
    /// The file is damaged, or holds anything but finite `f32`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WeightsError> {
        check_ends(bytes)?;
        let mut tensors = Self::default();
        for (name, view) in SafeTensors::deserialize(bytes)?.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(WeightsError::Type { name, dtype: view.dtype() });
            }
            let (numbers, _) = view.data().as_chunks::<4>();
            let values: Vec<f32> = numbers.iter().map(|&number| f32::from_le_bytes(number)).collect();
            tensors.insert(name, view.shape(), values);
        }
        tensors.check_finite()?;
        Ok(tensors)
    }

    /// The bytes of a safetensors file.
    ///
    /// # Errors
    /// A number is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WeightsError> {
        self.check_finite()?;
        Ok(safetensors::serialize(&self.0, None)?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or [`Self::from_bytes`] fails.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let failed = |e: std::io::Error| InputError::file(path, e);
        let mut bytes = Vec::new();
        File::open(path).map_err(failed)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(InputError::file(path, format!("larger than {} MiB", MAX_FILE_BYTES >> 20)));
        }
        Self::from_bytes(&bytes).map_err(|e| InputError::file(path, e))
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// Some number is not finite, or the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_atomic(path, &self.to_bytes().map_err(io::Error::other)?)
    }

    fn check_finite(&self) -> Result<(), WeightsError> {
        for (name, tensor) in &self.0 {
            if let Some(place) = tensor.values.iter().position(|value| !value.is_finite()) {
                let value = tensor.values[place];
                return Err(WeightsError::NotFinite { name: name.clone(), place, value });
            }
        }
        Ok(())
    }
}

/// Checks the offsets first, because the crate adds the last offset and the header's length without checking for an
/// overflow.
fn check_ends(bytes: &[u8]) -> Result<(), WeightsError> {
    #[derive(serde::Deserialize)]
    struct Place {
        data_offsets: (u64, u64),
    }
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return Ok(()) };
    let header = usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|length| rest.get(..length));
    let header = header.and_then(|header| serde_json::from_slice::<BTreeMap<String, _>>(header).ok());
    for (name, entry) in header.unwrap_or_default() {
        let place: Result<Place, _> = serde_json::from_value(entry);
        if place.is_ok_and(|place| place.data_offsets.1 > bytes.len() as u64) {
            return Err(WeightsError::Beyond(name));
        }
    }
    Ok(())
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        self.values.len() * size_of::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Tensors {
        let mut tensors = Tensors::default();
        tensors.insert("b", &[2, 3], vec![1.0, -2.0, 0.5, f32::MIN_POSITIVE, f32::MAX, -0.0]);
        tensors.insert("a", &[], vec![7.0]);
        tensors.insert("none", &[0, 4], vec![]);
        tensors
    }

    /// A file made by hand from a header and data.
    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    fn error(bytes: &[u8]) -> String {
        Tensors::from_bytes(bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/weights.safetensors");
        example().write(&path).expect("finite");
        assert_eq!(Tensors::read(&path).expect("sound"), example());
        let bytes = std::fs::read(&path).expect("it was written");
        assert_eq!(bytes, example().to_bytes().expect("finite"));
        assert_eq!(std::fs::read_dir(path.parent().expect("a folder")).expect("it is there").count(), 1);
    }

    #[test]
    fn a_file_by_hand_is_read() {
        let header = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let bytes = file(header, &[0, 0, 128, 63, 0, 0, 0, 192]);
        assert_eq!(
            Tensors::from_bytes(&bytes).expect("sound").values("w", &[2]).expect("there"),
            [1.0, -2.0]
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let w = |dtype: &str, shape: &str, end: u64| {
            format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
        };
        let nan = f32::NAN.to_le_bytes();
        assert!(error(b"").contains("not a sound safetensors file"));
        assert!(error(&file("{", &[])).contains("not a sound safetensors file"));
        assert!(error(&file(&w("F32", "[2]", 8), &[0; 4])).contains("not a sound safetensors file"));
        assert!(error(&file(&w("F32", "[3]", 8), &[0; 8])).contains("not a sound safetensors file"));
        assert!(error(&file(&w("F32", "[1]", u64::MAX), &[0; 4])).contains("`w` ends after the file"));
        assert!(error(&file(&w("F64", "[1]", 8), &[0; 8])).contains("type F64; only F32"));
        assert_eq!(
            error(&file(&w("F32", "[1]", 4), &nan)),
            "number 0 of tensor `w` is NaN; weights have to be finite"
        );
        let mut infinite = example();
        infinite.insert("w", &[1], vec![f32::INFINITY]);
        assert!(infinite.to_bytes().unwrap_err().to_string().contains("`w` is inf"));
        let missing = Tensors::read(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(missing.starts_with("no/such/file: "), "{missing}");
    }

    /// Nine tensors of 2^61 bytes: their end overflows.
    #[test]
    fn a_header_that_promises_too_much_is_an_error() {
        let tensor = |i: u64| {
            let (start, end) = (i << 60, (i + 1) << 60);
            format!(r#""{i}":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#, 1u64 << 60)
        };
        let mut tensors: Vec<String> = (0..15).map(tensor).collect();
        let (start, end) = (15u64 << 60, u64::MAX);
        tensors.push(format!(
            r#""x":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#,
            end - start
        ));
        assert!(error(&file(&format!("{{{}}}", tensors.join(",")), &[])).contains("ends after the file"));
    }

    #[test]
    fn a_tensor_of_another_name_or_shape_is_an_error() {
        let message = |name: &str, shape: &[usize]| example().values(name, shape).unwrap_err().to_string();
        assert_eq!(message("c", &[1]), "there is no tensor `c`; there are: a, b, none");
        assert_eq!(message("b", &[3, 2]), "tensor `b` has the shape [2, 3]; expected [3, 2]");
    }

    proptest! {
        /// A file that is cut or changed anywhere is read or refused, without a panic.
        #[test]
        fn damage_never_panics(cut in 0..300usize, place in 0..300usize, value: u8) {
            let mut bytes = example().to_bytes().expect("finite");
            let length = bytes.len();
            bytes[place % length] = value;
            let _ = Tensors::from_bytes(&bytes);
            bytes.truncate(cut);
            prop_assert!(cut >= length || Tensors::from_bytes(&bytes).is_err());
        }
    }
}
