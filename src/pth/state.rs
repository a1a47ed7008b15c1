//! The named tensors of a checkpoint's state_dict, each checked to lie inside of its storage.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::fault::{Fault, quoted};
use super::tensor::Layout;
use super::value::{Id, Pickle, RawTensor, Value};

/// A file of either format, taken apart.
pub(super) struct Contents<'a> {
    pub data: &'a [u8],
    pub pickle: Pickle<'a>,
    /// The bytes of the file that each storage has.
    pub places: HashMap<&'a str, Range<usize>>,
}

/// The keys under which training scripts keep the weights beside other things.
const NESTED: [&str; 3] = ["model", "state_dict", "model_state_dict"];

const MAX_TENSORS: usize = 1 << 14;
const MAX_NAME: usize = 512;
const MAX_DEPTH: usize = 16;
const MAX_RANK: usize = 16;
/// Dicts may be shared, so that walking them can take longer than reading them.
const MAX_VISITS: usize = 1 << 18;

/// Finds the tensors, in the order of the file.
pub(super) fn layouts(contents: &Contents<'_>) -> Result<Vec<Layout>, Fault> {
    let pickle = &contents.pickle;
    let mut walk = Walk { contents, layouts: Vec::new(), visits: 0 };
    let root = pickle.dict(pickle.root).ok_or(Fault::NoTensors)?;
    walk.check_keys(root)?;
    let under =
        |name| root.iter().find(|&&(key, value)| pickle.text(key) == Some(name) && pickle.dict(value).is_some());
    let state = NESTED.iter().find_map(|name| under(name)).map_or(pickle.root, |&(_, value)| value);
    walk.dict(state, "", 0)?;
    if walk.layouts.is_empty() {
        return Err(Fault::NoTensors);
    }
    Ok(walk.layouts)
}

struct Walk<'c, 'a> {
    contents: &'c Contents<'a>,
    layouts: Vec<Layout>,
    visits: usize,
}

impl Walk<'_, '_> {
    /// Adds the tensors of a dict and of the dicts in it, whose names are joined by dots.
    fn dict(&mut self, id: Id, prefix: &str, depth: usize) -> Result<(), Fault> {
        let pickle = &self.contents.pickle;
        let Some(entries) = pickle.dict(id) else { return Ok(()) };
        if depth == MAX_DEPTH {
            return Err(Fault::TooMuch { what: "dicts inside of each other", limit: MAX_DEPTH });
        }
        self.check_keys(entries)?;
        for &(key, value) in entries {
            let is_tensor = matches!(pickle.get(value), Value::Tensor(_));
            if !is_tensor && pickle.dict(value).is_none() {
                continue;
            }
            let name = match pickle.get(key) {
                Value::Text(text) => format!("{prefix}{text}"),
                Value::Int(int) => format!("{prefix}{int}"),
                _ => continue,
            };
            if name.len() > MAX_NAME {
                return Err(Fault::TooMuch { what: "letters in a name", limit: MAX_NAME });
            }
            match pickle.get(value) {
                &Value::Tensor(raw) => self.tensor(name, raw)?,
                _ => self.dict(value, &format!("{name}."), depth + 1)?,
            }
        }
        Ok(())
    }

    /// Refuses a dict that has a key twice, and more dicts than anyone saves.
    fn check_keys(&mut self, entries: &[(Id, Id)]) -> Result<(), Fault> {
        self.visits += 1 + entries.len();
        if self.visits > MAX_VISITS {
            return Err(Fault::TooMuch { what: "entries of dicts", limit: MAX_VISITS });
        }
        let mut seen = HashSet::new();
        let mut keys = entries.iter().filter_map(|&(key, _)| self.contents.pickle.text(key));
        match keys.find(|key| !seen.insert(*key)) {
            Some(key) => Err(Fault::Duplicate { name: quoted(key.as_bytes()) }),
            None => Ok(()),
        }
    }

