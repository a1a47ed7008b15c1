//! A cell taken apart: commands, items, statements, the variables it declares and the names it mentions.

use std::collections::HashSet;
use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::item::{Item, items};

/// A parsed cell. All ranges are of bytes in `code`.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub code: String,
    /// Attributes of the whole program, such as `#![allow(unused)]`.
    pub attributes: Vec<String>,
    pub items: Vec<Item>,
    pub statements: Vec<Range<usize>>,
    /// The last expression, if it has a value to show.
    pub last: Option<Range<usize>>,
    /// It is a macro's call in braces, which may as well stand for statements or items.
    pub last_is_braced: bool,
    pub declared: Vec<Variable>,
    pub mentioned: HashSet<String>,
    /// Where loop bodies begin, in ascending order.
    pub loops: Vec<usize>,
    pub awaits: bool,
}

impl Cell {
    /// Where the loop bodies in a stretch of the code begin, from its start.
    pub fn loops_in(&self, range: &Range<usize>) -> Vec<usize> {
        self.loops.iter().filter(|at| range.contains(at)).map(|at| at - range.start).collect()
    }
}

/// A variable that a `let` of the cell declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub mutable: bool,
}

/// Splits the commands at the head of a cell (lines that begin with a colon) from its code, which keeps its length.
pub fn split_commands(source: &str) -> (Vec<String>, String) {
    blank_head(source, |line| {
        line.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

/// Takes the lines out of the head of a cell that are commands, and leaves blanks of the same length.
pub fn blank_head(source: &str, is_command: impl Fn(&str) -> bool) -> (Vec<String>, String) {
    let mut commands = Vec::new();
    let mut code = String::with_capacity(source.len());
    let mut head = true;
    for line in source.split_inclusive('\n') {
        let text = line.trim();
        if head && is_command(text) {
            commands.push(text.to_owned());
            code.extend(line.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        } else {
            head = head && (text.is_empty() || text.starts_with("//"));
            code.push_str(line);
        }
    }
    (commands, code)
}

/// Parses a cell's code, without its commands.
///
/// # Errors
/// What the parser says, if this is not Rust; rustc will say it better.
pub fn parse(code: &str) -> syn::Result<Cell> {
    proc_macro2::extra::invalidate_current_thread_spans();
    let (attributes, statements) =
        (|input: ParseStream| Ok((input.call(syn::Attribute::parse_inner)?, input.call(syn::Block::parse_within)?)))
            .parse_str(code)?;
    let mut cell = Cell { code: code.to_owned(), ..Cell::default() };
    cell.attributes = attributes.iter().map(|a| code[a.span().byte_range()].to_owned()).collect();
    let count = statements.len();
    for (i, statement) in statements.iter().enumerate() {
        let range = statement.span().byte_range();
        let last = i + 1 == count;
        match statement {
            syn::Stmt::Item(item) => {
                cell.items.extend(items(item, code));
                continue;
            }
            syn::Stmt::Local(local) => Declared(&mut cell.declared).visit_pat(&local.pat),
            syn::Stmt::Expr(_, None) if last => {
                cell.last = Some(range);
                continue;
            }
            syn::Stmt::Macro(syn::StmtMacro { mac, semi_token: None, .. }) if last => {
                cell.last_is_braced = matches!(mac.delimiter, syn::MacroDelimiter::Brace(_));
                cell.last = Some(range);
                continue;
            }
            _ => {}
        }
        cell.statements.push(range);
    }
    let mut inner = Inner::default();
    statements.iter().for_each(|statement| inner.visit_stmt(statement));
    cell.loops = inner.loops;
    cell.awaits = inner.awaits;
    for statement in &statements {
        mention(statement.to_token_stream(), &mut cell.mentioned);
    }
    // A name declared twice belongs to the last that declared it.
    let mut seen = HashSet::new();
    cell.declared.reverse();
    cell.declared.retain(|variable| seen.insert(variable.name.clone()));
    cell.declared.reverse();
    Ok(cell)
}

/// Collects the names that occur in code, in the placeholders of its format strings, too.
pub fn mention(tokens: TokenStream, names: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => mention(group.stream(), names),
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                for placeholder in text.split('{').skip(1) {
                    let word =
                        |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
                    // `{name:width$}` mentions two.
                    let inside = placeholder.split('}').next().unwrap_or_default();
                    names.extend(inside.split([':', '.', '>', '<', '^', '+', '#']).map(word).filter(|w| !w.is_empty()));
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

struct Declared<'a>(&'a mut Vec<Variable>);

impl<'ast> Visit<'ast> for Declared<'_> {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.0.push(Variable { name: pattern.ident.to_string(), mutable: pattern.mutability.is_some() });
        visit::visit_pat_ident(self, pattern);
    }
    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

/// Finds what stands inside statements and items, but not in what is computed at compile time.
#[derive(Default)]
struct Inner {
    loops: Vec<usize>,
    awaits: bool,
    depth: usize,
}

impl Inner {
    fn body(&mut self, block: &syn::Block) {
        self.loops.push(block.brace_token.span.open().byte_range().end);
    }

    fn deeper(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }
}

impl<'ast> Visit<'ast> for Inner {
    fn visit_expr_loop(&mut self, node: &'ast syn::ExprLoop) {
        self.body(&node.body);
        visit::visit_expr_loop(self, node);
    }
    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        visit::visit_expr(self, &node.cond);
        self.body(&node.body);
        visit::visit_block(self, &node.body);
    }
    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        visit::visit_expr(self, &node.expr);
        self.body(&node.body);
        visit::visit_block(self, &node.body);
    }
    fn visit_expr_await(&mut self, node: &'ast syn::ExprAwait) {
        self.awaits |= self.depth == 0;
        visit::visit_expr_await(self, node);
    }
    fn visit_expr_async(&mut self, node: &'ast syn::ExprAsync) {
        self.deeper(|s| visit::visit_expr_async(s, node));
    }
    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        self.deeper(|s| visit::visit_expr_closure(s, node));
    }
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        if node.sig.constness.is_none() {
            self.deeper(|s| visit::visit_item_fn(s, node));
        }
    }
    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        if node.sig.constness.is_none() {
            self.deeper(|s| visit::visit_impl_item_fn(s, node));
        }
    }
    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        self.deeper(|s| visit::visit_trait_item_fn(s, node));
    }
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, node: &'ast syn::ExprRepeat) {
        self.visit_expr(&node.expr);
    }
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_generics(&mut self, _: &'ast syn::Generics) {}
    fn visit_item_macro(&mut self, _: &'ast syn::ItemMacro) {}
}
