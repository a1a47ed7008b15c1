//! What is wrong with a file is said by name, and costs nothing else.

use std::path::{Path, PathBuf};

use earworm::prelude::*;

fn wav(path: &Path, spec: hound::WavSpec, frames: usize, sample: impl Fn(usize) -> f32) {
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let scale = 2_f32.powi(i32::from(spec.bits_per_sample) - 1) - 1.0;
    for i in 0..frames * usize::from(spec.channels) {
        match spec.sample_format {
            hound::SampleFormat::Float => writer.write_sample(sample(i)).unwrap(),
            hound::SampleFormat::Int => writer.write_sample((sample(i) * scale) as i32).unwrap(),
        }
    }
    writer.finalize().unwrap();
}

fn spec(channels: u16, sample_rate: u32, bits: u16) -> hound::WavSpec {
    let sample_format = if bits == 32 { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
    hound::WavSpec { channels, sample_rate, bits_per_sample: bits, sample_format }
}

/// Half a second of A4 at half volume.
fn tone(path: &Path, channels: u16, sample_rate: u32, bits: u16) {
    let frames = sample_rate as usize / 2;
    wav(path, spec(channels, sample_rate, bits), frames, |i| {
        let t = (i / usize::from(channels)) as f32 / sample_rate as f32;
        0.5 * (440.0 * std::f32::consts::TAU * t).sin()
    });
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Checks that a message names the file and is more than its name.
fn names(error: &Error, path: &Path) {
    let message = error.to_string();
    assert!(message.contains(&*path.to_string_lossy()), "{message:?} does not name {}", path.display());
    assert!(message.ends_with('.') && message.len() > path.to_string_lossy().len() + 20, "no next step in {message:?}");
}

#[test]
fn missing_and_empty_folders() {
    let folder = Folder::new();
    let missing = folder.path("nowhere");
    let error = list_audio(&missing).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    names(&error, &missing);
    let error = list_audio(folder.0.path()).unwrap_err();
    assert!(matches!(error, Error::NoAudioFiles { .. }), "{error:?}");
    names(&error, folder.0.path());
    names(&load(folder.path("nothing.wav")).unwrap_err(), &folder.path("nothing.wav"));
    names(&load(folder.0.path()).unwrap_err(), folder.0.path());
}

#[test]
fn files_without_audio() {
    let folder = Folder::new();
    let empty = folder.path("empty.wav");
    std::fs::write(&empty, b"").unwrap();
    let error = load(&empty).unwrap_err();
    assert!(matches!(error, Error::EmptyAudio { .. }), "{error:?}");
    names(&error, &empty);

    let header_only = folder.path("header.wav");
    wav(&header_only, spec(1, 44_100, 16), 0, |_| 0.0);
    let error = load(&header_only).unwrap_err();
    assert!(matches!(error, Error::EmptyAudio { .. }), "{error:?}");
    names(&error, &header_only);

    for extension in earworm::decode::EXTENSIONS {
        let text = folder.path(&format!("text.{extension}"));
        std::fs::write(&text, "This is not a song. ".repeat(500)).unwrap();
        let error = load(&text).unwrap_err();
        assert!(matches!(error, Error::NotAudio { .. }), "{extension}: {error:?}");
        names(&error, &text);
    }
}

#[test]
fn a_truncated_wav_is_named_and_its_beginning_can_be_had() {
    let folder = Folder::new();
    let path = folder.path("cut.wav");
    tone(&path, 1, 44_100, 16);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = load(&path).unwrap_err();
    names(&error, &path);
    let Error::Truncated { promised_seconds, decoded_seconds, .. } = error else { panic!("{error:?}") };
    assert!((promised_seconds - 0.5).abs() < 1e-3 && (0.2..0.26).contains(&decoded_seconds));
    let clip = load_clip(&path, 0.0, 0.1).unwrap();
    assert_eq!(clip.samples().len(), 4_410);

    std::fs::write(&path, &bytes[..30]).unwrap();
    names(&load(&path).unwrap_err(), &path);
}

#[test]
fn every_sample_format_rate_and_channel_count_gives_the_same_tone() {
    let folder = Folder::new();
    for (channels, rate, bits) in
        [(1, 96_000, 24), (1, 11_025, 8), (1, 44_100, 16), (2, 48_000, 16), (6, 48_000, 16), (2, 44_100, 32)]
    {
        let path = folder.path(&format!("{channels}-{rate}-{bits}.wav"));
        tone(&path, channels, rate, bits);
        let audio = load(&path).unwrap();
        assert_eq!((audio.sample_rate(), audio.samples().len()), (rate, rate as usize / 2));
        let peak = audio.samples().iter().fold(0.0_f32, |p, x| p.max(x.abs()));
        assert!((peak - 0.5).abs() < 0.01, "{channels} x {rate} x {bits}: peak {peak}");
        let crossings = audio.samples().windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        assert!((219..=221).contains(&crossings), "{channels} x {rate} x {bits}: {crossings} periods in 0.5 s");
    }
}

#[test]
fn samples_that_are_not_numbers() {
    let folder = Folder::new();
    let path = folder.path("nan.wav");
    wav(&path, spec(1, 16_000, 32), 16_000, |i| if i == 8_000 { f32::NAN } else { 0.1 });
    let error = load(&path).unwrap_err();
    let Error::NotFinite { at_seconds, .. } = error else { panic!("{error:?}") };
    assert!((at_seconds - 0.5).abs() < 1e-3);
    names(&error, &path);
    assert!(Audio::new("x", vec![f32::INFINITY], 16_000).is_err());
    assert!(Audio::new("x", vec![], 16_000).is_err());
    assert!(Audio::new("x", vec![0.0], 0).is_err());
}

#[test]
fn clips_outside_of_the_audio() {
    let folder = Folder::new();
    let path = folder.path("tone.wav");
    tone(&path, 1, 16_000, 16);
    let audio = load(&path).unwrap();
    assert_eq!(audio.clip(0.4, 5.0).unwrap().samples().len(), 1_600);
    for (start, length) in [(0.6, 1.0), (-1.0, 1.0), (0.0, 0.0), (f64::NAN, 1.0), (0.0, -1.0)] {
        assert!(matches!(audio.clip(start, length), Err(Error::OutsideAudio { .. })), "{start} {length}");
        assert!(matches!(load_clip(&path, start, length), Err(Error::OutsideAudio { .. })), "{start} {length}");
    }
}

#[test]
fn a_saved_file_is_what_was_saved() {
    let folder = Folder::new();
    let path = folder.path("saved.wav");
    let audio = Audio::new("ramp", (0..1000).map(|i| i as f32 / 1000.0 - 0.5).collect(), 22_050).unwrap();
    audio.save(&path).unwrap();
    let again = load(&path).unwrap();
    assert_eq!(again.sample_rate(), 22_050);
    let worst = again.samples().iter().zip(audio.samples()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-4, "off by {worst}");
    let nowhere = folder.path("no/such/folder/x.wav");
    names(&audio.save(&nowhere).unwrap_err(), &nowhere);
}

#[test]
fn one_bad_file_costs_only_itself() {
    let folder = Folder::new();
    let songs_folder = folder.path("songs");
    std::fs::create_dir_all(songs_folder.join("sub folder")).unwrap();
    let strange = "it's \"loud\" <script>alert(1)</script> 🎵.wav".replace('/', "");
    tone(&songs_folder.join(&strange), 1, 22_050, 16);
    tone(&songs_folder.join("sub folder/good.WAV"), 2, 44_100, 16);
    std::fs::write(songs_folder.join("empty.wav"), b"").unwrap();
    std::fs::write(songs_folder.join("text.mp3"), "no song").unwrap();
    std::fs::write(songs_folder.join("notes.txt"), "not looked at").unwrap();
    wav(&songs_folder.join("silence.wav"), spec(1, 16_000, 16), 16_000, |_| 0.0);
    let unreadable = songs_folder.join("unreadable.wav");
    tone(&unreadable, 1, 16_000, 16);
    let forbidden = forbid(&unreadable);

    let mut songs = Index::open(folder.path("index")).unwrap();
    let indexed = index(&mut songs, &songs_folder).unwrap();
    let skipped: Vec<_> = indexed.skipped.iter().map(|(p, _)| p.file_name().unwrap().to_str().unwrap()).collect();
    let mut expected = vec!["empty.wav", "silence.wav", "text.mp3"];
    if forbidden {
        expected.push("unreadable.wav");
    }
    assert_eq!(skipped, expected);
    for (path, reason) in &indexed.skipped {
        assert!(reason.contains(&*path.to_string_lossy()), "{reason}");
    }
    let found = songs.get(songs_folder.join(&strange).to_str().unwrap()).unwrap();
    assert_eq!(found.title, strange.trim_end_matches(".wav"));
    assert_eq!(songs.count().unwrap(), indexed.stored.len());

    let again = index(&mut songs, &songs_folder).unwrap();
    assert_eq!((again.stored.len(), again.unchanged), (0, indexed.stored.len()));
    tone(&songs_folder.join("sub folder/good.WAV"), 1, 16_000, 16);
    let changed = index(&mut songs, &songs_folder).unwrap();
    assert_eq!((changed.stored.len(), changed.unchanged), (1, indexed.stored.len() - 1));
    assert_eq!(songs.count().unwrap(), indexed.stored.len());
}

/// Takes the right to read; tells whether that binds this user (it does not bind root).
fn forbid(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let binds = std::fs::File::open(path).is_err();
    if !binds {
        println!("this user reads everything: an unreadable file is not tested");
    }
    binds
}

#[cfg(unix)]
#[test]
fn an_unreadable_subfolder_costs_only_itself() {
    let folder = Folder::new();
    let songs_folder = folder.path("songs");
    let closed = songs_folder.join("closed");
    std::fs::create_dir_all(&closed).unwrap();
    tone(&songs_folder.join("good.wav"), 1, 16_000, 16);
    if !forbid(&closed) && std::fs::read_dir(&closed).is_ok() {
        return;
    }
    let mut songs = Index::open(folder.path("index")).unwrap();
    let indexed = index(&mut songs, &songs_folder).unwrap();
    assert_eq!((indexed.stored.len(), indexed.skipped.len()), (1, 1));
    assert!(indexed.skipped[0].1.contains("closed"), "{indexed:?}");
    names(&list_audio(&songs_folder).unwrap_err(), &closed);
}

#[test]
fn silence_is_refused_as_a_query_and_a_missing_song_by_name() {
    let folder = Folder::new();
    let songs = Index::open(folder.path("index")).unwrap();
    let silence = Audio::new("nothing", vec![0.0; 16_000], 16_000).unwrap();
    assert!(embed(&silence).unwrap().is_zero());
    let error = query(&songs, &silence).unwrap_err();
    assert!(matches!(error, Error::Silent { .. }) && error.to_string().contains("nothing"), "{error}");
    let error = songs.get("absent.wav").unwrap_err();
    assert!(matches!(error, Error::NotIndexed { .. }) && error.to_string().contains("absent.wav"), "{error}");
}

#[test]
fn very_short_audio_embeds() {
    for samples in [1, 100, 16_000] {
        let click = Audio::new("click", (0..samples).map(|i| if i % 50 == 0 { 0.5 } else { -0.1 }).collect(), 16_000);
        let embedding = embed(&click.unwrap()).unwrap();
        assert_eq!(embedding.dimensions(), 200);
        assert!(!embedding.is_zero());
    }
}
