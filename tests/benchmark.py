"""How long a cold build takes beside what its gateway needs: ``python -m tests.benchmark``.

Prints a plain build, the same site with pictures in the making, the ideal (latency times the
rounds that the concurrency allows, plus the plain build) and their ratio, from one run.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from pathlib import Path

from mkdocs_imagegen.emulator import sketch
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serving
from tests.support import Site

_SIZE = (1536, 1024)


def seconds_of_build(site: Site) -> float:
    """Wall time of one `mkdocs build` in a process of its own."""
    begun = time.perf_counter()
    done = site.run("build", "--strict")
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - begun


def site_with(folder: Path, directives: int) -> Site:
    """A site with one directive a page."""
    site = Site(folder)
    for number in range(directives):
        text = "Some text about the subject of this page.\n\n" * 20
        fence = f"```imagegen\nPicture number {number} of the benchmark\n```\n"
        site.write(f"page{number}.md", f"# Page {number}\n\n{text}{fence}")
    return site


def main() -> None:
    """Measure, and print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directives", type=int, default=200)
    parser.add_argument("--latency", type=float, default=2.0, help="seconds a picture takes")
    parser.add_argument("--concurrency", type=int, default=20)
    parser.add_argument("--formats", default="auto", help="as in variants.formats")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = site_with(Path(folder) / "site", arguments.directives)
        ours, site.config["plugins"] = site.config["plugins"], []
        plain_s = seconds_of_build(site)
        site.config["plugins"] = ours
        site.options["concurrency"] = arguments.concurrency
        site.options["variants"] = {"formats": arguments.formats}
        canned = sketch.draw("Any", *_SIZE, background="auto", output_format="webp", seed="0")
        # A real gateway does not draw on this machine, so nor does this one.
        sketch.draw = lambda *_, **__: canned  # type: ignore[assignment]  # takes whatever comes
        emulator = Emulator(latency_s=arguments.latency, require_key=False)
        with serving(emulator) as server:
            site.options["gateway"] = {"url": server.url, "auth": "none"}
            cold_s = seconds_of_build(site)
            warm_s = seconds_of_build(site)
    rounds = math.ceil(arguments.directives / arguments.concurrency)
    ideal_s = rounds * arguments.latency
    print(f"plain build                 {plain_s:7.2f} s")  # noqa: T201 - it is what this is for
    print(f"cold build                  {cold_s:7.2f} s, {emulator.bill.pictures} pictures")  # noqa: T201
    print(f"warm build                  {warm_s:7.2f} s, {warm_s / plain_s:.3f} of plain")  # noqa: T201
    print(f"ideal gateway time          {ideal_s:7.2f} s")  # noqa: T201
    print(f"cold / (ideal + plain)      {cold_s / (ideal_s + plain_s):7.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
