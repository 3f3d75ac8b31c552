"""A browser, sites on loopback, and the example site."""

from __future__ import annotations

import functools
import http.server
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.browser.visits import Visit
from tests.manual.build import BuiltManual
from tests.serving import serving_http
from tests.tools import skip_or_fail

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

    def __init__(self, *request: Any, policy: str, **more: Any) -> None:
        self._policy = policy
        super().__init__(*request, **more)

    def end_headers(self) -> None:
        if self._policy:
            self.send_header("Content-Security-Policy", self._policy)
        super().end_headers()

    def do_GET(self) -> None:
        if "/assets/imagegen/" in self.path:
            time.sleep(IMAGE_DELAY_S)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of this folder."""
    item.add_marker(pytest.mark.browser)


@contextmanager
def served(folder: Path, policy: str = "") -> Iterator[str]:
    """Serve a folder with delayed images and a content security policy, and yield its URL."""
    handler = functools.partial(_Files, directory=str(folder), policy=policy)
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
def example_site(manual: BuiltManual) -> Path:
    """Return the folder of the built manual."""
    return manual.site


@pytest.fixture(scope="module")
def example_url(example_site: Path) -> Iterator[str]:
    with served(example_site) as url:
        yield url
