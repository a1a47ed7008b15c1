//! The commands of a cell, lines that begin with a colon, as evcxr has them.

use crate::front::{Failure, Front, MimeBundle, Stream};
use crate::report;
use crate::session::Session;
use crate::types;

/// The commands and what they do, for `:help`.
const HELP: &[(&str, &str)] = &[
    (":dep NAME = \"VERSION\"", "add a crate, as in a Cargo.toml (also a path, or `{ … }`)"),
    (":show_deps", "show the crates that were added"),
    (":vars", "show the variables and their types"),
    (":type NAME, :t NAME", "show the type of a variable"),
    (":types", "show types with values, or not"),
    (":fmt FORMAT", "set how values are shown: {:?}, {:#?}, {}"),
    (":efmt FORMAT", "set how errors are shown: {} or {:?}"),
    (":opt [LEVEL]", "set the optimisation of cells, 0 to 3; without a level, 0 or 2 in turn"),
    (":env NAME=VALUE", "set a variable for cargo and for the next process"),
    (":preserve_vars_on_panic 0|1", "keep variables when a cell panics (1) or not"),
    (":timing", "show how long each cell takes, or not"),
    (":explain [CODE]", "explain the last compile error, or one by its code"),
    (":last_error_json", "show the last compile errors as the compiler gave them"),
    (":restart", "start a new process: variables are lost"),
    (":clear", "forget variables, functions, types, imports and crates"),
    (":version", "show the versions of kernel and compiler"),
    (":quit", "end the kernel"),
];

/// Settings of evcxr that make it faster; here there is nothing to set.
const IGNORED: [&str; 12] = [
    "allow_static_linking",
    "cache",
    "clear_cache",
    "codegen_backend",
    "linker",
    "load_config",
    "offline",
    "sccache",
    "time_passes",
    "toolchain",
    "build_env",
    "last_compile_dir",
];

impl Session {
    /// Does what commands say; tells whether the kernel is to end.
    pub(crate) fn commands(&mut self, commands: &[String], front: &dyn Front) -> Result<bool, Failure> {
        let mut crates = Vec::new();
        for command in commands {
            let (name, argument) = command[1..].split_once(char::is_whitespace).unwrap_or((&command[1..], ""));
            let argument = argument.trim();
            match name {
                "dep" => match argument.split([' ', '=']).next() {
                    Some(known) if self.has_built_in(known) => {
                        front.text(Stream::Stdout, &format!("{known} is built into this kernel.\n"));
                    }
                    _ => crates.push(argument.to_owned()),
                },
                "quit" => return Ok(true),
                _ => self.command(name, argument, front)?,
            }
        }
        if !crates.is_empty() {
            self.add_dependencies(&crates)?;
        }
        Ok(false)
    }

    fn command(&mut self, name: &str, argument: &str, front: &dyn Front) -> Result<(), Failure> {
        let wrong = |message: String| Err(report::plain("CommandError", message));
        match name {
            "help" => {
                let width = HELP.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
                answer(front, HELP.iter().map(|(command, what)| format!("{command:width$}  {what}\n")).collect());
            }
            "vars" => {
                answer(front, self.variables().iter().map(|(name, of)| format!("{name}: {of}\n")).collect());
            }
            "type" | "t" => match self.variables.get(argument) {
                Some(kept) => answer(front, format!("{argument}: {}\n", types::short(&kept.type_name))),
                None => return wrong(format!("there is no variable `{argument}`; `:vars` lists those that are")),
            },
            "types" => {
                self.manner.show_types = !self.manner.show_types;
                answer(front, format!("Types: {}\n", self.manner.show_types));
            }
            "fmt" => {
                let valid = argument.starts_with('{') && argument.ends_with('}') && argument.matches('{').count() == 1;
                match argument {
                    "" => self.manner.value_format = "{:?}".into(),
                    _ if valid => self.manner.value_format = argument.into(),
                    _ => return wrong(format!("`{argument}` is no format for a value; try {{:?}}, {{:#?}} or {{}}")),
                }
            }
            "efmt" => match argument {
                "" | "{}" => self.manner.debug_errors = false,
                "{:?}" | "{:#?}" => {
                    self.manner.debug_errors = true;
                    answer(
                        front,
                        "Errors are shown with {:?}, so those that `?` returns must implement Debug\n".into(),
                    );
                }
                _ => return wrong(format!("`{argument}` is no format for errors: it is {{}} or {{:?}}")),
            },
            "opt" => {
                let level = match argument {
                    "" if self.opt_level == "0" => "2",
                    "" => "0",
                    "0" | "1" | "2" | "3" => argument,
                    _ => return wrong(format!("`{argument}` is no optimisation level: it is 0, 1, 2 or 3")),
                };
                self.opt_level = level.into();
                answer(front, format!("Optimization: {level}\n"));
            }
            "env" => match argument.split_once('=') {
                Some((name, value)) if !name.trim().is_empty() => {
                    self.environment.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                _ => return wrong("it is `:env NAME=VALUE`".into()),
            },
            "preserve_vars_on_panic" => match argument {
                "0" => self.manner.preserve_on_panic = false,
                "1" => self.manner.preserve_on_panic = true,
                _ => return wrong(format!("`{argument}` is not 0 or 1")),
            },
            "timing" => {
                self.timing = !self.timing;
                answer(front, format!("Timing: {}\n", self.timing));
            }
            "show_deps" => answer(front, self.dependencies.lines()),
            "explain" => {
                let last = self.last_messages.iter().map(|message| message.code()).find(|code| code.starts_with('E'));
                let Some(code) = Some(argument).filter(|a| !a.is_empty()).or(last) else {
                    return wrong("there was no compile error that has an explanation".into());
                };
                match self.compiler.explain(code) {
                    Ok(text) => answer(front, text),
                    Err(e) => return wrong(format!("{e:#}")),
                }
            }
            "last_error_json" => {
                let lines: Vec<String> =
                    self.last_messages.iter().filter_map(|m| serde_json::to_string(m).ok()).collect();
                answer(front, lines.join("\n") + "\n");
            }
            "restart" => self.restart().map_err(|e| report::of_kernel(&e))?,
            "clear" => self.clear(front)?,
            "version" => {
                answer(front, format!("earworm kernel {}, {}\n", env!("CARGO_PKG_VERSION"), self.compiler.version()));
            }
            "doc" => return wrong("put the cursor on a name and press Shift-Tab".into()),
            _ if IGNORED.contains(&name) => {}
            _ => return wrong(format!("there is no command `:{name}`; `:help` lists those that are")),
        }
        Ok(())
    }
}

/// Shows a command's answer, if there is one.
fn answer(front: &dyn Front, text: String) {
    if !text.is_empty() {
        front.result(MimeBundle::from_iter([("text/plain".to_owned(), text.into())]));
    }
}
