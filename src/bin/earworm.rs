//! The tutorial's steps from a terminal.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use earworm::kernel::Kernel;
use earworm::prelude::*;
use earworm::{doctor, index as index_folder};
use serde_json::json;

/// Search by music: index a folder of audio, and find what sounds like a recording.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Print JSON on standard output instead of text.
    #[arg(long, global = true)]
    json: bool,

    /// The folder that keeps the index.
    #[arg(long, global = true, default_value = "my-audio-index")]
    index: PathBuf,

    /// The model that listens; an index is searched with the one that filled it.
    #[arg(long, global = true, value_enum, default_value_t = ModelName::Musicnn)]
    model: ModelName,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Fetchable {
    /// PANNs Cnn14, the tutorial's own.
    Panns,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ModelName {
    /// Comes with earworm: 200 dimensions, 50 tags.
    Musicnn,
    /// The tutorial's own, got by `earworm fetch panns`: 2048 dimensions, 527 tags.
    Panns,
}

impl Arguments {
    fn open(&self) -> earworm::Result<Index> {
        match self.model {
            ModelName::Musicnn => Index::open(&self.index),
            ModelName::Panns => Index::open_with(&self.index, Model::panns()?),
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Embed and store the audio files of a folder and its subfolders.
    Index {
        /// The folder, or one file.
        folder: PathBuf,
    },
    /// Find the songs that sound most like an audio file.
    Query {
        /// The audio file.
        file: PathBuf,
        /// How many songs to find.
        #[arg(short, default_value_t = 5)]
        k: usize,
        /// Only songs of this genre.
        #[arg(long)]
        genre: Option<String>,
    },
    /// Get the file of a model that does not come with earworm (327 MB).
    Fetch {
        /// Which one.
        #[arg(value_enum)]
        model: Fetchable,
        /// Take it from this file instead of the network.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// Say what is installed, what is missing, and what to type.
    Doctor,
    /// Look after the fast Rust kernel for notebooks.
    Kernel {
        #[command(subcommand)]
        action: KernelAction,
        /// The Python environment that has it, instead of the user's own folders.
        #[arg(long, global = true)]
        prefix: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum KernelAction {
    /// Build it and register it as "Rust (earworm)".
    Install {
        /// The evcxr_jupyter to run, instead of the one on the PATH.
        #[arg(long)]
        evcxr: Option<PathBuf>,
    },
    /// Say what is wrong with it, and mend what can be mended.
    Doctor,
    /// Take it away.
    Uninstall,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            if arguments.json {
                println!("{}", json!({"error": error.to_string()}));
            } else {
                eprintln!("earworm: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> earworm::Result<ExitCode> {
    let print = |text: String, json: serde_json::Value| {
        if arguments.json { println!("{json}") } else { println!("{text}") }
    };
    match &arguments.command {
        Command::Index { folder } => {
            let mut songs = arguments.open()?;
            let indexed = index_folder(&mut songs, folder)?;
            let skipped: Vec<_> =
                indexed.skipped.iter().map(|(path, reason)| json!({"path": path, "reason": reason})).collect();
            let document = json!({
                "index": songs.name(),
                "songs": songs.count()?,
                "stored": indexed.stored,
                "unchanged": indexed.unchanged,
                "skipped": skipped,
                "seconds": indexed.elapsed.as_secs_f64(),
            });
            print(format!("{indexed}\n{songs}"), document);
            Ok(if indexed.skipped.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
        }
        Command::Query { file, k, genre } => {
            let songs = arguments.open()?;
            let filter = genre.as_ref().map_or(Filter::All, Filter::genre);
            let search = Search { k: *k, num_candidates: (*k).max(100), size: *k, filter };
            let hits = query_with(&songs, &load(file)?, &search)?;
            let answers: Vec<_> = hits
                .neighbours()
                .iter()
                .map(|n| json!({"score": n.score, "title": n.song.title, "genre": n.song.genre, "path": n.song.path}))
                .collect();
            print(hits.to_string(), json!({"query": hits.query(), "index": hits.index(), "hits": answers}));
            Ok(ExitCode::SUCCESS)
        }
        Command::Fetch { model: Fetchable::Panns, from } => {
            let file = Model::fetch_panns(from.as_deref())?;
            print(format!("there: {}", file.display()), json!({"file": file}));
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor => Ok(examine(&doctor::doctor(), print)),
        Command::Kernel { action, prefix } => {
            let kernel = Kernel::at(prefix.as_deref());
            match action {
                KernelAction::Install { evcxr } => {
                    let done = kernel.install(evcxr.as_deref())?;
                    let text = if done { "installed: Rust (earworm)" } else { "already installed: Rust (earworm)" };
                    print(text.into(), json!({"installed": done}));
                }
                KernelAction::Doctor => {
                    let findings = kernel.doctor();
                    if findings.iter().any(|f| f.remedy.is_some()) && !arguments.json {
                        println!("{}\n\nMending what can be mended...\n", doctor::report(&findings));
                    }
                    let mended = kernel.repair(&findings)?;
                    let findings = if mended { kernel.doctor() } else { findings };
                    return Ok(examine(&findings, print));
                }
                KernelAction::Uninstall => {
                    let there = kernel.uninstall()?;
                    print(
                        if there { "uninstalled" } else { "was not installed" }.into(),
                        json!({"uninstalled": there}),
                    );
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints findings; fails if something is missing.
fn examine(findings: &[doctor::Finding], print: impl FnOnce(String, serde_json::Value)) -> ExitCode {
    print(doctor::report(findings), json!(findings));
    if findings.iter().all(|finding| finding.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
