//! A notebook's state, and the evaluation of a cell in it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::cell::{self, Cell, Variable};
use crate::compiler::{Compiler, Message, Target};
pub use crate::completeness::completeness;
use crate::dependencies::Dependencies;
use crate::draft::{self, Draft};
use crate::front::{Failure, Front, Outcome, Quiet, Stream};
pub use crate::interrupter::Interrupter;
use crate::program::{Manner, Placed, Program, Taken, Use};
use crate::report::{self, Sources};
use crate::runner::{Ending, Runner};
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
        session.restart().map_err(|e| report::of_kernel(&e))?;
        session.run_prelude(&Quiet)?;
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

    fn evaluate(&mut self, code: &str, count: u32, front: &dyn Front) -> Result<(), Failure> {
        self.sources.insert(count, code.to_owned());
        let cell = match cell::parse(code) {
            Ok(cell) => cell,
            Err(e) => return Err(self.unreadable(code, count, &e)),
        };
        if cell.awaits && !self.dependencies.has("tokio") {
            front.text(Stream::Stderr, "Building tokio, which runs what is awaited\n");
            let tokio = ["tokio = { version = \"1\", features = [\"full\"] }".to_owned()];
            self.add_dependencies(&tokio)?;
        }
        if !self.runner.is_alive() {
            self.restart().map_err(|e| report::of_kernel(&e))?;
            self.run_prelude(front)?;
        }
        match self.evaluate_parsed(&cell, count, front) {
            // A macro's call in braces at the end may have no value: then it stands for statements.
            Err(_) if cell.last_is_braced && !self.ran(count) => {
                let mut as_statement = cell.clone();
                as_statement.statements.extend(as_statement.last.take());
                self.evaluate_parsed(&as_statement, count, front)
            }
            outcome => outcome,
        }
    }

    fn evaluate_parsed(&mut self, cell: &Cell, count: u32, front: &dyn Front) -> Result<(), Failure> {
        self.serial += 1;
        let entry = format!("earworm_cell_{}", self.serial);
        let file = format!("cell_{}.rs", self.serial);
        let library = self.folder.path().join(format!("cell_{}{}", self.serial, std::env::consts::DLL_SUFFIX));
        let mut draft = self.draft(cell, count);
        let dropped = draft::outdated(&self.variables, &self.items, &draft.items);
        draft.taken.retain(|taken| !dropped.contains(&taken.variable.name));
        let (program, messages) = loop {
            let program = draft.program(&entry);
            let (compiled, messages) = self.compile(&file, &library, &program)?;
            if compiled {
                break (program, messages);
            }
            let errors: Vec<&Message> = messages.iter().filter(|message| message.is_own_error()).collect();
            let mended = draft.mend(&program, &errors)?;
            if !mended {
                let failure = report::of_compiler(&errors, &program, &self.sources);
                self.last_messages = messages;
                return Err(failure);
            }
        };
        let new = self.new_variables(&draft, &program, &messages)?;
        for message in messages.iter().filter(|message| message.level == "warning") {
            if report::is_about(message, &program, count) {
                front.text(Stream::Stderr, &(report::render(message, &program, &self.sources) + "\n"));
            }
        }
        // From here the cell counts: its items are known to compile, whatever its code does.
        self.tell_set_aside(&draft.items, front);
        self.items = draft.items;
        self.attributes = draft.attributes;
        self.programs.insert(file, program);
        for name in &dropped {
            self.variables.remove(name);
            self.runner.forget(name);
            front.text(Stream::Stderr, &format!("The variable `{name}` is gone: its type was defined anew.\n"));
        }
        let moved = draft.taken.iter().filter(|taken| !taken.returned).map(|taken| &taken.variable.name);
        match self.runner.run(&library, &entry, self.serial, front) {
            Ending::Finished => {
                moved.for_each(|name| drop(self.variables.remove(name)));
                self.variables.extend(new);
                Ok(())
            }
            Ending::Failed(report) => {
                moved.for_each(|name| drop(self.variables.remove(name)));
                Err(report::of_cell(&report, &self.programs, &self.sources))
            }
            Ending::Killed => Err(self.lost(
                "Interrupted",
                "the cell did not look at the interrupt for five seconds, so its process was ended",
            )),
            Ending::Died(how) => Err(self.lost("Crash", &format!("Subprocess terminated {how}"))),
        }
    }

    fn draft<'a>(&self, cell: &'a Cell, count: u32) -> Draft<'a> {
        let built_in = self.settings.externs.iter().map(|(name, file)| (crate_name(file), name.clone()));
        let asked = self.dependencies.library.iter().map(|(name, _)| (name.clone(), "_".to_owned()));
        let mentioned = self.variables.iter().filter(|(name, _)| cell.mentioned.contains(*name));
        let taken = mentioned.map(|(name, kept)| Taken {
            variable: Variable { name: name.clone(), mutable: kept.mutable },
            written: kept.written.clone(),
            returned: true,
        });
        Draft {
            cell,
            count,
            attributes: self.attributes.iter().chain(&cell.attributes).cloned().collect(),
            libraries: built_in.chain(asked).collect(),
            items: draft::items_with(&self.items, cell, count),
            taken: taken.collect(),
            kept: cell.declared.clone(),
            manner: self.manner.clone(),
        }
    }

    /// The variables that a cell leaves behind, with the types that the compiler noted.
    fn new_variables(
        &self,
        draft: &Draft,
        program: &Program,
        messages: &[Message],
    ) -> Result<Vec<(String, Kept)>, Failure> {
        let mut types = HashMap::new();
        for message in messages {
            let place = message.spans.iter().find(|span| span.is_primary).map(|span| span.byte_start);
            if let Some(Use::Type(name)) = place.and_then(|at| program.usage(at)) {
                types.insert(name.as_str(), types::from_cast(&message.message));
            }
        }
        let externs = self.externs();
        let is_known = |first: &str| {
            ["std", "core", "alloc", "crate", "self"].contains(&first)
                || externs.iter().any(|(name, _)| name == first)
                || draft.items.iter().any(|placed| placed.item.key.name() == Some(first))
        };
        let kept = draft.kept.iter();
        kept.map(|variable| {
            let type_name = types.get(variable.name.as_str()).copied().flatten();
            Ok((variable.name.clone(), Kept::new(variable, type_name, is_known)?))
        })
        .collect()
    }

    fn tell_set_aside(&self, items: &[Placed], front: &dyn Front) {
        for placed in items.iter().filter(|placed| placed.aside) {
            let is_same = |old: &Placed| old.aside && old.cell == placed.cell && old.item.key == placed.item.key;
            if !self.items.iter().any(is_same) {
                let (words, cell) = (placed.item.key.words(), placed.cell);
                let note = format!(
                    "`{words}` of cell {cell} does not fit what is defined now: it is set aside until it does.\n"
                );
                front.text(Stream::Stderr, &note);
            }
        }
    }

    /// Whether code of this cell was run, and not only compiled.
    fn ran(&self, count: u32) -> bool {
        self.programs.get(&format!("cell_{}.rs", self.serial)).is_some_and(|program| program.count == count)
    }

    pub(crate) fn externs(&self) -> Vec<(String, PathBuf)> {
        self.settings.externs.iter().chain(&self.dependencies.externs).cloned().collect()
    }

    /// Compiles a program to a library.
    fn compile(&self, file: &str, library: &Path, program: &Program) -> Result<(bool, Vec<Message>), Failure> {
        let own = [("earworm_cell".to_owned(), self.shared())];
        let built_in = self.settings.externs.iter().map(|(_, file)| (crate_name(file), file.clone()));
        let asked = self.dependencies.externs.iter().chain(&self.dependencies.library).cloned();
        let mut search = self.settings.search.clone();
        if self.dependencies.library.is_some() {
            search.extend(self.dependencies.loader_folders());
        }
        let target = Target {
            crate_name: "cell",
            crate_type: "cdylib",
            opt_level: &self.opt_level,
            folder: self.folder.path(),
            externs: own.into_iter().chain(built_in).chain(asked).collect(),
            search,
            library,
        };
        let outcome = self.compiler.compile(file, &program.source, &target, &self.interrupter);
        if self.interrupter.asked().is_some() {
            let words = "the cell was interrupted while it was compiled. Nothing of it ran.";
            return Err(report::plain("Interrupted", words));
        }
        outcome.map_err(|e| report::of_kernel(&e))
    }

    /// The failure of a cell that is not Rust, in the compiler's words.
    fn unreadable(&mut self, code: &str, count: u32, error: &syn::Error) -> Failure {
        let program = Program::unparsed(code, count);
        let library = self.folder.path().join("unreadable");
        match self.compile("cell_unreadable.rs", &library, &program) {
            Ok((false, messages)) => {
                let errors: Vec<&Message> = messages.iter().filter(|message| message.is_own_error()).collect();
                let failure = report::of_compiler(&errors, &program, &self.sources);
                self.last_messages = messages;
                failure
            }
            Ok((true, _)) => report::plain("CompileError", error.to_string()),
            Err(failure) => failure,
        }
    }

    /// The failure of a cell that took its process with it.
    fn lost(&mut self, name: &str, how: &str) -> Failure {
        let had: Vec<String> = self.variables.keys().map(|name| format!("`{name}`")).collect();
        self.variables.clear();
        let what = match had.len() {
            0 => "There were no variables to lose".into(),
            _ => format!("All variables are lost ({})", had.join(", ")),
        };
        let kept = "functions, types and imports are kept, and the next cell starts in a new process";
        report::plain(name, format!("{how}. {what}; {kept}."))
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

    fn run_prelude(&mut self, front: &dyn Front) -> Result<(), Failure> {
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
        self.restart().map_err(|e| report::of_kernel(&e))?;
        self.run_prelude(front)
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
