//! A Jupyter kernel for Rust that compiles each cell with rustc itself, against libraries that are already built.

pub mod assistant;
pub mod cell;
mod commands;
pub mod compiler;
pub mod completeness;
pub mod dependencies;
pub mod draft;
pub mod evaluator;
pub mod front;
pub mod interrupter;
pub mod item;
pub mod output;
pub mod process;
pub mod program;
pub mod report;
pub mod runner;
pub mod server;
pub mod session;
pub mod types;
pub mod variable;
