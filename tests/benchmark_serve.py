"""How long a save takes until a browser has the new page: ``python -m tests.benchmark_serve``.

Two servers, one with the plugin whose gateway takes ten seconds, one without, are saved to in turn.
Prints the median of each and of the ratios of the pairs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serving as emulating
from tests.serving import Server, serving
from tests.support import Site

LATENCY_S = 10.0
_SECTION = """\
## A section

Some text about the subject of this page, with *emphasis*, `code` and a [link](index.md). It goes on
for a while, as text does, so that there is something to render, to put into a page and to index.

- One thing.
- Another thing, with **more** to say.

| Name | Meaning |
|------|---------|
| one  | the first |
| two  | the second |

```python
for number in range(10):
    print(number)
```

"""
_TEXT = _SECTION * 10
"""Five kilobytes, as a page of a manual has."""

_SAVES_OF_A_PROMPT = 4
_CHROMIUM = ["--no-sandbox", "--disable-gpu"]


@dataclass
class Open:
    """A site that is served, and its first page in a browser."""

    site: Site
    server: Server
    page: Any

    def save(self, number: int) -> float:
        """Seconds from a save until the browser shows it; now and then the prompt is new."""
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
    """Seconds of each save, by pairs."""

    plain: Sequence[float]
    ours: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median of all pairs, each with the plugin over without."""
        pairs = zip(self.ours, self.plain, strict=True)
        return statistics.median(ours / plain for ours, plain in pairs)


def site_with(folder: Path, pages: int, prompts: int) -> Site:
    """A site of pages, of which so many have a prompt."""
    site = Site(folder)
    for number in range(pages):
        fence = f"```imagegen\nPicture of page {number}\n```\n" if number < prompts else ""
        site.write(f"page{number}.md", f"# Page {number}\n\n{_TEXT}{fence}")
    site.write("index.md", f"# Version 0\n\n{_TEXT}")
    return site


def measure(
    folder: Path, new_page: Callable[[], Any], pairs: int, pages: int, prompts: int = 0
) -> Measured:
    """Save so many times to each of two servers, in turn.

    Args:
        folder: for the two sites.
        new_page: opens a page of a browser.
        pairs: how often.
        pages: how many pages the sites have besides the one that is saved.
        prompts: how many of those show a picture, which is there before the first save.
    """
    plain, ours = (site_with(folder / name, pages, prompts) for name in ("plain", "ours"))
    plain.config["plugins"] = []
    with ExitStack() as stack:
        emulator = Emulator(latency_s=LATENCY_S, require_key=False)
        gateway = stack.enter_context(emulating(emulator))
        ours.options.update(serve="generate", serve_delay=0.5)
        ours.options["gateway"] = {"url": gateway.url, "auth": "none"}
        opened = []
        for site in (plain, ours):
            server = stack.enter_context(serving(site))
            page = new_page()
            page.goto(server.url, wait_until="load")
            opened.append(Open(site, server, page))
        for number in range(prompts):
            opened[-1].server.wait_for_picture(f"page{number}/", seconds=300)
        saved: tuple[list[float], list[float]] = ([], [])
        for number in range(1, pairs + 1):
            for each, seconds in zip(opened, saved, strict=True):
                seconds.append(each.save(number))
        for each in opened:
            each.page.close()
        return Measured(*saved)


def main() -> None:
    """Measure, and print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--prompts", type=int, default=8, help="pages of them with a picture")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=program, args=_CHROMIUM)
        measured = measure(
            Path(folder), browser.new_page, arguments.pairs, arguments.pages, arguments.prompts
        )
        browser.close()
    print(f"save to page, plain        {statistics.median(measured.plain):7.3f} s")  # noqa: T201 - it is what this is for
    print(f"save to page, generating   {statistics.median(measured.ours):7.3f} s")  # noqa: T201
    print(f"median ratio of {arguments.pairs} pairs    {measured.ratio:7.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
