"""Time from a save that adds ten images until the page is served, with and without the plugin.

The originals exist, as after a `git pull`, and their files have to be encoded. Pages of a server
with the plugin and of two plain servers are saved in turn.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import ExitStack

from tests.benchmark.comparing import AGAIN, PLAIN
from tests.benchmark.figures import Goal, Row, median_of, ratios
from tests.benchmark.gateway import gateway
from tests.benchmark.processes import cost_of, ours
from tests.benchmark.rounds import Bench
from tests.benchmark.sites import TEXT, add_plugin, prompt, site_of
from tests.serving import Server, serving
from tests.support import Site

NAMES = ("save",)
_IMAGES, _MAX_PAGES = 10, 40


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Measure wall time over HTTP; the browser loads the page after that."""
    pages = min(_MAX_PAGES, bench.pages)
    sites = {name: site_of(bench.folder / "save" / name, pages) for name in (PLAIN, "ours", AGAIN)}
    _generate(add_plugin(sites["ours"]), bench.pairs)
    bench.tell(f"save: {bench.pairs} saves to each of three servers")
    saved: dict[str, list[float]] = {name: [] for name in sites}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(site)) for name, site in sites.items()}
        for number in range(bench.pairs):
            for name in sites if number % 2 else reversed(sites):
                saved[name].append(_save(sites[name], servers[name], number))
                if name == "ours":
                    _wait_for_files(servers[name])
    figure = f"{_IMAGES} new images on a site of {pages} pages, save to page, wall time"
    value = median_of(ratios(saved["ours"], saved[PLAIN]))
    control = median_of(ratios(saved[AGAIN], saved[PLAIN]))
    note = "the originals exist; the page may show them until their files are encoded"
    return [Row("save", figure, PLAIN, value, control, Goal(1.10), runs=saved, note=note)]


def _generate(site: Site, pairs: int) -> None:
    """Generate the originals of all saves, and no other files."""
    site.write("index.md", "".join(map(_page, range(pairs))))
    with gateway() as address:
        site.options["gateway"] = address
        site.save()
        cost_of(ours("generate"), site.folder)
    site.options["generate"] = False
    site.write("index.md", TEXT)


def _page(number: int) -> str:
    prompts = map(prompt, range(number * _IMAGES, (number + 1) * _IMAGES))
    return "\n".join((f"# Version {number}.\n", TEXT, *prompts))


def _save(site: Site, server: Server, number: int) -> float:
    """Save the page, and return the seconds until it is served."""
    content = _page(number)
    begun = time.perf_counter()
    site.write("index.md", content)
    server.wait_until(lambda: f"Version {number}." in server.get())
    return time.perf_counter() - begun


def _wait_for_files(server: Server) -> None:
    """Wait until the page shows the encoded files, so that no other save waits for encoders."""
    server.wait_until(lambda: server.get().count('type="image/avif"') == _IMAGES)
