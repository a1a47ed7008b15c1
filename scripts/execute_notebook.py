#!/usr/bin/env python3
"""Executes a notebook in its kernel through a real Jupyter client and says whether every cell worked.

usage: execute_notebook.py NOTEBOOK OUTPUT_FOLDER

Leaves the executed notebook and an HTML copy in the output folder and prints, last, the plain text of the cell that is
tagged `answers`. The evcxr kernel answers "ok" after a panic and after an error that `?` hands on, so the outputs are
looked at as well. Exits with 1 if a cell failed.
"""

import re
import statistics
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

CELL_TIMEOUT_SECONDS = 3600


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    notebook = nbformat.read(source, as_version=4)
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    timings = []

    begun = time.perf_counter()
    cell_begun = begun

    def started(cell, cell_index):
        nonlocal cell_begun
        if not timings:
            print(f"   kernel started in {time.perf_counter() - begun:.2f} s", flush=True)
        cell_begun = time.perf_counter()

    def ended(cell, cell_index, execute_reply):
        timings.append(time.perf_counter() - cell_begun)
        first_line = next((line for line in cell.source.splitlines() if line.strip()), "")
        print(f"   cell {len(timings):2}/{len(code_cells)} {timings[-1]:7.2f} s  {first_line[:80]}", flush=True)

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        startup_timeout=300,
        resources={"metadata": {"path": str(source.parent)}},
        on_cell_execute=started,
        on_cell_executed=ended,
    )
    failures = []
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        failures.append(str(error))
    failures += [failure for cell in code_cells for failure in failures_in(cell)]

    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / source.name)
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (folder / source.name).with_suffix(".html").write_text(html, encoding="utf-8")

    for failure in failures:
        print(f"!! {failure}", file=sys.stderr)
    if failures:
        return 1
    print(f"== {len(code_cells)} cells executed, median {statistics.median(timings):.2f} s a cell; see {folder / source.name} and its HTML copy")
    for cell in code_cells:
        if "answers" in cell.metadata.get("tags", []):
            print(plain_text(cell))
    return 0


def failures_in(cell):
    """Yields what went wrong in a cell according to its outputs."""
    if cell.source.strip() and cell.execution_count is None:
        yield f"not executed: {cell.source[:60]!r}"
    for output in cell.outputs:
        text = "".join(output.get("text", "")) if output.output_type == "stream" else ""
        if output.output_type == "error":
            yield f"{cell.source!r}: {output.get('evalue') or without_colours(' '.join(output.get('traceback', [])))}"
        elif output.output_type == "stream" and output.name == "stderr" and text.strip():
            yield f"{cell.source!r}: {without_colours(text.strip())}"


def without_colours(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def plain_text(cell):
    return "\n".join(output.data.get("text/plain", "") for output in cell.outputs if "data" in output).strip()


if __name__ == "__main__":
    sys.exit(main())
