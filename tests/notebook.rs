//! Notebooks in the real kernels, through a real Jupyter client. `scripts/test` runs these: they need the kernels that
//! `scripts/install` installs, and the tutorial as `scripts/run --headless` executed it.

mod checkpoint;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Executes a notebook with the given code cells in a kernel, the last of which holds the answers.
fn execute(kernel: &str, jupyter_path: Option<&Path>, cells: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let last = cells.len() - 1;
    let cells: Vec<Value> = cells
        .iter()
        .enumerate()
        .map(|(i, source)| {
            let tags = if i == last { json!(["answers"]) } else { json!([]) };
            json!({"cell_type": "code", "id": format!("cell-{i}"), "metadata": {"tags": tags}, "execution_count": null,
                   "outputs": [], "source": source})
        })
        .collect();
    let notebook = json!({"cells": cells, "metadata": {"kernelspec": {"name": kernel, "display_name": "Rust"}},
                          "nbformat": 4, "nbformat_minor": 5});
    let path = folder.path().join("notebook.ipynb");
    std::fs::write(&path, notebook.to_string()).unwrap();
    let mut command = Command::new(".venv/bin/python");
    command.args(["scripts/execute_notebook.py".as_ref(), path.as_path(), folder.path().join("out").as_path()]);
    if let Some(path) = jupyter_path {
        command.env("JUPYTER_PATH", path);
    }
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs the kernels; scripts/test runs it"]
fn the_last_line_printed_is_the_answer() {
    let output = execute("rust", None, &["let x = 20;", "x + 1"]);
    assert!(output.status.success(), "{output:?}");
    assert!(stdout(&output).ends_with("\n21\n"), "{output:?}");
}

#[test]
#[ignore = "needs the kernels; scripts/test runs it"]
fn errors_and_panics_fail_a_headless_run() {
    for (cell, word) in [
        ("load(\"no-such.wav\")?", "no-such.wav does not exist"),
        ("panic!(\"no such tune\")", "no such tune"),
        ("let y: i32 = \"seven\";", "mismatched types"),
    ] {
        let output = execute("earworm", None, &["1 + 1", cell, "2 + 2"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{cell}: {output:?}");
        assert!(errors.contains(word), "{cell}: {errors}");
    }
}

#[test]
#[ignore = "needs the kernels; scripts/test runs it"]
fn all_cells_share_one_copy_of_the_crate() {
    let address = "format!(\"{:x}\", earworm::embed as fn(&Audio) -> earworm::Result<Embedding> as usize)";
    let remembered = format!("let first = {address};");
    let output = execute("earworm", None, &[&remembered, &format!("first == {address}")]);
    assert!(output.status.success(), "{output:?}");
    assert!(stdout(&output).ends_with("\ntrue\n"), "the crate's code, and so its statics, exist twice: {output:?}");
}

#[test]
#[ignore = "needs the kernels; scripts/test runs it"]
fn a_kernel_comes_works_twice_at_a_time_names_another_compiler_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("a prefix with spaces");
    let jupyter = prefix.join("share/jupyter");
    let earworm = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_earworm"));
        // Else the kernel of the environment that runs the tests is found beside it.
        command.args(["kernel", "--prefix"]).arg(&prefix).args(arguments).env_remove("VIRTUAL_ENV").output().unwrap()
    };
    assert!(!earworm(&["doctor"]).status.success(), "a kernel that is not there is well");
    let mut without_cargo = Command::new(env!("CARGO_BIN_EXE_earworm"));
    let refused = without_cargo.args(["kernel", "install", "--prefix"]).arg(&prefix).env("PATH", "").output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("rustup.rs"), "{refused:?}");
    assert!(!prefix.exists(), "a failed installation left something");
    let spec = std::fs::read_to_string(".venv/share/jupyter/kernels/rust/kernel.json").unwrap();
    let spec: Value = serde_json::from_str(&spec).unwrap();
    let install = ["install", "--evcxr", spec["argv"][0].as_str().unwrap()];
    let installed = earworm(&install);
    assert!(installed.status.success(), "{installed:?}");
    assert!(stdout(&earworm(&install)).starts_with("already installed"));
    let well = earworm(&["doctor"]);
    assert!(well.status.success(), "{}", stdout(&well));

    let cells = ["let genre = genre_of(\"bella_ciao_guitar-solo\");", "println!(\"{genre}\"); genre.len()"];
    std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(|| execute("earworm", Some(&jupyter), &cells)));
        for run in runs {
            let output = run.join().unwrap();
            assert!(output.status.success() && stdout(&output).ends_with("\n6\n"), "{output:?}");
        }
    });

    let spec = jupyter.join("kernels/earworm/kernel.json");
    let text = std::fs::read_to_string(&spec).unwrap();
    let mut older: Value = serde_json::from_str(&text).unwrap();
    let arguments = older["argv"].as_array_mut().unwrap();
    let at = arguments.iter().position(|argument| argument == "--built-by").unwrap();
    arguments[at + 1] = json!("rustc 1.0.0 (older)");
    std::fs::write(&spec, older.to_string()).unwrap();
    let refused = execute("earworm", Some(&jupyter), &cells);
    assert!(!refused.status.success());
    let words = stdout(&refused) + &String::from_utf8_lossy(&refused.stderr);
    assert!(words.contains("built by rustc 1.0.0") && words.contains("earworm kernel install"), "{words}");

    let library = prefix.join("share/earworm/kernel/stub/kit.txt");
    let library = std::fs::read_to_string(library).unwrap();
    std::fs::remove_dir_all(library.trim()).unwrap();
    let broken = execute("earworm", Some(&jupyter), &cells);
    assert!(!broken.status.success());
    let mended = earworm(&["doctor"]);
    assert!(mended.status.success() && stdout(&mended).contains("MISSING library"), "{}", stdout(&mended));
    let output = execute("earworm", Some(&jupyter), &cells);
    assert!(output.status.success() && stdout(&output).ends_with("\n6\n"), "{output:?}");

    assert!(earworm(&["uninstall"]).status.success());
    let left: Vec<_> = walkdir::WalkDir::new(&prefix)
        .into_iter()
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_type().is_file())
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
#[ignore = "needs the kernels; scripts/test runs it"]
fn an_interrupt_ends_indexing_and_keeps_variables_and_songs() {
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path().join("many");
    std::fs::create_dir(&many).unwrap();
    for i in 0..500 {
        std::fs::copy("notebooks/audios/bella_ciao_opera-singer.ogg", many.join(format!("{i}.ogg"))).unwrap();
    }
    let output = Command::new(".venv/bin/python")
        .arg("tests/interrupt.py")
        .args([&many, &folder.path().join("index")])
        .output()
        .unwrap();
    let text = stdout(&output);
    assert!(text.contains("interrupted after") && text.contains("of 500 files"), "{output:?}");
    assert!(text.contains("still here: true"), "{output:?}");
    assert!(text.contains("interrupted. All variables") && text.contains("back: true"), "a plain loop: {output:?}");
}

