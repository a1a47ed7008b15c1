//! The program written for one cell, and where each of its parts came from.

use std::ops::Range;

use crate::cell::{Cell, Variable};
use crate::draft::Draft;
use crate::item::{Item, Key};

/// An item of the notebook: what it is, its text with the loops in it, and the cell it came from.
#[derive(Clone, Debug)]
pub struct Placed {
    pub item: Item,
    pub cell: u32,
    pub text: String,
    loops: Vec<usize>,
    /// It does not compile with what is defined now, and waits until it does.
    pub aside: bool,
}

impl Placed {
    pub fn new(item: Item, cell: u32, code: &Cell) -> Self {
        let range = item.range.clone();
        match &item.text {
            Some(text) => Self { text: text.clone(), loops: Vec::new(), cell, item, aside: false },
            None => {
                let (text, loops) = (code.code[range.clone()].to_owned(), code.loops_in(&range));
                Self { text, loops, cell, item, aside: false }
            }
        }
    }
}

/// A variable that the cell gets from earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub variable: Variable,
    /// The type, as a path that the program understands.
    pub written: String,
    /// Whether it is there again after the cell: it is not moved away.
    pub returned: bool,
}

/// How a cell is compiled and shown, as the commands have set it.
#[derive(Clone, Debug)]
pub struct Manner {
    pub show_types: bool,
    pub value_format: String,
    pub debug_errors: bool,
    pub preserve_on_panic: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { show_types: false, value_format: "{:?}".into(), debug_errors: false, preserve_on_panic: true }
    }
}

/// What a stretch of generated code does with a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    Type(String),
    Keep(String),
    Return(String),
}

/// The source of a program, with its origins.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub source: String,
    segments: Vec<Segment>,
    uses: Vec<(Range<usize>, Use)>,
}

#[derive(Clone, Debug)]
struct Segment {
    range: Range<usize>,
    cell: u32,
    offset: usize,
    /// The whole of it is shown as the import that it was one name of.
    whole: Option<Range<usize>>,
}

const LINTS: &str = "#![allow(unused_variables, unused_assignments, unused_mut, unused_imports, unused_macros, \
     unused_parens, unused_braces, unused_attributes, unused_labels, dead_code, unreachable_code, non_snake_case, \
     non_camel_case_types, non_upper_case_globals, private_interfaces, unused_unsafe, static_mut_refs)]\n";

impl Program {
    /// Writes the program of a cell whose entry point is called `entry`.
    pub fn new(draft: &Draft, entry: &str) -> Self {
        let Draft { cell, count, last_has_value, attributes, libraries, items, taken, kept, manner } = draft;
        let mut p = Self { source: LINTS.into(), ..Self::default() };
        attributes.iter().for_each(|attribute| p.line(attribute));
        libraries.iter().for_each(|(name, known_as)| p.line(&format!("extern crate {name} as {known_as};")));
        // A macro must stand before its first use.
        let is_macro = |placed: &&Placed| matches!(placed.item.key, Key::Macro(_));
        let active = || items.iter().filter(|placed| !placed.aside);
        for placed in active().filter(is_macro).chain(active().filter(|placed| !is_macro(placed))) {
            let whole = placed.item.text.as_ref().map(|_| placed.item.range.clone());
            p.copy(&placed.text, &placed.loops, placed.cell, placed.item.range.start, whole);
            p.line("");
        }
        let error = if manner.debug_errors { "FailedDebug" } else { "Failed" };
        p.line(&format!("#[unsafe(no_mangle)] pub extern \"C\" fn {entry}() {{ ::earworm_cell::run(|| {{"));
        for Taken { variable, written, .. } in taken {
            let mutable = if variable.mutable { "mut " } else { "" };
            p.line(&format!("let {mutable}{0}: {written} = ::earworm_cell::take::<{written}>({0:?});", variable.name));
        }
        p.line(&format!(
            "let earworm_finished = ::earworm_cell::guard({}, || -> ::std::result::Result<(), ::earworm_cell::{error}> {{",
            manner.preserve_on_panic
        ));
        if cell.awaits {
            p.line("::earworm_cell::shared::<::tokio::runtime::Runtime, _>(\"tokio\", ::tokio::runtime::Runtime::new).block_on(async {");
        }
        for range in &cell.statements {
            p.copy_range(cell, *count, range);
            p.line("");
        }
        if let Some(range) = cell.last.as_ref().filter(|_| !last_has_value) {
            p.copy_range(cell, *count, range);
            p.line("");
        }
        if let Some(range) = cell.last.as_ref().filter(|_| *last_has_value) {
            // What the expression borrows from lives as long as the value is matched.
            p.line("match &(");
            p.copy_range(cell, *count, range);
            p.line(") { value => {");
            p.line(&show(manner));
            p.line("} }");
        }
        for variable in kept {
            let name = &variable.name;
            p.uses(&format!("{{ #[warn(trivial_casts)] let _ = &{name} as &_; }}"), Use::Type(name.clone()));
        }
        for variable in kept {
            let name = &variable.name;
            p.uses(&format!("::earworm_cell::put({name:?}, {name});"), Use::Keep(name.clone()));
        }
        p.line(&format!("::std::result::Result::<(), ::earworm_cell::{error}>::Ok(())"));
        if cell.awaits {
            p.line("})");
        }
        p.line("});");
        for Taken { variable, returned, .. } in taken {
            let name = &variable.name;
            if *returned {
                // What the cell declares anew takes its place, unless the cell failed.
                let unless = if kept.iter().any(|new| new.name == *name) { "if !earworm_finished " } else { "" };
                p.uses(&format!("{unless}{{ ::earworm_cell::put({name:?}, {name}); }}"), Use::Return(name.clone()));
            }
        }
        p.line("}); }");
        p
    }

