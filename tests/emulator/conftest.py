import importlib
import json
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
import pytest

from mkdocs_imagegen.emulator import protocol
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.emulator.wire_types import HttpResponse
from tests.emulator import switchboard
from tests.emulator.support import KEY, MODEL, REQUEST


@dataclass
class ApiClient:
    """Sends requests to an emulator without a socket."""

    emulator: Emulator
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": "Bearer any-word"})

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.emulator.handle("GET", path, self.headers | headers, b"")

    def post(self, path: str, fields: object, **headers: str) -> HttpResponse:
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        return self.emulator.handle("POST", path, self.headers | headers, body)

    def generate(self, *, fault: str = "ok", **fields: object) -> HttpResponse:
        """Request an image; a field with the value None is left out."""
        merged = {"model": MODEL, "prompt": "A red balloon", "quality": "low"} | fields
        given = {name: value for name, value in merged.items() if value is not None}
        headers = {} if fault == "ok" else {"X-Imagegen-Fault": fault}
        return self.post("/v1/images/generations", given, **headers)


@pytest.fixture
def openai():
    """OpenAI's client, whose import takes seconds."""
    return importlib.import_module("openai")


@pytest.fixture
def make_api():
    """Function that returns a client of an emulator with the given settings."""

    def make(**settings) -> ApiClient:
        return ApiClient(Emulator(**settings))

    return make


@pytest.fixture
def api(make_api):
    """Client of an emulator with ten dollars."""
    return make_api(balance_usd=Decimal(10))


@pytest.fixture
def cached_sketches(monkeypatch):
    """Draw sketches of one size and format once, for tests of something else."""
    monkeypatch.setattr(protocol, "_draw_images", switchboard.drawn_once)


@pytest.fixture
def server():
    with EmulatorServer(Emulator(), slow_s=0.4) as running:
        yield running


@pytest.fixture
def post(server):
    """Function that requests an image over one connection, with a fault."""
    with httpx.Client(base_url=server.url, headers=KEY) as client:

        def send(fault="ok", timeout=5.0):
            headers = {"x-imagegen-fault": fault}
            return client.post(
                "/images/generations", json=REQUEST, headers=headers, timeout=timeout
            )

        yield send
