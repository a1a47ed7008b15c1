//! Cells as evcxr's suite has them: variables, items, errors.

use crate::notebook::{Notebook, Told, without_colours};

#[test]
fn a_lone_macro_statement_runs() {
    let mut n = Notebook::new();
    n.run("assert_eq!(6u8 * 7, 42)");
    n.fails("assert_eq!(6u8 * 7, 41)");
}

#[test]
fn a_mutable_variable_can_be_assigned_in_a_later_cell() {
    let mut n = Notebook::new();
    n.run("let mut total = 30; let step = 12;");
    n.run("total = total + step;");
    assert_eq!(n.value("total"), "42");
}

#[test]
fn an_immutable_variable_cannot_be_assigned() {
    let mut n = Notebook::new();
    n.run("let step = 12;");
    n.fails("step = 2;").says(&["E0384", "E0594"]);
    assert_eq!(n.value("step"), "12");
}

#[test]
fn what_a_question_mark_yields_can_be_kept() {
    let mut n = Notebook::new();
    n.run(
        "
        pub mod shop {
            pub mod till {
                pub struct Coin {}
                impl Coin {
                    pub fn worth(&self) -> i32 { 21 }
                }
            }
        }
        fn pay() -> Result<Option<shop::till::Coin>, i32> {
            Ok(Some(shop::till::Coin {}))
        }
    ",
    );
    n.run("let first = pay()?;");
    n.run("let second = pay()?;");
    assert_eq!(n.value("first.unwrap().worth() + second.unwrap().worth()"), "42");
}

#[test]
fn a_let_without_its_semicolon_is_an_error_that_says_so() {
    let mut n = Notebook::new();
    n.run("mod shop { pub mod till { pub struct Coin {} } }");
    n.fails("let coin = shop::till::Coin {}").says(&["`;`", "semicolon"]);
    assert_eq!(n.names(), "");
}

#[test]
fn both_streams_arrive_each_in_order() {
    let mut n = Notebook::new();
    let ran = n.run(
        r#"
        println!("one out");
        eprintln!("one err");
        println!("two out");
        eprintln!("two err");
    "#,
    );
    assert_eq!(ran.stdout(), "one out\ntwo out\n");
    assert_eq!(ran.stderr(), "one err\ntwo err\n");
}

