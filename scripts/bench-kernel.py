#!/usr/bin/env python3
"""Times the same work of a reader in three kernels, side by side on this machine; `scripts/bench kernel` runs it.

  earworm   this crate's kernel
  evcxr     the stock Rust kernel, with the crate as a `:dep` (compiled before the clock starts, and cached by `:cache`)
  IPython   Python with the imports of Elastic's tutorial, in an environment of the benchmark's own

A start is timed from launching the process to the answer of the first helper, imports among it. A cell is timed from
sending it to its reply and the `idle` that ends its output. No two cells have the same text, so that none is answered
from a cache of whole cells.
"""

import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import KernelManager

CLONE = Path(__file__).resolve().parent.parent
CLIP = "notebooks/audios/bella_ciao_humming.wav"
STARTS = {"earworm": 3, "evcxr": 1, "IPython": 3}
REPEATS = 15
TIMEOUT_SECONDS = 1800

PYTHON = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earworm/bench-python"
PYTHON_PACKAGES = "ipykernel==7.4.0 librosa==0.11.0 matplotlib==3.11.2 torch==2.15.0 panns_inference==0.1.1"
# Without them the import of panns_inference downloads them.
PANNS_LABELS = Path.home() / "panns_data/class_labels_indices.csv"

RUST = {
    "first helper": f'let hum = load("{CLIP}")?; hum.duration_seconds()',
    "first variable": "let first = 1;",
    "print": 'println!("la {i}");',
    "load a clip": f'load("{CLIP}")?.duration_seconds() + {{i}} as f64',
    "plot": "let figure_{i} = plot(&hum)?; figure_{i}",
    "player": "let player_{i} = play(&hum); player_{i}",
    "own loop": "let mut sum = {i}.0;\nfor x in hum.samples() {{\n    sum += f64::from(x * x);\n}}\n"
    "(sum / hum.samples().len() as f64).sqrt()",
}
IPYTHON = {
    "first helper": f'hum, rate = librosa.load("{CLIP}", sr=None)\nlen(hum) / rate',
    "first variable": "first = 1",
    "print": 'print("la {i}")',
    "load a clip": f'samples, sr = librosa.load("{CLIP}", sr=None)\nlen(samples) / sr + {{i}}',
    "plot": """figure_{i}, (top, middle, bottom) = plt.subplots(3, figsize=(7, 5))
librosa.display.waveshow(hum, sr=rate, ax=top)
mel = librosa.power_to_db(librosa.feature.melspectrogram(y=hum, sr=rate))
librosa.display.specshow(mel, sr=rate, y_axis="mel", x_axis="time", ax=middle)
librosa.display.specshow(librosa.feature.chroma_stft(y=hum, sr=rate), y_axis="chroma", x_axis="time", ax=bottom)
plt.show()""",
    "player": "player_{i} = Audio(hum, rate=rate)\nplayer_{i}",
    "own loop": "total = {i}.0\nfor x in hum:\n    total += float(x * x)\n(total / len(hum)) ** 0.5",
}
IMPORTS = """%matplotlib inline
import librosa, librosa.display, torch
import numpy as np
import matplotlib.pyplot as plt
from IPython.display import Audio"""
DEP = f':cache 1000\n:dep earworm = {{ path = "{CLONE}" }}\nuse earworm::prelude::*;'

CELLS = ["print", "load a clip", "plot", "player", "own loop"]
LABELS = {
    "start": "process start to the first helper's answer",
    "first variable": "first variable (`let`)",
    "print": "print",
    "load a clip": "helper: load a 10 s clip",
    "plot": "plot: waveform, mel spectrogram, chroma",
    "player": "player",
    "own loop": "own loop over the clip's samples",
}


