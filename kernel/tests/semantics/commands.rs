//! The other commands.

use earworm_kernel::front::Outcome;

use crate::notebook::{Notebook, Told};

#[test]
fn vars_and_type_tell_the_types_of_variables() {
    let mut n = Notebook::new();
    n.run("let word = Some(String::new()); let count = 3u8;");
    let said = n.says(":vars");
    assert!(said.contains("word: Option<String>") && said.contains("count: u8"), "{said}");
    assert_eq!(n.says(":type word").trim(), "word: Option<String>");
    assert_eq!(n.says(":t count").trim(), "count: u8");
    n.fails(":type nothing").says(&["nothing"]);
    n.fails(":type");
}

#[test]
fn fmt_sets_how_results_are_shown() {
    let mut n = Notebook::new();
    n.run(":fmt {}");
    assert_eq!(n.value(r#""wave""#), "wave");
    n.run(":fmt {:#?}");
    assert_eq!(n.value("(1, 2)"), "(\n    1,\n    2,\n)");
    n.run(":fmt");
    assert_eq!(n.value(r#""wave""#), r#""wave""#);
}

#[test]
fn efmt_sets_how_errors_of_a_question_mark_are_shown() {
    let mut n = Notebook::new();
    n.fails(r#""x".parse::<i32>()?;"#).says(&["invalid digit found in string"]);
    n.fails(":efmt x");
    n.run(":efmt {:?}");
    n.fails(r#""x".parse::<i32>()?;"#).says(&["InvalidDigit"]);
    n.run(":efmt {:#?}");
    n.run("let kept = 1; #[derive(Debug)] struct OnlyDebug;");
    n.fails("Err::<(), OnlyDebug>(OnlyDebug)?;").says(&["OnlyDebug"]);
    assert_eq!(n.value("kept"), "1");
}

#[test]
fn clear_may_be_followed_by_code() {
    let mut n = Notebook::new();
    n.run("let old = 1; fn older() {}");
    assert_eq!(n.value(":clear\nlet new = 2;\nnew"), "2");
    assert_eq!((n.names().as_str(), n.items().as_str()), ("new", ""));
}

#[test]
fn restart_keeps_items_and_loses_variables() {
    let mut n = Notebook::new();
    n.run("let old = 1; fn answer() -> i32 { 42 }");
    n.run(":restart");
    assert_eq!(n.names(), "");
    assert_eq!(n.value("answer()"), "42");
}

#[test]
fn env_reaches_the_cells_after_a_restart() {
    let mut n = Notebook::new();
    n.run(":env EARWORM_TEST=a value");
    n.run(":restart");
    assert_eq!(n.value(r#"std::env::var("EARWORM_TEST")"#), r#"Ok("a value")"#);
    n.fails(":env nonsense");
}

#[test]
fn opt_sets_the_level_of_optimization() {
    let mut n = Notebook::new();
    for (command, level) in [(":opt 0", "0"), (":opt", "2"), (":opt", "0"), (":opt 1", "1"), (":opt 2", "2")] {
        assert_eq!(n.says(command).trim(), format!("Optimization: {level}"));
        assert_eq!(n.value("(1..=4).sum::<i32>()"), "10");
    }
}

#[test]
fn timing_tells_how_long_cells_take() {
    let mut n = Notebook::new();
    assert!(n.run("let quiet = 1;").is_silent());
    assert_eq!(n.says(":timing").trim(), "Timing: true");
    let ran = n.run("let loud = 1;");
    assert!(!ran.is_silent());
    assert_eq!(n.says(":timing").lines().next(), Some("Timing: false"));
    assert!(n.run("let quiet = 1;").is_silent());
}

#[test]
fn explain_explains_the_last_compile_error() {
    let mut n = Notebook::new();
    n.fails(":explain");
    n.fails("let word: String = 5;").says(&["E0308"]);
    let said = n.says(":explain");
    assert!(said.contains("Expected type did not match"), "{said}");
}

#[test]
fn last_error_json_is_the_compilers_own() {
    let mut n = Notebook::new();
    n.fails("let word: String = 5;");
    let told = match n.execute(":last_error_json") {
        (Outcome::Failed(failure), _) => failure.text(),
        (_, ran) => ran.said(),
    };
    assert!(told.contains(r#""code":"E0308""#), "{told}");
}

#[test]
fn version_tells_the_kernels() {
    let mut n = Notebook::new();
    assert!(n.says(":version").contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_lists_the_commands() {
    let mut n = Notebook::new();
    let help = n.says(":help");
    let commands = "clear dep efmt env explain fmt last_error_json opt preserve_vars_on_panic quit restart show_deps t \
                    timing type types vars version";
    for command in commands.split(' ') {
        let found =
            help.split(|c: char| c.is_whitespace() || c == ',').any(|word| word.strip_prefix(':') == Some(command));
        assert!(found, "no :{command} in:\n{help}");
    }
}

#[test]
fn settings_of_speed_are_accepted_and_change_nothing() {
    let mut n = Notebook::new();
    let commands = [
        ":allow_static_linking 0",
        ":allow_static_linking 1",
        ":sccache 1",
        ":sccache 0",
        ":cache 500",
        ":cache",
        ":linker lld",
        ":linker",
        ":offline 1",
        ":offline 0",
        ":codegen_backend default",
        ":toolchain",
    ];
    n.run("let kept = 6;");
    for command in commands {
        n.run(command);
    }
    assert_eq!(n.value("kept * 7"), "42");
}

#[test]
fn quit_ends_the_notebook() {
    let mut n = Notebook::new();
    assert_eq!(n.execute(":quit").0, Outcome::Quit);
}
