"""What the conformance suite leaves out, in the real kernel: live output, failures, interrupts, input, headless runs.

usage: kernel_session.py [TEST...]      (a part of a test's name is enough; the kernel is $EARWORM_KERNEL, else earworm)

Exits with 1 if a test fails.
"""

import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import nbformat
from kernel_client import KERNEL, START_SECONDS, Kernel
from kernel_conformance import run_and_report
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CLONE = Path(__file__).resolve().parent.parent
CLONE_COMPILES_SECONDS = 1800


class InOneKernel(unittest.TestCase):
    """Tests that share a kernel; one that got stuck is replaced."""

    shared = None

    def setUp(self):
        if InOneKernel.shared is None or InOneKernel.shared.ended:
            InOneKernel.shared = Kernel()
            self.addClassCleanup(InOneKernel.shared.end)
        self.kernel = InOneKernel.shared

    def run_well(self, code, **options):
        cell = self.kernel.run(code, **options)
        self.assertEqual(cell.reply["status"], "ok", f"{code}\n{cell.traceback}{cell.text}")
        return cell

    def assert_fails(self, code, source_line, number, *words):
        """A cell fails, and its traceback shows a source line with its number, and some words."""
        cell = self.kernel.run(code)
        self.assertEqual(cell.reply["status"], "error", cell.text)
        self.assertEqual(cell.reply.get("ename"), cell.of("error")[0][1]["ename"], "the reply says what iopub says")
        for word in [source_line, *words]:
            self.assertIn(word, cell.traceback)
        self.assertRegex(cell.traceback, rf"\b{number}\b")


class LiveOutput(InOneKernel):
    def test_two_displays_in_a_loop_arrive_while_the_cell_still_runs(self):
        cell = self.run_well(
            """
            for title in ["first", "second"] {
                let tone = Audio::new(title, vec![0.1; 16_000], 16_000)?;
                play(&tone).evcxr_display();
                std::thread::sleep(std::time::Duration::from_secs(1));
            }"""
        )
        displays = cell.of("display_data")
        self.assertEqual(len(displays), 2, "one output each, with its formats together")
        for (at, content), title in zip(displays, ["first", "second"]):
            self.assertIn("<audio", content["data"]["text/html"])
            self.assertIn(title, content["data"]["text/plain"])
        self.assertGreater(displays[1][0] - displays[0][0], 0.7)
        self.assertGreater(cell.seconds - displays[1][0], 0.7)

    def test_a_carriage_return_arrives_before_the_newline(self):
        cell = self.run_well(
            """
            use std::io::Write;
            for share in ["10 %", "\\r20 %", "\\rdone\\n"] {
                print!("{share}");
                std::io::stdout().flush()?;
                std::thread::sleep(std::time::Duration::from_millis(700));
            }"""
        )
        arrived = [(at, content["text"]) for at, content in cell.of("stream")]
        self.assertEqual("".join(text for _, text in arrived), "10 %\r20 %\rdone\n")
        self.assertEqual(len(arrived), 3, arrived)
        self.assertGreater(arrived[2][0] - arrived[1][0], 0.5)

    def test_a_display_is_updated_in_place(self):
        cell = self.run_well(
            """
            for (word, html) in [("DISPLAY", "<b>half</b>"), ("UPDATE", "<b>whole</b>")] {
                println!("EARWORM_{word} progress\\nEVCXR_BEGIN_CONTENT text/html\\n{html}\\nEVCXR_END_CONTENT");
            }"""
        )
        counts = [len(cell.of(kind)) for kind in ["display_data", "update_display_data"]]
        self.assertEqual(counts, [1, 1], cell.text)
        first, update = cell.of("display_data")[0][1], cell.of("update_display_data")[0][1]
        self.assertTrue(first["transient"]["display_id"])
        self.assertEqual(first["transient"], update["transient"])
        self.assertEqual(update["data"]["text/html"].strip(), "<b>whole</b>")


