//! What a checkpoint's pickle says: values that refer to each other by number, and the few Python objects allowed.

use super::fault::{Fault, quoted};
use super::tensor::Dtype;

/// The number of a value. Python's values are shared and may contain themselves; numbers never make a cycle to free.
pub(super) type Id = u32;

/// A value of a pickle.
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits.
    Wide,
    Float,
    Text(&'a str),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// In the order of the file, repeated keys included.
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// The number of a storage in [`Pickle::storages`].
    Storage(u32),
    Tensor(RawTensor),
}

/// A tensor as the pickle describes it: numbers of values that are not checked yet.
#[derive(Clone, Copy)]
pub(super) struct RawTensor {
    pub storage: Id,
    pub offset: Id,
    pub shape: Id,
    pub strides: Id,
}

/// A storage that the pickle refers to: `numel` elements from the element `offset` of the data named `key`.
#[derive(Clone, Copy)]
pub(super) struct Storage<'a> {
    pub key: &'a str,
    pub dtype: Dtype,
    pub offset: i64,
    pub numel: i64,
}

/// The Python objects that a checkpoint may name. None of them is run; each stands for what it would make.
#[derive(Clone, Copy)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
}

impl Global {
    /// Finds an object in the list of those allowed.
    pub(super) fn find(module: &[u8], name: &[u8], at: usize) -> Result<Self, Fault> {
        let refused = || Fault::Global { name: quoted(&[module, b".", name].concat()), at };
        Ok(match (module, name) {
            (b"collections", b"OrderedDict") => Self::OrderedDict,
            (b"torch._utils", b"_rebuild_tensor" | b"_rebuild_tensor_v2") => Self::RebuildTensor,
            (b"torch._utils", b"_rebuild_parameter") => Self::RebuildParameter,
            (b"torch", name) => Self::Storage(Dtype::of_storage(name).ok_or_else(refused)?),
            _ => return Err(refused()),
        })
    }
}

/// A pickle that has been read.
pub(super) struct Pickle<'a> {
    pub values: Vec<Value<'a>>,
    pub storages: Vec<Storage<'a>>,
    pub root: Id,
    /// The byte after its last.
    pub end: usize,
}

impl<'a> Pickle<'a> {
    /// Gets a value; every number that a pickle holds is one of its own values.
    pub(super) fn get(&self, id: Id) -> &Value<'a> {
        self.values.get(id as usize).unwrap_or(&Value::None)
    }

    pub(super) fn root(&self) -> &Value<'a> {
        self.get(self.root)
    }

    pub(super) fn int(&self, id: Id) -> Option<i64> {
        if let Value::Int(int) = *self.get(id) { Some(int) } else { None }
    }

    pub(super) fn text(&self, id: Id) -> Option<&'a str> {
        if let Value::Text(text) = *self.get(id) { Some(text) } else { None }
    }

    pub(super) fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        if let Value::Dict(entries) = self.get(id) { Some(entries) } else { None }
    }
}
