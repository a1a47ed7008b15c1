//! Filters as the condition of a SQL statement; the caller's text only ever travels as a bound value.

use crate::error::{Error, Result};
use crate::store::{Field, Filter};

/// SQLite refuses expressions deeper than 1000, and a parser stack of 2500 to which each level adds up to five.
const MAX_DEPTH: usize = 400;

/// The time in which SQLite plans a statement grows with the square of this: its own limit of 32,766 took 8 seconds.
const MAX_VALUES: usize = 1_000;

/// The condition behind `WHERE`, and the values for its question marks in order.
pub(super) struct Where<'a> {
    pub(super) condition: String,
    pub(super) values: Vec<&'a str>,
}

impl<'a> Where<'a> {
    /// Compiles a filter.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is too deep or compares with too many values for SQLite.
    pub(super) fn of(filter: &'a Filter) -> Result<Self> {
        let mut compiled = Self { condition: String::new(), values: Vec::new() };
        compiled.push(filter, 1)?;
        Ok(compiled)
    }

    fn push(&mut self, filter: &'a Filter, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(too_much(
                format!("nested more than {MAX_DEPTH} deep"),
                "less deep; split the search in several",
            ));
        }
        match filter {
            Filter::All => self.condition.push_str("TRUE"),
            // `length` would stop at a NUL character.
            Filter::Exists(field) => self.condition.push_str(&format!("{} <> ''", column(*field))),
            Filter::Is(field, value) => {
                if self.values.len() == MAX_VALUES {
                    return Err(too_much(format!("a comparison with more than {MAX_VALUES} values"), "shorter"));
                }
                self.condition.push_str(&format!("{} = ?", column(*field)));
                self.values.push(value);
            }
            Filter::And(a, b) => self.push_pair(a, "AND", b, depth)?,
            Filter::Or(a, b) => self.push_pair(a, "OR", b, depth)?,
            Filter::Not(inner) => {
                self.condition.push_str("NOT (");
                self.push(inner, depth + 1)?;
                self.condition.push(')');
            }
        }
        Ok(())
    }

    fn push_pair(&mut self, a: &'a Filter, operator: &str, b: &'a Filter, depth: usize) -> Result<()> {
        self.condition.push('(');
        self.push(a, depth + 1)?;
        self.condition.push_str(&format!(") {operator} ("));
        self.push(b, depth + 1)?;
        self.condition.push(')');
        Ok(())
    }
}

fn column(field: Field) -> &'static str {
    match field {
        Field::Path => "path",
        Field::Title => "title",
        Field::Genre => "genre",
    }
}

fn too_much(value: String, expected: &str) -> Error {
    Error::BadArgument { argument: "filter", value, expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params_from_iter};

    use super::*;

    fn runs(filter: &Filter) -> i64 {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE songs (path, title, genre); INSERT INTO songs VALUES ('p', '', 'g')")
            .unwrap();
        let Where { condition, values } = Where::of(filter).unwrap();
        let select = format!("SELECT count(*) FROM songs WHERE {condition}");
        connection.query_row(&select, params_from_iter(values), |row| row.get(0)).unwrap()
    }

    fn deep(depth: usize, wrap: impl Fn(Filter) -> Filter) -> Filter {
        (1..depth).fold(Filter::genre("g"), |filter, _| wrap(filter))
    }

    #[test]
    fn the_deepest_allowed_filters_run() {
        assert_eq!(runs(&deep(MAX_DEPTH - 1, Filter::not)), 1);
        assert_eq!(runs(&deep(MAX_DEPTH, Filter::not)), 0);
        assert_eq!(runs(&deep(MAX_DEPTH, |f| f.and(Filter::exists(Field::Path)))), 1);
        assert_eq!(runs(&deep(MAX_DEPTH, |f| Filter::exists(Field::Title).or(f))), 1);
        assert_eq!(runs(&deep(MAX_DEPTH / 3, |f| Filter::exists(Field::Title).or(f.not()).not())), 1);
    }

    #[test]
    fn a_deeper_filter_is_an_error_and_no_crash() {
        for depth in [MAX_DEPTH + 1, 10_000] {
            let outcome = Where::of(&deep(depth, Filter::not)).map(|_| ());
            assert!(matches!(outcome, Err(Error::BadArgument { argument: "filter", .. })), "{outcome:?}");
        }
    }

    fn balanced(leaves: usize) -> Filter {
        match leaves {
            1 => Filter::genre("g"),
            _ => balanced(leaves / 2).or(balanced(leaves - leaves / 2)),
        }
    }

    #[test]
    fn too_many_values_are_an_error() {
        assert_eq!(runs(&balanced(MAX_VALUES)), 1);
        assert!(matches!(Where::of(&balanced(MAX_VALUES + 1)).map(|_| ()), Err(Error::BadArgument { .. })));
    }
}
