import json
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from mkdocs_imagegen.emulator import protocol
from mkdocs_imagegen.emulator.protocol import Emulator, Response
from tests.emulator import switchboard

MODEL = "openai/gpt-image-1-mini"
IMAGES = "/v1/images/generations"


@dataclass
class Asker:
    """Asks an emulator without a socket."""

    emulator: Emulator
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": "Bearer any-word"})

    def get(self, path: str, **headers: str) -> Response:
        return self.emulator.handle("GET", path, self.headers | headers, b"")

    def post(self, path: str, fields: object, **headers: str) -> Response:
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        return self.emulator.handle("POST", path, self.headers | headers, body)

    def draw(self, *, fault: str = "ok", **fields: object) -> Response:
        """Ask for a small image; a field that is None is left out."""
        asked = {"model": MODEL, "prompt": "A red balloon", "quality": "low"} | fields
        said = {name: value for name, value in asked.items() if value is not None}
        return self.post(IMAGES, said, **({} if fault == "ok" else {"X-Imagegen-Fault": fault}))


@pytest.fixture
def asker():
    """Makes an asker of an emulator with the given settings."""

    def make(**settings) -> Asker:
        return Asker(Emulator(**settings))

    return make


@pytest.fixture
def ask(asker):
    """An asker of a fresh emulator with ten dollars."""
    return asker(balance_usd=Decimal(10))


@pytest.fixture
def drawn_once(monkeypatch):
    """Sketches of one size and format are drawn once, for tests that look at something else."""
    monkeypatch.setattr(protocol, "_sketches", switchboard.drawn_once)
