"""Time from a save to the new page in a browser, with and without the plugin.

Pages of a server with the plugin and a gateway with a latency of ten seconds, and of a plain
server, are saved in turn.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.benchmark.figures import Goal, Row, median_of, ratios
from tests.benchmark.rounds import Bench
from tests.benchmark.sites import SECTION
from tests.serving import Server, serving
from tests.support import Site

NAMES = ("serve",)
LATENCY_S = 10.0
_TEXT = SECTION * 10
"""Five kilobytes, like a page of a manual."""

_SAVES_OF_A_PROMPT = 4
_CHROMIUM = ["--no-sandbox", "--disable-gpu"]
_PAGES, _PROMPTS = 40, 8


@dataclass
class Open:
    """Served site, and its first page in a browser."""

    site: Site
    server: Server
    page: Any

    def save(self, number: int) -> float:
        """Save the page, some with a new prompt; return the seconds until the browser shows it."""
        heading = f"Version {number}"
        fence = f"```imagegen\nPicture number {number // _SAVES_OF_A_PROMPT}\n```\n"
        begun = time.perf_counter()
        self.site.write("index.md", f"# {heading}\n\n{_TEXT}{fence}")
        self.page.wait_for_function(
            f"document.querySelector('h1')?.innerText.includes('{heading}')"
        )
        return time.perf_counter() - begun


@dataclass(frozen=True)
class Measured:
    """Seconds of each save, by pairs, and of a second plain server."""

    plain: Sequence[float]
    ours: Sequence[float]
    again: Sequence[float] = ()


def site_with(folder: Path, pages: int, prompts: int) -> Site:
    """Create a site; the first pages have a prompt each."""
    site = Site(folder)
    for number in range(pages):
        fence = f"```imagegen\nPicture of page {number}\n```\n" if number < prompts else ""
        site.write(f"page{number}.md", f"# Page {number}\n\n{_TEXT}{fence}")
    site.write("index.md", f"# Version 0\n\n{_TEXT}")
    return site


def save_to_both(  # noqa: PLR0913 - one argument per size
    folder: Path,
    new_page: Callable[[], Any],
    pairs: int,
    pages: int,
    prompts: int = 0,
    *,
    control: bool = False,
) -> Measured:
    """Save a page of each server in turn.

    Args:
        folder: Folder of the sites.
        new_page: Function that opens a page of a browser.
        pairs: Number of saves of each server.
        pages: Number of further pages of each site.
        prompts: Number of pages with an image, which is generated before the first save.
        control: True to add a second server without the plugin.
    """
    names = ("plain", "ours", "again") if control else ("plain", "ours")
    sites = {name: site_with(folder / name, pages, prompts) for name in names}
    with ExitStack() as stack:
        emulator = Emulator(latency_s=LATENCY_S, require_key=False)
        gateway = stack.enter_context(EmulatorServer(emulator))
        opened = {}
        for name, site in sites.items():
            if name == "ours":
                site.options.update(serve="generate", serve_delay=0.5)
                site.options["gateway"] = {"url": gateway.url, "auth": "none"}
            else:
                site.config["plugins"] = []
            server = stack.enter_context(serving(site))
            page = new_page()
            stack.callback(page.close)
            page.goto(server.url, wait_until="load")
            opened[name] = Open(site, server, page)
        for number in range(prompts):
            opened["ours"].server.wait_for_image(f"page{number}/", timeout_s=300)
        saved: dict[str, list[float]] = {name: [] for name in names}
        for number in range(1, pairs + 1):
            for name in names if number % 2 else reversed(names):
                saved[name].append(opened[name].save(number))
        return Measured(**saved)


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Measure wall time in Chromium, if it is installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    figure, goal = "save to page, gateway 10 s, wall time", Goal(1.10)
    if program is None or not importlib.util.find_spec("playwright"):
        note = "Chromium or playwright is not installed"
        return [Row("serve", figure, "plain", None, goal=goal, note=note)]
    from playwright.sync_api import sync_playwright

    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    bench.tell(f"serve: {bench.pairs} saves to each of three servers")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_CHROMIUM)
        folder = bench.folder / "serve"
        saved = save_to_both(folder, browser.new_page, bench.pairs, _PAGES, _PROMPTS, control=True)
        browser.close()
    runs = {"plain": saved.plain, "ours": saved.ours, "plain again": saved.again}
    value = median_of(ratios(saved.ours, saved.plain))
    control = median_of(ratios(saved.again, saved.plain))
    return [Row("serve", figure, "plain", value, control, goal, runs=runs)]
