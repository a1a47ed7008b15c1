//! What cells print.

use std::path::PathBuf;

use earworm_kernel::front::Outcome;

use crate::notebook::{Notebook, mime};

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