/// On the stock kernel every cell has its own copy of the crate and of every static.
#[cfg(unix)]
#[test]
#[ignore = "needs the kernels; scripts/test runs it"]
fn the_tutorial_runs_on_the_stock_kernel_with_one_more_cell() {
    let folder = tempfile::tempdir().unwrap();
    let source = std::fs::read_to_string("notebooks/01-searching-by-music.ipynb").unwrap();
    let mut notebook: Value = serde_json::from_str(&source).unwrap();
    let clone = env!("CARGO_MANIFEST_DIR");
    let code = format!(":cache 1000\n:dep earworm = {{ path = \"{clone}\" }}\nuse earworm::prelude::*;");
    notebook["metadata"]["kernelspec"]["name"] = json!("rust");
    notebook["cells"].as_array_mut().unwrap().insert(
        0,
        json!({"cell_type": "code", "id": "dep", "metadata": {}, "execution_count": null, "outputs": [],
               "source": code}),
    );
    let path = folder.path().join("tutorial.ipynb");
    std::fs::write(&path, notebook.to_string()).unwrap();
    std::os::unix::fs::symlink(Path::new(clone).join("notebooks/audios"), folder.path().join("audios")).unwrap();
    let output = Command::new(".venv/bin/python")
        .args(["scripts/execute_notebook.py".as_ref(), path.as_path(), folder.path()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(stdout(&output).contains("\n1     1.0000  bella_ciao_humming"), "{output:?}");
}

/// With random weights in the official layout, which the notebook says of them itself.
#[cfg(unix)]
#[test]
#[ignore = "needs the kernels; scripts/test runs it"]
fn the_notebook_on_the_tutorials_model_runs() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("random.pth");
    checkpoint::write(&weights, &checkpoint::tensors()).unwrap();
    let clone = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::os::unix::fs::symlink(clone.join("notebooks/audios"), folder.path().join("audios")).unwrap();
    std::fs::copy(clone.join("notebooks/02-panns.ipynb"), folder.path().join("02-panns.ipynb")).unwrap();
    let output = Command::new(".venv/bin/python")
        .args(["scripts/execute_notebook.py".as_ref(), folder.path().join("02-panns.ipynb").as_path(), folder.path()])
        .env("EARWORM_PANNS", &weights)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let executed = std::fs::read_to_string(folder.path().join("02-panns.ipynb")).unwrap();
    assert!(executed.contains("Not the published weights"), "it does not say what its weights are");
    assert!(executed.contains("2048 dimensions") && executed.contains("18 songs"), "{}", stdout(&output));
}

#[test]
#[ignore = "needs the executed tutorial; scripts/test runs it"]
fn the_executed_tutorial_shows_what_it_promises() {
    let text = std::fs::read_to_string("target/01-searching-by-music.ipynb").unwrap();
    let notebook: Value = serde_json::from_str(&text).unwrap();
    let cells = notebook["cells"].as_array().unwrap().iter().filter(|cell| cell["cell_type"] == "code");
    let outputs: Vec<&Value> = cells.flat_map(|cell| cell["outputs"].as_array().unwrap()).collect();
    let of = |mime: &str| -> Vec<String> {
        let contents = outputs.iter().filter_map(|output| output["data"].get(mime));
        contents.map(|c| c.as_str().map_or_else(|| join(c), str::to_string)).collect()
    };
    let (html, plain) = (of("text/html"), of("text/plain"));
    assert!(html.iter().filter(|h| h.contains("src=\"data:image/svg+xml")).count() >= 4, "figures are missing");
    let players = html.iter().map(|h| h.matches("<audio controls").count()).max();
    assert_eq!(players, Some(5), "each of the five answers has a player");
    let answers = plain.iter().find(|p| p.starts_with("bella_ciao_humming sounds like")).unwrap();
    assert_eq!(answers.lines().count(), 2 + 5, "{answers}");
    assert!(answers.lines().nth(2).unwrap().starts_with("1     1.0000  bella_ciao_humming"), "{answers}");
    for output in html.iter().chain(&plain) {
        let numbers = output.split(", ").filter(|word| word.parse::<f32>().is_ok()).count();
        assert!(numbers < 20, "a vector is printed whole: {}", &output[..200.min(output.len())]);
    }
    assert!(Path::new("target/01-searching-by-music.html").is_file());
}

fn join(lines: &Value) -> String {
    lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}