class Failures(InOneKernel):
    def test_a_panic_is_an_error_at_its_line(self):
        line = "let tune = tunes[2 + 1];"
        self.assert_fails(f'let tunes = vec!["la"];\n\n{line}\ntune', line, 3, "index out of bounds")

    def test_a_panic_in_a_function_of_an_earlier_cell_is_shown_there(self):
        line = "words[7].len()"
        self.run_well(f"fn seventh(tune: &str) -> usize {{\n    let words: Vec<&str> = vec![tune];\n    {line}\n}}")
        self.assert_fails('let unrelated = 1;\nseventh("la")', line, 3, "index out of bounds")

    def test_an_error_that_is_handed_on_is_an_error_at_its_line(self):
        line = 'let song = load("no-such.wav")?;'
        self.assert_fails(f"let unrelated = 1;\n{line}\nsong", line, 2, "no-such.wav does not exist")

    def test_a_compile_error_is_an_error_at_its_line(self):
        line = 'let count: i32 = "seven";'
        self.assert_fails(f"let unrelated = 1;\n\n\n{line}", line, 4, "mismatched types")

    def test_a_failed_cell_costs_no_variable_of_an_earlier_one(self):
        self.run_well("let kept = 41;")
        for code in ['panic!("no such tune")', 'load("no-such.wav")?', 'let count: i32 = "seven";']:
            self.assertEqual(self.kernel.run(code).reply["status"], "error", code)
        self.assertEqual(self.run_well("kept + 1").value, "42")

    def test_cells_queued_behind_a_failed_one_are_aborted(self):
        slow_failure = 'std::thread::sleep(std::time::Duration::from_secs(2)); panic!("no such tune");'
        codes = [slow_failure, 'println!("must not run");', "1 + 1"]
        requests = [self.kernel.client.execute(code) for code in codes]
        replies = [self.kernel.reply_to(request)["status"] for request in requests]
        self.assertEqual(replies, ["error", "aborted", "aborted"])
        self.assertEqual(self.run_well("1 + 2").value, "3", "the next cell runs again")


class Interrupts(InOneKernel):
    def test_a_plain_loop_ends_and_variables_stay(self):
        self.run_well("let tunes = 41;")
        cell = self.kernel.run('println!("looping");\nloop {}', interrupt_at="looping")
        self.assertLess(cell.seconds, 3)
        self.assertEqual(cell.reply["status"], "error")
        self.assertRegex(cell.traceback, r"(?i)interrupt")
        self.assertRegex(cell.traceback, r"(?i)variables?.*(kept|still)|(kept|still).*variables?")
        self.assertEqual(self.run_well("tunes + 1").value, "42")

    def test_a_sleep_ends_with_the_process_and_the_kernel_begins_anew(self):
        self.run_well("let tunes = 1;")
        sleep = 'println!("sleeping");\nstd::thread::sleep(std::time::Duration::from_secs(60));'
        cell = self.kernel.run(sleep, interrupt_at="sleeping")
        self.assertLess(cell.seconds, 10)
        self.assertEqual(cell.reply["status"], "error")
        self.assertRegex(cell.traceback, r"(?i)variables.*lost|lost.*variables")
        self.assertEqual(self.run_well('genre_of("jazz")').value, '"jazz"', "the prelude is there again")
        self.assertEqual(self.kernel.run("tunes").reply["status"], "error")


class Input(InOneKernel):
    CODE = """
        println!("EVCXR_INPUT_REQUEST:Which tune?");
        let mut tune = String::new();
        std::io::stdin().read_line(&mut tune)?;
        tune.trim().to_uppercase()"""

    def test_a_line_is_asked_for_and_read(self):
        cell = self.run_well(self.CODE, answers=["bella ciao"])
        _, request = cell.of("input_request")[0]
        self.assertEqual(request, {"prompt": "Which tune?", "password": False})
        self.assertEqual(cell.value, '"BELLA CIAO"')
        self.assertNotIn("EVCXR_INPUT", cell.text)

    def test_a_password_is_asked_for_as_one(self):
        cell = self.run_well(self.CODE.replace("REQUEST:", "REQUEST_PASSWORD:"), answers=["secret"])
        self.assertTrue(cell.of("input_request")[0][1]["password"])
        self.assertEqual(cell.value, '"SECRET"')

    def test_where_nobody_can_be_asked_the_cell_fails_and_says_so(self):
        cell = self.kernel.run(self.CODE)
        self.assertEqual(cell.reply["status"], "error")
        self.assertRegex(cell.traceback, r"(?i)input")


