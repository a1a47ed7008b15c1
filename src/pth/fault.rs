//! What can be wrong with a checkpoint, where in the file, and what to do about it.

use super::tensor::Dtype;

/// The reason why a file is not read as a checkpoint. Places are byte offsets into the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("it is empty. Fetch it again.")]
    Empty,

    #[error("it is a web page. Download the file itself, not the page that links to it.")]
    WebPage,

    #[error("it begins with {start}, as neither of PyTorch's two formats does. Check that it is the right file.")]
    NotACheckpoint { start: String },

    #[error("it is truncated: {what} at byte {at} needs {needed} bytes, {left} are left. Fetch it again.")]
    Truncated { what: &'static str, at: usize, needed: u64, left: usize },

    #[error(
        "at byte {at} it asks for the Python object {name}; nothing was run, and only tensors are read. Do not load it elsewhere unless you trust its source; if you do, save its tensors alone: torch.save(checkpoint[\"model\"], file)."
    )]
    Global { name: String, at: usize },

    #[error(
        "at byte {at} it is written in a way that PyTorch's own pickles are not: {what}. Save it again with torch.save(state_dict, file)."
    )]
    Unsupported { what: String, at: usize },

    #[error("at byte {at} it makes no sense: {what}. Fetch it again, or save it again with torch.save.")]
    Malformed { what: &'static str, at: usize },

    #[error(
        "it has more than {limit} {what}, far beyond what a model's weights need. Save the state_dict alone with torch.save."
    )]
    TooMuch { what: &'static str, limit: usize },

    #[error("it was written on a big-endian machine. Load it in Python and save it again with torch.save.")]
    BigEndian,

    #[error("it holds no tensor under a name. Save a state_dict: torch.save(model.state_dict(), file).")]
    NoTensors,

    #[error("the data of the tensor {tensor}, storage {key}, is missing. Fetch it again.")]
    NoStorage { tensor: String, key: String },

    #[error("the tensor {tensor} needs {needed} elements of its storage, which has {has}. Fetch it again.")]
    ShortStorage { tensor: String, needed: u64, has: u64 },

    #[error(
        "the tensor {tensor} has the shape {shape:?} and the strides {strides:?}, which is more than a file of this size can hold. Fetch it again; if it is your own, save tensor.contiguous()."
    )]
    OutOfRange { tensor: String, shape: Vec<i64>, strides: Vec<i64> },

    #[error("two values are named {name}. Rename one in Python and save it again.")]
    Duplicate { name: String },

    #[error("the tensor {tensor} holds {found} where f32 is needed. Convert it in Python: tensor.float().")]
    NotF32 { tensor: String, found: Dtype },

    #[error(
        "there is no tensor {name} among its {among}. List them with names(); is it the checkpoint of another model?"
    )]
    NoTensor { name: String, among: usize },
}

/// Quotes what a file says of itself, so that it stays one short line of an error.
pub(super) fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(80)]);
    format!("{text:?}")
}
