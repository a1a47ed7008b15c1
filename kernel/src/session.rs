//! A notebook's state, and what it does from its start to its end.

mod evaluation;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::cell;
use crate::compiler::{Compiler, Message};
use crate::dependencies::Dependencies;
use crate::front::{Failure, Front, Outcome, Quiet, Stream};
pub use crate::interrupter::Interrupter;
use crate::program::{Manner, Placed, Program};
use crate::report::{self, Sources};
use crate::runner::Runner;
use crate::types;
use crate::variable::Kept;

/// What a kernel starts with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Libraries that cells see without a `:dep`: crate name and file.
    pub externs: Vec<(String, PathBuf)>,
    /// Folders in which those libraries' own dependencies lie.
    pub search: Vec<PathBuf>,
    /// Code evaluated first, and again in a new process when one has died.
    pub prelude: String,
    /// The compiler that built the libraries, as `rustc --version` names it: another cannot use them.
    pub built_by: Option<String>,
    /// The program to start as the process that runs the cells; this one if it is not given.
    pub evaluator: Option<PathBuf>,
}

/// The variables and items of a notebook and the process that holds them.
pub struct Session {
    settings: Settings,
    evaluator: PathBuf,
    pub(crate) compiler: Compiler,
    folder: tempfile::TempDir,
    runner: Runner,
    interrupter: Interrupter,
    /// How many programs were compiled; each has its own name.
    serial: u32,
    programs: HashMap<String, Program>,
    sources: Sources,
    attributes: Vec<String>,
    items: Vec<Placed>,
    pub(crate) variables: BTreeMap<String, Kept>,
    pub(crate) dependencies: Dependencies,
    pub(crate) manner: Manner,
    pub(crate) opt_level: String,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) timing: bool,
    pub(crate) last_messages: Vec<Message>,
}

impl Session {
    /// Starts the process and evaluates the prelude.
    ///
    /// # Errors
    /// If there is no compiler, no room for temporary files, or the prelude does not compile.
    pub fn start(settings: Settings) -> Result<Self, Failure> {
        let mut session = Self::new(settings).map_err(|e| report::of_kernel(&e))?;
        session.begin(&Quiet)?;
        Ok(session)
    }

    fn new(settings: Settings) -> Result<Self> {
        let compiler = Compiler::find()?;
        if let Some(built_by) = &settings.built_by {
            let now = compiler.version();
            if now != *built_by {
                bail!(
                    "this kernel was built by {built_by}, and cells are compiled by {now}. Build it again with `earworm \
                     kernel install` (or ./scripts/run in the clone), then restart the kernel"
                );
            }
        }
        let folder =
            tempfile::Builder::new().prefix("earworm-").tempdir().context("no temporary folder can be made")?;
        let evaluator = match &settings.evaluator {
            Some(program) => program.clone(),
            None => std::env::current_exe()?,
        };
        let interrupter = Interrupter::default();
        Ok(Self {
            settings,
            evaluator,
            compiler,
            runner: Runner::new(interrupter.clone()),
            interrupter,
            serial: 0,
            programs: HashMap::new(),
            sources: HashMap::new(),
            attributes: Vec::new(),
            items: Vec::new(),
            variables: BTreeMap::new(),
            dependencies: Dependencies::new(folder.path()),
            manner: Manner::default(),
            opt_level: "0".into(),
            environment: Vec::new(),
            timing: false,
            last_messages: Vec::new(),
            folder,
        })
    }

    /// Gives a clone of what interrupts this session.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Evaluates a cell; `count` numbers it in tracebacks.
    pub fn execute(&mut self, code: &str, count: u32, front: &dyn Front) -> Outcome {
        self.interrupter.forget();
        let begun = Instant::now();
        let (commands, rest) = cell::split_commands(code);
        match self.commands(&commands, front) {
            Ok(true) => return Outcome::Quit,
            Ok(false) => {}
            Err(failure) => return Outcome::Failed(failure),
        }
        if !rest.trim().is_empty() {
            if let Err(failure) = self.evaluate(&rest, count, front) {
                return Outcome::Failed(failure);
            }
            if self.timing {
                front.text(Stream::Stdout, &format!("Took {} ms\n", begun.elapsed().as_millis()));
            }
        }
        Outcome::Done
    }

