"""Notebooks in a real JupyterLab in a headless Chromium: what a reader does with menus, keys and players.

usage: jupyterlab.py [FOLDER]      (for the screenshots; default: target/screenshots)

Needs a Chromium on PATH (Debian and Ubuntu: `apt-get install chromium`). Prints a line a check and exits with 1 if one
fails.
"""

import base64
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import TimeoutError as Timeout
from playwright.sync_api import sync_playwright

CLONE = Path(__file__).resolve().parent.parent
TUTORIAL = "01-searching-by-music.ipynb"
PROBE = "probe.ipynb"
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
START_SECONDS = 120
NOTEBOOK_SECONDS = 300
CELL_SECONDS = 60
INTERRUPT_SECONDS = 5

ERRORS = ["application/vnd.jupyter.error", "application/vnd.jupyter.stderr"]
SETTINGS = {
    # Cells outside the view would not be in the page otherwise.
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
}


@contextmanager
def jupyterlab(folder):
    """Starts JupyterLab on a folder, with settings of its own; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    home = folder.parent / "jupyter-home"
    for name, text in SETTINGS.items():
        path = home / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    environment = dict(
        os.environ,
        JUPYTER_CONFIG_DIR=str(home / "config"),
        JUPYTERLAB_SETTINGS_DIR=str(home / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(home / "workspaces"),
    )
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--ServerApp.root_dir={folder}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    log = (folder.parent / "jupyterlab.log").open("w+")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=5).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    sys.exit(f"JupyterLab did not start:\n{log.read()}")
                time.sleep(0.2)
        yield lambda notebook: f"http://127.0.0.1:{port}/lab/tree/{notebook}?token={token}&reset"
    finally:
        server.terminate()
        server.wait(timeout=30)


class Lab:
    """A page with JupyterLab, and the hands of a reader."""

    def __init__(self, page, address, screenshots):
        self.page, self.address, self.screenshots = page, address, screenshots

    def open(self, notebook):
        self.page.goto(self.address(notebook))
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=START_SECONDS * 1000)
        self.page.wait_for_function(
            """() => document.querySelector('.jp-Toolbar-kernelName')?.textContent.startsWith('Rust')
                     && document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status == 'idle'""",
            timeout=START_SECONDS * 1000,
        )

    def menu(self, *names):
        """Clicks through a menu of the menu bar and its submenus."""
        self.page.click(f".lm-MenuBar-itemLabel:text-is('{names[0]}')")
        for name in names[1:]:
            self.page.click(f".lm-Menu-itemLabel:text-is('{name}')")

    def cell(self, number):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def run(self, number):
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def wait_until_run(self, seconds, first=0):
        """Waits until every code cell from `first` on has a number and none is running."""
        self.page.wait_for_function(
            """first => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].slice(first)
                        .every(prompt => /\\[\\d+\\]/.test(prompt.textContent))""",
            arg=first,
            timeout=seconds * 1000,
        )

    def errors(self):
        selectors = ", ".join(f".jp-Notebook [data-mime-type='{kind}']" for kind in ERRORS)
        return self.page.locator(selectors).all_inner_texts()

    def screenshot(self, name):
        self.page.screenshot(path=self.screenshots / f"{name}.png")


def every_cell_of_the_tutorial_runs_without_an_error(lab):
    lab.open(TUTORIAL)
    lab.menu("Run", "Run All Cells")
    lab.wait_until_run(NOTEBOOK_SECONDS)
    lab.screenshot("tutorial")
    assert lab.errors() == [], lab.errors()


def a_player_plays(lab):
    player = lab.page.locator(".jp-Notebook audio").first
    player.scroll_into_view_if_needed()
    seconds, duration = player.evaluate(
        """async player => {
            await player.play();
            await new Promise(passed => setTimeout(passed, 1500));
            player.pause();
            return [player.currentTime, player.duration];
        }"""
    )
    lab.screenshot("player")
    assert duration > 0 and seconds > 0.5, f"{seconds} s played of {duration}"


def the_plot_is_visible_in_the_dark_theme(lab):
    lab.menu("Settings", "Theme", "JupyterLab Dark")
    lab.page.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    plot = lab.page.locator(".jp-Notebook img").last
    plot.scroll_into_view_if_needed()
    time.sleep(1)  # the theme's style sheet comes in
    lab.screenshot("dark-theme")
    assert plot.evaluate("img => img.complete && img.naturalWidth > 100 && img.naturalHeight > 100"), "no natural size"
    picture = plot.screenshot(path=lab.screenshots / "dark-theme-plot.png")
    background, visible = lab.page.evaluate(
        """async source => {
            const img = new Image();
            img.src = source;
            await img.decode();
            const canvas = new OffscreenCanvas(img.width, img.height).getContext('2d');
            canvas.drawImage(img, 0, 0);
            const bytes = canvas.getImageData(0, 0, img.width, img.height).data;
            const light = i => (bytes[i] + bytes[i + 1] + bytes[i + 2]) / 3;
            let visible = 0;
            for (let i = 0; i < bytes.length; i += 4) visible += Math.abs(light(i) - light(0)) > 60;
            return [light(0), visible / (bytes.length / 4)];
        }""",
        "data:image/png;base64," + base64.b64encode(picture).decode(),
    )
    assert background < 80, f"the figure brings a light background of its own ({background:.0f} of 255)"
    assert visible > 0.005, f"only {visible:.2%} of the pixels stand out"


def completion_on_tab_lists_the_methods_of_a_value(lab):
    lab.page.locator(".jp-Notebook .jp-CodeCell").last.locator(".cm-content").click()
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("b")
    lab.page.keyboard.press("Enter")
    lab.page.keyboard.type("songs.")
    # The analyser comes some seconds after the first cell; until then Tab knows only the names of the notebook.
    give_up = time.monotonic() + CELL_SECONDS
    while True:
        lab.page.keyboard.press("Tab")
        try:
            lab.page.wait_for_selector(".jp-Completer:visible .jp-Completer-item", timeout=2000)
            break
        except Timeout:
            assert time.monotonic() < give_up, "no completion"
    listed = lab.page.locator(".jp-Completer .jp-Completer-match").all_inner_texts()
    lab.screenshot("completion")
    lab.page.keyboard.press("Escape")
    for method in ["count", "delete", "get", "list"]:
        assert any(text.startswith(method) for text in listed), f"no {method} in {listed}"


def an_interrupt_from_the_toolbar_ends_a_loop(lab):
    lab.open(PROBE)
    lab.run(0)
    lab.cell(0).locator(".jp-OutputArea-output:has-text('looping')").wait_for(timeout=CELL_SECONDS * 1000)
    begun = time.monotonic()
    lab.page.click(".jp-NotebookPanel-toolbar [data-jp-item-name='interrupt']")
    ended = ".jp-Notebook .jp-CodeCell:first-child .jp-InputPrompt"
    lab.page.wait_for_function(
        f"() => /\\[\\d+\\]/.test(document.querySelector(\"{ended}\").textContent)", timeout=CELL_SECONDS * 1000
    )
    seconds = time.monotonic() - begun
    lab.screenshot("interrupt")
    assert seconds < INTERRUPT_SECONDS, f"ended after {seconds:.1f} s"
    assert lab.errors(), "the cell does not say that it was interrupted"
    lab.run(1)
    lab.cell(1).locator(".jp-OutputArea-output:has-text('jazz')").wait_for(timeout=CELL_SECONDS * 1000)


def the_kernel_restarts_and_every_cell_runs_again(lab):
    lab.open(TUTORIAL)
    lab.menu("Kernel", "Restart Kernel and Run All Cells…")
    lab.page.click(".jp-Dialog .jp-mod-accept")
    lab.page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].some(p => p.textContent.includes('*'))",
        timeout=START_SECONDS * 1000,
    )
    lab.wait_until_run(NOTEBOOK_SECONDS)
    lab.screenshot("restarted")
    assert lab.errors() == [], lab.errors()


CHECKS = [
    every_cell_of_the_tutorial_runs_without_an_error,
    a_player_plays,
    the_plot_is_visible_in_the_dark_theme,
    completion_on_tab_lists_the_methods_of_a_value,
    an_interrupt_from_the_toolbar_ends_a_loop,
    the_kernel_restarts_and_every_cell_runs_again,
]


def main():
    screenshots = Path(sys.argv[1]) if len(sys.argv) > 1 else CLONE / "target/screenshots"
    screenshots.mkdir(parents=True, exist_ok=True)
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        print(f"no browser: none of {', '.join(BROWSERS)} is on PATH; on Debian and Ubuntu 'apt-get install chromium'")
        return 1
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "notebooks"
        shutil.copytree(CLONE / "notebooks", folder, ignore=shutil.ignore_patterns("executed-*", "my-audio-index", ".*"))
        sources = ['println!("looping");\nloop {}', 'genre_of("jazz")']
        probe = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        probe.metadata.kernelspec = nbformat.read(folder / TUTORIAL, 4).metadata.kernelspec
        nbformat.write(probe, folder / PROBE)
        with jupyterlab(folder) as address, sync_playwright() as playwright:
            arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
            browser = playwright.chromium.launch(executable_path=browser_path, args=arguments)
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            lab = Lab(page, address, screenshots)
            for check in CHECKS:
                name = check.__name__.replace("_", " ")
                begun = time.monotonic()
                try:
                    check(lab)
                    print(f"ok      {name} ({time.monotonic() - begun:.1f} s)", flush=True)
                except (AssertionError, BrowserError) as error:
                    failed += 1
                    lab.screenshot(f"failed-{check.__name__}")
                    print(f"FAILED  {name}: {str(error).splitlines()[0]}", flush=True)
            browser.close()
    print(f"{len(CHECKS) - failed} passed, {failed} failed; screenshots in {screenshots}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
