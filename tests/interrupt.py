"""Interrupts a cell that indexes and a plain loop, in the real kernel, and prints what became of them. tests/notebook.rs runs it.

usage: interrupt.py FOLDER INDEX
"""

import sys

from jupyter_client.manager import start_new_kernel


def main():
    folder, index = sys.argv[1:]
    manager, client = start_new_kernel(kernel_name="earworm", startup_timeout=300)

    def run(code, interrupt_at=None):
        """Runs a cell; interrupts it as soon as it has printed the given text."""
        printed, interrupted = "", interrupt_at is None
        request = client.execute(code)
        while True:
            message = client.get_iopub_msg(timeout=300)
            content = message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                break
            data = content.get("data", {}).get("text/plain")
            printed += content.get("text") or data or content.get("evalue") or ""
            if not interrupted and interrupt_at in printed:
                manager.interrupt_kernel()
                interrupted = True
        print(printed.strip(), flush=True)

    try:
        run(f'let mut songs = Index::open("{index}")?;')
        run(f'index(&mut songs, "{folder}")?', interrupt_at=" s left")
        run('println!("still here: {}", songs.count()? > 0);')
        run('println!("looping"); loop { std::hint::spin_loop(); }', interrupt_at="looping")
        run('println!("back: {}", songs.count()? > 0);')
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
