//! Notebooks in the real kernel, through a real Jupyter client. `scripts/test` runs these: they need the kernel that
//! `scripts/install` installs, and the tutorial as `scripts/run --headless` executed it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Executes a notebook with the given code cells, the last of which holds the answers.
fn execute(cells: &[&str]) -> Output {
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
    let notebook = json!({"cells": cells, "metadata": {"kernelspec": {"name": "rust", "display_name": "Rust"}},
                          "nbformat": 4, "nbformat_minor": 5});
    let path = folder.path().join("notebook.ipynb");
    std::fs::write(&path, notebook.to_string()).unwrap();
    Command::new(".venv/bin/python")
        .args(["scripts/execute_notebook.py".as_ref(), path.as_path(), folder.path().join("out").as_path()])
        .output()
        .unwrap()
}

#[test]
#[ignore = "needs the kernel; scripts/test runs it"]
fn the_last_line_printed_is_the_answer() {
    let output = execute(&["let x = 20;", "x + 1"]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("\n21\n"), "{output:?}");
}

#[test]
#[ignore = "needs the kernel; scripts/test runs it"]
fn errors_and_panics_fail_a_headless_run_though_the_kernel_says_ok() {
    for (cell, word) in [
        ("let x: i32 = \"seven\".parse()?;", "invalid digit"),
        ("panic!(\"no such tune\")", "no such tune"),
        ("let y: i32 = \"seven\";", "mismatched types"),
    ] {
        let output = execute(&["1 + 1", cell, "2 + 2"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{cell}: {output:?}");
        assert!(errors.contains(word), "{cell}: {errors}");
    }
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
    assert!(html.iter().filter(|h| h.contains("<svg role=\"img\"")).count() >= 4, "figures are missing");
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
