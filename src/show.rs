//! What a value looks like as the last line of a notebook cell: HTML, and the same in plain text.
//!
//! The only module that knows evcxr: a value shows itself by an inherent `evcxr_display`, which prints MIME blocks.

mod player;
mod tables;

use std::fmt::Write as _;
use std::io::Write as _;

pub use player::{Player, play};

/// A value that a notebook can show; its `Display` is the plain-text twin of the HTML.
pub(crate) trait Show: std::fmt::Display {
    /// Renders it as an HTML fragment.
    fn html(&self) -> String;
}

macro_rules! shown_in_notebooks {
    ($($type:ty),+ $(,)?) => {$(
        impl $type {
            /// Shows it in a notebook cell that ends with it: HTML, and plain text for other readers.
            pub fn evcxr_display(&self) {
                emit(&self.html(), &self.to_string());
            }
        }
    )+};
}

shown_in_notebooks!(
    crate::Audio,
    crate::Embedding,
    crate::Figure,
    crate::Hits,
    crate::Index,
    crate::Indexed,
    crate::Model,
    crate::Player,
    crate::Song,
    crate::Songs,
    crate::Tags,
);

/// Tells whether this code runs in a cell of a notebook.
pub(crate) fn in_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

/// Tells whether what is shown can be replaced while a cell runs: in the kernel of this project, not in evcxr's.
pub(crate) fn in_live_notebook() -> bool {
    std::env::var_os("EARWORM_KERNEL").is_some()
}

/// Shows HTML and text that the next call with the same name replaces; `first` if none came before.
pub(crate) fn emit_live(name: &str, first: bool, html: &str, text: &str) {
    let order = if first { "EARWORM_DISPLAY" } else { "EARWORM_UPDATE" };
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{order} {name}");
    drop(out);
    emit(html, text);
}

/// Prints both forms as MIME blocks. A closed output is no reason to fail a cell.
fn emit(html: &str, text: &str) {
    let mut out = std::io::stdout().lock();
    let blocks = [("text/html", html), ("text/plain", text)];
    for (mime, content) in blocks {
        let _ = writeln!(out, "EVCXR_BEGIN_CONTENT {mime}\n{content}\nEVCXR_END_CONTENT");
    }
    let _ = out.flush();
}

/// Makes text safe inside HTML, in elements and in quoted attributes, on one line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Makes text safe for a terminal and for a MIME block: control characters, line ends among them, are replaced.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// Renders rows of ready-made HTML cells as a table.
fn table(caption: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = format!(
        "<table style=\"border-collapse:collapse\"><caption style=\"text-align:left;font-weight:bold;padding:4px 0\">{}</caption><thead><tr>",
        escape(caption)
    );
    for head in heads {
        let _ = write!(html, "<th style=\"text-align:left;padding:2px 8px\">{}</th>", escape(head));
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<td style=\"text-align:left;vertical-align:middle;padding:2px 8px\">{cell}</td>");
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

/// Renders rows as text in aligned columns under their heads.
fn columns(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, &w)| format!("{cell:<w$}")).collect();
        padded.join("  ").trim_end().to_string()
    };
    let mut lines = vec![line(heads.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// Renders a number in 0..1 as a bar with the number beside it.
fn bar(value: f32, text: &str) -> String {
    let width = (value.clamp(0.0, 1.0) * 100.0).round();
    format!(
        "<div style=\"display:flex;align-items:center;gap:6px\"><div style=\"width:100px;height:10px;border:1px solid currentColor\"><div style=\"width:{width}%;height:100%;background:#2e8bc0\"></div></div><code>{}</code></div>",
        escape(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_titles_are_shown_not_run() {
        assert_eq!(escape("<script>alert('x')</script>"), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
        assert_eq!(escape("a\" onload=\"x"), "a&quot; onload=&quot;x");
        assert_eq!(plain("a\nEVCXR_END_CONTENT\u{1b}[31m"), "a\u{FFFD}EVCXR_END_CONTENT\u{FFFD}[31m");
    }

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["1".into(), "Ä tune".into()], vec!["10".into(), "b".into()]];
        assert_eq!(columns(&["rank", "title"], &rows), "rank  title\n1     Ä tune\n10    b");
    }
}
