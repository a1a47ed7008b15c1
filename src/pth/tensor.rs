//! A tensor of a checkpoint: its layout, and its elements in row-major order.

use std::borrow::Cow;
use std::path::Path;

use super::fault::Fault;
use crate::error::{Error, Result};

/// What a tensor's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Dtype {
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Dtype {
    /// The type in a storage of the Python class `torch.NAME`.
    pub(super) fn of_storage(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"DoubleStorage" => Self::F64,
            b"FloatStorage" => Self::F32,
            b"HalfStorage" => Self::F16,
            b"BFloat16Storage" => Self::BF16,
            b"LongStorage" => Self::I64,
            b"IntStorage" => Self::I32,
            b"ShortStorage" => Self::I16,
            b"CharStorage" => Self::I8,
            b"ByteStorage" => Self::U8,
            b"BoolStorage" => Self::Bool,
            _ => return None,
        })
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// Where a tensor's elements are in the file. All of them are inside of it: `state` has checked that.
#[derive(Debug)]
pub(super) struct Layout {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// In elements.
    pub strides: Vec<usize>,
    /// The byte at which the first element begins.
    pub start: usize,
    /// The product of the shape.
    pub numel: usize,
}

impl Layout {
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.numel == 0
            || self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
                let fits = size == 1 || stride == expected;
                expected *= size;
                fits
            })
    }
}

/// A tensor of a [`Checkpoint`](super::Checkpoint).
#[derive(Clone, Copy)]
pub struct Tensor<'a> {
    pub(super) layout: &'a Layout,
    pub(super) data: &'a [u8],
    pub(super) file: &'a Path,
}

impl<'a> Tensor<'a> {
    /// Its name in the state_dict, for example `bn0.weight`.
    pub fn name(&self) -> &'a str {
        &self.layout.name
    }

    /// What its elements are.
    pub fn dtype(&self) -> Dtype {
        self.layout.dtype
    }

    /// Its sizes, outermost first; a scalar has none.
    pub fn shape(&self) -> &'a [usize] {
        &self.layout.shape
    }

    /// How many elements of the file lie between neighbours in each dimension.
    pub fn strides(&self) -> &'a [usize] {
        &self.layout.strides
    }

    /// How many elements it has.
    pub fn numel(&self) -> usize {
        self.layout.numel
    }

    /// Tells whether its elements lie in the file in row-major order, so that [`Tensor::bytes`] copies nothing.
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// Gets the elements in row-major order, as little-endian bytes: the mapped file, or a copy if they lie otherwise.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        let Layout { dtype, ref shape, start, numel, .. } = *self.layout;
        if self.is_contiguous() {
            return Cow::Borrowed(&self.data[start..start + numel * dtype.size()]);
        }
        let mut gathered = Vec::with_capacity(numel * dtype.size());
        self.gather(shape, self.strides(), start, &mut gathered);
        Cow::Owned(gathered)
    }

    fn gather(&self, shape: &[usize], strides: &[usize], at: usize, gathered: &mut Vec<u8>) {
        let size = self.dtype().size();
        match (shape.split_first(), strides.split_first()) {
            (Some((&count, shape)), Some((&stride, strides))) => {
                for index in 0..count {
                    self.gather(shape, strides, at + index * stride * size, gathered);
                }
            }
            _ => gathered.extend_from_slice(&self.data[at..at + size]),
        }
    }

    /// Gets the elements in row-major order: the mapped file, or a copy if they lie otherwise or off alignment (as in
    /// most files of the legacy format).
    ///
    /// # Errors
    /// [`Fault::NotF32`] in [`Error::Checkpoint`] if they are something else; [`Tensor::bytes`] gets those.
    pub fn f32(&self) -> Result<Cow<'a, [f32]>> {
        if self.dtype() != Dtype::F32 {
            let fault = Fault::NotF32 { tensor: self.name().into(), found: self.dtype() };
            return Err(Error::Checkpoint { file: self.file.into(), fault });
        }
        let bytes = self.bytes();
        if let Cow::Borrowed(bytes) = bytes
            && cfg!(target_endian = "little")
            && let Ok(floats) = bytemuck::try_cast_slice(bytes)
        {
            return Ok(Cow::Borrowed(floats));
        }
        Ok(bytes.as_chunks::<4>().0.iter().map(|&float| f32::from_le_bytes(float)).collect())
    }
}

impl std::fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor({}: {} {:?})", self.name(), self.dtype(), self.shape())
    }
}
