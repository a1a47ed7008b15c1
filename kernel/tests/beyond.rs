//! What this kernel promises beyond evcxr: outputs, tracebacks, interruption, redefinition, and completeness.

mod notebook;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use earworm_kernel::front::{Completeness, Outcome};
use earworm_kernel::session::completeness;
use notebook::{Notebook, Told, mime};

/// A function that prints content as libraries made for evcxr do.
const SHOW: &str = r#"
    fn show(blocks: &[(&str, &str)]) {
        for (format, content) in blocks {
            println!("EVCXR_BEGIN_CONTENT {format}\n{content}\nEVCXR_END_CONTENT");
        }
    }
"#;

// What cells show.

#[test]
fn contents_printed_in_a_loop_are_separate_displays() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let ran = n.run(r#"for i in 0..2 { show(&[("text/html", &format!("<b>{i}</b>"))]); }"#);
    let html: Vec<String> = ran.displays().into_iter().map(|data| mime(data, "text/html")).collect();
    assert_eq!(html, ["<b>0</b>", "<b>1</b>"]);
    assert_eq!(ran.stdout(), "");
    assert_eq!(ran.result(), None);
}

#[test]
fn contents_of_several_formats_in_direct_succession_are_one_display() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let ran = n.run(
        r#"for i in 0..2 { show(&[("text/html", &format!("<b>{i}</b>")), ("text/plain", &format!("{i}\n!"))]); }"#,
    );
    let both: Vec<_> =
        ran.displays().into_iter().map(|data| (mime(data, "text/html"), mime(data, "text/plain"))).collect();
    assert_eq!(both, [("<b>0</b>".into(), "0\n!".into()), ("<b>1</b>".into(), "1\n!".into())]);
}

#[test]
fn text_printed_between_contents_separates_them() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let code =
        r#"show(&[("text/html", "<i>a</i>")]); println!("between"); show(&[("text/plain", "b")]); println!("after");"#;
    let ran = n.run(code);
    assert_eq!(ran.displays().len(), 2);
    assert_eq!(ran.stdout(), "between\nafter\n");
    assert_eq!(ran.said(), "between\nbafter\n", "not in the order in which it was printed");
}

