//! Statements and last expressions.

use crate::notebook::Notebook;

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
