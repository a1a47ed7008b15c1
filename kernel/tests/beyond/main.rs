//! What this kernel promises beyond evcxr: outputs, tracebacks, interruption, redefinition, and completeness.

#[path = "../notebook/mod.rs"]
mod notebook;

mod displays;
mod failures;
mod items;
mod questions;
mod statements;
mod streams;
mod survival;
mod variables;

/// A function that prints content as libraries made for evcxr do.
const SHOW: &str = r#"
    fn show(blocks: &[(&str, &str)]) {
        for (format, content) in blocks {
            println!("EVCXR_BEGIN_CONTENT {format}\n{content}\nEVCXR_END_CONTENT");
        }
    }
"#;
