#!/usr/bin/env python3
"""Embeds the demo clips with PANNs Cnn14, by earworm and by Python, side by side; `scripts/bench embed` runs it.

Times are from the start of a process. The checkpoint is the official one if EARWORM_PANNS names it or ~/panns_data has
it, else one of the same layout with random weights, which takes as long.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
CLIPS = CLONE / "notebooks/audios"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earworm"
PYTHON = CACHE / "bench-python/bin/python"
OFFICIAL = Path.home() / "panns_data/Cnn14_mAP=0.431.pth"
RUNS = 3


def home_with_labels(folder):
    """A home in which panns_inference finds its labels, so that it does not download them."""
    data = Path(folder) / "panns_data"
    data.mkdir()
    labels = (CLONE / "models/audioset_labels.txt").read_text(encoding="utf-8").splitlines()
    rows = [f'{index},,"{label}"' for index, label in enumerate(labels)]
    (data / "class_labels_indices.csv").write_text("\n".join(["index,mid,display_name", *rows]) + "\n", encoding="utf-8")
    return {**os.environ, "HOME": folder, "NUMBA_CACHE_DIR": str(CACHE / "numba")}


def checkpoint(environment):
    given = os.environ.get("EARWORM_PANNS") or (OFFICIAL if OFFICIAL.is_file() else None)
    if given:
        return Path(given), "the official checkpoint" if Path(given) == OFFICIAL else str(given)
    random = CACHE / "cnn14-random.pth"
    if not random.is_file():
        subprocess.run([PYTHON, CLONE / "scripts/models/random_cnn14.py", random], check=True, env=environment)
    return random, "random weights in the official layout"


def measure(command, environment):
    """Runs a command; returns seconds to its line FIRST (or its end), to its end, and its peak memory in MiB."""
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout:
            if line.strip() == b"FIRST":
                break
        first = time.perf_counter() - begun
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    unit = 1 if sys.platform == "darwin" else 1024
    return first, time.perf_counter() - begun, usage.ru_maxrss * unit / 2**20


def main():
    if not PYTHON.is_file():
        sys.exit(f"no {PYTHON}: `scripts/bench kernel` tells how to install the Python side")
    with tempfile.TemporaryDirectory() as folder:
        python_environment = home_with_labels(folder)
        file, kind = checkpoint(python_environment)
        environment = {**os.environ, "EARWORM_PANNS": str(file)}
        earworm = [CLONE / "target/release/earworm", "index", "--model", "panns", "--index"]
        rows = []
        for run in range(RUNS + 1):  # the first, on cold caches, is not counted
            one = measure([*earworm, f"{folder}/one-{run}", CLIPS / "bella_ciao_humming.wav"], environment)
            all_clips = measure([*earworm, f"{folder}/all-{run}", CLIPS], environment)
            script = CLONE / "scripts/bench-embed-python.py"
            python = measure([PYTHON, script, file, CLIPS], python_environment)
            if run:
                rows.append((one[1], python[0], all_clips[1], python[1], all_clips[2], python[2]))
    figures = [statistics.median(column) for column in zip(*rows)]
    print(f"{os.cpu_count()} cores; {kind}; medians of {RUNS} runs\n")
    print(f"{'':44}{'earworm':>10}{'Python':>10}{'Python/earworm':>17}")
    labels = ["process start to the first embedding, s", "eighteen clips of 10 s, s", "peak memory, MiB"]
    for label, ours, theirs in zip(labels, figures[::2], figures[1::2]):
        print(f"{label:44}{ours:10.2f}{theirs:10.2f}{theirs / ours:17.1f}")


if __name__ == "__main__":
    main()
