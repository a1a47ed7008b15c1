//! A cell on its way to a program that compiles: what goes into it, and what the compiler's errors change.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::cell::{Cell, Variable};
use crate::compiler::{Message, Span};
use crate::front::Failure;
use crate::item::Key;
use crate::program::{Manner, Placed, Program, Taken, Use};
use crate::report;
use crate::types;
use crate::variable::Kept;

/// What the program of a cell is made of.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub cell: &'a Cell,
    pub count: u32,
    /// Whether the last expression is one, and not a macro's call that stands for statements.
    pub last_has_value: bool,
    pub attributes: Vec<String>,
    /// Libraries, and the names by which cells know them.
    pub libraries: Vec<(String, String)>,
    pub items: Vec<Placed>,
    /// Variables of earlier cells that this one mentions.
    pub taken: Vec<Taken>,
    /// Variables that it declares, and that are there after it.
    pub kept: Vec<Variable>,
    pub manner: Manner,
}

impl Draft<'_> {
    /// Writes the program.
    pub fn program(&self, entry: &str) -> Program {
        Program::new(self, entry)
    }

    /// Changes what the compiler's errors say must change, if they are about code that the kernel wrote, or about items
    /// of earlier cells that do not fit those of this one. Tells whether another attempt is worth it.
    ///
    /// # Errors
    /// If a variable cannot outlive the cell.
    pub fn mend(&mut self, program: &Program, errors: &[&Message]) -> Result<bool, Failure> {
        let mut mended = false;
        let mut broken: Vec<(u32, usize)> = Vec::new();
        let mut all_in_old_items = true;
        for error in errors {
            let uses: Vec<(&Use, &Span)> =
                error.spans.iter().filter_map(|span| Some((program.usage(span.byte_start)?, span))).collect();
            let is_static = |span: &Span| span.label.as_deref().is_some_and(|label| label.contains("'static"));
            if let Some((Use::Keep(name) | Use::Type(name), _)) = uses.iter().find(|(_, span)| is_static(span)) {
                return Err(borrowed(name));
            }
            // Moved away, or not given a value on every path.
            if ["E0382", "E0381"].contains(&error.code()) {
                for (usage, _) in uses.iter().filter(|(_, span)| span.is_primary) {
                    mended |= self.without(usage);
                }
            }
            let place = error.primary().and_then(|span| report::place(span, program));
            match place {
                Some((cell, range)) if cell != self.count => broken.push((cell, range.start)),
                _ => all_in_old_items = false,
            }
        }
        if !mended && all_in_old_items {
            for placed in self.items.iter_mut().filter(|placed| placed.cell != self.count && !placed.aside) {
                let hit = broken.iter().any(|(cell, at)| placed.cell == *cell && placed.item.range.contains(at));
                let wanted = placed.item.key.name().is_some_and(|name| self.cell.mentioned.contains(name));
                placed.aside = hit && !wanted;
                mended |= placed.aside;
            }
        }
        // A macro's call in braces at the end may have no value.
        if !mended && self.cell.last_is_braced && self.last_has_value {
            self.last_has_value = false;
            mended = true;
        }
        Ok(mended)
    }

    /// Takes out one use of a variable; tells whether it was there.
    fn without(&mut self, usage: &Use) -> bool {
        match usage {
            Use::Return(name) => {
                let taken = self.taken.iter_mut().find(|taken| taken.variable.name == *name && taken.returned);
                taken.map(|taken| taken.returned = false).is_some()
            }
            Use::Keep(name) | Use::Type(name) => {
                let before = self.kept.len();
                self.kept.retain(|variable| variable.name != *name);
                self.kept.len() < before
            }
        }
    }
}

fn borrowed(name: &str) -> Failure {
    report::plain(
        "CompileError",
        format!(
            "The variable `{name}` contains a reference to something that ends with the cell, so it cannot be persisted. \
             Keep a copy instead (`.clone()`, `.to_owned()`), or write braces {{ }} around the statements, so that it \
             ends before the cell does."
        ),
    )
}

/// The items known and those of the cell, which take the places of the former. A cell that defines something gives what
/// was set aside another chance.
pub fn items_with(known: &[Placed], cell: &Cell, count: u32) -> Vec<Placed> {
    let mut items = known.to_vec();
    if !cell.items.is_empty() {
        items.iter_mut().for_each(|placed| placed.aside = false);
    }
    for item in &cell.items {
        items.retain(|old| !item.key.replaces(&old.item.key));
        items.push(Placed::new(item.clone(), count, cell));
    }
    items
}

/// The variables whose type is, or holds, one that had another text before.
pub fn outdated(variables: &BTreeMap<String, Kept>, before: &[Placed], items: &[Placed]) -> BTreeSet<String> {
    let now = |key: &Key| items.iter().find(|placed| placed.item.key == *key);
    let changed = before.iter().filter(|old| now(&old.item.key).is_some_and(|now| now.text != old.text));
    let mut names: HashSet<String> = changed.filter_map(|old| old.item.key.name().map(str::to_owned)).collect();
    if names.is_empty() {
        return BTreeSet::new();
    }
    loop {
        let known = names.len();
        let mentioning = items.iter().filter(|placed| !placed.item.mentions.is_disjoint(&names));
        let more: Vec<String> = mentioning.filter_map(|placed| placed.item.key.name().map(str::to_owned)).collect();
        names.extend(more);
        if names.len() == known {
            break;
        }
    }
    let outdated = variables.iter().filter(|(_, kept)| !types::names(&kept.written).1.is_disjoint(&names));
    outdated.map(|(name, _)| name.clone()).collect()
}
