"""Pages, processes, contact sheets and originals for the tests of the command line."""

from __future__ import annotations

import hashlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.originals.record import parse_record, serialize_record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from tests.support import Site

MAX_S = 60
MODEL = "openai/gpt-image-1-mini"


def fence(prompt: str, **options: object) -> str:
    """An image block for a page."""
    head = [f"{name}: {value}" for name, value in options.items()]
    lines = ["```imagegen", *head, *(["---"] if head else []), prompt, "```"]
    return "\n".join(lines) + "\n\n"


def environ_of(more: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AI_GATE")}
    return clean | {"NO_MKDOCS_2_WARNING": "1", "COLUMNS": "100", "TERM": "xterm"} | dict(more)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mkdocs_imagegen", *arguments]


def run_in_terminal(
    folder: Path, program: Sequence[str], environ: Mapping[str, str]
) -> tuple[int, str]:
    """Run a program on a pseudo-terminal; return its exit code and its output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program,
        cwd=folder,
        env=environ_of(environ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        output = _read_all(ours, time.monotonic() + MAX_S)
        return process.wait(10), output
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_all(terminal: int, end: float) -> str:
    output = b""
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux raises it once the other side is closed
            break
        if not chunk:
            break
        output += chunk
    return output.decode()


def interrupt(
    site: Site, emulator: Emulator, *arguments: str, with_signal: int = signal.SIGINT
) -> tuple[int, str, str]:
    """Interrupt a command after its first image; its exit code, stdout and stderr."""
    site.save()
    process = subprocess.Popen(
        command(*arguments),
        cwd=site.folder,
        env=environ_of({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + MAX_S
        while emulator.bill.images == 0 and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(with_signal)
        stdout, stderr = process.communicate(timeout=MAX_S)
    finally:
        process.kill()
        process.wait()
    return process.returncode, stdout, stderr


def store_as_real_model(site: Site) -> None:
    """Store each sketch also as an image of a real model, in the default quality."""
    store = OriginalStore(site.originals, inspect_image)
    for path in site.records:
        record = parse_record(path.read_bytes(), path.stem)
        real = ImageRequest(MODEL, record.prompt, record.size, take=record.take)
        content = path.with_name(record.file_name).read_bytes()
        store.put(replace(record, key=real.key, subject=real.subject_key, model=MODEL), content)


def replace_image(path: Path, content: bytes) -> str:
    """Replace the image of a record by other bytes, with their hash; return its short path."""
    record = parse_record(path.read_bytes(), path.stem)
    path.with_name(record.file_name).unlink()
    record = replace(record, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    path.write_bytes(serialize_record(record))
    path.with_name(record.file_name).write_bytes(content)
    return f"{path.parent.name}/{record.file_name}"


class Sheet(HTMLParser):
    """A contact sheet, as a browser reads it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.text = file.read_text()
        self.images: list[dict[str, str | None]] = []
        self.urls: list[str] = []
        self.keys: list[str] = []
        self.takes: list[str] = []
        self.files: list[str] = []
        self.feed(self.text)

    @property
    def alts(self) -> list[str]:
        return [" ".join((image["alt"] or "").split()) for image in self.images]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.urls += [given[name] or "" for name in ("src", "href") if name in given]
        if tag == "img" and "src" in given:
            self.images.append(given)
        if given.get("class") == "copy key":
            self.keys.append(given["data-copy"] or "")
        elif "data-copy" in given:
            self.takes.append(given["data-copy"] or "")
        if "data-file" in given:
            self.files.append(given["data-file"] or "")
