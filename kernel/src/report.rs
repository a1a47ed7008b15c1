//! What a reader sees of a failure: the cell's own lines, with a mark where it went wrong.

use std::collections::HashMap;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Renderer, Snippet};

use crate::compiler::{Message, Span};
use crate::front::Failure;
use crate::output::Report;
use crate::program::Program;

/// The code of all cells, by their numbers.
pub type Sources = HashMap<u32, String>;

/// Makes a failure with a message and nothing to point at.
pub fn plain(name: &str, message: impl Into<String>) -> Failure {
    let value = message.into();
    let traceback = format!("\u{1b}[1;31m{name}\u{1b}[0m: {value}").lines().map(str::to_owned).collect();
    Failure { name: name.into(), value, traceback }
}

/// Makes a failure of what the kernel itself could not do.
pub fn of_kernel(error: &anyhow::Error) -> Failure {
    plain("KernelError", format!("{error:#}"))
}

/// Makes a failure of the compiler's errors.
pub fn of_compiler(errors: &[&Message], program: &Program, sources: &Sources) -> Failure {
    let mut traceback = Vec::new();
    for error in errors {
        traceback.extend(render(error, program, sources).lines().map(str::to_owned));
        traceback.push(String::new());
    }
    let value = errors.first().map(|error| error.message.clone()).unwrap_or_default();
    Failure { name: "CompileError".into(), value, traceback }
}

/// Writes one of the compiler's messages with the lines of the cells that it is about.
pub fn render(message: &Message, program: &Program, sources: &Sources) -> String {
    let level = if message.is_error() { Level::ERROR } else { Level::WARNING };
    let mut title = level.primary_title(message.message.as_str());
    if let Some(code) = message.code.as_ref().filter(|code| code.code.starts_with('E')) {
        title = title.id(code.code.as_str());
    }
    let mut groups = vec![Group::with_title(title).elements(snippets(&message.spans, program, sources))];
    for child in &message.children {
        let spans = snippets(&child.spans, program, sources);
        let level = match child.level.as_str() {
            "help" => Level::HELP,
            _ => Level::NOTE,
        };
        let suggestion = child.spans.iter().find_map(|span| {
            let text = span.suggested_replacement.as_deref().map(str::trim).filter(|text| !text.is_empty())?;
            let new = !spans.is_empty() && !child.message.contains(text);
            new.then(|| format!("{}: `{text}`", child.message))
        });
        if child.message.starts_with("`#[warn(") {
            continue;
        }
        let title = suggestion.unwrap_or_else(|| child.message.clone());
        if spans.is_empty() {
            if let Some(group) = groups.pop() {
                groups.push(group.element(level.message(title)));
            }
        } else {
            groups.push(Group::with_title(level.secondary_title(title)).elements(spans));
        }
    }
    Renderer::styled().render(&groups)
}

/// A stretch of a cell, and what the compiler says about it.
type Place<'a> = (Range<usize>, &'a Span);

/// The stretches of cells that spans point to, a snippet for each cell.
fn snippets<'a>(spans: &'a [Span], program: &Program, sources: &'a Sources) -> Vec<Element<'a>> {
    let mut cells: Vec<(u32, Vec<Place>)> = Vec::new();
    for span in spans {
        if let Some((cell, range)) = place(span, program) {
            match cells.iter_mut().find(|(known, _)| *known == cell) {
                Some((_, ranges)) => ranges.push((range, span)),
                None => cells.push((cell, vec![(range, span)])),
            }
        }
    }
    cells
        .into_iter()
        .filter_map(|(cell, ranges)| {
            let source = sources.get(&cell)?;
            let annotations: Vec<Annotation> = ranges
                .into_iter()
                .filter(|(range, _)| source.get(range.clone()).is_some())
                .map(|(range, span)| {
                    let kind = if span.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                    kind.span(range).label(span.label.as_deref())
                })
                .collect();
            Some(
                Snippet::source(source.as_str())
                    .line_start(1)
                    .path(format!("cell {cell}"))
                    .annotations(annotations)
                    .into(),
            )
        })
        .collect()
}

/// Whether a message is about this cell, and not about code of earlier ones.
pub fn is_about(message: &Message, program: &Program, cell: u32) -> bool {
    message.primary().and_then(|span| place(span, program)).is_some_and(|(about, _)| about == cell)
}

/// The place in a cell that a span is about; for code that a macro made, the place where it was called.
pub fn place(span: &Span, program: &Program) -> Option<(u32, Range<usize>)> {
    let mut span = span;
    while let Some(expansion) = &span.expansion {
        span = &expansion.span;
    }
    span.file_name.starts_with("cell_").then(|| program.origin(span.byte_start..span.byte_end)).flatten()
}

/// Makes a failure of what the process of the cells reported.
pub fn of_cell(report: &Report, programs: &HashMap<String, Program>, sources: &Sources) -> Failure {
    let (name, title) = match report.kind.as_str() {
        "panic" => ("Panic", format!("the cell panicked: {}", report.message)),
        "error" => ("Error", report.message.clone()),
        "load" => ("KernelError", report.message.clone()),
        _ => return plain("Interrupted", "the cell was interrupted. All variables from before are kept."),
    };
    let mut places: Vec<(u32, usize)> = origin(&report.place, programs).into_iter().collect();
    for frame in report.frames.lines().filter_map(|line| line.trim().strip_prefix("at ")) {
        let frame = frame.rsplit('/').next().unwrap_or(frame);
        places.extend(origin(frame, programs).filter(|place| places.last() != Some(place)));
    }
    places.dedup();
    let mut groups = Vec::new();
    for (i, (cell, at)) in places.iter().enumerate() {
        let Some(source) = sources.get(cell) else { continue };
        let Some(rest) = source.get(*at..) else { continue };
        let line = rest.lines().next().unwrap_or_default();
        let length = line.find(';').unwrap_or(line.trim_end().len()).max(1).min(rest.len());
        let snippet = Snippet::source(source.as_str())
            .line_start(1)
            .path(format!("cell {cell}"))
            .annotation(AnnotationKind::Primary.span(*at..*at + length));
        groups.push(match i {
            0 => Group::with_title(Level::ERROR.primary_title(title.as_str())).element(snippet),
            _ => Group::with_title(Level::NOTE.secondary_title("called from here")).element(snippet),
        });
    }
    if groups.is_empty() {
        let mut failure = plain(name, title);
        if report.kind == "panic" && !report.place.is_empty() {
            failure.traceback.push(format!("  at {}", report.place));
        }
        return failure;
    }
    let mut traceback: Vec<String> = Renderer::styled().render(&groups).lines().map(str::to_owned).collect();
    if origin(&report.place, programs).is_none() && report.kind == "panic" {
        traceback.push(format!("  the panic itself is at {}", report.place));
    }
    Failure { name: name.into(), value: report.message.clone(), traceback }
}

/// The cell and the place in it that a `file:line:column` stands for.
fn origin(place: &str, programs: &HashMap<String, Program>) -> Option<(u32, usize)> {
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    programs.get(parts.next()?)?.origin_of_line(line, column)
}