#[test]
fn shared_cells_outlive_the_notebook_cell_and_stay_shared() {
    let mut n = Notebook::new();
    n.run(
        "
        use std::cell::RefCell; use std::rc::Rc;
        let words: Rc<RefCell<String>> = Rc::new(RefCell::new(String::new()));
        let same: Rc<RefCell<String>> = Rc::clone(&words);
    ",
    );
    n.run(r#"words.borrow_mut().push_str("wa"); let rest = "ve";"#);
    n.run("same.borrow_mut().push_str(rest);");
    assert_eq!(n.value("words.borrow().as_str()"), r#""wave""#);
}

#[test]
fn a_function_calls_one_of_an_earlier_cell() {
    let mut n = Notebook::new();
    n.run("pub fn lower() -> i32 { 42 }");
    n.run("pub fn higher() -> i32 { lower() } assert_eq!(higher(), 42);");
    assert_eq!(n.items(), "higher lower");
}

#[test]
fn variables_survive_a_panic_if_asked_to() {
    let mut n = Notebook::new();
    n.run(":preserve_vars_on_panic 1\nlet list = vec![1, 2, 3];\nlet number = 42;");
    n.fails(r#"panic!("on purpose {}", number);"#).says(&["on purpose 42"]);
    assert_eq!(n.value(r#"format!("{:?}, {}", list, number)"#), r#""[1, 2, 3], 42""#);
}

#[test]
fn variables_are_lost_in_a_panic_if_not_asked_to_survive() {
    let mut n = Notebook::new();
    n.run(":preserve_vars_on_panic 0\nlet list = vec![1, 2, 3];\nlet number = 42;");
    n.fails(r#"panic!("on purpose {}", number);"#);
    assert_eq!(n.names(), "");
    n.fails("this is no Rust");
    assert_eq!(n.names(), "", "a compile error brought them back");
    assert_eq!(n.value("40 + 2"), "42");
}

#[test]
fn a_thread_local_with_a_destructor_does_no_harm() {
    let mut n = Notebook::new();
    n.run(
        r#"
        pub struct Guard {}
        impl Drop for Guard {
            fn drop(&mut self) { println!("guard gone"); }
        }
        pub fn touch() {
            thread_local! { pub static GUARD: Guard = Guard {}; }
            GUARD.with(|_| ())
        }
    "#,
    );
    n.run("touch();");
    n.run("std::thread::spawn(touch).join().unwrap();");
    assert_eq!(n.value("1"), "1");
}

#[test]
fn a_variable_that_was_moved_away_is_gone() {
    let mut n = Notebook::new();
    n.run(r#"let word = Some("wave".to_owned());"#);
    assert_eq!(n.session.variables(), [("word".to_owned(), "Option<String>".to_owned())]);
    assert_eq!(n.value("word.unwrap()"), r#""wave""#);
    assert_eq!(n.names(), "");
    n.fails("word").says(&["E0425"]);
}

#[test]
fn invalid_code_is_an_error() {
    let mut n = Notebook::new();
    n.fails("use crate;");
    n.fails("this is no Rust");
    n.fails("std::mem::drop(42); std::mem::drop(").points_at(3, 1, "std::mem::drop(42); std::mem::drop(");
    assert_eq!(n.value("40 + 2"), "42");
}

#[test]
fn a_struct_is_inferred_shown_and_taken_apart() {
    let mut n = Notebook::new();
    n.run("#[derive(Debug)] pub struct Place { pub east: i32, pub north: i32 }");
    n.run("let here = Place { east: 3, north: 8 };");
    assert_eq!(n.value("here"), "Place { east: 3, north: 8 }");
    n.run("let Place { east, north: up } = here;");
    assert_eq!(n.value("(east, up)"), "(3, 8)");
    assert_eq!(n.items(), "Place");
}

#[test]
fn literals_get_their_default_types() {
    let mut n = Notebook::new();
    n.run("let pair = (42, 2.5);");
    assert_eq!(n.session.variables(), [("pair".to_owned(), "(i32, f64)".to_owned())]);
}

#[test]
fn a_cell_declares_a_variable_and_shows_it() {
    let mut n = Notebook::new();
    assert_eq!(n.value(r#"let word = "sound".to_owned() + "wave"; word"#), r#""soundwave""#);
}

#[test]
fn a_bad_import_is_one_error_and_leaves_no_trace() {
    let mut n = Notebook::new();
    let failure = n.fails("use no_such_library;");
    failure.says(&["E0432"]);
    let traceback = without_colours(&failure.traceback.join("\n"));
    assert_eq!(traceback.matches("error[").count(), 1, "{traceback}");
    n.fails("use std::no_such_module::Thing;");
    assert_eq!(n.value(r#""wa".to_string() + "ve""#), r#""wave""#);
}

#[test]
fn an_error_inside_a_macro_points_at_the_cell() {
    let mut n = Notebook::new();
    let code = r#"let mut line = String::new(); line.push_str(format!(""));"#;
    let failure = n.fails(code);
    failure.says(&["E0308"]);
    failure.points_at(1, 1, code);
    let code = r#"let mut line = String::new(); write!(line, "x").unwrap();"#;
    n.fails(code).points_at(2, 1, code);
}

#[test]
fn the_same_import_can_be_repeated() {
    let mut n = Notebook::new();
    n.run("use std::collections::HashMap;");
    n.run("use std::collections::HashMap;");
    assert_eq!(n.value("use std::fmt::Debug; HashMap::from([(1, 2)])"), "{1: 2}");
    assert_eq!(n.value("use std::fmt::Debug; 42"), "42");
}

#[test]
fn redefining_a_type_drops_its_variables() {
    let mut n = Notebook::new();
    n.run("struct Card { suit: i32 } let one = Card { suit: 1 }; let two = Card { suit: 2 }; let other = 5;");
    assert_eq!(n.type_of("one"), "Card");
    assert_eq!(n.names(), "one other two");
    n.run("struct Card { suit: i32, rank: i32 } let three = Card { suit: 3, rank: 7 };");
    assert_eq!(n.names(), "other three");
    assert_eq!(n.value("three.rank + other"), "12");
}

#[test]
fn an_abort_ends_variables_but_not_items_and_clear_ends_those() {
    let mut n = Notebook::new();
    n.run("pub fn answer() -> i32 { 42 } let kept = 42i32;");
    n.fails("std::process::abort();").says(&["signal: 6", "SIGABRT"]);
    assert_eq!(n.names(), "");
    assert_eq!(n.value("answer()"), "42");
    assert_eq!(n.items(), "answer");
    n.run(":clear");
    assert_eq!(n.items(), "");
    n.fails("answer()").says(&["E0425"]);
    assert_eq!(n.value("40 + 2"), "42");
}

#[test]
fn a_failed_declaration_does_not_stand_in_the_way() {
    let mut n = Notebook::new();
    n.fails("let nothing = no_such_function();").says(&["E0425"]);
    n.run("use std::collections::HashMap;");
    assert_eq!(n.value("42"), "42");
    assert_eq!(n.names(), "");
}

#[test]
fn an_array_can_be_kept() {
    let mut n = Notebook::new();
    n.run("let row = [42; 5];");
    assert_eq!(n.value("row[4]"), "42");
    assert_eq!(n.type_of("row"), "[i32; 5]");
}

#[test]
fn a_type_with_a_constant_parameter_can_be_kept() {
    let mut n = Notebook::new();
    n.run("struct Frame<const N: usize> { data: [u8; N] } let frame: Frame<3> = Frame::<3> { data: [4, 5, 6] };");
    assert_eq!(n.value("frame.data[1]"), "5");
}

#[test]
fn a_type_in_a_module_named_like_a_keyword_can_be_kept() {
    let mut n = Notebook::new();
    n.run("mod r#async { pub struct Task { pub id: i32 } } let task = r#async::Task { id: 3 };");
    assert_eq!(n.value("task.id"), "3");
}

#[test]
fn a_closure_is_refused_by_name() {
    let mut n = Notebook::new();
    n.fails("let fleeting = || { 42 };").says(&["`fleeting`"]);
    assert_eq!(n.names(), "");
    assert_eq!(n.value("let boxed: Box<dyn Fn() -> i32> = Box::new(|| 42); boxed()"), "42");
}

#[test]
fn a_value_of_a_hidden_type_is_refused_by_name() {
    let mut n = Notebook::new();
    let failure =
        n.fails("pub trait Tone {} impl Tone for i32 {} pub fn tone() -> impl Tone { 42 } let hidden = tone();");
    failure.says(&["`hidden`"]);
    assert_eq!(n.names(), "");
}

#[test]
fn a_type_that_is_half_given_is_completed() {
    let mut n = Notebook::new();
    n.run("let list: Vec<_> = (1..10).collect();");
    assert_eq!(n.value("list.len()"), "9");
    assert_eq!(n.type_of("list"), "Vec<i32>");
}

#[test]
fn a_first_variable_may_come_after_a_first_print() {
    let mut n = Notebook::new();
    assert_eq!(n.run(r#"println!("hello");"#).stdout(), "hello\n");
    n.run("let x = 42;");
    assert_eq!(n.value("x"), "42");
}

#[test]
fn types_toggles_the_types_of_results() {
    let mut n = Notebook::new();
    assert_eq!(n.says(":types").trim(), "Types: true");
    assert_eq!(n.value("42"), ": i32 = 42");
    assert_eq!(n.value(r#"Some("wave".to_string())"#), r#": Option<String> = Some("wave")"#);
    assert_eq!(n.says(":types").trim(), "Types: false");
    assert_eq!(n.value("42"), "42");
}

#[test]
fn types_are_shortened() {
    let mut n = Notebook::new();
    n.run(":fmt {}\n:types");
    assert_eq!(n.value(r#"String::from("wave")"#), ": String = wave");
    assert_eq!(n.value("-3i32"), ": i32 = -3");
    n.run(":fmt {:?}");
    assert_eq!(n.value("vec![Some(1u64), None]"), ": Vec<Option<u64>> = [Some(1), None]");
    assert_eq!(n.value("mod shop { #[derive(Debug)] pub struct Coin; } shop::Coin"), ": Coin = Coin");
}

#[test]
fn a_question_mark_without_variables_ends_the_cell() {
    let mut n = Notebook::new();
    n.fails(r#"std::fs::read_to_string("/no/such/file")?;"#).says(&["No such file"]);
    assert_eq!(n.value("42"), "42");
}

#[test]
fn a_question_mark_keeps_what_was_changed_before_it_and_declares_nothing() {
    let mut n = Notebook::new();
    n.run(
        r#"
        let text = "old".to_string();
        let number = 40;
        let mut growing = "grow".to_string();
        let mut counter = 41;
    "#,
    );
    n.fails(
        r#"
        use std::io::Result;
        growing.push_str("42");
        counter += 1;
        let number = 42;
        let unborn = 42;
        std::fs::read_to_string("/no/such/file")?;
        growing.push_str("------");
        counter += 10;
    "#,
    );
    assert_eq!(n.value("(text.as_str(), growing.as_str(), counter)"), r#"("old", "grow42", 42)"#);
    // A variable that the failed cell shadowed: evcxr drops it, and its old value would do, too.
    assert!(["counter growing text", "counter growing number text"].contains(&n.names().as_str()), "{}", n.names());
    if n.type_of("number") == "i32" {
        assert_eq!(n.value("number"), "40");
    }
}

#[test]
fn a_format_macro_is_a_value() {
    let mut n = Notebook::new();
    assert_eq!(n.value(r#"format!("{:2x}", 2)"#), r#"" 2""#);
}

#[test]
fn statements_without_semicolon_are_not_results() {
    let mut n = Notebook::new();
    assert_eq!(n.value("for _a in 1..5 {}\nfor _b in 1..5 {}\n42"), "42");
}

#[test]
fn a_pattern_may_leave_things_out() {
    let mut n = Notebook::new();
    n.run("let _ = 1; let (first, ..) = (42, 43, 44);");
    assert_eq!(n.value("first"), "42");
    assert_eq!(n.names(), "first");
}

#[test]
fn a_macro_can_be_called_in_a_later_cell() {
    let mut n = Notebook::new();
    n.run("macro_rules! plus_forty { ($a:expr) => { 40 + $a }; }");
    assert_eq!(n.value("plus_forty!(2)"), "42");
}

#[test]
fn imports_of_all_kinds_can_be_repeated_and_rearranged() {
    let mut n = Notebook::new();
    n.run(
        "
        mod zoo {
            pub struct Cat {}
            impl Cat {
                pub fn lives() -> i32 { 9 }
                pub fn new() -> Cat { Cat {} }
            }
            pub struct Dog {}
            pub trait Noise { fn noise(&self) -> i32 { 42 } }
            impl Noise for Cat {}
            pub mod left { pub fn on_the_left() {} }
            pub mod right { pub fn on_the_right() {} }
        }
        use std::iter::Iterator as _;
        use zoo::Noise as _;
        use zoo::left::*;
        use zoo::right::*;
        use zoo::Cat;
    ",
    );
    n.fails("use no::such::thing;");
    assert_eq!(n.value("use zoo::Cat as _; Cat::lives()"), "9");
    assert_eq!(n.value("use zoo::{Cat, Dog}; on_the_left(); on_the_right(); Cat::new().noise()"), "42");
}

#[test]
fn errors_after_wide_characters_point_at_their_lines() {
    let mut n = Notebook::new();
    let lines = [
        "let a = 10;",
        r#"let s = "さび  äää"; let s: String = 42; fn show() -> i32 {"#,
        r#"    println!("さび"); ("#,
        "    )",
        "}",
    ];
    let failure = n.fails(&lines.join("\n"));
    failure.points_at(1, 2, "let s: String = 42;");
    failure.points_at(1, 3, lines[2]);
    failure.says(&["E0308"]);
}

#[test]
fn an_unused_variable_is_no_error_anywhere() {
    let mut n = Notebook::new();
    n.run("let mut unused = String::new();");
    n.run("fn idle() { let mut unused = String::new(); }");
    assert_eq!(n.names(), "unused");
}

#[test]
fn a_reference_that_cannot_be_kept_is_refused_unless_it_is_used_up() {
    let mut n = Notebook::new();
    n.fails("let text = String::new(); let borrowed = &text;").says(&["`borrowed`"]);
    n.run("let text = String::new(); std::mem::drop(text);");
    n.run("{ let text = String::new(); let _borrowed = &text; }");
    assert_eq!(n.names(), "");
}

#[test]
fn comments_may_stand_between_commands_and_a_bad_command_is_an_error() {
    let mut n = Notebook::new();
    let said = n.says(":types\n// a comment between\n\n:types\n");
    assert!(said.contains("Types: true") && said.contains("Types: false"), "{said}");
    let failure = n.fails("// first\n:no_such_command\nlet x = 1;");
    failure.says(&["no_such_command"]);
    assert_eq!(n.names(), "");
}
