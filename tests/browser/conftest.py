"""A browser, sites on loopback, and the example site."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from tests.browser.visits import Visit
from tests.serving import serving_http
from tests.tools import skip_or_fail

ROOT = Path(__file__).parents[2]
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
IMAGE_DELAY_S = 0.15
"""Long enough for the browser to paint a page before its images arrive."""


class _Files(http.server.SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".avif": "image/avif",
        ".webp": "image/webp",
    }

    def do_GET(self) -> None:
        if "/assets/imagegen/" in self.path:
            time.sleep(IMAGE_DELAY_S)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder with delayed images, and yield its URL."""
    handler = functools.partial(_Files, directory=str(folder))
    with serving_http(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        yield f"{url}/"


@pytest.fixture(scope="module")
def browser():
    """Start Chromium for one module: its event loop runs in the thread of the tests."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        skip_or_fail("chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip_or_fail("playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Visit]]:
    """Open a URL in a browser of its own: ``visit(url, width=390, dark=True)``."""
    contexts = []

    def opened(url: str, *, width: int = 1440, dark: bool = False, change: str = "") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        return Visit(context, url, change)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def example_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the example site, with the cache of the checkout if there is one."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "example_site", folder, dirs_exist_ok=True)
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("IMAGEGEN")}
    environ |= {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--quiet",
            "--strict",
            "-d",
            str(folder / "site"),
        ],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def example_url(example_site: Path) -> Iterator[str]:
    with served(example_site) as url:
        yield url
