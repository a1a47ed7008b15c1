//! Files that are no checkpoints, or that contradict themselves.

use std::path::{Path, PathBuf};

use earworm::Error;
use earworm::pth::{self, Checkpoint, Fault};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pth").join(name)
}

/// The fault of a golden file, after a change of its bytes; its message must name the file and a next step.
fn fault(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Fault {
    let mut bytes = std::fs::read(golden(name)).unwrap_or_default();
    change(&mut bytes);
    fault_of(&bytes)
}

fn fault_of(bytes: &[u8]) -> Fault {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Cnn14.pth");
    std::fs::write(&path, bytes).unwrap();
    let error = pth::open(&path).err().or_else(|| read_all(&pth::open(&path).unwrap()).err()).expect("it was read");
    let message = error.to_string();
    assert!(message.starts_with(&format!("the PyTorch checkpoint {} cannot be used: ", path.display())), "{message}");
    assert!(message.len() < 500 && message.contains(". ") && message.ends_with('.'), "{message}");
    println!("{message}");
    let Error::Checkpoint { fault, .. } = error else { panic!("{message}") };
    fault
}

fn read_all(checkpoint: &Checkpoint) -> Result<(), Error> {
    checkpoint.tensors().try_for_each(|tensor| tensor.f32().map(drop))
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the bytes are there");
    bytes[at..at + to.len()].copy_from_slice(to);
}

/// A text as a pickle has it.
fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A legacy file of one f32 storage `0`, whose object pickle is given.
fn legacy(object: &[u8], floats: &[f32]) -> Vec<u8> {
    let header = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";
    let machine = [b"\x80\x02}", &text("little_endian")[..], b"\x88s."].concat();
    let key = if floats.is_empty() { Vec::new() } else { [&text("0")[..], b"a"].concat() };
    let keys = [b"\x80\x02]", &key[..], b"."].concat();
    let data: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
    let data = if data.is_empty() { data } else { [&(floats.len() as u64).to_le_bytes()[..], &data].concat() };
    [header, &machine[..], b"\x80\x02", object, b".", &keys, &data].concat()
}

/// The instructions for a tensor of that storage.
fn tensor(numel: u8, offset: &[u8], shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let storage =
        [b"(", &text("storage")[..], b"ctorch\nFloatStorage\n", &text("0"), &text("cpu"), b"K", &[numel], b"tQ"];
    [b"ctorch._utils\n_rebuild_tensor_v2\n(", &storage.concat()[..], offset, shape, strides, b"\x89}tR"].concat()
}

fn state(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|(key, value)| [text(key), value.clone(), b"s".to_vec()].concat());
    [b"}".to_vec(), entries.collect()].concat()
}

#[test]
fn refuses_what_is_no_checkpoint() {
    assert_eq!(fault_of(b""), Fault::Empty);
    assert_eq!(fault_of(b"\r\n <!DOCTYPE html><html>"), Fault::WebPage);
    assert_eq!(fault_of(b"\xef\xbb\xbf<html>"), Fault::WebPage);
    assert!(
        matches!(fault_of(b"version https://git-lfs"), Fault::NotACheckpoint { start } if start.contains("version"))
    );
    assert!(matches!(fault("pickle.bad.pth", |_| ()), Fault::NotACheckpoint { .. }));
    assert!(matches!(fault_of(b"PK"), Fault::Truncated { left: 2, .. }));
    assert_eq!(fault("lonely.zip.bad.pth", |_| ()), Fault::NoTensors);
    assert_eq!(fault("no_tensors.zip.bad.pth", |_| ()), Fault::NoTensors);
    assert!(
        matches!(fault("protocol4.zip.bad.pth", |_| ()), Fault::Unsupported { what, .. } if what.contains("protocol 4"))
    );
    assert!(matches!(fault("compressed.zip.bad.pth", |_| ()), Fault::Unsupported { what, .. } if what.contains("zip")));
}

#[test]
fn runs_nothing_and_names_it() {
    for file in ["evil.zip.bad.pth", "evil.legacy.bad.pth"] {
        assert!(matches!(fault(file, |_| ()), Fault::Global { name, .. } if name == "\"posix.system\""));
    }
    let module = fault("module.zip.bad.pth", |_| ());
    assert!(matches!(module, Fault::Global { name, .. } if name.contains("torch.nn.modules")));
    let long = [b"c", "os\u{1b}[2J".repeat(1000).as_bytes(), b"\nsystem\n"].concat();
    assert!(matches!(fault_of(&legacy(&long, &[])), Fault::Global { name, .. } if name.len() < 200));
}

