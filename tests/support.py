"""MkDocs builds in a folder, for tests of whole sites."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config

SUMMARY = re.compile(r"imagegen: (\d+ images?: |no images)")
ORIGINALS = "imagegen-originals"
QUICK = {"widths": [64], "formats": ["jpeg"]}
"""Variants that take little time to encode, where a test is about something else."""
EXTENSIONS: list[Any] = ["attr_list", "admonition", "pymdownx.superfences"]


def read_yaml(text: str) -> Any:
    """Return the content of a file of test cases, by the faster loader where there is one."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


@dataclass
class Built:
    """Log records and files of one build."""

    site: Path
    records: list[logging.LogRecord] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        return [each.getMessage() for each in self.records if each.levelno >= logging.WARNING]

    @property
    def infos(self) -> list[str]:
        return [each.getMessage() for each in self.records if each.levelno == logging.INFO]

    @property
    def summary(self) -> str:
        return next(text for text in self.infos if SUMMARY.match(text))

    def page(self, name: str) -> str:
        return (self.site / name).read_text()

    def files(self) -> dict[str, bytes]:
        paths = (path for path in sorted(self.site.rglob("*")) if path.is_file())
        return {path.relative_to(self.site).as_posix(): path.read_bytes() for path in paths}

    def images(self) -> dict[str, bytes]:
        return {
            name: content
            for name, content in self.files().items()
            if name.startswith("assets/imagegen/") and not name.endswith((".svg", ".css"))
        }


class Site:
    """Site in a folder, built as with the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_name = "mkdocs.yml"
        self.docs = folder / "docs"
        self.docs.mkdir(parents=True)
        self.config: dict[str, Any] = {
            "site_name": "A site",
            "site_url": "https://example.org/docs/",
            "markdown_extensions": list(EXTENSIONS),
            "plugins": [{"imagegen": {"gateway": {"url": "sketch:"}}}],
        }

    @property
    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = next(
            each["imagegen"]
            for each in self.config["plugins"]
            if isinstance(each, dict) and "imagegen" in each
        )
        return options

    @property
    def originals(self) -> Path:
        """The folder of images: sketches of the embedded emulator are not precious."""
        is_sketch = self.options.get("gateway") == {"url": "sketch:"}
        return self.folder / (".cache/plugin/imagegen/sketches" if is_sketch else ORIGINALS)

    @property
    def records(self) -> list[Path]:
        """Files of the records, sorted; failed attempts and notes are JSON files, too."""
        return sorted(self.originals.glob(f"??/{64 * '?'}.json"))

    def write(self, name: str, text: str) -> Path:
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # In one step: `mkdocs serve` may look at a half-written file, and build once more.
        new = self.folder / "page.new"
        new.write_text(text)
        new.replace(path)
        return path

    def save(self) -> Path:
        path = self.folder / self.config_name
        path.write_text(yaml.safe_dump(self.config, sort_keys=False))
        return path

    def build(self, *, command: str = "build", strict: bool = False, **more: Any) -> Built:
        """Build in this process, with the hooks that the command line calls."""
        with recorded() as records:
            config = load_config(str(self.save()), strict=strict, **more)
            config.plugins.on_startup(command=command, dirty=False)
            try:
                mkdocs_build(config)
            finally:
                config.plugins.on_shutdown()
        return Built(Path(config.site_dir), records)

    def run(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `mkdocs` in a process of its own."""
        self.save()
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith("AI_GATEWAY")
        }
        return subprocess.run(
            [sys.executable, "-m", "mkdocs", *arguments],
            cwd=self.folder,
            env=clean | {"NO_MKDOCS_2_WARNING": "1"} | dict(environ or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    def report(self) -> Any:
        return json.loads((self.folder / "report.json").read_text())


@contextmanager
def recorded() -> Iterator[list[logging.LogRecord]]:
    """Record the log of `mkdocs` and its plugins from level INFO."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]  # the shortest handler there is
    logger = logging.getLogger("mkdocs")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield records
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
