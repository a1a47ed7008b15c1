//! Variables from cell to cell.

use crate::notebook::{Notebook, Told};

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
