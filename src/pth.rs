//! PyTorch checkpoints: the named tensors of a `.pth` file, read without Python and without running anything in it.
//!
//! Both formats of `torch.save` are read, that of PyTorch since 1.6 (a zip archive) and the legacy one before it.

mod archive;
mod bytes;
mod fault;
mod legacy;
mod object;
mod pickle;
mod state;
mod tensor;
mod value;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::{Error, Result};
pub use fault::Fault;
use state::Contents;
use tensor::Layout;
pub use tensor::{Dtype, Tensor};

/// An open checkpoint: its file, mapped into memory, and where each tensor is in it.
pub struct Checkpoint {
    file: PathBuf,
    data: Mmap,
    layouts: Vec<Layout>,
    by_name: HashMap<String, usize>,
}

/// Opens a checkpoint and checks that every tensor is whole; the tensors' data are read when they are asked for.
///
/// Its tensors are those of the state_dict: of the dict under `model`, `state_dict` or `model_state_dict` if the file
/// has one, else of the file's own dict. Names of dicts in dicts are joined by dots; all that is not a tensor is left
/// out. The file must not change while it is open; its hash is the caller's to check.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Unreadable`], or [`Error::Checkpoint`] with a [`Fault`] that says what is wrong.
pub fn open(path: impl AsRef<Path>) -> Result<Checkpoint> {
    let file = path.as_ref().to_owned();
    let reading = |e| Error::reading(&file, e);
    let opened = std::fs::File::open(&file).map_err(reading)?;
    if opened.metadata().map_err(reading)?.len() == 0 {
        return Err(Error::Checkpoint { file, fault: Fault::Empty });
    }
    // SAFETY: the map is read only; that nobody shortens the file meanwhile is asked of the caller.
    let data = unsafe { Mmap::map(&opened) }.map_err(reading)?;
    match contents(&data).and_then(|contents| named(state::layouts(&contents)?)) {
        Ok((layouts, by_name)) => Ok(Checkpoint { file, data, layouts, by_name }),
        Err(fault) => Err(Error::Checkpoint { file, fault }),
    }
}

/// Takes a file of either format apart.
fn contents(data: &[u8]) -> Result<Contents<'_>, Fault> {
    if data.starts_with(archive::BEGINNING) {
        return archive::read(data);
    }
    if data.starts_with(legacy::BEGINNING) {
        return legacy::read(data);
    }
    let start = &data[..data.len().min(legacy::BEGINNING.len())];
    if legacy::BEGINNING.starts_with(start) || archive::BEGINNING.starts_with(start) {
        let needed = legacy::BEGINNING.len() as u64;
        return Err(Fault::Truncated { what: "its beginning", at: 0, needed, left: data.len() });
    }
    let text = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii_start();
    if text.starts_with(b"<") {
        return Err(Fault::WebPage);
    }
    Err(Fault::NotACheckpoint { start: fault::quoted(start) })
}

/// Numbers the tensors by name, which none may share.
fn named(layouts: Vec<Layout>) -> Result<(Vec<Layout>, HashMap<String, usize>), Fault> {
    let mut by_name = HashMap::new();
    for (number, layout) in layouts.iter().enumerate() {
        if by_name.insert(layout.name.clone(), number).is_some() {
            return Err(Fault::Duplicate { name: fault::quoted(layout.name.as_bytes()) });
        }
    }
    Ok((layouts, by_name))
}

impl Checkpoint {
    /// Gets the tensor of a name, for example `bn0.weight`.
    ///
    /// # Errors
    /// [`Fault::NoTensor`] in [`Error::Checkpoint`] if there is none.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>> {
        let layout = self.by_name.get(name).and_then(|&number| self.layouts.get(number));
        layout.map(|layout| self.view(layout)).ok_or_else(|| {
            let fault = Fault::NoTensor { name: name.into(), among: self.layouts.len() };
            Error::Checkpoint { file: self.file.clone(), fault }
        })
    }

    /// Lists the tensors in the order of the file.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = Tensor<'_>> {
        self.layouts.iter().map(|layout| self.view(layout))
    }

    /// Lists the tensors' names in the order of the file.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.layouts.iter().map(|layout| layout.name.as_str())
    }

    fn view<'a>(&'a self, layout: &'a Layout) -> Tensor<'a> {
        Tensor { layout, data: &self.data, file: &self.file }
    }
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checkpoint({}: {} tensors)", self.file.display(), self.layouts.len())
    }
}
