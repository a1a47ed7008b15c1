//! What a cell means: the behaviours that the test-suite of evcxr 0.22 establishes, and its commands.

#[path = "../notebook/mod.rs"]
mod notebook;

mod cells;
mod commands;
mod dependencies;
