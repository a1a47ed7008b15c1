//! The evaluation of a cell in a session: a draft that compiles, its run, and what the session keeps of it.

use std::collections::HashMap;
use std::path::Path;

use super::{Session, crate_name};
use crate::cell::{self, Cell, Variable};
use crate::compiler::{Message, Target};
use crate::draft::{self, Draft};
use crate::front::{Failure, Front, Stream};
use crate::program::{Placed, Program, Taken, Use};
use crate::report;
use crate::runner::Ending;
use crate::types;
use crate::variable::Kept;

impl Session {
    pub(super) fn evaluate(&mut self, code: &str, count: u32, front: &dyn Front) -> Result<(), Failure> {
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
            self.begin(front)?;
        }
        self.evaluate_parsed(&cell, count, front)
    }

    pub(super) fn evaluate_parsed(&mut self, cell: &Cell, count: u32, front: &dyn Front) -> Result<(), Failure> {
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
            if !draft.mend(&program, &errors)? {
                return Err(self.refused(messages, &program));
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
            last_has_value: true,
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
            if let Some(Use::Type(name)) = message.primary().and_then(|span| program.usage(span.byte_start)) {
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

    /// The failure of a cell that does not compile; its messages are remembered.
    fn refused(&mut self, messages: Vec<Message>, program: &Program) -> Failure {
        let errors: Vec<&Message> = messages.iter().filter(|message| message.is_own_error()).collect();
        let failure = report::of_compiler(&errors, program, &self.sources);
        self.last_messages = messages;
        failure
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
    pub(super) fn unreadable(&mut self, code: &str, count: u32, error: &syn::Error) -> Failure {
        let program = Program::unparsed(code, count);
        let library = self.folder.path().join("unreadable");
        match self.compile("cell_unreadable.rs", &library, &program) {
            Ok((false, messages)) => self.refused(messages, &program),
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
}
