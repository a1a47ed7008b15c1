//! What the objects that a pickle asks Python for would be: dicts, tensors, parameters and storages.

use super::fault::Fault;
use super::pickle::Machine;
use super::value::{Global, Id, RawTensor, Storage, Value};

impl<'a> Machine<'a> {
    /// Puts what an allowed call would make on the stack.
    pub(super) fn call(&mut self) -> Result<(), Fault> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let (Value::Global(global), Value::Tuple(arguments)) = (self.get(callable), self.get(arguments)) else {
            return Err(self.malformed("it calls what cannot be called"));
        };
        match (global, arguments.as_slice()) {
            (Global::OrderedDict, []) => self.push(Value::Dict(Vec::new())),
            (Global::RebuildTensor, &[storage, offset, shape, strides, ..]) => {
                self.push(Value::Tensor(RawTensor { storage, offset, shape, strides }))
            }
            (Global::RebuildParameter, &[tensor, ..]) if matches!(self.get(tensor), Value::Tensor(_)) => {
                self.stack.push(tensor);
                Ok(())
            }
            _ => Err(self.malformed("a call has the wrong arguments")),
        }
    }

    /// Drops the attributes of a dict: a state_dict has its versions there.
    pub(super) fn build(&mut self) -> Result<(), Fault> {
        self.pop()?;
        let object = self.top()?;
        if matches!(self.get(object), Value::Dict(_)) { Ok(()) } else { Err(self.malformed("it sets attributes")) }
    }

    /// Puts a storage on the stack: `("storage", type, key, device, elements[, None or (key, offset, elements)])`.
    pub(super) fn storage(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        let storage = self.described_storage(id).ok_or_else(|| self.malformed("a storage is not described as one"))?;
        let number = self.storages.len() as u32;
        self.storages.push(storage);
        self.push(Value::Storage(number))
    }

    fn described_storage(&self, id: Id) -> Option<Storage<'a>> {
        let Value::Tuple(parts) = self.get(id) else { return None };
        let (&[kind, dtype, key, _device, numel], view) = parts.split_first_chunk()?;
        let (Value::Text("storage"), Value::Text(key)) = (self.get(kind), self.get(key)) else { return None };
        let (&Value::Global(Global::Storage(dtype)), &Value::Int(numel)) = (self.get(dtype), self.get(numel)) else {
            return None;
        };
        let (offset, numel) = match view.first().map(|&view| self.get(view)) {
            None | Some(Value::None) => (0, numel),
            Some(Value::Tuple(view)) => {
                let &[_key, offset, numel] = view.as_slice() else { return None };
                let (&Value::Int(offset), &Value::Int(numel)) = (self.get(offset), self.get(numel)) else {
                    return None;
                };
                (offset, numel)
            }
            Some(_) => return None,
        };
        Some(Storage { key, dtype, offset, numel })
    }
}
