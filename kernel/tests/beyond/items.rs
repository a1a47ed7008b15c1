//! Definitions, once more.

use crate::notebook::{Notebook, Told};

#[test]
fn a_redefined_function_also_serves_its_earlier_callers() {
    let mut n = Notebook::new();
    n.run("fn one() -> i32 { 1 }");
    n.run("fn more() -> i32 { one() + 1 }");
    assert_eq!(n.value("more()"), "2");
    n.run("fn one() -> i32 { 10 }");
    assert_eq!(n.value("more()"), "11");
    assert_eq!(n.value(r#"fn one() -> &'static str { "one" } fn more() -> usize { one().len() } more()"#), "3");
}

#[test]
fn a_cell_of_a_struct_its_methods_and_a_variable_runs_any_number_of_times() {
    let mut n = Notebook::new();
    let cell = |factor: i32| {
        format!(
            r#"#[derive(Debug, Clone, PartialEq, Default)]
            struct Song {{ title: String, seconds: i32 }}
            impl Song {{
                fn new(title: &str) -> Self {{ Self {{ title: title.to_string(), seconds: {factor} }} }}
                fn longer(&self) -> i32 {{ self.seconds * 2 }}
            }}
            impl std::fmt::Display for Song {{
                fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {{ write!(f, "{{}}!", self.title) }}
            }}
            let song = Song::new("blue");
            format!("{{song}} {{}}", song.longer())"#
        )
    };
    for factor in [10, 10, 10, 20, 20, 30] {
        assert_eq!(n.value(&cell(factor)), format!(r#""blue! {}""#, factor * 2));
        assert_eq!(n.value("song.clone() == song"), "true");
    }
    assert_eq!(n.names(), "song");
}

#[test]
fn a_trait_implementation_in_a_cell_of_its_own_can_be_redefined() {
    let mut n = Notebook::new();
    n.run(r#"struct Square(f64); trait Shape { fn area(&self) -> f64; fn name(&self) -> String { "shape".into() } }"#);
    n.run("impl Shape for Square { fn area(&self) -> f64 { 0.0 } }");
    assert_eq!(n.value("Square(3.0).area()"), "0.0");
    n.run("impl Shape for Square { fn area(&self) -> f64 { self.0 * self.0 } }");
    assert_eq!(n.value("(Square(3.0).area(), Square(3.0).name())"), r#"(9.0, "shape")"#);
    n.run("let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2.0))];");
    assert_eq!(n.value("shapes[0].area()"), "4.0");
}

#[test]
fn methods_of_an_earlier_type_can_be_added_and_redefined() {
    let mut n = Notebook::new();
    n.run("struct Account { balance: i32 }");
    n.run(
        "
        impl Account {
            fn open() -> Self { Self { balance: 0 } }
            fn pay(&mut self, sum: i32) { self.balance += sum; }
        }
    ",
    );
    n.run("let mut account = Account::open(); account.pay(5);");
    assert_eq!(n.value("account.balance"), "5");
    n.run("impl Account { fn doubled(&self) -> i32 { self.balance * 2 } }");
    assert_eq!(n.value("account.doubled()"), "10");
    n.run("impl Account { fn doubled(&self) -> i32 { self.balance * 20 } }");
    assert_eq!(n.value("account.pay(-4); account.doubled()"), "20");
}

#[test]
fn constants_statics_and_macros_can_be_redefined() {
    let mut n = Notebook::new();
    n.run(r#"const RATE: u32 = 16; static NAMES: [&str; 2] = ["a", "b"];"#);
    n.run("macro_rules! twice { ($x:expr) => { $x * 2 }; }");
    assert_eq!(n.value("(RATE, NAMES.len(), twice!(3))"), "(16, 2, 6)");
    n.run(
        r#"const RATE: f32 = 44.1; static NAMES: &[&str] = &["a"]; macro_rules! twice { ($x:expr) => { ($x, $x) }; }"#,
    );
    assert_eq!(n.value("(RATE, NAMES.len(), twice!(3))"), "(44.1, 1, (3, 3))");
}

#[test]
fn a_name_can_be_imported_from_another_path() {
    let mut n = Notebook::new();
    n.run(r#"mod left { pub fn side() -> &'static str { "left" } }"#);
    n.run(r#"mod right { pub fn side() -> &'static str { "right" } }"#);
    assert_eq!(n.value("use left::side; side()"), r#""left""#);
    assert_eq!(n.value("use right::side; side()"), r#""right""#);
    n.run("use std::fmt::Result;");
    n.run("use std::io::Result;");
    assert_eq!(n.value("let read: Result<u8> = Ok(1); read.unwrap()"), "1");
    assert_eq!(n.value("fn side() -> i32 { 5 } side()"), "5");
}

#[test]
fn private_parts_are_visible_in_all_cells() {
    let mut n = Notebook::new();
    n.run("struct Safe { code: u32 } impl Safe { fn secret(&self) -> u32 { self.code } }");
    assert_eq!(n.value("let safe = Safe { code: 7 }; safe.code + safe.secret()"), "14");
    assert_eq!(n.value("safe.secret()"), "7");
    n.run("mod vault { pub struct Gold { weight: u32 } impl Gold { pub fn new() -> Self { Gold { weight: 3 } } } }");
    n.fails("vault::Gold::new().weight").says(&["E0616"]);
}

#[test]
fn generic_and_asynchronous_functions_can_be_defined() {
    let mut n = Notebook::new();
    n.run(
        "fn largest<T: PartialOrd + Copy>(list: &[T]) -> Option<T> where T: std::fmt::Debug {
        let mut best = *list.first()?;
        for item in list { if *item > best { best = *item; } }
        Some(best)
    }",
    );
    n.run(
        "
        async fn fetch(n: u32) -> u32 { let mut sum = 0; for i in 0..n { sum += step(i).await; } sum }
        async fn step(i: u32) -> u32 { i }
    ",
    );
    assert_eq!(n.value("(largest(&[1, 5, 2]), largest(&[0.5]), largest::<u8>(&[]))"), "(Some(5), Some(0.5), None)");
    assert_eq!(n.value("std::mem::size_of_val(&fetch(3)) > 0"), "true");
}

#[test]
fn modules_see_the_items_of_other_cells() {
    let mut n = Notebook::new();
    n.run("fn helper() -> i32 { 20 } const LIMIT: i32 = 2; macro_rules! half { ($x:expr) => { $x / 2 }; }");
    n.run(
        "mod outer {
        use super::helper;
        pub mod inner {
            use crate::LIMIT;
            pub fn go() -> i32 { super::helper() + LIMIT }
        }
        pub fn halved() -> i32 { half!(helper()) }
    }",
    );
    assert_eq!(n.value("use outer::inner; (inner::go(), outer::halved())"), "(22, 10)");
}

#[test]
fn traits_of_earlier_cells_are_in_scope() {
    let mut n = Notebook::new();
    n.run("trait Shout { fn shout(&self) -> String; }");
    n.run("impl Shout for str { fn shout(&self) -> String { self.to_uppercase() } }");
    assert_eq!(n.value(r#""wave".shout()"#), r#""WAVE""#);
    n.run("use std::fmt::Write as _;");
    assert_eq!(n.value(r#"let mut line = String::new(); write!(line, "{}", 5).unwrap(); line"#), r#""5""#);
}

#[test]
fn variants_of_an_earlier_enum_can_be_imported() {
    let mut n = Notebook::new();
    n.run("#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)] enum Mood { Happy, Sad }");
    n.run("use Mood::*;");
    n.run("let moods = std::collections::BTreeSet::from([Sad, Happy, Sad]);");
    assert_eq!(n.value("moods"), "{Happy, Sad}");
    assert_eq!(n.value("match moods.first() { Some(Happy) => 1, Some(Sad) => 2, None => 3 }"), "1");
}
