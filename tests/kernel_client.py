"""A kernel process and what its cells gave, for the tests that talk to it as a notebook does."""

import os
import re
import time
from queue import Empty

from jupyter_client.manager import KernelManager

KERNEL = os.environ.get("EARWORM_KERNEL", "earworm")
START_SECONDS = 300
CELL_SECONDS = 60


class Cell:
    """What came of a cell: its reply, and its messages with the seconds from its sending to their arrival."""

    def __init__(self):
        self.reply, self.messages, self.seconds = None, [], None

    def of(self, kind):
        return [(at, message["content"]) for at, message in self.messages if message["msg_type"] == kind]

    @property
    def text(self):
        return "".join(content["text"] for _, content in self.of("stream"))

    @property
    def value(self):
        return next((content["data"]["text/plain"] for _, content in self.of("execute_result")), None)

    @property
    def traceback(self):
        lines = [line for _, content in self.of("error") for line in content["traceback"]]
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))


class Kernel:
    """A kernel process and its client."""

    def __init__(self, name=KERNEL, cwd=None, wait=True, env=None):
        self.manager = KernelManager(kernel_name=name)
        self.begun = time.perf_counter()
        self.manager.start_kernel(cwd=cwd, **({"env": env} if env else {}))
        self.client = self.manager.client()
        self.client.start_channels()
        self.ended = False
        if wait:
            self.client.wait_for_ready(timeout=START_SECONDS)

    def end(self):
        if not self.ended:
            self.client.stop_channels()
            self.manager.shutdown_kernel(now=True)
        self.ended = True

    def run(self, code, interrupt_at=None, answers=None, timeout=CELL_SECONDS):
        """Runs a cell to its end. Interrupts it when it has printed a text; answers what it asks for with `answers`."""
        cell, begun, interrupted = Cell(), time.perf_counter(), None
        request = self.client.execute(code, allow_stdin=answers is not None)
        while True:
            if time.perf_counter() - begun > timeout:
                self.end()
                raise TimeoutError(f"not ended after {timeout} s: {code}")
            if answers and self.client.stdin_channel.msg_ready():
                message = self.client.get_stdin_msg(timeout=1)
                cell.messages.append((time.perf_counter() - begun, message))
                self.client.input(answers.pop(0))
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except Empty:
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            cell.messages.append((time.perf_counter() - begun, message))
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            if interrupt_at and interrupted is None and interrupt_at in cell.text:
                interrupted = time.perf_counter()
                self.manager.interrupt_kernel()
        cell.seconds = time.perf_counter() - (interrupted or begun)
        cell.reply = self.reply_to(request)
        return cell

    def reply_to(self, request):
        while True:
            reply = self.client.get_shell_msg(timeout=CELL_SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                return reply["content"]