#[test]
fn refuses_what_does_not_fit_its_storage() {
    let (four, one, two) = (b"K\x04\x85".to_vec(), b"K\x01\x85".to_vec(), b"K\x02\x85".to_vec());
    let case = |numel, offset: &[u8], shape: &[u8], strides: &[u8]| {
        fault_of(&legacy(&state(&[("a", tensor(numel, offset, shape, strides))]), &[1.0, 2.0, 3.0, 4.0]))
    };
    let short = |needed, has| Fault::ShortStorage { tensor: "\"a\"".into(), needed, has };
    assert_eq!(case(4, b"K\x01", &four, &one), short(5, 4));
    assert_eq!(case(4, b"K\x00", &four, &two), short(7, 4));
    assert_eq!(case(3, b"K\x00", &four, &one), short(4, 3));
    assert_eq!(case(9, b"K\x00", b"K\x05\x85", &one), short(5, 4));
    let huge = [b"\x8a\x08", &i64::MAX.to_le_bytes()[..]].concat();
    let pair = |a: &[u8], b: &[u8]| [a, b, b"\x86"].concat();
    let negative = b"J\xff\xff\xff\xff";
    let ones = pair(b"K\x01", b"K\x01");
    for (offset, shape, strides) in [
        (&b"K\x00"[..], pair(&huge, &huge), ones.clone()),
        (b"K\x00", pair(b"K\x02", b"K\x02"), pair(&huge, &huge)),
        (b"K\x00", pair(b"K\x02", negative), ones.clone()),
        (b"K\x00", pair(b"K\x02", b"K\x02"), pair(b"K\x01", negative)),
        (negative, pair(b"K\x02", b"K\x02"), ones.clone()),
        (b"K\x00", pair(&huge, b"K\x01"), pair(b"K\x00", b"K\x00")),
        (&huge, pair(b"K\x02", b"K\x02"), ones.clone()),
    ] {
        assert!(matches!(case(4, offset, &shape, &strides), Fault::OutOfRange { .. }));
    }
    let wide = [b"(", &b"K\x01".repeat(17)[..], b"t"].concat();
    assert!(matches!(case(4, b"K\x00", &wide, &wide), Fault::TooMuch { .. }));
    assert!(matches!(case(4, b"K\x00", &four, &ones), Fault::Malformed { .. }));
    assert!(matches!(case(4, b"N", &four, &one), Fault::Malformed { .. }));
}

#[test]
fn refuses_what_contradicts_itself() {
    let one = || tensor(4, b"K\x00", b"K\x04\x85", b"K\x01\x85");
    let floats = [1.0, 2.0, 3.0, 4.0];
    let twice = legacy(&state(&[("a", one()), ("a", one())]), &floats);
    assert_eq!(fault_of(&twice), Fault::Duplicate { name: "\"a\"".into() });
    let joined = legacy(&state(&[("a.b", one()), ("a", state(&[("b", one())]))]), &floats);
    assert_eq!(fault_of(&joined), Fault::Duplicate { name: "\"a.b\"".into() });
    assert_eq!(fault("network.legacy.pth", |b| replace(b, b"endianq\x02\x88", b"endianq\x02\x89")), Fault::BigEndian);
    assert_eq!(fault("network.zip.pth", |b| replace(b, b"little", b"big   ")), Fault::BigEndian);
    let lost = fault("network.zip.pth", |b| (0..2).for_each(|_| replace(b, b"data/0", b"data/x")));
    assert!(matches!(lost, Fault::NoStorage { tensor, .. } if tensor == "\"0.weight\""));
    let wrong = fault("network.legacy.pth", |b| replace(b, b"FloatStorage", b"HalfxStorage"));
    assert!(matches!(wrong, Fault::Global { name, .. } if name == "\"torch.HalfxStorage\""));
    assert!(matches!(fault("network.legacy.pth", |b| b[18] = 0), Fault::Malformed { .. }));
}

#[test]
fn bounds_what_a_pickle_asks_for() {
    let too_much = |object: &[u8]| matches!(fault_of(&legacy(object, &[])), Fault::TooMuch { .. });
    assert!(too_much(&b"(".repeat(2 << 20)));
    assert!(too_much(&b"N".repeat(2 << 20)));
    // Dicts in dicts, each twice: two to the power of 40 names if they were all walked.
    let doubled = (0..40).fold(b"}".to_vec(), |inner, level: u8| {
        let shared = [&inner[..], b"q", &[level]].concat();
        let entry = |key: &str, value: &[u8]| [&text(key)[..], value, b"s"].concat();
        [b"}", &entry("a", &shared)[..], &entry("b", &[b'h', level])].concat()
    });
    assert!(too_much(&doubled));
    let broad = (0..12).fold(b"}".to_vec(), |inner, level: u8| {
        let shared = [&inner[..], b"q", &[level]].concat();
        let entry = |key: u8, value: &[u8]| [b"K", &[key][..], value, b"s"].concat();
        let rest: Vec<u8> = (1..40).flat_map(|key| entry(key, &[b'h', level])).collect();
        [b"}", &entry(0, &shared)[..], &rest].concat()
    });
    assert!(too_much(&broad));
    // A dict that holds itself.
    assert!(too_much(&[b"}q\x00", &text("a")[..], b"h\x00s"].concat()));
    let tensor = tensor(0, b"K\x00", b"K\x00\x85", b"K\x01\x85");
    assert!(too_much(&[b"}", &text(&"n".repeat(600))[..], &tensor, b"s"].concat()));
}
