"""The conformance suite of Jupyter kernels (jupyter_kernel_test) on a kernel for Rust.

usage: kernel_conformance.py [KERNEL]      (default: $EARWORM_KERNEL, else earworm)

Every message is checked against the protocol's specification. Exits with 1 if a test fails.
"""

import os
import sys
import time
import unittest

import jupyter_kernel_test

HTML = 'println!("EVCXR_BEGIN_CONTENT text/html\\n<b>la</b>\\nEVCXR_END_CONTENT"); let shown = true;'
TONE = 'Audio::new("A4", vec![0.1; 16_000], 16_000)?'


class Conformance(jupyter_kernel_test.KernelTests):
    kernel_name = "earworm"
    language_name = "rust"
    file_extension = ".rs"

    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("off key");'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The analyser that completes names of the crate comes some seconds after the kernel.
        give_up = time.monotonic() + 120
        while time.monotonic() < give_up:
            cls.kc.complete("Embeddi")
            if cls.kc.get_shell_msg(timeout=30)["content"].get("matches"):
                break
            time.sleep(0.5)

    # The suite compares all matches, so the first has just one; the second asks only for a valid reply.
    completion_samples = [
        {"text": "Embeddi", "matches": {"Embedding"}},
        {"text": '"la".'},
    ]

    complete_code_samples = [
        "6 * 7",
        "let tune = 1;",
        "fn twice(x: i32) -> i32 { 2 * x }",
        "for i in 0..3 {\n    println!(\"{i}\");\n}",
        "load(\"a.wav\")?",
        "// only words",
        ":vars",
    ]
    incomplete_code_samples = [
        "fn twice(x: i32) -> i32 {",
        "let tune = (1,",
        "println!(\"la",
        "/* words",
        "let tune =",
    ]
    invalid_code_samples = ["let tune = );", "fn twice(x: i32) -> i32 { 2 * x }}"]

    code_execute_result = [
        {"code": "6*7", "result": "42"},
        {"code": '"la ".repeat(3)', "result": '"la la la "'},
        {"code": "let quarter = 1.0 / 4.0; quarter", "result": "0.25"},
        {"code": TONE, "mime": "text/html"},
        {"code": TONE, "mime": "text/plain"},
    ]
    code_display_data = [
        {"code": HTML, "mime": "text/html"},
        {"code": f"let tone = {TONE}; play(&tone).evcxr_display(); let shown = true;", "mime": "text/html"},
        {"code": f"let tone = {TONE}; play(&tone).evcxr_display(); let shown = true;", "mime": "text/plain"},
    ]

    # The suite wants the error to be the cell's only output: a panic must not be told a second time on stderr.
    code_generate_error = 'panic!("no such tune")'
    code_inspect_sample = "genre_of"

    code_history_pattern = "6?7"
    supported_history_operations = ("tail", "range", "search")

    code_clear_output = 'println!("EARWORM_CLEAR_OUTPUT");'

    # code_page_something is left out: a Rust kernel has no pager, and documentation is shown by inspection.


# IopubWelcomeTests are left out: JEP 65's welcome message is optional and none of the clients here asks for it.
# The suite has no tests of interrupts, input, comms or update_display: tests/kernel_session.py has.


def run_and_report(cases, words=()):
    """Runs test cases, or those of their tests whose names hold one of the words; returns the exit status."""
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in words] or None
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)

    def tests(outcomes):  # a test with several failing samples counts once
        return {getattr(test, "test_case", test).id() for test, _ in outcomes}

    failed = tests(result.failures + result.errors)
    skipped = tests(result.skipped) - failed
    passed = max(result.testsRun - len(failed) - len(skipped), 0)
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True)
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    Conformance.kernel_name = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("EARWORM_KERNEL", "earworm")
    sys.exit(run_and_report([Conformance]))
