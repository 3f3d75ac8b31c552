"""The command `emulator`: its start and its end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import httpx
from click.testing import CliRunner

from mkdocs_imagegen.cli.main import main


def test_unknown_fault_is_an_error() -> None:
    done = CliRunner().invoke(main, ["emulator", "--port", "0", "--fault", "retry-aftr"])
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ")
    assert '"retry-aftr"' in done.stderr
    assert done.stderr.endswith('hint: did you mean "retry-after"?\n')


def test_busy_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = CliRunner().invoke(main, ["emulator", "--port", str(port)])
    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "hint: use another port with --port\n"
    )


def test_emulator_ends_with_an_interrupt() -> None:
    command = [sys.executable, "-m", "mkdocs_imagegen", "emulator", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        url = re.search(r"http://\S+", process.stderr.readline())[0]
        assert httpx.get(f"{url}/models").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
