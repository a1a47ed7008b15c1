//! Types of variables: as the compiler names them, as a program writes them, as a reader likes them.

use std::collections::HashSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};

/// Takes the type out of the compiler's note on a cast of a reference to it.
pub fn from_cast(message: &str) -> Option<&str> {
    message.split('`').nth(1)?.strip_prefix('&')
}

/// Writes a type so that a program can declare a variable of it; `None` if it has no name (a closure, an `impl Trait`).
pub fn written(name: &str) -> Option<String> {
    let mut parsed: syn::Type = syn::parse_str(name).ok()?;
    let mut unnamed = Unnamed(false);
    unnamed.visit_type(&parsed);
    if unnamed.0 {
        return None;
    }
    Static.visit_type_mut(&mut parsed);
    Some(parsed.to_token_stream().to_string())
}

struct Unnamed(bool);

impl<'ast> Visit<'ast> for Unnamed {
    fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
        self.0 = true;
    }
    fn visit_type_infer(&mut self, _: &'ast syn::TypeInfer) {
        self.0 = true;
    }
}

/// Gives a life to references that the compiler names without one: what a cell keeps lives to the end.
struct Static;

impl VisitMut for Static {
    fn visit_type_reference_mut(&mut self, node: &mut syn::TypeReference) {
        node.lifetime.get_or_insert_with(|| syn::Lifetime::new("'static", proc_macro2::Span::call_site()));
        visit_mut::visit_type_reference_mut(self, node);
    }
    fn visit_lifetime_mut(&mut self, node: &mut syn::Lifetime) {
        if node.ident == "_" {
            *node = syn::Lifetime::new("'static", node.span());
        }
    }
    // In the arguments of functions a missing lifetime means any.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut syn::ParenthesizedGenericArguments) {}
}

/// A type without its modules, as a reader writes it.
pub fn short(name: &str) -> String {
    let Ok(mut parsed) = syn::parse_str::<syn::Type>(name) else { return name.to_owned() };
    struct Short;
    impl VisitMut for Short {
        fn visit_path_mut(&mut self, path: &mut syn::Path) {
            visit_mut::visit_path_mut(self, path);
            if let Some(last) = path.segments.pop() {
                let mut segments = syn::punctuated::Punctuated::new();
                segments.push_value(last);
                path.segments = segments;
                path.leading_colon = None;
            }
        }
    }
    Short.visit_type_mut(&mut parsed);
    tidy(&parsed.to_token_stream().to_string())
}

/// Takes out the spaces that a token stream is printed with.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        let glued = |c: Option<char>| c.is_none_or(|c| "<>()[]&,;:!'".contains(c));
        if c == ' ' {
            let before = out.chars().next_back();
            let keep = match (before, next) {
                (Some(',' | ';' | '+' | '=' | ':'), _) => !out.ends_with("::"),
                (_, Some('+' | '=' | '-')) => true,
                (Some('>'), Some(c)) => out.ends_with("->") || c.is_alphanumeric(),
                _ => !glued(before) && !glued(next),
            };
            if !keep {
                continue;
            }
        }
        out.push(c);
    }
    out
}

/// The first words of all paths in a type, and all names in it.
pub fn names(written: &str) -> (HashSet<String>, HashSet<String>) {
    #[derive(Default)]
    struct Names(HashSet<String>, HashSet<String>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            if let Some(first) = path.segments.first().filter(|_| path.segments.len() > 1) {
                self.0.insert(first.ident.to_string());
            }
            self.1.extend(path.segments.iter().map(|segment| segment.ident.to_string()));
            visit::visit_path(self, path);
        }
    }
    let mut names = Names::default();
    if let Ok(parsed) = syn::parse_str::<syn::Type>(written) {
        names.visit_type(&parsed);
    }
    (names.0, names.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_for_the_compiler_and_for_readers() {
        let name = "std::collections::HashMap<std::string::String, &[std::vec::Vec<u8>]>";
        assert_eq!(
            from_cast("trivial cast: `&std::vec::Vec<f32>` as `&std::vec::Vec<f32>`"),
            Some("std::vec::Vec<f32>")
        );
        assert_eq!(short(name), "HashMap<String, &[Vec<u8>]>");
        assert_eq!(short("std::boxed::Box<dyn std::ops::Fn(&str) -> usize>"), "Box<dyn Fn(&str) -> usize>");
        assert_eq!(short("(i32, f64)"), "(i32, f64)");
        assert_eq!(short("[i32; 5]"), "[i32; 5]");
        assert_eq!(short("&str"), "&str");
    }

    #[test]
    fn lifetimes_are_filled_in_where_they_are_missing() {
        let plain = |name| written(name).map(|text| text.replace(' ', ""));
        assert_eq!(plain("&str").as_deref(), Some("&'staticstr"));
        assert_eq!(plain("std::str::Chars<'_>").as_deref(), Some("std::str::Chars<'static>"));
        assert_eq!(plain("fn(&str) -> usize").as_deref(), Some("fn(&str)->usize"));
        assert_eq!(plain("{closure@cell.rs:6:28: 6:36}"), None);
        assert_eq!(plain("impl Bar"), None);
        assert_eq!(plain("fn(i32) -> i32 {foo}"), None);
    }
}
