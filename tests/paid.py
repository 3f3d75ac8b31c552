"""An emulator on a socket whose images count as those of a real model, and sites that use it."""

from __future__ import annotations

import colorsys
import io
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from mkdocs_imagegen.cli.main import main
from mkdocs_imagegen.emulator.protocol import FAULT_HEADER, Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.emulator.sketches import drawing
from mkdocs_imagegen.emulator.wire_types import DrawRequest, HttpResponse
from tests.support import QUICK, Site

_SKETCH, _NO_SKETCH = b'"imagegen":{"sketch":true}', b'"imagegen":{"sketch":false}'
MODEL = "openai/gpt-image-2"
"""Model without a shutdown date; the server's list has its prices."""


class PaidEmulator(Emulator):
    """Emulator that does not mark images as sketches, which have another lookup.

    Attributes:
        url: Base URL, once it is served.
        fault: Fault of all image requests.
        output_format: Format of the images; ``""`` for the requested one.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"require_key": False} | options)
        self.url = ""
        self.fault = "ok"
        self.output_format = ""

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        response = super().handle(method, path, {**headers, FAULT_HEADER: self.fault}, body)
        return replace(response, body=response.body.replace(_SKETCH, _NO_SKETCH))

    @property
    def prompts(self) -> list[str]:
        """Prompts of all image requests, in order."""
        return [each.prompt or "" for each in self.log if each.method == "POST"]

    @property
    def requests(self) -> int:
        """Number of image requests."""
        return len(self.prompts)


@contextmanager
def paid_gateway(
    monkeypatch: pytest.MonkeyPatch, emulator: PaidEmulator | None = None, **options: Any
) -> Iterator[PaidEmulator]:
    """Serve an emulator that draws plain images without the mark of a sketch, each of them new."""
    numbers = count()

    emulator = emulator or PaidEmulator(**options)

    def draw(request: DrawRequest, **_: object) -> bytes:
        hue = (next(numbers) * 0.381966) % 1
        color = tuple(round(255 * each) for each in colorsys.hsv_to_rgb(hue, 0.6, 0.8))
        output = io.BytesIO()
        output_format = emulator.output_format or request.output_format
        Image.new("RGB", request.size, color).save(output, output_format.upper(), method=0)
        return output.getvalue()

    monkeypatch.setattr(drawing, "draw", draw)
    with EmulatorServer(emulator) as server:
        emulator.url = server.url
        yield emulator


class PaidSite(Site):
    """Site with quick variants and a report, whose images are charged.

    Args:
        folder: Folder of the site.
        emulator: Emulator that generates the images.
    """

    def __init__(self, folder: Path, emulator: PaidEmulator) -> None:
        super().__init__(folder)
        self.emulator = emulator
        self.options.update(
            gateway={"url": emulator.url, "auth": "none"},
            model=MODEL,
            variants={**QUICK},
            report="report.json",
        )

    def write_prompts(self, *prompts: str, **options: object) -> None:
        """Write a page with an image block for each prompt."""
        blocks = (fence(prompt, **options) for prompt in prompts)
        self.write("index.md", "# Page\n\n" + "".join(blocks))

    def requests_of_build(self, **options: Any) -> int:
        """Build with more options, and return the number of image requests of this build."""
        before = self.emulator.requests
        self.options.update(options)
        self.built = self.build()
        return self.emulator.requests - before

    def command(self, *arguments: str, config: str = "mkdocs.yml") -> Result:
        """Run a command of mkdocs-imagegen in this process."""
        self.save()
        name, *others = arguments
        given = [name, "--config-file", str(self.folder / config), *others]
        return CliRunner().invoke(main, given)

    def run_after(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of mkdocs-imagegen in a process that executes code first."""
        self.save()
        program = f"import sys\n{code}\nfrom mkdocs_imagegen.cli.main import main\nmain()"
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def states(self) -> list[str]:
        """State of each image of the last build."""
        return [each["state"] for each in self.report()["pictures"]]

    @property
    def images_of_originals(self) -> set[Path]:
        """Image files of the default originals folder."""
        return {path for path in self.originals.glob("??/*") if path.suffix != ".json"}


def fence(prompt: str, **options: object) -> str:
    """Return an image block."""
    head = "".join(f"{name}: {value}\n" for name, value in options.items())
    return f"```imagegen\n{head and head + '---' + chr(10)}{prompt}\n```\n\n"


def snapshot(folder: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Return inode, time and content of every file below a folder, except working files."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and "work" not in path.relative_to(folder).parts
    }
