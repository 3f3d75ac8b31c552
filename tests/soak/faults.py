"""The client against faulty servers: every call ends in time, with an image or a `GatewayError`.

Every fault of the emulator strikes the first call of a client, one in the middle, and the last.
Then come random responses, and the peak memory of decompression bombs in a new process.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
import certifi
import pytest

from mkdocs_imagegen.emulator import protocol
from mkdocs_imagegen.emulator.faults import FAULTS, OK
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings
from tests.emulator.switchboard import Switchboard, drawn_once
from tests.gateway.conftest import serving as serving_script
from tests.soak.figures import Figure

TIMEOUT_S = 10.0
GRACE_S = 20.0
AT_ONCE = 10
BOMBS = ("bomb", "bomb-error", "wide-json")
STRUCK = (True, False, True, False, True)
"""Calls of a client that a fault strikes: the first, one in the middle, the last."""


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Send every fault at three moments, random responses, and the bombs."""
    counts: Counter[str] = Counter()
    with _quick(folder):
        anyio.run(_every_fault, counts)
        anyio.run(_random_responses, rounds, counts)
        growth_mib = _growth_under_bombs()
    return [
        Figure("faults", len(FAULTS), min_value=60),
        Figure("calls struck by a fault", counts["struck"], min_value=180),
        Figure("random responses", counts["random responses"], min_value=rounds),
        Figure("kinds of errors", sum(kind in counts for kind in _KINDS), min_value=10),
        Figure("calls that outlived their deadline", counts["late"], max_value=0),
        Figure("other exceptions than GatewayError", counts["uncaught"], max_value=0),
        Figure("calls that failed without a fault", counts["harmed"], max_value=0),
        Figure("images charged twice", counts["charged twice"], max_value=0),
        Figure("memory growth under bombs in MiB", growth_mib, max_value=100),
    ]


_KINDS = {kind.__name__ for kind in GatewayError.__subclasses__()}


@contextmanager
def _quick(folder: Path) -> Iterator[None]:
    """Draw equal sketches once, and load one root certificate instead of hundreds."""
    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end
    (folder / "one.pem").write_text(first, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(folder / "one.pem"))
        patch.setattr(protocol, "_draw_images", drawn_once)
        yield


def _settings(url: str) -> GatewaySettings:
    return GatewaySettings(url=url, auth="none", timeout=TIMEOUT_S, send_response_format="true")


async def _call(gateway: Gateway, prompt: str, counts: Counter[str]) -> bool:
    """Return True if the call returned an image; count its faults."""
    request = ImageRequest("openai/gpt-image-1-mini", prompt, Size(1024, 1024), "low")
    begun = time.monotonic()
    try:
        await gateway.generate(request, save_body=len)
    except GatewayError as error:
        counts[type(error).__name__] += 1
        return False
    except Exception as error:  # noqa: BLE001 - counted as a fault
        counts["uncaught"] += 1
        print(f"{prompt}: {error!r}", file=sys.stderr)  # noqa: T201 - details
        return False
    finally:
        counts["late"] += time.monotonic() - begun > TIMEOUT_S + GRACE_S
    return True


async def _every_fault(counts: Counter[str]) -> None:
    plans = {
        f"{name} {number}": [name if strikes else OK]
        for name in FAULTS
        for number, strikes in enumerate(STRUCK)
    }
    board, limiter = Switchboard(plans), anyio.CapacityLimiter(AT_ONCE)
    with EmulatorServer(board, slow_s=0.2) as server:
        async with anyio.create_task_group() as group:
            for name in FAULTS:
                group.start_soon(_client, server.url, name, limiter, counts)
    counts["charged twice"] += sum(each.bill.images > 1 for each in board.emulators.values())


async def _client(
    url: str, name: str, limiter: anyio.CapacityLimiter, counts: Counter[str]
) -> None:
    """Make all calls of one client."""
    async with limiter:
        gateway = Gateway(_settings(url), None)
        for number, strikes in enumerate(STRUCK):
            came = await _call(gateway, f"{name} {number}", counts)
            counts["struck"] += strikes
            counts["harmed"] += not came and not strikes
        await gateway.aclose()


async def _random_responses(rounds: int, counts: Counter[str]) -> None:
    seeds, lock = itertools.count(), threading.Lock()

    def script(connection: socket.socket, stopped: threading.Event) -> None:
        with lock:
            rng = random.Random(next(seeds))  # noqa: S311 - repeatable
        _respond(connection, stopped, rng)

    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one(gateway: Gateway, number: int) -> None:
        async with limiter:
            await _call(gateway, f"random {number}", counts)
            counts["random responses"] += 1

    with serving_script(script) as server:
        gateway = Gateway(_settings(server.url), None)
        async with anyio.create_task_group() as group:
            for number in range(rounds):
                group.start_soon(one, gateway, number)
        await gateway.aclose()


