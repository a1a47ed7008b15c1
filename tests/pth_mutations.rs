//! Checkpoints with bytes changed at random: each is read or refused, in bounded memory and time, and never a panic.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use earworm::pth;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all requests go to the system's allocator as they are; only their sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get().wrapping_add(layout.size());
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[derive(Debug)]
struct Tally {
    cases: u32,
    read: u32,
    peak_bytes: usize,
    slowest: Duration,
}

/// Opens a file and reads every tensor; gives how much memory that took at most and whether it was read.
fn measured(path: &Path) -> (usize, Duration, bool) {
    let before = HELD.get();
    PEAK.set(before);
    let start = Instant::now();
    let read = match pth::open(path) {
        Ok(checkpoint) => {
            for tensor in checkpoint.tensors() {
                let numel: usize = tensor.shape().iter().product();
                assert_eq!(tensor.bytes().len(), numel * tensor.dtype().size());
                assert!(tensor.f32().is_ok() || tensor.dtype().to_string() != "f32");
            }
            true
        }
        Err(error) => {
            assert!(error.to_string().len() < 2000);
            false
        }
    };
    (PEAK.get().saturating_sub(before), start.elapsed(), read)
}

/// One change of a file: bytes overwritten, flipped, removed, doubled, or moved from elsewhere.
fn change() -> impl Strategy<Value = (u8, Index, Index, u8, u8)> {
    (0u8..6, any::<Index>(), any::<Index>(), any::<u8>(), 1u8..24)
}

fn changed(bytes: &mut Vec<u8>, (kind, at, from, byte, count): (u8, Index, Index, u8, u8)) {
    if bytes.is_empty() {
        return;
    }
    let (at, from) = (at.index(bytes.len()), from.index(bytes.len()));
    let count = usize::from(count).min(bytes.len() - at.max(from));
    match kind {
        0 => bytes[at] = byte,
        1 => bytes[at] ^= 1 << (byte % 8),
        2 => drop(bytes.drain(at..at + count)),
        3 => {
            let piece = bytes[from..from + count].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => bytes.copy_within(from..from + count, at),
        _ => bytes[at..at + count].fill(if byte < 128 { 0xff } else { 0 }),
    }
}

fn mutate(cases: u32) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pth");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pth"));
    files.sort();
    // Those that can be read count four times: what is refused early tests little.
    let readable = files.iter().filter(|path| !path.to_string_lossy().ends_with(".bad.pth"));
    let readable: Vec<_> = readable.cloned().collect();
    files.extend(std::iter::repeat_n(readable, 3).flatten());
    let golden: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let longest = golden.iter().map(Vec::len).max().unwrap();

    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let path = folder.path().join("mutated.pth");
    let tally = std::cell::RefCell::new(Tally { cases: 0, read: 0, peak_bytes: 0, slowest: Duration::ZERO });
    let seed = std::env::var("MUTATION_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(14u8);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let strategy = (0..golden.len(), prop::collection::vec(change(), 1..5));
    let result = runner.run(&strategy, |(file, changes)| {
        let mut bytes = golden[file].clone();
        changes.into_iter().for_each(|change| changed(&mut bytes, change));
        std::fs::write(&path, &bytes).unwrap();
        let (peak, took, read) = measured(&path);
        // Names and layouts of a file of this size, and one tensor at a time, which is no longer than the file.
        prop_assert!(peak <= 64 * bytes.len() + (64 << 10), "{peak} bytes for a file of {}", bytes.len());
        prop_assert!(took < Duration::from_secs(2), "{took:?}");
        let mut tally = tally.borrow_mut();
        tally.cases += 1;
        tally.read += u32::from(read);
        tally.peak_bytes = tally.peak_bytes.max(peak);
        tally.slowest = tally.slowest.max(took);
        Ok(())
    });
    println!("{:?}, files of up to {longest} bytes", tally.borrow());
    result.unwrap();
}

#[test]
fn survives_changed_bytes() {
    mutate(5_000);
}

#[test]
#[ignore = "takes a minute; run with --release -- --ignored"]
fn survives_changed_bytes_at_length() {
    mutate(300_000);
}

/// Pickles that ask for as much as they can take from a file of a few megabytes.
#[test]
fn takes_bounded_memory_for_the_greediest_pickles() {
    let header = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";
    let machine = b"\x80\x02}X\x0d\0\0\0little_endian\x88s.";
    let many = 1 << 20;
    let slots: Vec<u8> = (0..many as u32).flat_map(|slot| [&b"r"[..], &slot.to_le_bytes()].concat()).collect();
    let groups = [b"}q\0", &b"(".repeat(9)[..], &b"h\0".repeat(many - 100), &b"u".repeat(9)].concat();
    let lists: Vec<u8> = b"](h\0h\0h\0h\0h\0h\0h\0h\0e".repeat(many / 12);
    let folder = tempfile::tempdir().unwrap();
    let mut most = 0;
    for (number, object) in [
        b"N".repeat(many),
        b"(".repeat(many),
        b"]".repeat(many),
        b"N".iter().copied().chain(b"2".repeat(many)).collect(),
        [b"N", &slots[..]].concat(),
        groups,
        [b"Nq\0", &lists[..]].concat(),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}.pth"));
        std::fs::write(&path, [header, &machine[..], b"\x80\x02", &object, b"."].concat()).unwrap();
        let (peak, took, read) = measured(&path);
        assert!(!read && peak <= 64 << 20 && took < Duration::from_secs(5), "{number}: {peak} bytes, {took:?}");
        most = most.max(peak);
    }
    println!("at most {most} bytes");
}