class Kernel:
    """A kernel process, timed from its launch."""

    def __init__(self, name):
        self.manager = KernelManager(kernel_name=name)
        self.begun = time.perf_counter()
        self.manager.start_kernel(cwd=str(CLONE), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_SECONDS)

    def run(self, code):
        """Runs a cell and returns its seconds; a cell that fails ends the benchmark."""
        begun = time.perf_counter()
        request = self.client.execute(code, allow_stdin=False)
        errors = []
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT_SECONDS)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "error":
                errors += content["traceback"]
            if kind == "status" and content["execution_state"] == "idle":
                break
        while self.client.get_shell_msg(timeout=TIMEOUT_SECONDS)["parent_header"].get("msg_id") != request:
            pass
        if errors:
            sys.exit(f"a cell failed:\n{code}\n" + "\n".join(errors))
        return time.perf_counter() - begun

    def version(self):
        request = self.client.kernel_info()
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT_SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                return f"{reply['content']['implementation']} {reply['content']['implementation_version']}"

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def measure(name, starts, preparation, cells):
    """Returns seconds by measure, and the kernel's own name and version."""
    seconds = {"start": [], "first variable": []}
    for attempt in range(starts + 1):  # the first, on cold caches, is not counted
        kernel = Kernel(name)
        try:
            if preparation:
                kernel.run(preparation)
            kernel.run(cells["first helper"])
            started = time.perf_counter() - kernel.begun
            first = kernel.run(cells["first variable"])
            if attempt > 0:
                seconds["start"].append(started)
                seconds["first variable"].append(first)
            if attempt == starts:
                for cell in CELLS:
                    kernel.run(cells[cell].format(i=0))
                    seconds[cell] = [kernel.run(cells[cell].format(i=i)) for i in range(1, REPEATS + 1)]
                version = kernel.version()
        finally:
            kernel.end()
        print(f"   {name}: start {attempt} of {starts}, {started:.2f} s", file=sys.stderr, flush=True)
    return {measure: statistics.median(values) for measure, values in seconds.items()}, version


def python_kernel(folder):
    """Registers the benchmark's Python in a folder of kernels; returns its preparation and a remark, or None."""
    python = PYTHON / "bin/python"
    if not python.is_file():
        return None
    spec = {"argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Python"}
    (folder / "kernels/bench-python").mkdir(parents=True)
    (folder / "kernels/bench-python/kernel.json").write_text(json.dumps(spec | {"language": "python"}))
    if PANNS_LABELS.is_file() and PANNS_LABELS.stat().st_size > 0:
        return IMPORTS + "\nfrom panns_inference import AudioTagging", ""
    return IMPORTS, "IPython's start leaves out the import of panns_inference, which downloads its labels first."


def line_of(*command):
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    return result.stdout.strip().splitlines()[0] if result.returncode == 0 and result.stdout.strip() else "unknown"


def processor():
    if platform.system() == "Darwin":
        return line_of("sysctl", "-n", "machdep.cpu.brand_string")
    found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def python_versions():
    names = ["ipykernel", "librosa", "matplotlib", "numpy", "torch", "panns_inference"]
    code = f"from importlib.metadata import version as v; print(*(f'{{n}} {{v(n)}}' for n in {names}), sep=', ')"
    return line_of(str(PYTHON / "bin/python"), "-c", code)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a kernel is ended with the benchmark
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder))


def compare(folder):
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("JUPYTER_PATH")]))
    python, remarks, results, versions = python_kernel(folder), [], {}, []
    install_python = f"python3 -m venv {PYTHON} && {PYTHON}/bin/pip install {PYTHON_PACKAGES}"
    columns = {
        "earworm": ("earworm", "", RUST, "scripts/install"),
        "evcxr": ("rust", DEP, RUST, "scripts/install-evcxr"),
        "IPython": ("bench-python", python and python[0], IPYTHON, install_python + "   (6 GB on Linux)"),
    }
    for column, (name, preparation, cells, install) in columns.items():
        try:
            KernelSpecManager().get_kernel_spec(name)
        except NoSuchKernel:
            remarks.append(f"{column}: n/a; to install it: {install}")
            continue
        results[column], version = measure(name, STARTS[column], preparation, cells)
        versions.append(f"{column}: {version}")
    if python:
        versions.append(python_versions())
        remarks += filter(None, [python[1]])

    print(f"\n{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.machine()}; {line_of('rustc', '-V')}")
    print("; ".join(versions))
    counted = ", ".join(f"{column} {count}" for column, count in STARTS.items())
    print(f"seconds; medians of starts ({counted}) and of {REPEATS} runs of each cell\n")
    print(f"{'':44}" + "".join(f"{column:>10}" for column in columns) + f"{'earworm/IPython':>18}{'evcxr/IPython':>16}")
    for measure_name, label in LABELS.items():
        values = [results.get(column, {}).get(measure_name) for column in columns]
        ratios = [value / values[2] if value and values[2] else None for value in values[:2]]
        row = "".join(f"{value:10.3f}" if value else f"{'n/a':>10}" for value in values)
        row += "".join(f"{ratio:{w}.2f}" if ratio else f"{'n/a':>{w}}" for ratio, w in zip(ratios, [18, 16]))
        print(f"{label:44}{row}")
    print("\n".join(["", *remarks]).rstrip())


if __name__ == "__main__":
    main()
