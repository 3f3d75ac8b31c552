"""`mkdocs serve` in a browser: a save waits for no image, and the page reloads for each."""

from __future__ import annotations

import threading

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.serving import serving
from tests.support import Site
from tests.waiting import MAX_WAIT_S

_SIZES = "() => [...document.images].map(img => [img.width, img.height, img.naturalWidth > 0])"
_ALL_LOADED = "[...document.images].every(img => img.naturalWidth > 0)"


def test_a_save_waits_for_no_image(browser, site: Site) -> None:
    """The gateway sends no response before the end of the test."""
    ended = threading.Event()
    emulator = Emulator(latency_s=1, pause=lambda _: ended.wait(), require_key=False)
    site.write("index.md", "# Version 0\n\n![A harbor at night](imagegen:)\n")
    site.options.update(serve="generate", serve_delay=0.5)
    with EmulatorServer(emulator) as gateway:
        site.options["gateway"] = {"url": gateway.url, "auth": "none", "timeout": 10 * MAX_WAIT_S}
        with serving(site) as server:
            page = open_page(browser, server.url)
            for number in range(1, 6):
                server.wait_until(lambda: emulator.bill.images)
                heading = f"Version {number}"
                site.write("index.md", f"# {heading}\n\n![A harbor, {number}](imagegen:)\n")
                page.wait_for_function(f"document.querySelector('h1')?.innerText == '{heading}'")
            page.close()
            ended.set()


def test_an_image_replaces_its_placeholder(browser, site: Site) -> None:
    may_respond = threading.Event()
    emulator = Emulator(latency_s=1, pause=lambda _: may_respond.wait(), require_key=False)
    site.write("index.md", "# Page\n\n![A harbor at night](imagegen:)\n\nThe end.\n")
    site.options.update(serve="generate", serve_delay=1)
    with EmulatorServer(emulator) as gateway:
        site.options["gateway"] = {"url": gateway.url, "auth": "none", "timeout": 10 * MAX_WAIT_S}
        with serving(site) as server:
            loads: list[str] = []
            page = open_page(browser, server.url)
            page.on("load", lambda _: loads.append(page.url))
            assert page.get_attribute("img[alt='A harbor at night']", "src").endswith(".svg")
            before = page.evaluate(_SIZES)
            may_respond.set()
            page.wait_for_selector("img[alt='A harbor at night']:not([src$='.svg'])")
            page.wait_for_function(_ALL_LOADED)
            page.wait_for_timeout(3000)
            assert page.evaluate(_SIZES) == before
            assert len(loads) == 1
            page.close()
    assert emulator.bill.images == 1


def open_page(browser, url: str):
    page = browser.new_page()
    page.set_default_timeout(1000 * MAX_WAIT_S)
    page.goto(url, wait_until="load")
    return page
