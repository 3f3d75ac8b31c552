"""Canary API keys: builds against servers that fail or repeat the key, and a search for it.

A cell is one output or folder after one build, or one error or object as a crash report shows it.
The search covers the key as it is, encoded, quoted, reversed and by halves.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import anyio

from mkdocs_imagegen.emulator.faults import FAULTS
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.emulator.wire_types import HttpResponse
from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.gateway.credentials import find_credential
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings
from tests.soak.figures import Figure
from tests.support import Site

KEYS = ("vck_canary7Kp2Wq9Zt4Xm6Bn3Hd8Js5Lv1Rg", "canary-Zk3vQ9x/T7+wLm2=Rb8nHs5yGd4fJc6p")
"""One key in the form of the gateway, and one that matches no pattern and that quoting changes."""

_PAGES = 6
_BUILD_S = 240.0
_LEVELS = ((), ("-q",), ("-v",))
_COMMANDS = ("models", "credits", "generate")
_VARIABLE = "CANARY_API_KEY"
"""That of the AI Gateway is not sent to another server."""

_SLOW = frozenset(name for name in FAULTS if name.startswith("retry-after")) | {"slow", "drip"}
_REQUEST = ImageRequest("openai/gpt-image-1-mini", "A red balloon", Size(1024, 1024))


@dataclass(frozen=True, slots=True)
class Cell:
    """One output, folder, error or object, and its content."""

    name: str
    content: bytes


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build, raise every error of the client, and search all cells."""
    searched, hits, sent = 0, 0, 0
    for key in KEYS:
        with patch.dict(os.environ, {_VARIABLE: key}):
            # The emulator rejects a key of this form, so all faults would be the same.
            faults = [] if key.startswith("vck_") else _errors()
            for cell in (*faults, *_echoed(), *_objects()):
                searched, hits = searched + 1, hits + _shows(cell, key)
    for number in range(rounds):
        key = KEYS[number % 4 < 2]
        cells, was_sent = _build(number, key, folder / str(number))
        sent += was_sent
        searched, hits = searched + len(cells), hits + sum(_shows(cell, key) for cell in cells)
    return [
        Figure("builds", rounds),
        Figure("builds that sent the key", sent, min_value=rounds),
        Figure("cells searched", searched, min_value=60),
        Figure("cells that show the key", hits, max_value=0),
    ]