def _respond(connection: socket.socket, stopped: threading.Event, rng: random.Random) -> None:
    connection.sendall(_wire(rng))
    end = rng.random()
    if end < 0.01:
        stopped.wait(3 * TIMEOUT_S)
    elif end < 0.1:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


_IMAGE = {"data": [{"b64_json": base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(99)).decode()}]}
_COST = {"provider_metadata": {"gateway": {"cost": "0.005", "generationId": "gen_1"}}}
_ERROR = {"error": {"message": "no", "type": "x", "param": None, "code": None}}
_BODIES = [
    json.dumps(each).encode()
    for each in (_IMAGE, _IMAGE | _COST, _ERROR, {"error": "flat", "type": "y"}, {"data": []})
] + [b"", b"<html>busy</html>"]
_TOKENS = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"null", b"NaN", b"1e999", b"-1", b"9" * 5000),
    *(b"\x00", b"\xff", b"\\ud800", b"\r\n", b"\r\n\r\n", b"[" * 100_000, b"insufficient_quota"),
    *(b"moderation_blocked", b"model_not_found", b"rate_limit_exceeded", b'"error":{}'),
)
_STATUSES = (200, 200, 200, 201, 202, 204, 301, 302, 303, 304, 307, 400, 401, 402, 403, 404, 408)
_STATUSES += (409, 413, 422, 424, 429, 499, 500, 501, 502, 503, 504, 520, 529, 599, 999, 100, 101)
_HEADERS = (
    *(
        "retry-after: 0",
        "retry-after: 1",
        "retry-after: nan",
        "retry-after: -1",
        "x: " + "y" * 200_000,
    ),
    *(
        "retry-after: 99999999999999",
        "retry-after: Fri, 31 Dec 9999 23:59:59 GMT",
        "retry-after-ms: 5",
    ),
    *("content-encoding: gzip", "content-encoding: br", "content-encoding: identity, gzip"),
    *(
        "transfer-encoding: chunked",
        "transfer-encoding: gzip",
        "content-length: 5",
        "content-length: x",
    ),
    *(
        "location: http://169.254.169.254/",
        "location: http://[",
        "location: //\xff",
        "connection: keep-alive",
    ),
    *(
        "no colon",
        ": no name",
        "content-type: text/\xff",
        "set-cookie: a=b; expires=never",
        "upgrade: h2c",
    ),
)


def _wire(rng: random.Random) -> bytes:
    """Return a response as bytes, with random faults."""
    body = rng.choice(_BODIES)
    for _ in range(rng.choice((0, 0, 1, 2, 5))):
        body = _mutated(body, rng)
    lines = [f"HTTP/1.1 {rng.choice(_STATUSES)} Words"]
    lines += rng.sample(_HEADERS, rng.choice((0, 0, 1, 2, 4)))
    lines += [f"content-length: {len(body)}"] if rng.random() < 0.9 else []
    wire = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return _mutated(wire, rng) if rng.random() < 0.3 else wire


def _mutated(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at],
        lambda: data[at:],
        lambda: data[:at] + rng.choice(_TOKENS) + data[at:],
        lambda: data[:at] + rng.randbytes(rng.choice((1, 8, 1000))) + data[at + 1 :],
        lambda: data[:at] + data[at // 2 :],
    )
    return rng.choice(changes)()


def _growth_under_bombs() -> float:
    """Return the growth of peak memory in MiB, measured in a new process."""
    command = [sys.executable, "-m", "tests.soak.faults"]
    root = Path(__file__).parents[2]
    with EmulatorServer(Emulator(plan=[OK, *BOMBS], require_key=False)) as server:
        done = subprocess.run(
            [*command, server.url],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        )
    return float(done.stdout)


async def _meet_bombs(url: str) -> float:
    counts: Counter[str] = Counter()
    gateway = Gateway(GatewaySettings(url=url, auth="none", timeout=120.0), None)
    assert await _call(gateway, "warm", counts)
    before = _peak_mib()
    came = [await _call(gateway, name, counts) for name in BOMBS]
    assert not any(came)
    assert not counts["uncaught"]
    await gateway.aclose()
    return _peak_mib() - before


def _peak_mib() -> float:
    """Return the peak memory of this process; ``getrusage`` includes that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    print(anyio.run(_meet_bombs, sys.argv[1]))  # noqa: T201 - read by the parent process
