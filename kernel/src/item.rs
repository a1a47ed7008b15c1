//! Items of cells: functions, types, imports and the like, and which of them replaces which.

use std::collections::HashSet;
use std::ops::Range;

use quote::ToTokens;
use syn::spanned::Spanned;

use crate::cell::mention;

/// An item as it stood in a cell.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place in the cell's code; for one name of an import, the whole import's.
    pub range: Range<usize>,
    /// What is compiled; `None` for the text at `range`.
    pub text: Option<String>,
    pub key: Key,
    /// The names that occur in it.
    pub mentions: HashSet<String>,
}

/// What makes two items the same, so that the later one takes the place of the earlier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A function, type, trait, constant, module or imported name.
    Name(String),
    Macro(String),
    /// An import that brings no name of its own: a glob, or a trait `as _`.
    Import(String),
    /// A trait's implementation, by its head.
    Implementation(String),
    /// A type's own methods, by the head and their names.
    Methods(String, Vec<String>),
    /// Anything else, by its text.
    Other(String),
}

impl Key {
    /// Whether an item of this key takes the place of one with the other key.
    pub fn replaces(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Methods(head, names), Key::Methods(old_head, old_names)) => {
                head == old_head && names.iter().any(|name| old_names.contains(name))
            }
            _ => self == other,
        }
    }

    /// The name it defines, if it defines one that code may mention.
    pub fn name(&self) -> Option<&str> {
        match self {
            Key::Name(name) | Key::Macro(name) => Some(name),
            _ => None,
        }
    }

    /// How messages call it.
    pub fn words(&self) -> String {
        match self {
            Key::Name(name) => name.clone(),
            Key::Macro(name) => format!("{name}!"),
            Key::Import(path) => format!("use {path}"),
            Key::Implementation(head) | Key::Methods(head, _) => head.clone(),
            Key::Other(text) => text.lines().next().unwrap_or_default().to_owned(),
        }
    }
}

/// Describes an item; an import of several names becomes several.
pub fn items(item: &syn::Item, code: &str) -> Vec<Item> {
    let range = item.span().byte_range();
    let mut mentions = HashSet::new();
    mention(item.to_token_stream(), &mut mentions);
    let name = |ident: &syn::Ident| Key::Name(ident.to_string());
    let key = match item {
        syn::Item::Use(import) => return imports(import, range),
        syn::Item::Const(item) => match item.ident.to_string().as_str() {
            "_" => Key::Other(code[range.clone()].to_owned()),
            _ => name(&item.ident),
        },
        syn::Item::Enum(item) => name(&item.ident),
        syn::Item::ExternCrate(item) => match &item.rename {
            Some((_, rename)) => name(rename),
            None => name(&item.ident),
        },
        syn::Item::Fn(item) => name(&item.sig.ident),
        syn::Item::Mod(item) => name(&item.ident),
        syn::Item::Static(item) => name(&item.ident),
        syn::Item::Struct(item) => name(&item.ident),
        syn::Item::Trait(item) => name(&item.ident),
        syn::Item::TraitAlias(item) => name(&item.ident),
        syn::Item::Type(item) => name(&item.ident),
        syn::Item::Union(item) => name(&item.ident),
        syn::Item::Macro(syn::ItemMacro { ident: Some(ident), .. }) => Key::Macro(ident.to_string()),
        syn::Item::Impl(item) => implementation(item),
        _ => Key::Other(code[range.clone()].to_owned()),
    };
    vec![Item { range, text: None, key, mentions }]
}

fn implementation(item: &syn::ItemImpl) -> Key {
    let mut head = item.clone();
    head.items.clear();
    head.attrs.clear();
    let head = head.to_token_stream().to_string().trim_end_matches(['{', '}', ' ']).to_owned();
    if item.trait_.is_some() {
        return Key::Implementation(head);
    }
    let names = item.items.iter().filter_map(|item| match item {
        syn::ImplItem::Fn(item) => Some(item.sig.ident.to_string()),
        syn::ImplItem::Const(item) => Some(item.ident.to_string()),
        _ => None,
    });
    Key::Methods(head, names.collect())
}

/// Takes an import apart into one for each name.
fn imports(import: &syn::ItemUse, range: Range<usize>) -> Vec<Item> {
    let mut leaves = Vec::new();
    flatten(&import.tree, String::new(), &mut leaves);
    let attributes: String = import.attrs.iter().map(|a| a.to_token_stream().to_string() + " ").collect();
    let lead = if import.leading_colon.is_some() { "::" } else { "" };
    let visibility = import.vis.to_token_stream();
    leaves
        .into_iter()
        .map(|(path, key)| {
            let text = format!("{attributes}{visibility} use {lead}{path};");
            let mut mentions = HashSet::new();
            if let Ok(tokens) = text.parse() {
                mention(tokens, &mut mentions);
            }
            Item { range: range.clone(), text: Some(text), key, mentions }
        })
        .collect()
}

fn flatten(tree: &syn::UseTree, prefix: String, leaves: &mut Vec<(String, Key)>) {
    match tree {
        syn::UseTree::Path(path) => flatten(&path.tree, format!("{prefix}{}::", path.ident), leaves),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix.clone(), leaves)),
        syn::UseTree::Glob(_) => leaves.push((format!("{prefix}*"), Key::Import(format!("{prefix}*")))),
        syn::UseTree::Name(name) if name.ident == "self" => {
            let path = prefix.trim_end_matches("::");
            let last = path.rsplit("::").next().unwrap_or(path);
            leaves.push((format!("{prefix}{{self}}"), Key::Name(last.to_owned())));
        }
        syn::UseTree::Name(name) => {
            leaves.push((format!("{prefix}{}", name.ident), Key::Name(name.ident.to_string())));
        }
        syn::UseTree::Rename(rename) => {
            let path = if rename.ident == "self" {
                format!("{prefix}{{self as {}}}", rename.rename)
            } else {
                format!("{prefix}{} as {}", rename.ident, rename.rename)
            };
            let key =
                if rename.rename == "_" { Key::Import(path.clone()) } else { Key::Name(rename.rename.to_string()) };
            leaves.push((path, key));
        }
    }
}
