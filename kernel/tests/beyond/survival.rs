//! What survives a failure, an interrupt and the death of the process.

use std::time::Duration;

use earworm_kernel::front::Outcome;

use crate::notebook::{Notebook, Told};

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
