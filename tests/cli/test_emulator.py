"""The command `emulator`: its start and its end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timezone
from typing import Any, NoReturn

import httpx
import pytest
from click.testing import CliRunner

from mkdocs_imagegen.cli import emulator as command
from mkdocs_imagegen.cli.main import main
from mkdocs_imagegen.emulator.faults import FAULTS

MINI = "openai/gpt-image-1-mini"


def test_unknown_fault_is_an_error() -> None:
    done = CliRunner().invoke(main, ["emulator", "--port", "0", "--fault", "retry-aftr"])
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ")
    assert '"retry-aftr"' in done.stderr
    assert done.stderr.endswith('hint: did you mean "retry-after"?\n')


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timeout", "(similar: request-timeout, gateway-timeout, late-timeout)\n"),
        ("xyz", "hint: `mkdocs-imagegen emulator --help` names some\n"),
    ],
)
def test_unknown_fault_is_answered_with_few_names(name: str, message: str) -> None:
    done = CliRunner().invoke(main, ["emulator", "--port", "0", "--fault", name])
    assert done.exit_code == 2
    assert done.stderr.endswith(message)
    assert len(done.stderr) < 200


def test_help_names_faults_that_exist() -> None:
    text = " ".join(CliRunner().invoke(main, ["emulator", "--help"]).stdout.split())
    examples = text.partition("Examples: ")[2].partition(". A part")[0].replace("- ", "-")
    names = [each.partition(" ")[0] for each in examples.split(", ")]
    assert len(names) >= 6
    assert {*names} <= FAULTS.keys()


def test_busy_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = CliRunner().invoke(main, ["emulator", "--port", str(port)])
    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "hint: use another port with --port\n"
    )


@contextmanager
def running(*options: str) -> Iterator[str]:
    """Run the command and yield its URL."""
    command = [sys.executable, "-m", "mkdocs_imagegen", "emulator", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        try:
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def status_of(url: str, model: str) -> int:
    fields = {"model": model, "prompt": "A red balloon", "quality": "low"}
    return httpx.post(f"{url}/images/generations", json=fields, timeout=60).status_code


def test_models_are_shut_down_by_name_and_by_day() -> None:
    with running("--today", "2026-12-01", "--shut-down", "openai/gpt-image-2") as url:
        listed = {entry["id"]: entry for entry in httpx.get(f"{url}/models").json()["data"]}
        assert not {MINI, "openai/gpt-image-2"} & listed.keys()
        assert status_of(url, MINI) == status_of(url, "openai/gpt-image-2") == 404
        assert status_of(url, "openai/gpt-image-2.5-flare") == 200
    with running("--today", "2026-11-30") as url:
        listed = {entry["id"]: entry for entry in httpx.get(f"{url}/models").json()["data"]}
        assert listed[MINI]["deprecated_at"] == 1796083200
        assert status_of(url, MINI) == 200


def test_day_is_the_real_one_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[date] = []

    def recording(**settings: Any) -> NoReturn:
        seen.append(settings["today"])
        raise SystemExit

    monkeypatch.setattr(command, "Emulator", recording)
    before = datetime.now(timezone.utc).date()
    CliRunner().invoke(main, ["emulator", "--port", "0"])
    assert before <= seen[0] <= datetime.now(timezone.utc).date()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--today", "tomorrow"], "'tomorrow' does not match the format '%Y-%m-%d'"),
        (["--shut-down", "openai/gpt-imag-2"], 'hint: did you mean "openai/gpt-image-2"?'),
    ],
)
def test_invalid_day_or_model_is_an_error(options: list[str], problem: str) -> None:
    done = CliRunner().invoke(main, ["emulator", "--port", "0", *options])
    assert done.exit_code == 2
    assert problem in done.stderr


def test_emulator_ends_with_an_interrupt() -> None:
    with running() as url:
        assert httpx.get(f"{url}/models").status_code == 200
