//! Checkpoints that torch wrote, against what torch reads from them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use earworm::Error;
use earworm::pth::{self, Fault};
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pth").join(name)
}

fn expected() -> serde_json::Map<String, Value> {
    serde_json::from_slice(&std::fs::read(golden("expected.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn reads_what_torch_reads() {
    let mut tensors = 0;
    for (file, rows) in expected() {
        let checkpoint = pth::open(golden(&file)).unwrap();
        let rows = rows.as_array().unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(checkpoint.names().collect::<Vec<_>>(), names, "{file}");
        for row in rows {
            let name = row["name"].as_str().unwrap();
            let tensor = checkpoint.tensor(name).unwrap();
            let shape = numbers(&row["shape"]);
            assert_eq!((tensor.name(), tensor.shape()), (name, &shape[..]));
            assert_eq!(tensor.numel(), shape.iter().product::<usize>());
            assert_eq!(tensor.strides(), numbers(&row["strides"]), "{file} {name}");
            assert_eq!(tensor.is_contiguous(), row["contiguous"].as_bool().unwrap(), "{file} {name}");
            let dtype = row["dtype"].as_str().unwrap();
            let short = dtype.replace("bfloat", "bf").replace("float", "f").replace("uint", "u").replace("int", "i");
            assert_eq!(tensor.dtype().to_string(), short);
            let bytes = tensor.bytes();
            assert_eq!(hexadecimal(&bytes), row["bytes"].as_str().unwrap(), "{file} {name}");
            assert_eq!(matches!(bytes, Cow::Borrowed(_)), tensor.is_contiguous(), "{file} {name}");
            match tensor.f32() {
                Ok(floats) => {
                    assert_eq!(dtype, "float32");
                    let again: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
                    assert_eq!(again, *bytes, "{file} {name}");
                }
                Err(Error::Checkpoint { fault: Fault::NotF32 { tensor, .. }, .. }) => {
                    assert_ne!(dtype, "float32");
                    assert_eq!(tensor, name);
                }
                Err(error) => panic!("{error}"),
            }
            tensors += 1;
        }
    }
    assert_eq!(tensors, 2 * (25 + 8 + 8), "every row of expected.json was compared");
}

#[test]
fn maps_what_is_aligned() {
    let checkpoint = pth::open(golden("tricky.zip.pth")).unwrap();
    assert!(matches!(checkpoint.tensor("plain").unwrap().f32().unwrap(), Cow::Borrowed(_)));
    assert!(matches!(checkpoint.tensor("transposed").unwrap().f32().unwrap(), Cow::Owned(_)));
}

#[test]
fn says_what_is_missing() {
    let checkpoint = pth::open(golden("network.zip.pth")).unwrap();
    let message = checkpoint.tensor("bn0.weight").unwrap_err().to_string();
    assert!(message.contains("there is no tensor bn0.weight among its 8. List them with names()"), "{message}");
    assert!(matches!(pth::open("no/such.pth").unwrap_err(), Error::NotFound { .. }));
    assert!(matches!(pth::open(golden("")).unwrap_err(), Error::Unreadable { .. }));
}

#[test]
fn tells_every_cut_from_a_whole_file() {
    for file in ["tricky.legacy.pth", "network.zip.pth"] {
        let whole = std::fs::read(golden(file)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.pth");
        std::fs::write(&path, &whole).unwrap();
        let copy = std::fs::File::options().write(true).open(&path).unwrap();
        for length in (1..whole.len()).rev() {
            copy.set_len(length as u64).unwrap();
            let Err(Error::Checkpoint { fault, .. }) = pth::open(&path) else { panic!("{file} cut at {length}") };
            assert!(matches!(fault, Fault::Truncated { .. }), "{file} cut at {length}: {fault}");
        }
    }
}
