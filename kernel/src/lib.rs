//! A Jupyter kernel for Rust that compiles each cell with rustc itself, against libraries that are already built.
//!
//! A cell goes through these modules, in this order:
//!
//! | step | module |
//! | --- | --- |
//! | a request comes over Jupyter's sockets | [`server`] |
//! | the cell is taken apart: commands, items, statements, variables | [`cell`], [`item`] |
//! | commands are done, crates of `:dep` built | `commands`, [`dependencies`] |
//! | a program is written: all items, the cell's statements, and what keeps its variables | [`draft`], [`program`] |
//! | rustc makes a library of it, and names the types of the variables in warnings it was asked for | [`compiler`], [`types`], [`variable`] |
//! | what does not compile is mended, or told with the lines of the cell | [`draft`], [`report`] |
//! | a process of its own loads and runs the library | [`runner`], [`process`], [`evaluator`] |
//! | what it prints is told apart: text, displays, questions, failures | [`output`] |
//! | the notebook sees it at once | [`front`] |
//!
//! [`session`] holds what lasts from cell to cell; [`interrupter`] ends a cell; [`assistant`] completes names. The code
//! that every cell is linked with is in `runtime/`.

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