class Processes(unittest.TestCase):
    def start(self, **options):
        kernel = Kernel(**options)
        self.addCleanup(kernel.end)
        return kernel

    def test_kernel_info_is_answered_within_a_second_while_the_context_loads(self):
        seconds = []
        for _ in range(3):  # the best of three: the machine may be busy with something else
            kernel = self.start(wait=False)
            kernel.reply_to(kernel.client.kernel_info())
            seconds.append(time.perf_counter() - kernel.begun)
            self.assertEqual(kernel.run("1 + 1").value, "2", "a cell sent before the context is ready waits for it")
            kernel.end()
        self.assertLess(min(seconds), 1, seconds)

    def test_a_static_of_a_dependency_exists_once(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "src").mkdir()
            manifest = '[package]\nname = "counter"\nversion = "0.1.0"\nedition = "2021"\n'
            (Path(folder) / "Cargo.toml").write_text(manifest)
            (Path(folder) / "src/lib.rs").write_text(
                "use std::sync::atomic::{AtomicU32, Ordering::SeqCst};\n"
                "static COUNT: AtomicU32 = AtomicU32::new(0);\n"
                "pub fn next() -> u32 { COUNT.fetch_add(1, SeqCst) + 1 }\n"
            )
            kernel = self.start()
            kernel.run(f':dep counter = {{ path = "{folder}" }}')
            self.assertEqual([kernel.run("counter::next()").value for _ in range(3)], ["1", "2", "3"])

    def test_two_kernels_work_at_the_same_time_and_share_nothing(self):
        kernels = [self.start(), self.start()]
        values = [None, None]

        def use(i):
            kernels[i].run(f"let mine = {i};")
            values[i] = kernels[i].run("mine + 10").value

        threads = [threading.Thread(target=use, args=[i]) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(values, ["10", "11"])

    def test_a_working_folder_with_spaces(self):
        with tempfile.TemporaryDirectory(prefix="a folder with spaces ") as folder:
            kernel = self.start(cwd=folder)
            cell = kernel.run('Audio::new("A4", vec![0.1; 16_000], 16_000)?.save("a tune.wav")?;')
            self.assertEqual(cell.reply["status"], "ok", cell.traceback)
            self.assertTrue((Path(folder) / "a tune.wav").is_file())
            self.assertEqual(kernel.run('load("a tune.wav")?.duration_seconds()').value, "1.0")


class Headless(unittest.TestCase):
    def notebook(self, *sources):
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])

    def execute(self, notebook, kernel=KERNEL):
        with tempfile.TemporaryDirectory() as folder:
            resources = {"metadata": {"path": folder}}
            timeouts = {"timeout": CLONE_COMPILES_SECONDS, "startup_timeout": START_SECONDS}
            NotebookClient(notebook, kernel_name=kernel, resources=resources, **timeouts).execute()

    def test_a_notebook_that_fails_raises(self):
        for failing in ['panic!("no such tune")', 'load("no-such.wav")?', 'let count: i32 = "seven";']:
            with self.subTest(failing), self.assertRaises(CellExecutionError):
                self.execute(self.notebook("1 + 1", failing, "2 + 2"))

    def test_a_notebook_made_here_runs_on_the_stock_kernel_with_one_more_cell(self):
        notebook = self.notebook(
            'let tone = Audio::new("A4", vec![0.1; 16_000], 16_000)?;\nplay(&tone)',
            'fn louder(title: &str) -> String { format!("{title}!") }\nprintln!("{}", louder(tone.title()));',
            'let genre = genre_of("jazz-with-saxophone");\ngenre.len()',
        )
        outputs = []
        for kernel in [KERNEL, "rust"]:
            if kernel == "rust":
                code = f':cache 1000\n:dep earworm = {{ path = "{CLONE}" }}\nuse earworm::prelude::*;'
                notebook.cells.insert(0, nbformat.v4.new_code_cell(code))
            self.execute(notebook, kernel)
            shown = [output for cell in notebook.cells[-3:] for output in cell.outputs]
            outputs.append([output.get("text") or output["data"]["text/plain"].strip() for output in shown])
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(outputs[0][1:], ["A4!\n", "4"])


if __name__ == "__main__":
    sys.exit(run_and_report([LiveOutput, Failures, Interrupts, Input, Processes, Headless], sys.argv[1:]))