    pub(crate) fn has_built_in(&self, name: &str) -> bool {
        self.settings.externs.iter().any(|(known, _)| known == name)
    }

    fn externs(&self) -> Vec<(String, PathBuf)> {
        self.settings.externs.iter().chain(&self.dependencies.externs).cloned().collect()
    }

    /// Starts a new process without variables.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.variables.clear();
        let shared = self.shared();
        if !shared.is_file() {
            self.compiler.compile_shared(self.folder.path(), &shared, &self.interrupter)?;
        }
        let mut libraries = vec![self.folder.path().to_owned()];
        libraries.extend(self.compiler.libraries.iter().cloned());
        libraries.extend(self.settings.externs.iter().filter_map(|(_, file)| Some(file.parent()?.to_owned())));
        libraries.extend(self.settings.search.iter().cloned());
        libraries.extend(self.dependencies.loader_folders());
        self.runner.start(&self.evaluator, self.folder.path(), &shared, &libraries, &self.environment)
    }

    /// The library with which every cell is linked.
    fn shared(&self) -> PathBuf {
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        self.folder.path().join(format!("{prefix}earworm_cell{suffix}"))
    }

    /// Starts a new process, and what every notebook begins with.
    fn begin(&mut self, front: &dyn Front) -> Result<(), Failure> {
        self.restart().map_err(|e| report::of_kernel(&e))?;
        let prelude = self.settings.prelude.clone();
        if prelude.trim().is_empty() {
            return Ok(());
        }
        self.sources.insert(0, prelude.clone());
        let cell = cell::parse(&prelude).map_err(|e| self.unreadable(&prelude, 0, &e))?;
        self.evaluate_parsed(&cell, 0, front)
    }

    pub(crate) fn add_dependencies(&mut self, asked: &[String]) -> Result<(), Failure> {
        // Crates compute, and are built once: unlike cells they are worth optimising.
        let opt_level = if self.opt_level == "0" { "2" } else { &self.opt_level };
        let added = self.dependencies.add(asked, opt_level, &self.environment);
        added.map_err(|e| report::plain("DependencyError", format!("{e:#}")))
    }

    /// Forgets all, and starts a new process.
    pub(crate) fn clear(&mut self, front: &dyn Front) -> Result<(), Failure> {
        self.items.clear();
        self.attributes.clear();
        self.dependencies.clean();
        self.dependencies = Dependencies::new(self.folder.path());
        self.begin(front)
    }

    /// Rust source that declares all that a cell sees now: crates as commands, items as they were written, and
    /// `let mut name: Type = unimplemented!();` for each variable. For completion and documentation.
    pub fn context(&self) -> String {
        let crates = self.dependencies.lines();
        let crates = crates.lines().map(|line| format!(":dep {line}"));
        let items = self.items.iter().filter(|placed| !placed.aside).map(|placed| placed.text.clone());
        let variables =
            self.variables.iter().map(|(name, kept)| format!("let mut {name}: {} = unimplemented!();", kept.written));
        crates.chain(items).chain(variables).map(|line| line + "\n").collect()
    }

    /// Names and types of the variables, in the order of their names.
    pub fn variables(&self) -> Vec<(String, String)> {
        self.variables.iter().map(|(name, kept)| (name.clone(), types::short(&kept.type_name))).collect()
    }

    /// Names of the items defined so far, in the order of their names.
    pub fn items(&self) -> Vec<String> {
        let defined = self.items.iter().filter(|placed| placed.item.text.is_none());
        let mut names: Vec<String> = defined.filter_map(|placed| placed.item.key.name().map(str::to_owned)).collect();
        names.sort();
        names
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.dependencies.clean();
    }
}

/// The crate in a library, by its file's name.
fn crate_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix(std::env::consts::DLL_PREFIX).unwrap_or(&stem).to_owned()
}
