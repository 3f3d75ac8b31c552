"""Files that Chromium fetches for images in the content column of four themes.

A file is sharp if it is at least as wide as the image on the page, times the pixel ratio. An image
that needs more than the original has gets the original.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

from tests.benchmark.figures import Estimate, Goal, Row
from tests.benchmark.processes import RunError
from tests.benchmark.rounds import Bench
from tests.hosts.environments import create_environment
from tests.hosts.zensicals import VERSIONS, create_zensical, write_config
from tests.serving import serving_http
from tests.support import Site

NAMES = ("readers",)
WINDOWS_PX = (390, 1280, 1440, 1920)
PIXEL_RATIOS = (1, 2)
THEMES = ("material", "mkdocs", "readthedocs", "zensical")
MAX_WIDTHS = 4
MAX_RATIO = 1.5
PAGE = "# Page\n\n![First](imagegen:)\n\n## Section\n\n![Lazy](imagegen:)\n"
"""A page with an image that is loaded at once, and a lazy one."""

_CHROMIUM = ["--no-sandbox", "--disable-gpu"]
_SKETCHES = {"gateway": {"url": "sketch:"}}
_HEIGHT_PX = 900
_WIDTH = re.compile(r"-(\d+)\.[0-9a-f]{8}\.\w+$")
_IMAGES = """() => [...document.querySelectorAll("img.imagegen")].map(img => {
  const style = getComputedStyle(img), frame = ["paddingLeft", "paddingRight", "borderLeftWidth",
    "borderRightWidth"].map(name => parseFloat(style[name])).reduce((one, other) => one + other);
  return {name: img.alt, file: img.currentSrc, width: img.getBoundingClientRect().width - frame,
    srcset: img.srcset};
})"""
_SCROLL = "window.scrollTo(0, document.documentElement.scrollHeight)"
_LOADED = """[...document.querySelectorAll("img.imagegen")].every(
  img => img.complete && img.naturalWidth > 0)"""


@dataclass(frozen=True)
class Fetch:
    """File that Chromium fetched for an image.

    Attributes:
        name: Alt text of the image.
        window_px: Width of the window in CSS pixels.
        pixel_ratio: Pixels of the screen per CSS pixel.
        shown_px: Width of the image on the page in CSS pixels, without its frame.
        fetched_px: Width of the file.
        widths_px: Widths of all files of the image, ascending.
    """

    name: str
    window_px: int
    pixel_ratio: int
    shown_px: float
    fetched_px: int
    widths_px: tuple[int, ...]

    @property
    def needed_px(self) -> float:
        """Width of a sharp file; that of the original if it is smaller."""
        return min(self.shown_px * self.pixel_ratio, self.widths_px[-1])

    @property
    def sharp_px(self) -> int:
        """Width of the smallest sharp file."""
        return next(each for each in self.widths_px if each >= self.needed_px)

    def __str__(self) -> str:
        window = f"{self.window_px}x{self.pixel_ratio}"
        return f"{window} {self.needed_px:.0f} -> {self.fetched_px} ({self.sharp_px})"


class _Files(SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".avif": "image/avif",
    }

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    handler = partial(_Files, directory=str(folder))
    with serving_http(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        yield f"{url}/"


def themed(site: Site, theme: str, text: str = PAGE) -> Site:
    """Write a page of a site in a theme, with the default variants."""
    site.options.pop("variants", None)
    site.config["theme"] = {"name": theme} | ({"font": False} if theme == "material" else {})
    site.write("index.md", text)
    return site


def _build_zensical(folder: Path, environments: Path) -> Path:
    zensical = create_zensical(partial(create_environment, environments), VERSIONS[-1])
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text(PAGE)
    write_config(folder / "mkdocs.yml", _SKETCHES, site_url="", theme={"font": False})
    done = zensical.run("zensical", "build", cwd=folder)
    if done.returncode != 0:
        raise RunError(done.stderr)
    return folder / "site"


def fetches(
    new_context: Callable[..., Any],
    folder: Path,
    windows: Iterable[tuple[int, int]] = tuple(product(WINDOWS_PX, PIXEL_RATIOS)),
    path: str = "",
) -> Iterator[Fetch]:
    """Yield each file that a browser fetches for a page.

    Args:
        new_context: Function that opens a context of the browser.
        folder: Folder of the site.
        windows: Width and pixel ratio of each window.
        path: Path of the page below the root of the site.

    Raises:
        RunError: If the browser fetches more than one file for an image.
    """
    with _served(folder) as url:
        for width, ratio in windows:
            viewport = {"width": width, "height": _HEIGHT_PX}
            context = new_context(viewport=viewport, device_scale_factor=ratio)
            yield from _fetches_of(context, url + path, width, ratio)
            context.close()


def _fetches_of(context: Any, url: str, window_px: int, ratio: int) -> Iterator[Fetch]:
    page, requests = context.new_page(), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    page.goto(url, wait_until="load")
    page.evaluate(_SCROLL)
    page.wait_for_function(_LOADED)
    images = page.evaluate(_IMAGES)
    files = {each["file"] for each in images}
    if fetched := {each for each in requests if _WIDTH.search(each)} - files:
        raise RunError(f"fetched more than {sorted(files)}: {sorted(fetched)}")
    for each in images:
        widths = tuple(int(width) for width in re.findall(r" (\d+)w", each["srcset"]))
        width = _WIDTH.search(each["file"])
        assert width is not None
        yield Fetch(each["name"], window_px, ratio, each["width"], int(width[1]), widths)


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Fetch images in Chromium, if it is installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None or not importlib.util.find_spec("playwright"):
        return _rows({}, "Chromium or playwright is not installed")
    from playwright.sync_api import sync_playwright

    found: dict[str, list[Fetch]] = {}
    note = ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_CHROMIUM)
        for theme in THEMES:
            bench.tell(f"readers: {theme}")
            try:
                site = _site(bench.folder / "readers", theme)
            except (AssertionError, subprocess.CalledProcessError):  # pip cannot reach an index
                note = "Zensical is not installed"
                continue
            found[theme] = list(fetches(browser.new_context, site))
        browser.close()
    return _rows(found, note)


def _site(folder: Path, theme: str) -> Path:
    if theme == "zensical":
        return _build_zensical(folder / theme, folder / "environments")
    return themed(Site(folder / theme), theme).build().site


def _rows(found: dict[str, list[Fetch]], missing: str) -> list[Row]:
    every = [each for theme in found.values() for each in theme]
    other = sum(each.fetched_px != each.sharp_px for each in every)
    most = max((len(each.widths_px) for each in every), default=0)
    figures = [("files that are not the smallest sharp one", other, 0, "files")]
    figures += [("widths of an image", most, MAX_WIDTHS, "widths")]
    return [
        *(_row_of_theme(theme, found.get(theme, ()), missing) for theme in THEMES),
        *(
            Row(
                "readers", label, "-",
                Estimate(number, number, number, len(every)) if every else None,
                goal=Goal(maximum), unit=unit, note="" if every else missing,
            )
            for label, number, maximum, unit in figures
        ),
    ]  # fmt: skip


def _row_of_theme(theme: str, found: Sequence[Fetch], missing: str) -> Row:
    ratios = [each.fetched_px / each.needed_px for each in found]
    value = Estimate(max(ratios), min(ratios), max(ratios), len(ratios)) if ratios else None
    return Row(
        "readers",
        f"{theme}: fetched width, the widest of {len(WINDOWS_PX) * len(PIXEL_RATIOS)} windows",
        "needed width",
        value,
        goal=Goal(MAX_RATIO),
        runs={"needed": [f.needed_px for f in found], "fetched": [f.fetched_px for f in found]},
        note=f"{theme}, window and ratio, needed -> fetched width (smallest sharp): {_list(found)}"
        if found
        else missing,
    )


def _list(found: Sequence[Fetch]) -> str:
    """Return each fetch once: the first image and a lazy one have the same."""
    return ", ".join(dict.fromkeys(map(str, found)))