    fn tensor(&mut self, name: String, raw: RawTensor) -> Result<(), Fault> {
        if self.layouts.len() == MAX_TENSORS {
            return Err(Fault::TooMuch { what: "tensors", limit: MAX_TENSORS });
        }
        let layout = self.layout(name, raw)?;
        self.layouts.push(layout);
        Ok(())
    }

    fn layout(&self, name: String, raw: RawTensor) -> Result<Layout, Fault> {
        let Contents { data, ref pickle, ref places } = *self.contents;
        let malformed = |what| Fault::Malformed { what, at: pickle.end };
        let &Value::Storage(storage) = pickle.get(raw.storage) else {
            return Err(malformed("a tensor has no storage"));
        };
        let storage = pickle.storages.get(storage as usize).ok_or_else(|| malformed("a tensor has no storage"))?;
        let tensor = quoted(name.as_bytes());
        let key = quoted(storage.key.as_bytes());
        let place = places.get(storage.key).ok_or_else(|| Fault::NoStorage { tensor: tensor.clone(), key })?;

        let (shape, strides) = (self.ints(raw.shape)?, self.ints(raw.strides)?);
        if shape.len() != strides.len() {
            return Err(malformed("a tensor has more sizes than strides, or fewer"));
        }
        let offset = pickle.int(raw.offset).ok_or_else(|| malformed("a tensor does not tell where it begins"))?;
        let out_of_range =
            || Fault::OutOfRange { tensor: tensor.clone(), shape: shape.clone(), strides: strides.clone() };
        let size = storage.dtype.size();
        let extent = extent(&shape, &strides, offset).ok_or_else(out_of_range)?;
        // Strides of 0 repeat elements, so that a small file could ask for any amount of memory.
        let numel = usize::try_from(extent.numel).ok().filter(|&numel| numel <= data.len() / size);
        let numel = numel.ok_or_else(out_of_range)?;

        let in_file = (place.len() / size) as u64;
        let view_start = u64::try_from(storage.offset).map_err(|_| out_of_range())?;
        let view_length = u64::try_from(storage.numel).map_err(|_| out_of_range())?;
        let has = in_file.saturating_sub(view_start).min(view_length);
        if extent.end > has {
            return Err(Fault::ShortStorage { tensor, needed: extent.end, has });
        }
        // All of it is inside of the file, so that the sums below fit; a tensor of nothing begins anywhere.
        let first = if numel == 0 { 0 } else { storage.offset as usize + offset as usize };
        let whole = |numbers: Vec<i64>| numbers.into_iter().map(|number| number as usize).collect();
        let start = place.start + first * size;
        Ok(Layout { name, dtype: storage.dtype, shape: whole(shape), strides: whole(strides), start, numel })
    }

    fn ints(&self, tuple: Id) -> Result<Vec<i64>, Fault> {
        let Contents { ref pickle, .. } = *self.contents;
        let malformed = || Fault::Malformed { what: "a tensor's shape is not one", at: pickle.end };
        let Value::Tuple(items) = pickle.get(tuple) else { return Err(malformed()) };
        if items.len() > MAX_RANK {
            return Err(Fault::TooMuch { what: "dimensions of a tensor", limit: MAX_RANK });
        }
        items.iter().map(|&item| pickle.int(item).ok_or_else(malformed)).collect()
    }
}

/// What a tensor takes of its storage, in elements.
struct Extent {
    numel: u64,
    /// One after the last element of the storage that it uses.
    end: u64,
}

/// Multiplies a layout out; `None` for negative numbers and what does not fit 63 bits.
fn extent(shape: &[i64], strides: &[i64], offset: i64) -> Option<Extent> {
    if offset < 0 || shape.iter().chain(strides).any(|&number| number < 0) {
        return None;
    }
    if shape.contains(&0) {
        return Some(Extent { numel: 0, end: 0 });
    }
    let (mut numel, mut last) = (1i64, offset);
    for (&size, &stride) in shape.iter().zip(strides) {
        numel = numel.checked_mul(size)?;
        last = last.checked_add((size - 1).checked_mul(stride)?)?;
    }
    Some(Extent { numel: numel as u64, end: last as u64 + 1 })
}
