//! Crates that `:dep` adds.

use std::path::Path;

use crate::notebook::{Notebook, Told};

/// A library in a folder of its own, for `:dep`.
struct Library {
    name: &'static str,
    folder: tempfile::TempDir,
}

impl Library {
    fn new(name: &'static str, source: &str) -> Self {
        Self::with_manifest(name, source, "")
    }

    fn with_manifest(name: &'static str, source: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.0.1\"\nedition = \"2021\"\n\n{more}");
        std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/lib.rs"), source).unwrap();
        Self { name, folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn by_path(&self) -> String {
        format!(":dep {}", self.path().display())
    }

    fn with(&self, options: &str) -> String {
        format!(r#":dep {} = {{ path = "{}", {options} }}"#, self.name, self.path().display())
    }
}

#[test]
fn a_library_of_no_folder_is_an_error_that_leaves_no_trace() {
    let mut n = Notebook::new();
    n.fails(":dep missing = { path = \"no/such/folder\" }\nlet x = 40;");
    n.fails(":dep /no/such/folder");
    n.fails(":dep");
    assert_eq!(n.says(":show_deps").trim(), "");
    assert_eq!(n.names(), "");
    assert_eq!(n.value("40 + 2"), "42");
}

#[test]
fn an_unknown_feature_or_version_is_an_error_that_leaves_no_trace() {
    let mut n = Notebook::new();
    let library = Library::new("plain_library", "pub fn twenty() -> i32 { 20 }");
    n.fails(&library.with(r#"features = ["no_such_feature"]"#)).says(&["no_such_feature"]);
    n.fails(&library.with(r#"version = "9""#));
    assert_eq!(n.says(":show_deps").trim(), "");
    assert_eq!(n.value(&(library.by_path() + "\nplain_library::twenty() + 1")), "21");
}

#[test]
fn several_libraries_can_be_added_before_the_code_that_needs_them() {
    let mut n = Notebook::new();
    let twenty = Library::new("twenty_library", "pub fn twenty() -> i32 { 20 }");
    let more = Library::new("more_library", "pub fn more() -> i32 { 22 }");
    let cell = format!(
        "{}\n{}\n// The sum:\ntwenty_library::twenty() + more_library::more()",
        twenty.by_path(),
        more.by_path()
    );
    assert_eq!(n.value(&cell), "42");
    assert_eq!(n.value(&cell), "42", "the same cell once more");
}

const COUNTER: &str = "
    use std::sync::atomic::{AtomicU32, Ordering};
    static VALUE: AtomicU32 = AtomicU32::new(0);
    pub fn set(value: u32) { VALUE.store(value, Ordering::SeqCst) }
    pub fn get() -> u32 { VALUE.load(Ordering::SeqCst) }
    pub struct Handle(pub u32);
";

#[test]
fn a_static_of_a_library_lives_once_across_cells() {
    let mut n = Notebook::new();
    n.run(":allow_static_linking 0");
    let library = Library::new("counter", COUNTER);
    n.run(&(library.by_path() + "\ncounter::set(765);"));
    assert_eq!(n.value("counter::get()"), "765");
    n.run("fn read() -> u32 { counter::get() }");
    assert_eq!(n.value("read()"), "765");
}

#[test]
fn a_static_of_a_library_is_the_one_that_other_libraries_see() {
    let mut n = Notebook::new();
    n.run(":allow_static_linking 0");
    let inner = Library::new("counter", COUNTER);
    let needs = format!("[dependencies]\ncounter = {{ path = \"{}\" }}\n", inner.path().display());
    let outer = Library::with_manifest("outer", "pub fn set(value: u32) { counter::set(value) }", &needs);
    n.run(&format!("{}\n{}\nouter::set(31);", inner.by_path(), outer.by_path()));
    assert_eq!(n.value("counter::get()"), "31");
}

#[test]
fn variables_survive_another_library() {
    let mut n = Notebook::new();
    let (counter, other) = (Library::new("counter", COUNTER), Library::new("other", "pub fn two() -> u32 { 2 }"));
    n.run("let list = vec![1, 2];");
    n.run(&(counter.by_path() + "\nlet handle = counter::Handle(40);"));
    assert_eq!(n.value(&(other.by_path() + "\nhandle.0 + other::two() + list.len() as u32")), "44");
    assert_eq!(n.names(), "handle list");
}

#[test]
fn a_library_named_with_hyphens_is_imported_with_underscores() {
    let mut n = Notebook::new();
    let library = Library::new("name-with-hyphens", "pub fn answer() -> i32 { 42 }");
    assert_eq!(n.value(&(library.by_path() + "\nuse name_with_hyphens;\nname_with_hyphens::answer()")), "42");
}

#[test]
fn features_of_a_library_can_be_chosen() {
    let mut n = Notebook::new();
    let source = r#"pub fn volume() -> u32 { if cfg!(feature = "loud") { 11 } else { 3 } }"#;
    let library = Library::with_manifest("amplifier", source, "[features]\nloud = []\n");
    assert_eq!(n.value(&(library.with(r#"features = ["loud"]"#) + "\namplifier::volume()")), "11");
}

#[test]
fn a_library_is_named_and_versioned_from_the_registry() {
    let mut n = Notebook::new();
    // One that this package itself depends on, so that cargo has it at hand.
    assert_eq!(n.value(":offline 1\n:dep itoa = \"1\"\nitoa::Buffer::new().format(42u8).to_owned()"), r#""42""#);
}

#[test]
fn show_deps_lists_the_libraries() {
    let mut n = Notebook::new();
    assert_eq!(n.says(":show_deps").trim(), "");
    let (beta, alpha) = (Library::new("beta_library", ""), Library::new("alpha_library", ""));
    n.run(&beta.with(r#"version = "0.0.1""#));
    n.run(&alpha.by_path());
    let expected = format!(
        "alpha_library = {{ path = \"{}\" }}\nbeta_library = {{ path = \"{}\", version = \"0.0.1\" }}",
        alpha.path().display(),
        beta.path().display()
    );
    assert_eq!(n.says(":show_deps").trim(), expected);
    n.run(":clear");
    assert_eq!(n.says(":show_deps").trim(), "");
}
