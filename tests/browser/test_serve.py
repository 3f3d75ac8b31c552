"""`mkdocs serve` in a real browser: a save never waits, and an image comes by itself."""

from __future__ import annotations

from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve as emulating
from tests.benchmark.serve import save_to_both
from tests.serving import serving
from tests.support import Site

_SIZES = "() => [...document.images].map(img => [img.width, img.height, img.naturalWidth > 0])"


def test_a_save_waits_for_no_image(browser, tmp_path: Path) -> None:
    """The goal is 1.1, which the benchmark measures on a machine that does nothing else."""
    measured = save_to_both(tmp_path, browser.new_page, pairs=5, pages=10, prompts=0)
    assert measured.ratio < 2
    assert max(measured.ours) < 8  # the gateway takes 10


def test_a_image_takes_its_stand_ins_place_by_itself(browser, site: Site) -> None:
    emulator = Emulator(latency_s=2, require_key=False)
    site.write("index.md", "# Page\n\n![A harbour at night](imagegen:)\n\nThe end.\n")
    site.options.update(serve="generate", serve_delay=1)
    with emulating(emulator) as gateway:
        site.options["gateway"] = {"url": gateway.url, "auth": "none"}
        with serving(site) as server:
            page = browser.new_page()
            loads: list[str] = []
            page.on("load", lambda _: loads.append(page.url))
            page.goto(server.url, wait_until="load")
            assert page.get_attribute("img[alt='A harbour at night']", "src").endswith(".svg")
            before = page.evaluate(_SIZES)
            page.wait_for_selector(
                "img[alt='A harbour at night']:not([src$='.svg'])", timeout=30000
            )
            page.wait_for_function("[...document.images].every(img => img.naturalWidth > 0)")
            page.wait_for_timeout(3000)
            assert page.evaluate(_SIZES) == before
            assert len(loads) == 2
            page.close()
    assert emulator.bill.images == 1
