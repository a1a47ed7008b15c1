//! Renders, lists and checks the demo clips; `scripts/make-demo-audio` drives it.

use demo_audio::check::Report;
use demo_audio::clips::{Clip, Sound, clips};
use demo_audio::contour::Articulation;
use demo_audio::melody::{Tune, read_tunes};
use demo_audio::mix::Stereo;
use demo_audio::performance::Performance;
use demo_audio::singers;
use demo_audio::stage::Stage;
use demo_audio::styles;
use demo_audio::voice::Voice;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const MELODIES: &str = include_str!("../melodies.abc");
const USAGE: &str = "usage: demo-audio list | render SOUNDFONT FOLDER | notes CLIP | check FOLDER";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            clips().iter().for_each(|clip| println!("{}", clip.file_name()));
            Ok(())
        }
        ["notes", name] => notes(name),
        ["render", soundfont, folder] => render(Path::new(soundfont), Path::new(folder)),
        ["check", folder] => check(Path::new(folder)),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo-audio: {error}");
            ExitCode::FAILURE
        }
    }
}

fn perform(clip: &Clip, tunes: &[Tune]) -> Result<Performance, Box<dyn Error>> {
    let tune = tunes.iter().find(|tune| tune.title == clip.tune).ok_or_else(|| format!("no tune {:?}", clip.tune))?;
    Ok(Performance::new(tune, clip.manner, clip.seed()))
}

/// Prints the melody of one clip as played: start and length in seconds and MIDI pitch, a note a line.
fn notes(name: &str) -> Result<(), Box<dyn Error>> {
    let clip = clips().into_iter().find(|clip| clip.name == name).ok_or_else(|| format!("no clip {name:?}"))?;
    for note in perform(&clip, &read_tunes(MELODIES)?)?.notes {
        println!("{:.3}\t{:.3}\t{}", note.start_seconds, note.length_seconds, note.midi);
    }
    Ok(())
}

/// Renders every clip as a 16-bit WAV file, NAME.wav, into `folder`.
fn render(soundfont: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let tunes = read_tunes(MELODIES)?;
    let stage = Stage::open(soundfont)?;
    std::fs::create_dir_all(folder)?;
    for clip in clips() {
        let played = perform(&clip, &tunes)?;
        let (sample_rate, channels) = clip.shape();
        let mut mixed = sound(&clip, &played, &stage, sample_rate)?;
        if channels == 1 {
            mixed.to_mono();
        }
        mixed.master();
        write_wav(&folder.join(format!("{}.wav", clip.name)), &mixed, channels, clip.seed())?;
        println!("rendered {}", clip.name);
    }
    Ok(())
}

fn sound(clip: &Clip, played: &Performance, stage: &Stage, sample_rate: u32) -> Result<Stereo, Box<dyn Error>> {
    let (seed, seconds) = (clip.seed(), played.total_seconds);
    let centered = |sung: &[f32]| {
        let mut stereo = Stereo::silent(sung.len(), sample_rate);
        stereo.add_mono(sung, 1.0, 0.0);
        stereo
    };
    Ok(match clip.sound {
        Sound::Hum(size) => {
            let sung = singers::solo(played, &Voice::humming(size), Articulation::humming(), sample_rate, seed);
            centered(&sung).with_room(0.05)
        }
        Sound::Opera(size) => {
            let bed = styles::opera_bed(played, seed);
            let sung = singers::solo(played, &Voice::opera(size), Articulation::singing(), sample_rate, seed);
            let mut mixed = centered(&sung);
            mixed.add_below(&stage.play(&bed.backing, seconds, sample_rate)?, bed.lead_over_backing_db);
            mixed.with_room(bed.room)
        }
        Sound::Choir => singers::choir(played, sample_rate, seed).with_room(0.2),
        Sound::Ensemble(style) => {
            let parts = style(played, seed);
            let mut mixed = stage.play(&parts.lead, seconds, sample_rate)?;
            mixed.add_below(&stage.play(&parts.backing, seconds, sample_rate)?, parts.lead_over_backing_db);
            mixed.with_room(parts.room)
        }
    })
}

fn write_wav(file: &Path, clip: &Stereo, channels: u16, seed: u64) -> Result<(), Box<dyn Error>> {
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels, sample_rate: clip.sample_rate, bits_per_sample: 16, sample_format };
    let mut writer = hound::WavWriter::create(file, spec)?;
    for sample in clip.samples(channels, seed) {
        writer.write_sample(sample)?;
    }
    Ok(writer.finalize()?)
}

/// Measures every clip in `folder` and fails if any is missing, extra or out of bounds.
fn check(folder: &Path) -> Result<(), Box<dyn Error>> {
    const MOST_BYTES: u64 = 6_000_000;
    let tunes = read_tunes(MELODIES)?;
    let mut faults = Vec::new();
    let mut bytes = 0;
    println!("{:<44} {:>6} {:>7} {:>7} {:>8} {:>13}", "clip", "s", "RMS dB", "peak dB", "in tune", "heard 1st/3rd");
    for clip in clips() {
        let file = folder.join(clip.file_name());
        let report = Report::measure(&file, &clip, &perform(&clip, &tunes)?)?;
        bytes += std::fs::metadata(&file)?.len();
        let in_tune = report.in_tune.map_or("-".into(), |share| format!("{:.1} %", 100.0 * share));
        let heard = format!("{:.0}/{:.0} %", 100.0 * report.heard.0, 100.0 * report.heard.1);
        let (seconds, rms_db, peak_db) = (report.seconds, report.rms_db, report.peak_db);
        println!("{:<44} {seconds:>6.2} {rms_db:>7.2} {peak_db:>7.2} {in_tune:>8} {heard:>13}", clip.file_name());
        faults.extend(report.faults().into_iter().map(|fault| format!("{}: {fault}", clip.file_name())));
    }
    let strays = strays(folder)?;
    faults.extend(strays.iter().map(|file| format!("{}: not one of the clips", file.display())));
    if bytes > MOST_BYTES {
        faults.push(format!("{bytes} bytes together, over {MOST_BYTES}"));
    }
    println!("{} clips, {:.2} MB", clips().len(), bytes as f64 / 1e6);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn strays(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let known: Vec<String> = clips().iter().map(Clip::file_name).collect();
    let mut strays = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != "README.md" && !name.starts_with('.') && !known.contains(&name) {
            strays.push(file);
        }
    }
    Ok(strays)
}
