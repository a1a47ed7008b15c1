//! The format of `torch.save` before PyTorch 1.6: five pickles one after the other, then the data of each storage.

use std::collections::HashMap;

use super::bytes::Bytes;
use super::fault::Fault;
use super::pickle;
use super::state::Contents;
use super::value::{Pickle, Value};

/// What such a file begins with: the pickle of the number 0x1950a86a20f9469cfc6c.
pub(super) const BEGINNING: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

const VERSION: i64 = 1001;

/// Reads a whole file.
pub(super) fn read(data: &[u8]) -> Result<Contents<'_>, Fault> {
    let version = pickle::read(data, BEGINNING.len())?;
    match version.root() {
        Value::Int(VERSION) => {}
        _ => return Err(Fault::Malformed { what: "its version is not 1001", at: BEGINNING.len() }),
    }
    let machine = pickle::read(data, version.end)?;
    let little_endian = machine.dict(machine.root).into_iter().flatten().find_map(|&(key, value)| {
        let Value::Bool(little) = *machine.get(value) else { return None };
        (machine.text(key) == Some("little_endian")).then_some(little)
    });
    match little_endian {
        Some(true) => {}
        Some(false) => return Err(Fault::BigEndian),
        None => return Err(Fault::Malformed { what: "it does not tell its byte order", at: version.end }),
    }
    let state = pickle::read(data, machine.end)?;
    let keys = pickle::read(data, state.end)?;
    let places = places(data, &state, &keys)?;
    Ok(Contents { data, pickle: state, places })
}

/// Finds the data of each storage, in bytes of the file: the number of its elements and then they.
fn places<'a>(
    data: &'a [u8],
    state: &Pickle<'a>,
    keys: &Pickle<'a>,
) -> Result<HashMap<&'a str, std::ops::Range<usize>>, Fault> {
    let mut sizes = HashMap::new();
    for storage in &state.storages {
        if *sizes.entry(storage.key).or_insert(storage.dtype.size()) != storage.dtype.size() {
            return Err(Fault::Malformed { what: "a storage has elements of two sizes", at: state.end });
        }
    }
    let Value::List(list) = keys.root() else {
        return Err(Fault::Malformed { what: "it does not list its storages", at: state.end });
    };
    let mut places = HashMap::new();
    let mut bytes = Bytes::new(data, keys.end, "the data of a tensor");
    for &key in list {
        let sized = keys.text(key).and_then(|key| Some((key, *sizes.get(key)?)));
        let (key, size) = sized.ok_or(Fault::Malformed { what: "it has data of no known type", at: state.end })?;
        let length = bytes.u64()?.saturating_mul(size as u64);
        let start = bytes.at;
        bytes.take(length)?;
        if places.insert(key, start..bytes.at).is_some() {
            return Err(Fault::Malformed { what: "it lists a storage twice", at: state.end });
        }
    }
    Ok(places)
}
