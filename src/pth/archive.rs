//! The format of `torch.save` since PyTorch 1.6: a zip archive of uncompressed entries.
//!
//! What is read here is the part of PKWARE's APPNOTE.TXT (4.3 to 4.5) that such archives use.

use std::collections::HashMap;
use std::ops::Range;

use super::bytes::Bytes;
use super::fault::Fault;
use super::pickle;
use super::state::Contents;

/// What such a file begins with: the header of its first entry.
pub(super) const BEGINNING: &[u8] = b"PK\x03\x04";

/// The length of the record that ends an archive, and of the longest comment after it.
const END_LENGTH: usize = 22;
const MAX_COMMENT: usize = 0xffff;

/// Reads a whole file.
pub(super) fn read(data: &[u8]) -> Result<Contents<'_>, Fault> {
    let entries = entries(data)?;
    let mut folders = entries.keys().filter_map(|name| name.strip_suffix("/data.pkl")).filter(|f| !f.contains('/'));
    let (Some(folder), None) = (folders.next(), folders.next()) else {
        return Err(Fault::Malformed { what: "it is a zip archive without one FOLDER/data.pkl", at: 0 });
    };
    let entry = |name: &str| entries.get(format!("{folder}/{name}").as_str()).cloned().unwrap_or(0..0);
    if data[entry("byteorder")].trim_ascii() == b"big" {
        return Err(Fault::BigEndian);
    }
    let described = entry("data.pkl");
    let pickle = pickle::read(&data[..described.end], described.start)?;
    let in_data = |name: &'_ str| name.strip_prefix(folder).and_then(|name| name.strip_prefix("/data/")).is_some();
    let skip = folder.len() + "/data/".len();
    let places = entries.iter().filter(|(name, _)| in_data(name)).map(|(&name, place)| (&name[skip..], place.clone()));
    Ok(Contents { data, pickle, places: places.collect() })
}

/// Finds the data of every entry by the directory at the end of the file.
fn entries(data: &[u8]) -> Result<HashMap<&str, Range<usize>>, Fault> {
    let (count, start) = directory(data)?;
    let mut directory = Bytes::new(data, start, "its zip directory");
    let mut entries = HashMap::new();
    for _ in 0..count {
        let at = directory.at;
        let malformed = |what| Fault::Malformed { what, at };
        if directory.take(4)? != b"PK\x01\x02" {
            return Err(malformed("its zip directory is damaged"));
        }
        directory.take(4)?;
        let (flags, method) = (directory.u16()?, directory.u16()?);
        if flags & 1 != 0 || method != 0 {
            return Err(Fault::Unsupported { what: "a compressed or encrypted zip entry".into(), at });
        }
        directory.take(12)?;
        let length = directory.u32()?;
        let (name, extra, comment) = (directory.u16()?, directory.u16()?, directory.u16()?);
        directory.take(8)?;
        let header = directory.u32()?;
        let name = directory.take(name.into())?;
        let mut wide = wide_fields(directory.take(extra.into())?);
        directory.take(comment.into())?;
        // The uncompressed length comes first in both places, and equals the compressed one here.
        let mut widened = |field: u32| if field == u32::MAX { wide.next() } else { Some(field.into()) };
        let (Some(length), Some(header)) = (widened(length), widened(header)) else {
            return Err(malformed("a zip entry does not tell its place"));
        };
        let name = std::str::from_utf8(name).map_err(|_| malformed("a zip entry's name is not UTF-8"))?;
        if entries.insert(name, place(data, header, length)?).is_some() {
            return Err(malformed("two zip entries have one name"));
        }
    }
    Ok(entries)
}

/// Finds the directory: how many entries it has and the byte at which it begins.
fn directory(data: &[u8]) -> Result<(u64, usize), Fault> {
    let tail = &data[data.len().saturating_sub(END_LENGTH + MAX_COMMENT)..];
    let end = tail.windows(END_LENGTH).rposition(|record| record.starts_with(b"PK\x05\x06"));
    let what = "the end of a zip archive";
    let Some(end) = end.map(|end| data.len() - tail.len() + end) else {
        return Err(Fault::Truncated { what, at: data.len(), needed: END_LENGTH as u64, left: 0 });
    };
    let mut record = Bytes::new(data, end + 10, what);
    let (mut count, mut start) = (
        u64::from(record.u16()?),
        u64::from({
            record.take(4)?;
            record.u32()?
        }),
    );
    if let Some(locator) = end.checked_sub(20).filter(|&at| data[at..].starts_with(b"PK\x06\x07")) {
        let at = Bytes::new(data, locator + 8, what).u64()?;
        let mut record = Bytes::new(data, usize::try_from(at).unwrap_or(usize::MAX), what);
        if record.take(4)? != b"PK\x06\x06" {
            return Err(Fault::Malformed { what: "its zip directory is damaged", at: locator });
        }
        record.take(28)?;
        count = record.u64()?;
        record.take(8)?;
        start = record.u64()?;
    }
    Ok((count, usize::try_from(start).unwrap_or(usize::MAX)))
}

/// Gets the 64-bit fields that an entry has where 32 bits do not suffice (APPNOTE.TXT 4.5.3).
fn wide_fields(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut fields: &[u8] = &[];
    while let Some((&[id, id_high, length, length_high], rest)) = extra.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([length, length_high])).min(rest.len());
        if (id, id_high) == (1, 0) {
            fields = &rest[..length];
        }
        extra = &rest[length..];
    }
    fields.as_chunks::<8>().0.iter().map(|&field| u64::from_le_bytes(field))
}

/// Finds an entry's data, which comes after a header of its own.
fn place(data: &[u8], header: u64, length: u64) -> Result<Range<usize>, Fault> {
    let mut local = Bytes::new(data, usize::try_from(header).unwrap_or(usize::MAX), "a zip entry");
    let at = local.at;
    if local.take(4)? != BEGINNING {
        return Err(Fault::Malformed { what: "a zip entry does not begin where the directory says", at });
    }
    local.take(22)?;
    let (name, extra) = (local.u16()?, local.u16()?);
    local.take(u64::from(name) + u64::from(extra))?;
    let start = local.at;
    local.take(length)?;
    Ok(start..local.at)
}
