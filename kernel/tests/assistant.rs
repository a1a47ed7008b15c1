//! The assistant and the process beside the kernel: with a real evcxr where a test is ignored otherwise. Run those with
//! `--ignored --nocapture`; `EARWORM_TEST_EVCXR` and `EARWORM_TEST_EVCXR_CONFIG` name the program and the folder of its
//! configuration.

#[allow(dead_code, reason = "the other tests use the rest")]
mod jupyter;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use earworm_kernel::assistant::{Assistant, AssistantOptions, Completions};
use jupyter::{Notebook, Puppet};
use serde_json::json;

const CONTEXT: &str = "use earworm::prelude::*;\nlet mut x: earworm::Audio = unimplemented!();\n\
                       /// Says how loud.\nfn louder(sound: &Audio) -> usize { 1 }\n";

fn options() -> AssistantOptions {
    let path = |name: &str, otherwise: PathBuf| std::env::var_os(name).map_or(otherwise, PathBuf::from);
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let clone = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    AssistantOptions {
        evcxr: path("EARWORM_TEST_EVCXR", home.join(".cache/earworm/evcxr-0.22.0/bin/evcxr_jupyter")),
        config_dir: path("EARWORM_TEST_EVCXR_CONFIG", clone.join("../.venv/share/earworm/kernel/config")),
        environment: Vec::new(),
    }
}

fn timed<T>(what: &str, begun: Instant, value: T) -> T {
    println!("{:>8.0} ms  {what}", begun.elapsed().as_secs_f64() * 1000.0);
    value
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs evcxr"]
async fn methods_and_their_documentation_are_known() {
    let assistant = Assistant::new(Some(options()));
    let complete = async |code: &str, cursor: usize| -> Completions {
        let begun = Instant::now();
        let found = assistant.complete(CONTEXT, code, cursor).await;
        timed(&format!("{} completions of {code:?}", found.items.len()), begun, found)
    };
    let begun = Instant::now();
    let words = complete("loude", 5).await;
    assert_eq!(words.items[0].text, "louder", "the word list answers before the analyser does");
    let code = "let é = 1;\nx.";
    let methods = loop {
        let found = complete(code, code.len()).await;
        if !found.items.is_empty() {
            break timed("until the analyser answered", begun, found);
        }
        assert!(begun.elapsed().as_secs() < 180);
    };
    assert_eq!((methods.start, methods.end), (code.len(), code.len()));
    for (text, kind) in [("samples()", "function"), ("clip(start_seconds, duration_seconds)", "function")] {
        assert!(methods.items.iter().any(|item| item.text == text && item.kind == kind), "{text}");
    }
    let middle = complete(":vars\nlet 🎵 = x.sam;\nlet y = 1;", 22).await;
    assert_eq!((middle.start, middle.end), (19, 22));
    assert!(middle.items.iter().any(|item| item.text == "sample_rate()"), "{middle:?}");
    assert!(complete("Embeddi", 7).await.items.iter().any(|item| item.text == "Embedding" && item.kind == "class"));
    assert!(complete("no_such_nam", 11).await.items.is_empty());

    for (code, cursor, expected) in [
        ("x.resample(22_050)", 5, "Converts to another sample rate"),
        ("x.resample(22_050)", 13, "Converts to another sample rate"),
        ("let é = Audio::new(\"\", vec![], 1)", 12, "A piece of audio"),
        ("louder(&x)", 2, "Says how loud."),
        ("for i in 0..3 {\n    println!(\"{}\", ", 35, "Prints to the standard output"),
        ("louder(&x)", 9, "let mut x: Audio"),
    ] {
        let begun = Instant::now();
        let found = assistant.inspect(CONTEXT, code, cursor).await.unwrap_or_default();
        timed(&format!("documentation in {code:?}"), begun, ());
        let plain = found["text/plain"].as_str().unwrap();
        assert!(plain.contains(expected) && !plain.starts_with("ctx"), "{code}: {plain}");
        assert!(found.contains_key("text/html"));
    }
    assert_eq!(assistant.inspect(CONTEXT, "no_such_name", 4).await, None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs evcxr"]
async fn the_analyser_starts_by_itself_once_the_kernel_rests() {
    let mut notebook = Notebook::with_assistant(|| Ok(Puppet::default()), Assistant::new(Some(options()))).await;
    notebook.run("name first").await;
    std::thread::sleep(Duration::from_secs(40));
    let begun = Instant::now();
    let answer = notebook.ask("complete_request", json!({ "code": "first.leading_z", "cursor_pos": 15 })).await;
    timed("to the first answer after a rest", begun, ());
    assert_eq!(answer["matches"], json!(["leading_zeros()"]));
    assert_eq!((&answer["cursor_start"], &answer["cursor_end"]), (&json!(6), &json!(15)));
    assert_eq!(answer["metadata"]["_jupyter_types_experimental"][0]["type"], "function");
}

/// Not a test of its own: a kernel with an analyser, for the test below.
#[tokio::test]
#[ignore = "is run by another test"]
async fn assistant_process() {
    if let Some(evcxr) = std::env::var_os("EARWORM_TEST_ANALYSER") {
        let options = AssistantOptions { evcxr: evcxr.into(), config_dir: "/config".into(), environment: Vec::new() };
        Assistant::new(Some(options)).start("");
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

fn ps(field: &str, process: &str) -> String {
    let output = Command::new("ps").args(["-o", &format!("{field}="), "-p", process]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed().as_secs() < 20, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_analyser_is_patient_and_ends_with_the_kernel_however_that_ends() {
    for signal in ["-KILL", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let analyser = folder.path().join("analyser");
        let told = folder.path().join("told");
        let script = format!(
            "#!/bin/sh\necho $$ $EVCXR_TMPDIR $EVCXR_CONFIG_DIR > {0}.new\nmv {0}.new {0}\nexec sleep 100\n",
            told.display()
        );
        std::fs::write(&analyser, script).unwrap();
        std::fs::set_permissions(&analyser, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut kernel = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "assistant_process", "--ignored"])
            .env("EARWORM_TEST_ANALYSER", &analyser)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the analyser starts", || told.exists());
        let told = std::fs::read_to_string(told).unwrap();
        let [process, its_folder, config] = told.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{told}") };
        assert_eq!(config, "/config");
        assert_eq!(ps("pgid", process), ps("pgid", &kernel.id().to_string()));
        let niceness = |process: &str| ps("ni", process).parse::<i32>().unwrap();
        assert_eq!(niceness(process), (niceness(&kernel.id().to_string()) + 10).min(19));
        assert!(Command::new("kill").args(["-INT", process]).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(200));
        assert!(ps("command", process).contains("sleep"), "an interrupt leaves it alone");

        assert!(Command::new("kill").args([signal, &kernel.id().to_string()]).status().unwrap().success());
        kernel.wait().unwrap();
        let ended = Instant::now();
        let gone = || ps("stat", process).is_empty() || ps("stat", process).starts_with('Z');
        wait_until("the analyser ends", gone);
        wait_until("its folder is removed", || !Path::new(its_folder).exists());
        assert!(ended.elapsed().as_secs() < 5, "{:?}", ended.elapsed());
    }
}
