//! The tutorial's steps on the demo clips, through the library and from a terminal.

use std::path::Path;
use std::process::{Command, Output};

use earworm::prelude::*;
use serde_json::Value;

const CLIPS: &str = "notebooks/audios";

fn earworm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_earworm")).args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[test]
fn every_demo_clip_loads_in_every_format() {
    let files = list_audio(CLIPS).unwrap();
    assert_eq!(files.len(), 18);
    let mut formats: Vec<_> = files.iter().map(|f| f.extension().unwrap().to_str().unwrap()).collect();
    formats.sort();
    formats.dedup();
    assert_eq!(formats, ["aiff", "flac", "m4a", "mp3", "ogg", "wav"]);
    for file in files {
        let audio = load(&file).unwrap();
        let rms = (audio.samples().iter().map(|x| x * x).sum::<f32>() / audio.samples().len() as f32).sqrt();
        assert!((9.0..11.0).contains(&audio.duration_seconds()), "{audio:?}");
        assert!((0.05..0.25).contains(&rms), "{audio:?}: level {rms}");
        assert_eq!(audio.path(), Some(file.as_path()));
    }
}

#[test]
fn a_hum_finds_hums_first() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("my-audio-index");
    let mut songs = Index::open(&name).unwrap();
    assert!(!songs.existed());
    let indexed = index(&mut songs, CLIPS).unwrap();
    assert_eq!((indexed.stored.len(), indexed.unchanged, indexed.skipped.len()), (18, 0, 0));

    let hum = load("notebooks/audios/bella_ciao_humming.wav").unwrap();
    let hits = query(&songs, &hum).unwrap();
    assert_eq!(hits.titles()[0], "bella_ciao_humming");
    assert!((hits.scores()[0] - 1.0).abs() < 1e-4);
    assert!(hits.neighbours()[..3].iter().all(|n| n.song.genre == "humming"), "{hits}");
    assert!(hits.scores().windows(2).all(|pair| pair[0] >= pair[1]));

    let two = Search { k: 5, num_candidates: 50, size: 2, filter: Filter::genre("guitar") };
    let hits = query_with(&songs, &hum, &two).unwrap();
    assert_eq!(hits.neighbours().len(), 2);
    assert!(hits.neighbours().iter().all(|n| n.song.genre == "guitar"));
    let none = Search { k: 0, ..Search::default() };
    assert!(matches!(query_with(&songs, &hum, &none), Err(Error::BadArgument { .. })));

    drop(songs);
    let again = Index::open(&name).unwrap();
    assert!(again.existed());
    assert_eq!(again.count().unwrap(), 18);
    assert_eq!(query(&again, &hum).unwrap().titles()[0], "bella_ciao_humming");
    let map = plot(&again).unwrap();
    assert!(map.svg().contains("bella_ciao_humming") && map.alt().contains("18 songs"));
}

#[test]
fn the_terminal_says_the_same_as_text_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("index");
    let name = name.to_str().unwrap();
    let clip = "notebooks/audios/greensleeves_humming.wav";

    let indexed = earworm(&["index", CLIPS, "--index", name, "--json"]);
    assert!(indexed.status.success(), "{indexed:?}");
    assert_eq!(json(&indexed)["stored"].as_array().unwrap().len(), 18);
    let again = earworm(&["index", CLIPS, "--index", name]);
    assert!(String::from_utf8_lossy(&again.stdout).starts_with("0 stored, 18 unchanged, 0 skipped"), "{again:?}");

    let hits = json(&earworm(&["query", clip, "-k", "3", "--index", name, "--json"]));
    assert_eq!(hits["hits"].as_array().unwrap().len(), 3);
    assert_eq!(hits["hits"][0]["title"], "greensleeves_humming");
    let text = earworm(&["query", clip, "--genre", "opera", "--index", name]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("opera-singer") && !text.contains("humming  "), "{text}");

    let missing = earworm(&["query", "no-such.wav", "--index", name]);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no-such.wav does not exist"), "{missing:?}");
    let missing = earworm(&["query", "no-such.wav", "--index", name, "--json"]);
    assert!(json(&missing)["error"].as_str().unwrap().contains("no-such.wav"));
}

#[test]
fn the_doctor_finds_the_runtime_and_says_what_to_type_without_it() {
    let well = json(&earworm(&["doctor", "--json"]));
    let ok = |findings: &Value, what: &str| {
        findings.as_array().unwrap().iter().find(|f| f["what"] == what).unwrap()["ok"].as_bool().unwrap()
    };
    assert!(ok(&well, "model") && ok(&well, "onnxruntime") && ok(&well, "inference"), "{well}");

    let ill = Command::new(env!("CARGO_BIN_EXE_earworm"))
        .args(["doctor", "--json"])
        .env("ORT_DYLIB_PATH", "/no/such/library.so")
        .output()
        .unwrap();
    assert!(!ill.status.success());
    let ill = json(&ill);
    assert!(!ok(&ill, "onnxruntime") && !ok(&ill, "inference"), "{ill}");
    assert!(ill.to_string().contains("pip install onnxruntime"));
}

#[test]
fn a_changed_or_missing_model_or_runtime_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("musicnn_mtt.onnx"), b"not a model").unwrap();
    let run = |variable: &str, value: &Path| {
        let index = folder.path().join("index");
        let output = Command::new(env!("CARGO_BIN_EXE_earworm"))
            .args(["index", CLIPS, "--index", index.to_str().unwrap()])
            .env(variable, value)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let changed = run("EARWORM_MODELS", folder.path());
    assert!(changed.contains("musicnn_mtt.onnx") && changed.contains("sha256"), "{changed}");
    let wrong = folder.path().join("library.so");
    std::fs::write(&wrong, b"not a library").unwrap();
    let wrong = run("ORT_DYLIB_PATH", &wrong);
    assert!(wrong.contains("library.so") && wrong.contains("pip install onnxruntime"), "{wrong}");
}

/// Two hours of 8-bit audio, in a process of its own whose peak memory is read from the system.
#[cfg(target_os = "linux")]
#[test]
fn two_hours_take_no_more_memory_than_a_clip() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("two-hours.wav");
    let spec =
        hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 8, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&long, spec).unwrap();
    for i in 0..8_000 * 2 * 3_600 {
        let beat = i / 4_000 % 12;
        let phase = i as f32 / 8_000.0 * 220.0 * 2_f32.powf(beat as f32 / 12.0);
        writer.write_sample((60.0 * (std::f32::consts::TAU * phase).sin()) as i32).unwrap();
    }
    writer.finalize().unwrap();

    let peak_mib = |file: &str, name: &str| {
        let index = folder.path().join(name);
        let mut child = Command::new(env!("CARGO_BIN_EXE_earworm"))
            .args(["index", file, "--index", index.to_str().unwrap()])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
            peak = peak.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0));
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(child.wait().unwrap().success());
        peak / 1024
    };
    let clip = peak_mib("notebooks/audios/bella_ciao_humming.wav", "clip");
    let hours = peak_mib(long.to_str().unwrap(), "hours");
    println!("peak memory: {clip} MiB for a clip, {hours} MiB for two hours");
    // All its samples as f32 at the model's rate would be 440 MiB.
    assert!(hours < clip + 100, "{hours} MiB for two hours, {clip} MiB for a clip");
}
