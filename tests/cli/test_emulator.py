"""`emulator`: what keeps it from starting."""

from __future__ import annotations

import socket

from click.testing import CliRunner

from mkdocs_imagegen.cli.main import main


def test_an_unknown_fault_is_told() -> None:
    done = CliRunner().invoke(main, ["emulator", "--port", "0", "--fault", "rate-limt"])
    assert done.exit_code == 2
    assert done.stderr.startswith('Error: unknown fault "rate-limt" (supported: ok, ')
    assert len(done.stderr.splitlines()) == 1


def test_a_busy_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(main, ["emulator", "--port", str(port)])
    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: nothing can listen at 127.0.0.1:{port}: Address already in use; "
        "name another port with --port\n"
    )