    /// Writes a cell that cannot be taken apart as a whole, for what the compiler has to say about it.
    pub fn unparsed(code: &str, count: u32) -> Self {
        let mut p = Self { source: "fn cell() {\n".into(), ..Self::default() };
        p.copy(code, &[], count, 0, None);
        p.line("\n}");
        p
    }

    fn line(&mut self, text: &str) {
        self.source.push_str(text);
        self.source.push('\n');
    }

    fn uses(&mut self, text: &str, usage: Use) {
        let start = self.source.len();
        self.line(text);
        self.uses.push((start..self.source.len(), usage));
    }

    fn copy_range(&mut self, cell: &Cell, count: u32, range: &Range<usize>) {
        self.copy(&cell.code[range.clone()], &cell.loops_in(range), count, range.start, None);
    }

    /// Copies code, with a look for interrupts at the head of each loop's body.
    fn copy(&mut self, text: &str, loops: &[usize], cell: u32, offset: usize, whole: Option<Range<usize>>) {
        let mut from = 0;
        for at in loops.iter().copied().chain([text.len()]) {
            let start = self.source.len();
            self.source.push_str(&text[from..at]);
            let range = start..self.source.len();
            self.segments.push(Segment { range, cell, offset: offset + from, whole: whole.clone() });
            if at < text.len() {
                self.source.push_str("::earworm_cell::tick();");
            }
            from = at;
        }
    }

    /// The cell and the place in it from which a stretch of the program was copied.
    pub fn origin(&self, range: Range<usize>) -> Option<(u32, Range<usize>)> {
        let segment = self.segments.iter().find(|s| s.range.contains(&range.start) || s.range.end == range.start)?;
        if let Some(whole) = &segment.whole {
            return Some((segment.cell, whole.clone()));
        }
        let start = segment.offset + (range.start - segment.range.start);
        // The end may lie in a later piece of the same text.
        let end = self
            .segments
            .iter()
            .rev()
            .find(|s| s.cell == segment.cell && s.range.start < range.end.max(range.start + 1));
        let end = match end {
            Some(last) => last.offset + range.end.min(last.range.end).saturating_sub(last.range.start),
            None => start,
        };
        Some((segment.cell, start..end.max(start)))
    }

    /// The same for a line and a column, both from 1, as panics name them.
    pub fn origin_of_line(&self, line: usize, column: usize) -> Option<(u32, usize)> {
        let start: usize = self.source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = self.source.get(start..)?;
        let column = rest.char_indices().nth(column.saturating_sub(1)).map_or(0, |(i, _)| i);
        // A value to show stands in parentheses, where the compiler may say that it begins.
        let wrapping = rest[column..].bytes().take_while(|b| b"&( \n".contains(b)).count();
        let at = start + column + wrapping;
        self.origin(at..at + 1).map(|(cell, range)| (cell, range.start))
    }

    /// What generated code at this place does with a variable.
    pub fn usage(&self, at: usize) -> Option<&Use> {
        self.uses.iter().find(|(range, _)| range.contains(&at)).map(|(_, usage)| usage)
    }
}

/// The code that shows `value`.
fn show(manner: &Manner) -> String {
    let result = format!("::earworm_cell::show::result({});", manner.show_types);
    match manner.value_format.as_str() {
        "{:?}" => format!(
            "use ::earworm_cell::show::{{Absent as _, ByDebug as _, ByName as _, PeelNothing as _, PeelReference as _}}; \
             {result} let shown = value.evcxr_display(); let inner = (&&::earworm_cell::show::Peel(value)).peel(); \
             let inner = inner.evcxr_display(); (&&::earworm_cell::show::Shown(shown, inner, value)).finish();"
        ),
        format => format!(
            "{result} fn show<T: ?Sized>(_: &T, text: ::std::string::String) {{ ::earworm_cell::show::plain::<T>(text) }} \
             show(value, ::std::format!({format:?}, value));"
        ),
    }
}