def forms(key: str) -> tuple[bytes, ...]:
    """Return all forms in which the key is searched for."""
    halves = (key[: len(key) // 2], key[len(key) // 2 :])
    plain = [*halves, *(half[::-1] for half in halves), quote(key, safe="")]
    shifted = [base64.b64encode(b" " * number + key.encode()) for number in range(3)]
    # The characters at both ends depend on the bytes around the key.
    return (*(each.encode() for each in plain), *(each[4:-4] for each in shifted))


def _shows(cell: Cell, key: str) -> bool:
    """Return True if a cell contains the key, also across line breaks and JSON backslashes."""
    joined = b"".join(cell.content.split()).replace(b"\\", b"")
    shows = any(form in cell.content or form in joined for form in forms(key))
    if shows:
        print(f"shown: {cell.name}", file=sys.stderr)  # noqa: T201 - details
    return shows


class Echo(Emulator):
    """Server that repeats the key in every text of a response."""

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self._number = first
        self.keys: list[str] = []

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        lowered = {name.lower(): value for name, value in headers.items()}
        key = lowered.get("authorization", "").removeprefix("Bearer ")
        self.keys.append(key)
        if not path.endswith("/images/generations"):
            return _refusal(500, key)
        drawn = Emulator().handle(method, path, headers | {"authorization": "Bearer x"}, body)
        answers = list(ECHOES.values())
        self._number += 1
        return answers[(self._number - 1) % len(answers)](key, drawn.body)


def _refusal(status: int, key: str, **headers: str) -> HttpResponse:
    error = {"message": f"the key {key} is bad ({quote(key)})", "type": f"x {key}", "param": key}
    text = json.dumps({"error": error, "generationId": key})
    return HttpResponse(status, {"content-type": "application/json", **headers}, text.encode())


def _with_metadata(key: str, body: bytes) -> HttpResponse:
    answer = json.loads(body)
    gateway = {"generationId": key, "cost": key, "routing": {"canonicalSlug": f"a/{key}"}}
    metadata = answer.get("providerMetadata") or answer.get("provider_metadata") or {}
    gateway["routing"]["finalProvider"] = key
    texts = {"provider_metadata": metadata | {"gateway": gateway}, "revised_prompt": key}
    answer |= texts | {"warnings": [f"called with {key}", {"type": key, "message": key}]}
    return HttpResponse(200, {"x-request-id": key, "x-vercel-id": key}, json.dumps(answer).encode())


def _as_page(key: str, _: bytes) -> HttpResponse:
    text = f"<html><title>{key}</title><p>{key[:9]}<b>{key}</b></html>"
    return HttpResponse(502, {"content-type": "text/html"}, text.encode())


def _redirect(key: str, _: bytes) -> HttpResponse:
    where = f"https://example.org/{key}/{quote(key, safe='')}?key={quote(key)}"
    return HttpResponse(302, {"location": where}, b"")


def _slashes(key: str, _: bytes) -> HttpResponse:
    text = json.dumps({"error": {"message": f"the key is {key}, which is bad"}}).replace("/", "\\/")
    return HttpResponse(400, {}, text.encode())


def _no_image(key: str, _: bytes) -> HttpResponse:
    return HttpResponse(200, {}, json.dumps({"data": [], "error": {"message": key}}).encode())


def _garbage(key: str, _: bytes) -> HttpResponse:
    return HttpResponse(200, {}, f"{{{key}\n{key}".encode())


def _link(key: str, _: bytes) -> HttpResponse:
    return HttpResponse(200, {}, json.dumps({"data": [{"url": f"https://x.org/{key}"}]}).encode())


ECHOES: Mapping[str, Callable[[str, bytes], HttpResponse]] = {
    "metadata of an image": _with_metadata,
    "refused": lambda key, _: _refusal(400, key, **{"x-request-id": key}),
    "moderated": lambda key, _: HttpResponse(
        400,
        {"x-vercel-id": key},
        json.dumps({"error": {"code": "content_policy_violation", "message": key * 8}}).encode(),
    ),
    "a page": _as_page,
    "a redirect": _redirect,
    "slashes": _slashes,
    "no image": _no_image,
    "garbage": _garbage,
    "a link": _link,
    "failed": lambda key, _: _refusal(500, key, server=key, via=key),
    "not accepted": lambda key, _: _refusal(401, key, **{"www-authenticate": f'Bearer "{key}"'}),
}
"""Responses by kind; the last one ends a build."""


def _errors() -> Iterator[Cell]:
    """Yield every error of the client, as a crash report with all variables shows it."""
    for fault in sorted(set(FAULTS) - _SLOW):
        with EmulatorServer(Emulator(plan=[fault] * 9), slow_s=0.1) as server:
            yield Cell(f"error {fault}", _error_of(server.url))


def _echoed() -> Iterator[Cell]:
    """Yield every error from a server that repeats the key."""
    for number, name in enumerate(ECHOES):
        with EmulatorServer(Echo(number)) as server:
            yield Cell(f"error {name}", _error_of(server.url))


def _error_of(url: str) -> bytes:
    async def once() -> object:
        settings = GatewaySettings(url=url, key_env=_VARIABLE, timeout=1)
        gateway = Gateway(settings, find_credential(os.environ, settings, 0))
        try:
            return await gateway.generate(_REQUEST)
        finally:
            await gateway.aclose()

    try:
        return repr(anyio.run(once)).encode()  # some faults leave the image usable
    except GatewayError as error:
        return "".join(_crash(error)).encode()


def _crash(error: BaseException | None) -> Iterator[str]:
    while error:
        yield from traceback.TracebackException.from_exception(error, capture_locals=True).format()
        yield f"{error!r} {error} {vars(error)!r}"
        error = error.__cause__ or error.__context__


def _objects() -> Iterator[Cell]:
    """Yield the client's objects as text and as pickles."""
    settings = GatewaySettings(url="http://127.0.0.1:9/v1", key_env=_VARIABLE)
    credential = find_credential(os.environ, settings, 0)
    gateway = Gateway(settings, credential)
    for each in (settings, credential, gateway, gateway._auth):
        shown = f"{each!r} {each} {getattr(each, '__dict__', '')!r}".encode()
        with suppress(TypeError, AttributeError, pickle.PicklingError):
            shown += pickle.dumps(each)
        yield Cell(f"object {type(each).__name__}", shown)
    anyio.run(gateway.aclose)


def _build(number: int, key: str, folder: Path) -> tuple[list[Cell], bool]:
    """Build a site; return all outputs and folders, and True if the key was sent."""
    site = _site(number, folder)
    faults = list(FAULTS.keys() - _SLOW)
    faults = sorted(faults)[number * _PAGES % len(faults) :][:_PAGES]
    echo = Echo(number % len(ECHOES))
    is_echo = number % 2 == 0 or key.startswith("vck_")  # the emulator rejects such a key
    latency_s = 0.5 if _is_interrupted(number) else 0.0
    emulator = echo if is_echo else Emulator(plan=["ok", *faults], latency_s=latency_s)
    with EmulatorServer(emulator, slow_s=0.2) as server:
        site.options["gateway"]["url"] = server.url
        stdout, stderr = _run(number, site, key, emulator)
        more = _command(number, site, key)
    was_sent = key in echo.keys if is_echo else bool(emulator.log)
    return [*_cells(number, site, stdout, stderr), more], was_sent


def _is_interrupted(number: int) -> bool:
    return number % 6 == 5


def _site(number: int, folder: Path) -> Site:
    site = Site(folder)
    for page in range(_PAGES):
        site.write(f"page{page}.md", f"# Page\n\n```imagegen\nPrompt {page}\n```\n")
    site.options["gateway"] = {"key_env": _VARIABLE, "timeout": 2}
    site.options.update({"report": "report.json", "concurrency": 2})
    site.options["on_missing"] = "error" if number % 5 == 4 else "warn"
    return site


def _run(number: int, site: Site, key: str, emulator: Emulator) -> tuple[bytes, bytes]:
    """Run the build; return its two outputs."""
    strict = ["--strict"] if number % 4 == 3 else []
    site.save()
    with subprocess.Popen(
        [sys.executable, "-m", "mkdocs", "build", *_LEVELS[number % len(_LEVELS)], *strict],
        cwd=site.folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", _VARIABLE: key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            if _is_interrupted(number):
                _interrupt(process, emulator)
            return process.communicate(timeout=_BUILD_S)
        finally:
            process.kill()


def _command(number: int, site: Site, key: str) -> Cell:
    """Run one of the commands that call the server; return its output."""
    command = _COMMANDS[number % len(_COMMANDS)]
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs_imagegen", command],
        cwd=site.folder,
        env={**os.environ, _VARIABLE: key},
        capture_output=True,
        check=False,
        timeout=_BUILD_S,
    )
    return Cell(f"build {number}: {command}", done.stdout + done.stderr)


def _interrupt(process: subprocess.Popen[bytes], emulator: Emulator) -> None:
    """Send SIGINT after the first request."""
    asked = emulator.keys if isinstance(emulator, Echo) else emulator.log
    end = time.monotonic() + _BUILD_S
    while not asked and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
        asked = emulator.keys if isinstance(emulator, Echo) else emulator.log
    process.send_signal(signal.SIGINT)


def _cells(number: int, site: Site, stdout: bytes, stderr: bytes) -> list[Cell]:
    report = site.folder / "report.json"
    return [
        Cell(f"build {number}: stdout", stdout),
        Cell(f"build {number}: stderr", stderr),
        Cell(f"build {number}: site", _content_of(site.folder / "site")),
        Cell(f"build {number}: cache", _content_of(site.folder / ".cache")),
        Cell(f"build {number}: originals", _content_of(site.originals)),
        Cell(f"build {number}: report", report.read_bytes() if report.exists() else b""),
    ]


def _content_of(folder: Path) -> bytes:
    """Return names and contents of all files, compressed ones decompressed."""
    parts: list[bytes] = []
    for path in islice(sorted(folder.rglob("*")), 10_000):
        parts.append(os.fsencode(path))
        if path.is_file():
            content = path.read_bytes()
            parts.append(gzip.decompress(content) if path.suffix == ".gz" else content)
    return b"\n\0".join(parts)
