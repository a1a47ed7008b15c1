"""The kernel where something is missing: no compiler, no home to write to, a full disk, a kernel that is killed.

usage: kernel_faults.py [TEST...]      (a part of a test's name is enough)

Exits with 1 if a test fails.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from kernel_client import Kernel
from kernel_conformance import run_and_report


def with_environment(**changes):
    return {name: value for name, value in {**os.environ, **changes}.items() if value is not None}


def children(process):
    """The processes below one, and those below them."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found, below = [], [process]
    while below:
        below = [pid for pid, parent in pairs if parent in below]
        found += below
    return found


class Faults(unittest.TestCase):
    def start(self, **options):
        kernel = Kernel(**options)
        self.addCleanup(kernel.end)
        return kernel

    def test_without_a_compiler_a_cell_says_what_to_install(self):
        with tempfile.TemporaryDirectory() as home:
            kernel = self.start(env=with_environment(PATH=home, HOME=home, RUSTC=None, CARGO_HOME=None))
            cell = kernel.run("1 + 1")
            self.assertEqual(cell.reply["status"], "error")
            self.assertIn("rustup.rs", cell.traceback)
            self.assertEqual(os.listdir(home), [])

    def test_a_home_that_cannot_be_written_is_enough(self):
        with tempfile.TemporaryDirectory() as folder:
            crate = Path(folder) / "lib"
            (crate / "src").mkdir(parents=True)
            (crate / "Cargo.toml").write_text('[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2024"\n')
            (crate / "src/lib.rs").write_text("pub fn seven() -> i32 { 7 }\n")
            homes = {name: os.environ.get(name) or str(Path.home() / default)
                     for name, default in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]}
            kernel = self.start(env=with_environment(HOME="/proc", XDG_CACHE_HOME=None, **homes))
            cell = kernel.run(f":dep {crate}\ntiny::seven()")
            self.assertEqual(cell.value, "7", cell.traceback + cell.text)

    def test_without_room_for_temporary_files_a_cell_says_so(self):
        kernel = self.start(env=with_environment(TMPDIR="/proc/none"))
        cell = kernel.run("1 + 1")
        self.assertEqual(cell.reply["status"], "error")
        self.assertIn("temporary folder", cell.traceback)

    def test_a_full_disk_fails_a_cell_and_keeps_the_variables(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(os.rmdir, folder)
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            self.skipTest("no small file system can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=False)
        kernel = self.start(env=with_environment(TMPDIR=folder))
        self.assertEqual(kernel.run("let kept = 41;").reply["status"], "ok")
        filler = Path(folder) / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        cell = kernel.run("kept + 1")
        self.assertEqual(cell.reply["status"], "error")
        self.assertRegex(cell.traceback.lower(), "no space left|os error 28")
        filler.unlink()
        self.assertEqual(kernel.run("kept + 1").value, "42")

    def test_a_killed_kernel_leaves_no_process_behind(self):
        kernel = self.start()
        kernel.client.execute("println!(\"running\"); loop { std::hint::spin_loop(); }")
        while "running" not in str(kernel.client.get_iopub_msg(timeout=30)["content"].get("text")):
            pass
        process = kernel.manager.provisioner.pid
        below = children(process)
        self.assertTrue(below)
        os.kill(process, signal.SIGKILL)
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up and any(alive(pid) for pid in below):
            time.sleep(0.1)
        self.assertEqual([pid for pid in below if alive(pid)], [])


def alive(process):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], check=False, capture_output=True, text=True)
    return bool(state.stdout.strip()) and not state.stdout.strip().startswith("Z")


if __name__ == "__main__":
    sys.exit(run_and_report([Faults], sys.argv[1:]))
