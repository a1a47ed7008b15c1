//! The kernel's command line, as a Jupyter kernel specification calls it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use earworm_kernel::assistant::{Assistant, AssistantOptions};
use earworm_kernel::server::serve;
use earworm_kernel::session::{Session, Settings};

const USAGE: &str = "usage: earworm-kernel [--extern NAME=FILE]... [--search DIR]... [--prelude CODE] \
                     [--built-by COMPILER] [--evcxr FILE --evcxr-config DIR] CONNECTION_FILE";

struct Arguments {
    settings: Settings,
    assistant: Option<AssistantOptions>,
    connection_file: PathBuf,
}

fn main() -> ExitCode {
    earworm_kernel::evaluator::run_if_asked();
    let served = parse(std::env::args_os().skip(1)).and_then(|arguments| {
        let settings = arguments.settings;
        serve(&arguments.connection_file, move || Session::start(settings), Assistant::new(arguments.assistant))
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("earworm-kernel: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> Result<Arguments> {
    let mut settings = Settings::default();
    let (mut evcxr, mut config_dir, mut connection_file) = (None, None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{} has no value\n{USAGE}", argument.display()));
        match argument.to_str() {
            Some("--extern") => {
                let value = value()?;
                let library = value.to_str().and_then(|value| value.split_once('='));
                let (name, file) = library.with_context(|| format!("--extern wants NAME=FILE\n{USAGE}"))?;
                settings.externs.push((name.into(), file.into()));
            }
            Some("--search") => settings.search.push(value()?.into()),
            Some("--prelude") => {
                let prelude =
                    value()?.into_string().ok().with_context(|| format!("--prelude is not UTF-8\n{USAGE}"))?;
                settings.prelude = prelude;
            }
            Some("--built-by") => settings.built_by = Some(value()?.to_string_lossy().into_owned()),
            Some("--evcxr") => evcxr = Some(PathBuf::from(value()?)),
            Some("--evcxr-config") => config_dir = Some(PathBuf::from(value()?)),
            Some(option) if option.starts_with('-') => bail!("there is no option {option}\n{USAGE}"),
            _ if connection_file.is_some() => bail!("there is more than one connection file\n{USAGE}"),
            _ => connection_file = Some(PathBuf::from(&argument)),
        }
    }
    let assistant = match (evcxr, config_dir) {
        (Some(evcxr), Some(config_dir)) => Some(AssistantOptions { evcxr, config_dir, environment: Vec::new() }),
        (None, None) => None,
        _ => bail!("--evcxr and --evcxr-config belong together\n{USAGE}"),
    };
    let connection_file = connection_file.with_context(|| USAGE.to_owned())?;
    Ok(Arguments { settings, assistant, connection_file })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Arguments> {
        parse(words.iter().map(Into::into))
    }

    fn complaint(words: &[&str]) -> String {
        parsed(words).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn all_options_are_read() {
        let arguments = parsed(&[
            "--extern",
            "earworm=/kit/lib=x.so",
            "--search",
            "/kit",
            "--search",
            "/kit/deps",
            "--prelude",
            "use earworm::*;",
            "--evcxr",
            "/bin/evcxr_jupyter",
            "--evcxr-config",
            "/config",
            "connection.json",
        ])
        .unwrap();
        assert_eq!(arguments.settings.externs, [("earworm".to_owned(), PathBuf::from("/kit/lib=x.so"))]);
        assert_eq!(arguments.settings.search, [PathBuf::from("/kit"), PathBuf::from("/kit/deps")]);
        assert_eq!(arguments.settings.prelude, "use earworm::*;");
        assert_eq!(arguments.connection_file, PathBuf::from("connection.json"));
        assert_eq!(arguments.assistant.unwrap().config_dir, PathBuf::from("/config"));
    }

    #[test]
    fn a_wrong_command_line_is_told_what_is_wrong_and_how_it_is_right() {
        for (words, expected) in [
            (&["--extern", "earworm", "c.json"][..], "NAME=FILE"),
            (&["--search"], "--search has no value"),
            (&["--colour", "c.json"], "no option --colour"),
            (&["--evcxr", "/bin/evcxr", "c.json"], "belong together"),
            (&["c.json", "d.json"], "more than one"),
            (&[], "usage"),
        ] {
            let complaint = complaint(words);
            assert!(complaint.contains(expected) && complaint.contains("usage:"), "{complaint}");
        }
    }
}
