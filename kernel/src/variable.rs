//! Variables that cells leave behind.

use crate::cell::Variable;
use crate::front::Failure;
use crate::report;
use crate::types;

/// What is remembered of a variable.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its type, as the compiler names it.
    pub type_name: String,
    /// Its type, as a program writes it.
    pub written: String,
    pub mutable: bool,
}

impl Kept {
    /// Remembers a variable, if its type can be written down; `is_known` tells whether a path may begin with a name.
    ///
    /// # Errors
    /// If the type has no name, or none that this notebook can say.
    pub fn new(variable: &Variable, type_name: Option<&str>, is_known: impl Fn(&str) -> bool) -> Result<Self, Failure> {
        let name = &variable.name;
        let refused = |why: String| Err(report::plain("CompileError", why));
        let Some(type_name) = type_name else {
            return refused(format!(
                "The variable `{name}` has a type that the compiler did not tell, so it cannot be persisted."
            ));
        };
        let Some(written) = types::written(type_name) else {
            return refused(format!(
                "The variable `{name}` has type `{type_name}`, which has no name, so it cannot be persisted. Put it in \
                 a box of a named type (`let {name}: Box<dyn Fn(i32) -> i32> = Box::new(…);`), or write braces {{ }} \
                 around the statements that use it."
            ));
        };
        if let Some(unknown) = types::names(&written).0.iter().find(|first| !is_known(first)) {
            return refused(format!(
                "The variable `{name}` has type `{type_name}` of the crate `{unknown}`, which this notebook does not \
                 name, so it cannot be persisted. Write braces {{ }} around the statements that use it."
            ));
        }
        Ok(Self { type_name: type_name.to_owned(), written, mutable: variable.mutable })
    }
}