#[test]
fn an_empty_content_and_an_image_arrive_as_they_are() {
    let mut n = Notebook::new();
    n.run(SHOW);
    let ran = n.run(r#"show(&[("image/png", "iVBORw0KGgo=")]); println!("-"); show(&[("text/html", "")]);"#);
    assert_eq!(mime(ran.displays()[0], "image/png"), "iVBORw0KGgo=");
    assert!(ran.displays()[1].contains_key("text/html"));
}

#[test]
fn a_value_that_displays_itself_is_the_result() {
    let mut n = Notebook::new();
    n.run(SHOW);
    n.run(
        r#"
        struct Tune { name: String }
        impl Tune {
            pub fn evcxr_display(&self) {
                show(&[("text/html", &format!("<b>{}</b>", self.name)), ("text/plain", &self.name)]);
            }
        }
        let tune = Tune { name: "blue".to_string() };
    "#,
    );
    for code in ["tune", "&tune", "Tune { name: tune.name.clone() }"] {
        let ran = n.run(code);
        let data = ran.result().unwrap_or_else(|| panic!("no result of {code}: {ran:?}"));
        assert_eq!((mime(data, "text/html"), mime(data, "text/plain")), ("<b>blue</b>".into(), "blue".into()));
        assert!(ran.displays().is_empty());
    }
    assert_eq!(n.names(), "tune", "it was moved");
    assert!(n.run("tune.evcxr_display();").result().is_none(), "what a statement shows is no result");
}

#[test]
fn a_plain_value_is_shown_by_debug() {
    let mut n = Notebook::new();
    assert_eq!(n.value(r#"("a\n", 'c', 1.0, [Some(1u8)])"#), r#"("a\n", 'c', 1.0, [Some(1)])"#);
    n.run("let list = vec![1, 2];");
    assert_eq!(n.value("list"), "[1, 2]");
    assert_eq!(n.value("&list[..1]"), "[1]");
    assert_eq!(n.value("list.iter().map(|i| i * 2).collect::<Vec<i32>>()"), "[2, 4]");
    assert_eq!(n.names(), "list");
}

#[test]
fn nothing_is_shown_of_a_unit() {
    let mut n = Notebook::new();
    for code in ["()", "if true {}", "for _ in 0..3 {}", "{ let _a = 1; }", "let x = 1;", "std::mem::drop(1)"] {
        assert!(n.run(code).is_silent(), "{code}");
    }
}

#[test]
fn a_value_without_debug_shows_its_type() {
    let mut n = Notebook::new();
    n.run("struct Opaque(i32); let opaque = Opaque(1);");
    assert!(n.value("opaque").contains("Opaque"));
    assert!(n.value("Some(Opaque(2))").contains("Option<Opaque>"));
    assert_eq!(n.value("opaque.0"), "1");
}

// How failures read.

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

// What survives.

/// A notebook with a variable of each kind of owner.
fn kept() -> Notebook {
    let mut n = Notebook::with_prelude("use std::collections::BTreeMap; fn from_prelude() -> i32 { 7 }");
    n.run(r#"let mut list = vec![1, 2, 3]; let word = "wave".to_string(); let number = 4;"#);
    n.run("fn double(x: i32) -> i32 { x * 2 }");
    n
}

#[track_caller]
fn all_is_kept(n: &mut Notebook) {
    assert_eq!(n.names(), "list number word");
    assert_eq!(n.value(r#"format!("{list:?} {word} {}", double(number))"#), r#""[1, 2, 3] wave 8""#);
    n.run("list.push(4); list.pop();");
}

#[track_caller]
fn only_items_are_kept(n: &mut Notebook) {
    assert_eq!(n.names(), "");
    assert_eq!(n.value("double(from_prelude())"), "14");
    assert_eq!(n.value("BTreeMap::from([(1, 2)])"), "{1: 2}");
    n.fails("number").says(&["E0425"]);
}

#[test]
fn variables_survive_a_panic() {
    let mut n = kept();
    n.fails("let fresh = list.len(); word.as_str().parse::<i32>().unwrap(); number");
    all_is_kept(&mut n);
}

#[test]
fn variables_survive_an_error_of_a_question_mark() {
    let mut n = kept();
    n.fails("let fresh = list.len(); word.parse::<i32>()?; number");
    all_is_kept(&mut n);
}

#[test]
fn variables_survive_a_compile_error() {
    let mut n = kept();
    n.fails("let list = 5; drop(word); no_such_function(number)");
    all_is_kept(&mut n);
}

#[test]
fn what_a_panicking_cell_changed_stays_changed() {
    let mut n = kept();
    n.fails(r#"list.push(9); panic!("after the push");"#);
    assert_eq!(n.value("list"), "[1, 2, 3, 9]");
}

#[test]
fn what_a_panicking_cell_used_up_is_gone_and_nothing_else() {
    let mut n = kept();
    n.fails(r#"drop(word); panic!("after the drop");"#);
    assert_eq!(n.names(), "list number");
    assert_eq!(n.value("(list, number)"), "([1, 2, 3], 4)");
}

#[test]
fn loops_are_interrupted_and_variables_survive() {
    let mut n = kept();
    n.run("fn forever() { loop { std::hint::spin_loop(); } }");
    let loops = [
        "loop {}",
        "while true {}",
        "for _ in 0.. {}",
        "let mut i = 0u64; while i < u64::MAX { i = i.wrapping_add(2); }",
        "for a in 0.. { for _b in 0..1000u64 { std::hint::black_box((a, number)); } }",
        "loop { if list.len() > 5 { break; } continue; }",
        r#"loop { println!("more"); }"#,
        "let spin: Box<dyn Fn()> = Box::new(|| loop {}); spin();",
        "let x: u8 = 'outer: loop { for i in 0.. { if i == 255 { continue 'outer; } } };",
        "forever();",
    ];
    for code in loops {
        let (failure, took) = n.interrupted(&format!("println!(\"go\");\n{code}"));
        assert_eq!(failure.name, "Interrupted", "{code}\n{}", failure.text());
        assert!(took < Duration::from_secs(2), "{took:?}: {code}");
        all_is_kept(&mut n);
    }
}

#[test]
fn a_sleep_is_interrupted_by_ending_the_process() {
    let mut n = kept();
    let (failure, took) = n.interrupted("println!(\"go\");\nstd::thread::sleep(std::time::Duration::from_secs(60));");
    failure.says(&["variable"]);
    failure.says(&["lost"]);
    assert!(took < Duration::from_secs(20), "{took:?}");
    only_items_are_kept(&mut n);
}

#[test]
fn an_interrupt_between_cells_does_nothing() {
    let mut n = kept();
    n.session.interrupter().interrupt();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(n.value("{ let mut sum = 0; for i in 0..10 { sum += i; } sum }"), "45");
    all_is_kept(&mut n);
}

#[test]
fn the_death_of_the_process_is_told_and_the_next_cell_works() {
    let mut n = kept();
    let deep = "
        fn deep(n: u64) -> u64 {
            let a = std::hint::black_box([n; 512]);
            std::hint::black_box(deep(a[0] + 1)) + a[1]
        }
        deep(0)
    ";
    let deaths: [(&str, &[&str]); 5] = [
        ("std::process::abort();", &["SIGABRT", "signal: 6"]),
        ("std::process::exit(3);", &["exit status: 3", "exit code 3", "exit(3)", "status 3", "code: 3"]),
        ("std::process::exit(0);", &["exit status: 0", "exit code 0", "exit(0)", "status 0", "code: 0"]),
        (deep, &["overflow", "SIGABRT", "signal: 6", "SIGSEGV", "signal: 11"]),
        (
            r#"std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status()?; loop {}"#,
            &["SIGKILL", "signal: 9"],
        ),
    ];
    for (code, words) in deaths {
        let failure = n.fails(code);
        failure.says(words);
        only_items_are_kept(&mut n);
        n.run("let number = 4;");
        assert_eq!(n.value("double(number)"), "8");
    }
}

#[test]
fn output_before_the_death_of_the_process_arrives() {
    let mut n = Notebook::new();
    let (outcome, ran) = n.execute(r#"println!("last words"); eprintln!("last cry"); std::process::abort();"#);
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert!(ran.stdout().contains("last words\n") && ran.stderr().contains("last cry\n"), "{ran:?}");
}

// Definitions, once more.

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

// Variables.

#[test]
fn variables_can_be_shadowed() {
    let mut n = Notebook::new();
    n.run("let x = 1;");
    for _ in 0..3 {
        n.run("let x = x + 1;");
    }
    assert_eq!(n.value("x"), "4");
    assert_eq!(n.value(r#"let x = "5"; let x: i64 = x.parse()?; let x = x * 2; x"#), "10");
    assert_eq!(n.type_of("x"), "i64");
    n.run("let mut x = 1; x += 1;");
    n.run("x += 1; let x = x;");
    n.fails("x += 1;").says(&["E0384", "E0594"]);
    assert_eq!(n.value("x"), "3");
}

#[test]
fn patterns_declare_variables() {
    let mut n = Notebook::new();
    n.run("struct Range { low: i32, high: Option<(u8, u8)> } struct Meters(f32);");
    n.run(
        "
        let (a, mut b) = (1, 2);
        let Range { low, high: Some((c, _)) } = (Range { low: -1, high: Some((3, 4)) }) else { panic!() };
        let ((d, [e, .., f]), Meters(g)) = ((5, [6, 7, 8]), Meters(9.5));
        let whole @ (h, _) = (10, 11);
    ",
    );
    n.run("b += 100;");
    assert_eq!(n.value("(a, b, low, c, d, e, f, g, whole, h)"), "(1, 102, -1, 3, 5, 6, 8, 9.5, (10, 11), 10)");
    assert_eq!(n.names(), "a b c d e f g h low whole");
}

#[test]
fn let_else_declares_a_variable_or_ends_the_cell() {
    let mut n = Notebook::new();
    n.run(r#"let Some(n) = "7".parse::<i32>().ok() else { panic!("no number") };"#);
    n.fails(r#"let Some(m) = "x".parse::<i32>().ok() else { panic!("no number") };"#).says(&["no number"]);
    assert_eq!(n.names(), "n");
    assert_eq!(n.value("n"), "7");
}

#[test]
fn references_to_statics_can_be_kept() {
    let mut n = Notebook::new();
    n.run("static TABLE: [i32; 3] = [1, 2, 3];");
    n.run(r#"let s = "abc"; let list: &'static [i32] = &[4, 5]; let row = &TABLE; let part = &s[1..];"#);
    assert!(["&str", "&'static str"].contains(&n.type_of("s").as_str()), "{}", n.type_of("s"));
    assert_eq!(n.value("(s, list, row[2], part)"), r#"("abc", [4, 5], 3, "bc")"#);
    n.run("let last = &s[2..]; let leaked: &'static mut Vec<i32> = Box::leak(Box::new(vec![1]));");
    n.run("leaked.push(2);");
    assert_eq!(n.value("(last, &leaked)"), r#"("c", [1, 2])"#);
}

#[test]
fn functions_can_be_kept_as_values() {
    let mut n = Notebook::new();
    n.run("fn double(x: i32) -> i32 { x * 2 }");
    n.run("let pointer: fn(i32) -> i32 = double; let by = 3usize;");
    n.run("let count: Box<dyn Fn(&str) -> usize> = Box::new(move |s| s.len() * by);");
    n.run("let mut total = 0; let mut tick: Box<dyn FnMut() -> i32> = Box::new(move || { total += 1; total });");
    assert_eq!(n.value(r#"(pointer(4), count("ab"), tick(), tick())"#), "(8, 6, 1, 2)");
    assert_eq!(n.value("tick()"), "3");
}

#[test]
fn iterators_go_on_where_the_last_cell_left_them() {
    let mut n = Notebook::new();
    n.run(r#"let mut letters = "abc".chars(); let mut numbers = vec![1, 2, 3].into_iter();"#);
    n.run("let mut evens = (0..10).step_by(2);");
    assert_eq!(n.value("(letters.next(), numbers.next(), evens.next())"), "(Some('a'), Some(1), Some(0))");
    assert_eq!(n.value("(letters.next(), numbers.next(), evens.next())"), "(Some('b'), Some(2), Some(2))");
    assert_eq!(n.value("letters.as_str()"), r#""c""#);
}

#[test]
fn shared_and_threaded_values_can_be_kept() {
    let mut n = Notebook::new();
    n.run(
        r#"
        use std::{cell::RefCell, rc::{Rc, Weak}, sync::{Arc, Mutex, mpsc}};
        let tree: Rc<RefCell<Vec<Rc<str>>>> = Rc::new(RefCell::new(vec!["root".into()]));
        let weak = Rc::downgrade(&tree);
        let sum = Arc::new(Mutex::new(0));
        let (sender, receiver) = mpsc::channel::<i32>();
        let mine = Arc::clone(&sum);
        let worker = std::thread::spawn(move || { for n in receiver { *mine.lock().unwrap() += n; } 42 });
    "#,
    );
    n.run(r#"tree.borrow_mut().push("leaf".into()); sender.send(5)?; sender.send(6)?;"#);
    n.run("drop(sender);");
    assert_eq!(n.value("(worker.join().unwrap(), *sum.lock().unwrap())"), "(42, 11)");
    assert_eq!(
        n.value(r#"weak.upgrade().map(|tree| { let path = tree.borrow().join("/"); path })"#),
        r#"Some("root/leaf")"#
    );
    n.run("drop(tree);");
    assert_eq!(n.value("weak.upgrade().is_none()"), "true");
}

#[test]
fn a_variable_may_be_used_in_a_macro_only() {
    let mut n = Notebook::new();
    n.run("let x = 1.5; let width = 6usize; let places = 1usize;");
    n.run(r#"macro_rules! show { ($($e:expr),*) => { vec![$(format!("{:?}", $e)),*] }; }"#);
    assert_eq!(n.run(r#"println!("{x}");"#).stdout(), "1.5\n");
    assert_eq!(n.value(r#"format!("{x:?}")"#), r#""1.5""#);
    assert_eq!(n.value(r#"format!("{{x}} {x:>width$.places$}|{0:1$}", 1, width)"#), r#""{x}    1.5|     1""#);
    assert_eq!(n.value("show!(x, width + 1)"), r#"["1.5", "7"]"#);
    assert_eq!(n.value("vec![width; 2]"), "[6, 6]");
    assert_eq!(n.value("matches!(width, 6) && { assert_eq!(places, 1); true }"), "true");
    assert_eq!(n.value(r##"format!(r#"{}"#, format!("{width:02}"))"##), r#""06""#);
}

#[test]
fn a_borrow_of_a_variable_is_refused_by_name() {
    let mut n = Notebook::new();
    n.fails("let v = vec![1]; let first = &v[0];").says(&["`first`"]);
    assert_eq!(n.names(), "");
    n.run("let v = vec![1];");
    n.fails("let first = &v[0];").says(&["`first`"]);
    n.fails("let first = v.iter();").says(&["`first`"]);
    assert_eq!(n.value("let first = v[0]; (first, v.len())"), "(1, 1)");
}

#[test]
fn a_variable_that_is_moved_on_one_path_or_in_part_can_no_longer_be_used() {
    let mut n = Notebook::new();
    n.run(r#"let go = true; let word = String::from("wave"); let pair = (String::from("a"), String::from("b"));"#);
    n.run("if go { drop(word); }");
    n.fails("word").says(&["E0425"]);
    n.run("let first = pair.0;");
    n.fails("pair").says(&["E0425"]);
    assert_eq!(n.names(), "first go");
    assert_eq!(n.value("first"), r#""a""#);
}

#[test]
fn a_variable_can_be_moved_into_another_and_back() {
    let mut n = Notebook::new();
    n.run("let list = vec![1];");
    n.run("let moved = list;");
    assert_eq!(n.names(), "moved");
    n.run("let mut list = moved; list.push(2);");
    assert_eq!(n.value("list"), "[1, 2]");
    n.run("let list: Vec<i32> = list.into_iter().map(|i| i * 2).collect();");
    assert_eq!(n.value("list"), "[2, 4]");
    n.run(r#"for i in list { println!("{i}"); }"#);
    assert_eq!(n.names(), "");
}

#[test]
fn variables_are_dropped_when_they_are_replaced() {
    let mut n = Notebook::new();
    n.run(r#"struct Noisy(u8); impl Drop for Noisy { fn drop(&mut self) { println!("drop {}", self.0); } }"#);
    assert_eq!(n.run("let noisy = Noisy(1);").stdout(), "");
    assert_eq!(n.run("let kept = 1;").stdout(), "");
    assert_eq!(n.run("{ let _inner = Noisy(2); }").stdout(), "drop 2\n");
    assert_eq!(n.run("let noisy = Noisy(3);").stdout(), "drop 1\n");
    assert_eq!(n.run("drop(noisy);").stdout(), "drop 3\n");
    assert_eq!(n.run("let noisy = Noisy(4); let _ = Noisy(5); Noisy(6);").stdout(), "drop 5\ndrop 6\n");
}

// Statements.

#[test]
fn the_last_expression_is_a_result_only_without_semicolon() {
    let mut n = Notebook::new();
    n.run("let n = 3;");
    for (expression, value) in [
        (r#"if n > 2 { "big" } else { "small" }"#, r#""big""#),
        ("match n { 3 => 'c', _ => 'z' }", "'c'"),
        ("{ let m = n * 2; m + 1 }", "7"),
        ("unsafe { *(&n as *const i32) }", "3"),
        ("loop { break n; }", "3"),
        ("'a: { if n == 3 { break 'a 5; } 6 }", "5"),
        ("n as f32 / 2.0", "1.5"),
        ("!true", "false"),
        ("-n", "-3"),
        ("|x: i32| x + n", ""),
    ] {
        assert!(n.value(expression).contains(value), "{expression}");
        assert_eq!(n.run(&format!("{expression};")).result(), None, "{expression};");
    }
    assert_eq!(n.names(), "n");
}

#[test]
fn comments_may_stand_anywhere() {
    let mut n = Notebook::new();
    assert_eq!(n.value("1 + 1 // a sum"), "2");
    assert_eq!(n.value("1 + 1 /* a sum */\n\n"), "2");
    assert_eq!(n.value("// first\n/* second */ let x = 3; // third\n/* fourth */ x\n// fifth"), "3");
    assert_eq!(
        n.value("/// Of a function.\nfn f() -> &'static str { \"// no /* comment\" } f() // end"),
        r#""// no /* comment""#
    );
}

#[test]
fn a_cell_may_be_empty() {
    let mut n = Notebook::new();
    for code in ["", "\n", "  \t\n", "// only this", "/* only\n this */"] {
        assert!(n.run(code).is_silent(), "{code:?}");
    }
}

#[test]
fn names_and_strings_may_be_in_any_script() {
    let mut n = Notebook::new();
    n.run(r#"let größe = 3; let 曲 = "日本語 🎵"; struct Ça(i32); let r#type = Ça(4);"#);
    assert_eq!(n.value(r#"format!("{曲} {größe} é{}", r#type.0)"#), r#""日本語 🎵 3 é4""#);
    assert_eq!(n.run(r#"println!("{曲}");"#).stdout(), "日本語 🎵\n");
}

#[test]
fn lines_may_end_in_the_way_of_windows() {
    let mut n = Notebook::new();
    assert_eq!(n.value("let a = 1;\r\nlet b = 2; // two\r\na + b\r\n"), "3");
    n.run(":types\r\n:fmt {:#?}\r\n");
    assert_eq!(n.value(":fmt {:?}\r\na\r\n").lines().last(), Some(": i32 = 1"));
}

#[test]
fn a_macro_may_be_the_last_statement() {
    let mut n = Notebook::new();
    let ran = n.run(r#"println!("x")"#);
    assert_eq!((ran.stdout().as_str(), ran.result()), ("x\n", None));
    assert_eq!(n.value("vec![1, 2]"), "[1, 2]");
    assert_eq!(n.value("vec! { 3 }"), "[3]");
    assert_eq!(n.run(r#"println! { "y" }"#).stdout(), "y\n");
    assert_eq!(
        n.run("macro_rules! both { () => { println!(\"a\"); println!(\"b\"); }; }\nboth!();").stdout(),
        "a\nb\n"
    );
}

#[test]
fn loops_of_all_kinds_run() {
    let mut n = Notebook::new();
    n.run(
        "
        const fn triangle(n: u32) -> u32 {
            let (mut sum, mut i) = (0, 0);
            while i <= n { sum += i; i += 1; }
            loop { if sum > 0 { break; } }
            sum
        }
        const TEN: u32 = triangle(4);
        static TABLE: [u32; 3] = { let mut t = [0; 3]; let mut i = 0; while i < 3 { t[i] = i as u32; i += 1; } t };
        struct Loops;
        impl Loops { const fn upto(n: u32) -> u32 { let mut i = 0; while i < n { i += 1; } i } }
        trait Spin { fn spin(&self) -> u32 { let mut n = 0; for _ in 0..3 { n += 1; } n } }
        impl Spin for Loops {}
        fn never() -> ! { loop {} }
        macro_rules! add { ($list:expr) => {{ let mut n = 0; for i in $list { n += i; } n }}; }
    ",
    );
    assert_eq!(n.value("(TEN, TABLE, Loops::upto(5), Loops.spin(), add!([1, 2]))"), "(10, [0, 1, 2], 5, 3, 3)");
    assert_eq!(n.value("const { let mut i = 0; while i < 5 { i += 1; } i }"), "5");
    assert_eq!(n.value("[0u8; { let mut i = 0; while i < 3 { i += 1; } i }].len()"), "3");
    let labelled = "
        let mut found = None;
        'rows: for row in 0..10 {
            for column in 0..10 {
                if column > row { continue 'rows; }
                if row * column == 42 { found = Some((row, column)); break 'rows; }
            }
        }
        #[allow(clippy::never_loop)]
        let first = 'search: loop { for i in 5.. { break 'search i; } };
        let mut stack = vec![1, 2];
        while let Some(top) = stack.pop() { let _ = top; }
        let sums = {
            let closure = |n: i32| { let mut sum = 0; for i in 0..n { sum += i; } sum };
            (closure(3), (0..3).map(|n| { let mut i = n; while i < 10 { i += 3; } i }).max())
        };
        (found, first, stack.len(), sums)";
    assert_eq!(n.value(labelled), "(Some((7, 6)), 5, 0, (3, Some(12)))");
}

#[test]
fn inner_attributes_may_stand_first() {
    let mut n = Notebook::new();
    assert_eq!(n.value("#![allow(unused_variables, non_snake_case)]\nlet Loud = 5;\nLoud"), "5");
    assert_eq!(n.value("#![allow(unused_variables, non_snake_case)]\nLoud + 1"), "6");
}

// Streams.

#[test]
fn many_lines_arrive_all_and_in_order() {
    let mut n = Notebook::new();
    let ran = n.run(r#"for i in 0..100_000 { println!("line {i}"); } for i in 0..1_000 { eprintln!("error {i}"); }"#);
    let lines = |word: &str, count: u32| (0..count).map(|i| format!("{word} {i}\n")).collect::<String>();
    // Not `assert_eq!`, which would print two megabytes.
    assert!(ran.stdout() == lines("line", 100_000), "{} bytes on stdout", ran.stdout().len());
    assert!(ran.stderr() == lines("error", 1_000), "{} bytes on stderr", ran.stderr().len());
}

#[test]
fn a_long_line_arrives_whole() {
    let mut n = Notebook::new();
    let ran = n.run(r#"println!("{}", "é".repeat(1_000_000));"#);
    assert!(ran.stdout() == "é".repeat(1_000_000) + "\n", "{} bytes", ran.stdout().len());
}

#[test]
fn a_line_that_has_not_ended_arrives_while_the_cell_runs() {
    let mut n = Notebook::new();
    let folder = tempfile::tempdir().unwrap();
    let sign: PathBuf = folder.path().join("seen");
    let code = format!(
        r#"use std::io::Write;
        print!("half");
        std::io::stdout().flush()?;
        for _ in 0..2000 {{
            if std::path::Path::new({sign:?}).exists() {{ break; }}
            std::thread::sleep(std::time::Duration::from_millis(10));
        }}
        print!(" and half");"#
    );
    let (outcome, ran) = n.while_running(&code, "half", || std::fs::write(&sign, "").unwrap());
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(ran.stdout(), "half and half");
    assert_eq!(n.run(r#"print!("no end"); eprint!("none either");"#).said().len(), 17);
}

#[test]
fn text_and_result_keep_their_order() {
    let mut n = Notebook::new();
    let ran = n.run("print!(\"before\");\n42");
    assert_eq!((ran.stdout().as_str(), ran.said().as_str()), ("before", "before42"));
}

#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let mut n = Notebook::new();
    let ran =
        n.run(r#"use std::io::Write; std::io::stdout().write_all(b"\xff\xfe\x80 fine\n\0\n")?; println!("next");"#);
    assert!(ran.stdout().contains(" fine\n") && ran.stdout().ends_with("next\n"), "{:?}", ran.stdout());
    assert_eq!(n.value("42"), "42");
}

#[test]
fn what_a_thread_prints_later_is_neither_lost_nor_mixed_into_displays() {
    let mut n = Notebook::new();
    let first = n.run(
        r#"
        fn pause() { std::thread::sleep(std::time::Duration::from_millis(5)); }
        let worker = std::thread::spawn(|| for i in 0..200 { println!("tick {i}"); pause(); });
    "#,
    );
    let second = n.run(
        r#"
        for i in 0..100 { print!("EVCXR_BEGIN_CONTENT text/plain\nblock {i}\nEVCXR_END_CONTENT\n"); pause(); }
        worker.join().unwrap();
    "#,
    );
    let blocks: Vec<String> = second.displays().into_iter().map(|data| mime(data, "text/plain")).collect();
    assert_eq!(blocks, (0..100).map(|i| format!("block {i}")).collect::<Vec<_>>());
    let ticks: String = (0..200).map(|i| format!("tick {i}\n")).collect();
    assert_eq!(first.stdout() + &second.stdout(), ticks);
}

// What the front end asks.

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
