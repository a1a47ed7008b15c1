//! What the front end asks of a session.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use earworm_kernel::completeness::completeness;
use earworm_kernel::front::Completeness;

use crate::notebook::{Notebook, Told};

#[track_caller]
fn incomplete(code: &str) -> String {
    match completeness(code) {
        Completeness::Incomplete(indent) => indent,
        other => panic!("{other:?}: {code}"),
    }
}

#[test]
fn what_is_whole_is_complete() {
    let whole = [
        "",
        "let x = 1;",
        "x",
        "x + 1",
        "fn f() {}",
        "fn f() {\n    1\n}",
        "if a { b } else { c }",
        r#""abc""#,
        "'a'",
        r##"r#"a"b"#"##,
        "/* a /* b */ */",
        "// a",
        "use std::io;",
        r#"println!("{}", 1)"#,
        "let c = '\\'';",
        r#"let s = "\"";"#,
        ":vars",
        ":dep itoa = \"1\"\nlet x = 1;",
        "#[derive(Debug)] struct S;",
        "let größe = '{';",
    ];
    for code in whole {
        assert_eq!(completeness(code), Completeness::Complete, "{code}");
    }
}

#[test]
fn what_waits_for_more_is_incomplete() {
    for code in [
        "fn f() {",
        r#""abc"#,
        "1 +",
        "let x",
        "let x =",
        "/* open",
        "/* a /* b */",
        r#"r#"abc""#,
        "foo(1,",
        "[1, 2",
        "if a {",
        "struct S {\n    a: i32,",
        "#[derive(Debug)]",
        "fn f()",
        "match x {\n    1 => 2,",
        r#"println!("{}","#,
        "use std::",
        r#"let s = "\""#,
        ":vars\nfn f() {",
    ] {
        incomplete(code);
    }
    assert_eq!(incomplete("fn f() {"), "    ");
    assert_eq!(incomplete("fn f() {\n    if a {"), "        ");
}

#[test]
fn what_no_line_can_mend_is_invalid() {
    for code in [")", "(]", "fn f() }", "let x = );", "foo(1))"] {
        assert_eq!(completeness(code), Completeness::Invalid, "{code}");
    }
}

#[test]
fn variables_and_items_are_listed_in_the_order_of_their_names() {
    let mut n = Notebook::new();
    n.run(
        r#"
        use std::collections::HashMap;
        pub mod shop { #[derive(Clone)] pub struct Coin(pub i32); }
        struct Zebra; enum Mood { Happy } trait Tone {}
        const RATE: i32 = 1; static NAME: &str = ""; type Pair = (i32, i32);
        fn aardvark() {} macro_rules! lion { () => {}; }
        impl Tone for Zebra {}
        let zeta = Some(String::new());
        let alpha: HashMap<String, Vec<Option<shop::Coin>>> = HashMap::new();
        let mut middle = (1u8, shop::Coin(1), [0.5f32; 2]);
    "#,
    );
    let expected = [
        ("alpha", "HashMap<String, Vec<Option<Coin>>>"),
        ("middle", "(u8, Coin, [f32; 2])"),
        ("zeta", "Option<String>"),
    ];
    assert_eq!(n.session.variables(), expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    let items: Vec<String> = n.session.items().into_iter().filter(|name| name != "HashMap").collect();
    assert_eq!(items, ["Mood", "NAME", "Pair", "RATE", "Tone", "Zebra", "aardvark", "lion", "shop"]);
}

#[test]
fn the_context_declares_all_that_a_cell_sees() {
    let mut n = Notebook::with_prelude("fn from_prelude() -> i32 { 7 }");
    let struct_ = "/// A song.\n#[derive(Debug)]\nstruct Song {\n    title: String,\n}";
    n.run(struct_);
    n.run("use std::collections::HashMap; fn long(song: &Song) -> bool { song.title.len() > 5 }");
    n.run(r#"let song = Song { title: "blue".into() }; let count = 3u8;"#);
    n.run("let count = count as i64;");
    let context = n.session.context();
    for part in [
        struct_,
        "fn long(song: &Song) -> bool { song.title.len() > 5 }",
        "fn from_prelude() -> i32 { 7 }",
        "let mut count: i64 = unimplemented!();",
        "let mut song: ",
    ] {
        assert!(context.contains(part), "no {part:?} in:\n{context}");
    }
    assert!(!context.contains("u8"), "{context}");
    assert!(context.contains("HashMap"), "{context}");
    syn::parse_str::<syn::Block>(&format!("{{\n{context}\n}}")).unwrap_or_else(|e| panic!("{e}:\n{context}"));
}

#[test]
fn the_context_compiles() {
    let mut n = Notebook::with_prelude("use std::fmt::Display;");
    n.run(
        r#"mod shop { pub struct Coin(pub i32); } macro_rules! two { () => { 2 }; } impl Display for shop::Coin {
        fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "{}", two!()) }
    }"#,
    );
    n.run(r#"let coin = shop::Coin(1); let list = vec![Some("a".to_string())]; let letters = "abc".chars();"#);
    n.run("let boxed: Box<dyn Fn(&str) -> usize> = Box::new(|s| s.len());");
    n.run("let map = std::collections::HashMap::from([(1, 2)]);");
    let context = n.session.context();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("context.rs");
    std::fs::write(&source, format!("#![allow(warnings)]\nfn main() {{\n{context}\nboxed(letters.as_str());\n}}"))
        .unwrap();
    let mut rustc = std::process::Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=bin", "--emit=metadata"]).arg(&source).current_dir(folder.path());
    let output = rustc.output().unwrap();
    assert!(output.status.success(), "{}\n{context}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_prelude_that_fails_is_told() {
    use earworm_kernel::session::{Session, Settings};
    let evaluator = Some(PathBuf::from(env!("CARGO_BIN_EXE_earworm-kernel")));
    let settings = Settings { prelude: "let broken: String = 5;".to_owned(), evaluator, ..Settings::default() };
    match Session::start(settings) {
        Ok(_) => panic!("it started"),
        Err(failure) => failure.says(&["E0308", "mismatched types"]),
    }
}

#[test]
fn the_variables_and_imports_of_the_prelude_are_in_scope() {
    let mut n = Notebook::with_prelude(
        "use std::collections::BTreeMap;
        let started = 5;
        fn plus(n: i32) -> i32 { n + started_at() }
        fn started_at() -> i32 { 2 }",
    );
    assert_eq!(n.value("BTreeMap::from([(started, plus(1))])"), "{5: 3}");
    n.run("fn started_at() -> i32 { 3 }");
    assert_eq!(n.value("plus(1)"), "4");
}

#[test]
#[cfg(target_os = "linux")]
fn the_process_ends_with_its_session() {
    let mut n = Notebook::new();
    let process = PathBuf::from(format!("/proc/{}", n.value("std::process::id()")));
    assert!(process.exists());
    drop(n);
    let start = Instant::now();
    while process.exists() {
        assert!(start.elapsed() < Duration::from_secs(5), "{} is still there", process.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}
