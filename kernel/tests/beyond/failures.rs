//! How failures read.

use crate::notebook::{Notebook, Told};

#[test]
fn a_panic_points_at_its_line() {
    let mut n = Notebook::new();
    n.run("let a = 1;");
    let failure = n.fails("let b: Option<i32> = None;\n\nb.expect(\"nothing here\");");
    failure.says(&["nothing here"]);
    failure.points_at(2, 3, r#"b.expect("nothing here");"#);
}

#[test]
fn a_panic_in_an_earlier_cell_points_there() {
    let mut n = Notebook::new();
    n.run("let a = 1;\nfn risky(n: i32) -> i32 {\n    assert!(n > 0, \"too small: {n}\");\n    n\n}");
    n.run("fn riskier(n: i32) -> i32 { risky(n - 5) }");
    let failure = n.fails("let ok = risky(1);\nriskier(2)");
    failure.says(&["too small: -3"]);
    failure.points_at(1, 3, r#"assert!(n > 0, "too small: {n}");"#);
}

#[test]
fn an_error_of_a_question_mark_points_at_its_line() {
    let mut n = Notebook::new();
    n.run(
        "fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {\n    let n: i32 = text.parse()?;\n    Ok(n)\n}",
    );
    let failure = n.fails("let good = parse(\"4\")?;\nlet bad = parse(\"4x\")?;\nbad");
    failure.says(&["invalid digit found in string"]);
    failure.points_at(2, 2, r#"let bad = parse("4x")?;"#);
}

#[test]
fn a_compile_error_points_at_its_line() {
    let mut n = Notebook::new();
    let failure = n.fails("let a = 1;\nlet b: String = a;\nlet c = 3;");
    failure.says(&["mismatched types"]);
    failure.points_at(1, 2, "let b: String = a;");
    n.fails(":preserve_vars_on_panic 1\n\nlet b: String = 5;").points_at(2, 3, "let b: String = 5;");
    n.fails("let a = 1;\r\nlet b: String = 6;\r\n").points_at(3, 2, "let b: String = 6;");
    n.fails(r#"let a = "é🎵"; /* さび */ let b: String = 7;"#).points_at(4, 1, "let b: String = 7;");
    n.fails("fn lost() {\n    let a = 1;\n    a.no_such_method();\n}").points_at(5, 3, "a.no_such_method();");
}

#[test]
fn every_compile_error_of_a_cell_is_shown() {
    let mut n = Notebook::new();
    let failure = n.fails("let a: String = 1;\nlet b: bool = 2.5;");
    failure.points_at(1, 1, "let a: String = 1;");
    failure.points_at(1, 2, "let b: bool = 2.5;");
}

#[test]
fn a_redefinition_that_breaks_an_earlier_cell_points_there() {
    let mut n = Notebook::new();
    n.run("fn step(x: i32) -> i32 { x + 1 }");
    n.run("// Twice.\nfn twice(x: i32) -> i32 {\n    step(step(x))\n}");
    n.fails("fn step(x: i32, y: i32) -> i32 { x + y }\ntwice(1)").points_at(2, 3, "step(step(x))");
    assert_eq!(n.value("twice(1)"), "3", "the failed cell left a trace");
}

#[test]
fn what_no_longer_fits_is_set_aside_until_it_fits_again() {
    let mut n = Notebook::new();
    n.run("fn step(x: i32) -> i32 { x + 1 }");
    n.run("fn twice(x: i32) -> i32 { step(step(x)) }");
    let told = n.run("fn step(x: i32, y: i32) -> i32 { x + y }");
    assert!(told.stderr().contains("`twice` of cell 2"), "{}", told.stderr());
    assert_eq!(n.value("step(1, 2)"), "3");
    n.fails("twice(1)").says(&["twice"]);
    n.run("fn step(x: i32) -> i32 { x + 10 }");
    assert_eq!(n.value("twice(1)"), "21");
}

#[test]
fn a_redefinition_may_break_what_a_later_cell_mends() {
    let mut n = Notebook::new();
    n.run("fn step(x: i32) -> i32 { x + 1 }");
    n.run("fn twice(x: i32) -> i32 { step(step(x)) }");
    n.run("fn step(x: i32, y: i32) -> i32 { x + y }");
    assert_eq!(n.value("step(1, 2)"), "3");
    n.run("fn twice(x: i32) -> i32 { step(step(x, 1), 1) }");
    assert_eq!(n.value("twice(1)"), "3");
}

#[test]
fn an_error_without_a_question_mark_and_a_caught_panic_are_values() {
    let mut n = Notebook::new();
    assert!(n.value(r#""x".parse::<i32>()"#).starts_with("Err("));
    assert_eq!(n.value(r#"std::panic::catch_unwind(|| panic!("caught")).is_err()"#), "true");
    assert_eq!(n.value(r#"std::thread::spawn(|| panic!("elsewhere")).join().is_err()"#), "true");
}

#[test]
fn a_warning_does_not_fail_a_cell() {
    let mut n = Notebook::new();
    let warned = r#"
        #[deprecated] fn old() -> i32 { 4 }
        fn idle() { let unused = 1; return; println!("never"); }
        let SHOUTED = 1; let mut still = 2; std::fs::read("/"); (1);
        old() + 1
    "#;
    assert_eq!(n.value(warned), "5");
    n.fails("#![deny(unused_must_use)]\nstd::fs::read(\"/\");\n1").says(&["must be used"]);
}

#[test]
fn a_cell_that_does_not_compile_defines_nothing() {
    let mut n = Notebook::new();
    n.fails("fn good() -> i32 { 1 }\nuse std::collections::BTreeMap;\nlet bad: i32 = \"x\";");
    n.fails("good()").says(&["E0425"]);
    assert_eq!((n.names().as_str(), n.items().as_str()), ("", ""));
}

#[test]
fn a_cell_that_panics_keeps_its_items() {
    let mut n = Notebook::new();
    n.fails("fn good() -> i32 { 1 }\npanic!(\"later\");");
    assert_eq!(n.value("good()"), "1");
}
