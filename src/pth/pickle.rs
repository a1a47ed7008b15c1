//! Reads the part of Python's pickle protocol 2 that PyTorch writes. Nothing in a pickle is executed.
//!
//! The instructions are those of the module `pickletools` of Python's standard library.

use std::collections::HashMap;

use super::bytes::Bytes;
use super::fault::Fault;
use super::value::{Global, Id, Pickle, Storage, Value};

/// Bounds of a pickle, which has some twenty instructions and a dozen values for each tensor.
const MAX_STEPS: usize = 1 << 20;
const MAX_VALUES: usize = 1 << 18;

/// Reads the pickle that begins at the byte `at` of `data`.
pub(super) fn read(data: &[u8], at: usize) -> Result<Pickle<'_>, Fault> {
    let mut machine = Machine {
        bytes: Bytes::new(data, at, "its description of the tensors"),
        op_at: at,
        values: Vec::new(),
        storages: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    for _ in 0..MAX_STEPS {
        if let Some(root) = machine.step()? {
            let Machine { bytes, values, storages, .. } = machine;
            return Ok(Pickle { values, storages, root, end: bytes.at });
        }
    }
    Err(Fault::TooMuch { what: "instructions", limit: MAX_STEPS })
}

/// What the instructions work on.
pub(super) struct Machine<'a> {
    bytes: Bytes<'a>,
    /// Where the current instruction begins.
    op_at: usize,
    values: Vec<Value<'a>>,
    pub storages: Vec<Storage<'a>>,
    pub stack: Vec<Id>,
    /// Heights of the stack at which groups begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    /// Carries out one instruction; the last one gives the pickle's value.
    fn step(&mut self) -> Result<Option<Id>, Fault> {
        self.op_at = self.bytes.at;
        match self.bytes.u8()? {
            0x80 => self.protocol()?,
            b'N' => self.push(Value::None)?,
            0x88 => self.push(Value::Bool(true))?,
            0x89 => self.push(Value::Bool(false))?,
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => {
                let int = self.bytes.u32()?.cast_signed();
                self.push(Value::Int(int.into()))?;
            }
            0x8a => self.long()?,
            b'G' => {
                self.bytes.take(8)?;
                self.push(Value::Float)?;
            }
            b'U' => self.text(1)?,
            b'T' | b'X' => self.text(4)?,
            b'(' => self.marks.push(self.stack.len()),
            b')' => self.push(Value::Tuple(Vec::new()))?,
            b']' => self.push(Value::List(Vec::new()))?,
            b'}' => self.push(Value::Dict(Vec::new()))?,
            b't' => {
                let items = self.pop_group()?;
                self.push(Value::Tuple(items))?;
            }
            count @ 0x85..=0x87 => {
                let mut items = vec![0; usize::from(count - 0x84)];
                for item in items.iter_mut().rev() {
                    *item = self.pop()?;
                }
                self.push(Value::Tuple(items))?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_group()?;
                self.append(&items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_group()?;
                self.set_items(&items)?;
            }
            b'q' => self.put(1)?,
            b'r' => self.put(4)?,
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_group()?),
            b'2' => self.stack.push(self.top()?),
            b'c' => {
                let global = Global::find(self.bytes.line()?, self.bytes.line()?, self.op_at)?;
                self.push(Value::Global(global))?;
            }
            b'R' => self.call()?,
            b'b' => self.build()?,
            b'Q' => self.storage()?,
            b'.' => return self.pop().map(Some),
            code => {
                return Err(Fault::Unsupported { what: format!("instruction 0x{code:02x}"), at: self.op_at });
            }
        }
        Ok(None)
    }

    pub(super) fn malformed(&self, what: &'static str) -> Fault {
        Fault::Malformed { what, at: self.op_at }
    }

    fn protocol(&mut self) -> Result<(), Fault> {
        match self.bytes.u8()? {
            0..=2 => Ok(()),
            version => Err(Fault::Unsupported { what: format!("pickle protocol {version}"), at: self.op_at }),
        }
    }

    pub(super) fn push(&mut self, value: Value<'a>) -> Result<(), Fault> {
        if self.values.len() == MAX_VALUES {
            return Err(Fault::TooMuch { what: "values", limit: MAX_VALUES });
        }
        self.stack.push(self.values.len() as Id);
        self.values.push(value);
        Ok(())
    }

    pub(super) fn top(&self) -> Result<Id, Fault> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        let top = self.stack.get(bottom..).and_then(<[Id]>::last);
        top.copied().ok_or_else(|| self.malformed("an instruction lacks its operand"))
    }

    pub(super) fn pop(&mut self) -> Result<Id, Fault> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// Pops all that came after the last mark.
    fn pop_group(&mut self) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop().ok_or_else(|| self.malformed("a group has no beginning"))?;
        Ok(self.stack.split_off(mark))
    }

    /// Reads an unsigned number of 1, 2 or 4 bytes.
    fn number(&mut self, width: u8) -> Result<u32, Fault> {
        match width {
            1 => self.bytes.u8().map(u32::from),
            2 => self.bytes.u16().map(u32::from),
            _ => self.bytes.u32(),
        }
    }

    fn int(&mut self, width: u8) -> Result<(), Fault> {
        let int = self.number(width)?;
        self.push(Value::Int(int.into()))
    }

    fn long(&mut self) -> Result<(), Fault> {
        let count = self.bytes.u8()?;
        let digits = self.bytes.take(count.into())?;
        if digits.len() > 8 {
            return self.push(Value::Wide);
        }
        let sign = if digits.last().is_some_and(|&last| last >= 0x80) { 0xff } else { 0 };
        let mut wide = [sign; 8];
        wide[..digits.len()].copy_from_slice(digits);
        self.push(Value::Int(i64::from_le_bytes(wide)))
    }

    fn text(&mut self, width: u8) -> Result<(), Fault> {
        let count = self.number(width)?;
        let text = self.bytes.take(count.into())?;
        let text = std::str::from_utf8(text).map_err(|_| self.malformed("a text is not UTF-8"))?;
        self.push(Value::Text(text))
    }

    fn put(&mut self, width: u8) -> Result<(), Fault> {
        let slot = self.number(width)?;
        let top = self.top()?;
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall(&mut self, width: u8) -> Result<(), Fault> {
        let slot = self.number(width)?;
        let id = self.memo.get(&slot).ok_or_else(|| self.malformed("it refers to a value that is not there"))?;
        self.stack.push(*id);
        Ok(())
    }

    fn append(&mut self, items: &[Id]) -> Result<(), Fault> {
        let list = self.top()?;
        match self.values.get_mut(list as usize) {
            Some(Value::List(list)) => list.extend_from_slice(items),
            _ => return Err(self.malformed("it adds to what is not a list")),
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Id]) -> Result<(), Fault> {
        let dict = self.top()?;
        let (pairs, rest) = items.as_chunks::<2>();
        match self.values.get_mut(dict as usize) {
            Some(Value::Dict(entries)) if rest.is_empty() => entries.extend(pairs.iter().map(|&[k, v]| (k, v))),
            _ => return Err(self.malformed("it sets items of what is not a dict")),
        }
        Ok(())
    }

    pub(super) fn get(&self, id: Id) -> &Value<'a> {
        self.values.get(id as usize).unwrap_or(&Value::None)
    }
}
