"""A visit of one page in a browser: its requests, its layout shifts, and its images."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.waiting import MAX_WAIT_S

_IMAGE_PATH = "assets/imagegen/"
_IS_IMAGE = re.compile(rf"{_IMAGE_PATH}.*(?<!\.css)$")

# Layout shifts as the browser reports them; those after a click do not count.
_NOTE_SHIFTS = """
window.shifts = [];
const place = rect => `${rect.x},${rect.y} ${rect.width}x${rect.height}`;
const describe = ({node, previousRect, currentRect}) =>
  `${node?.nodeName}.${node?.className}: ${place(previousRect)} to ${place(currentRect)}`;
new PerformanceObserver(list => {
  for (const {value, hadRecentInput, sources} of list.getEntries())
    if (!hadRecentInput) window.shifts.push([value, sources.map(describe).join("; ")]);
}).observe({type: "layout-shift", buffered: true});
"""
_FORGET_SHIFTS_OF_MATERIAL = """async () => {
  if (!document.querySelector(".md-typeset")) return;
  for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
  window.shifts = [];
}"""
"""Material's script wraps the tables of a page before or after the first paint."""

_WAIT_FOR_SHIFT = """async () => {
  while (!window.shifts.length) await new Promise(done => setTimeout(done, 15));
}"""

_IMAGES = """() => [...document.images]
  .filter(img => (img.getAttribute("src") || "").includes("assets/imagegen/"))
  .map(img => ({
    src: img.getAttribute("src"), shown: img.currentSrc, alt: img.getAttribute("alt"),
    decoded: img.complete && img.naturalWidth > 0,
    natural: img.naturalWidth / img.naturalHeight,
    declared: img.getAttribute("width") / img.getAttribute("height"),
    drawn: img.clientWidth / img.clientHeight, width: img.offsetWidth,
    loading: img.loading, priority: img.fetchPriority, visible: img.checkVisibility(),
  }))"""

_SCROLL = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let y = 0; y < document.documentElement.scrollHeight; y += 800) {
    window.scrollTo({top: y, behavior: "instant"});
    await frame();
    await frame();
  }
}"""

# A busy browser leaves out some of the images with lazy loading that are scrolled past.
_SHOW_IMAGES = """async maxWaitMs => {
  const end = Date.now() + maxWaitMs;
  for (const img of [...document.images].filter(img => img.checkVisibility())) {
    if (!img.complete) img.scrollIntoView({block: "center", behavior: "instant"});
    while (!img.complete) {
      if (Date.now() > end) throw new Error(`not loaded: ${img.currentSrc || img.src}`);
      await new Promise(done => setTimeout(done, 15));
    }
  }
}"""

_ALL_LOADED = """() => [...document.images].every(img => img.complete || !img.checkVisibility())"""

_DECODE_HIDDEN = """async () => {
  const hidden = [...document.images].filter(img => !img.checkVisibility());
  for (const img of hidden) img.loading = "eager";
  await Promise.allSettled(hidden.map(img => img.decode()));
}"""


@dataclass
class Visit:
    """One page in a browser.

    Attributes:
        context: Context of the browser, without other pages.
        url: URL of the page; no other host is reached.
        change: Script that runs before the page is loaded.
        addresses: URLs of all requests.
        failures: Requests that failed.
    """

    context: Any
    url: str
    change: str = ""
    addresses: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        self.page.set_default_timeout(1000 * MAX_WAIT_S)
        self.page.add_init_script(_NOTE_SHIFTS + self.change)
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("response", self._note_response)
        self.page.on("requestfailed", lambda request: self.failures.append(request.url))
        self._load_images_last()

    def _load_images_last(self) -> None:
        """Load the page, and its images after the scripts of its theme."""
        held: list[Any] | None = []

        def hold(route: Any) -> None:
            if held is None:
                route.continue_()
            else:
                held.append(route)

        self.page.route(_IS_IMAGE, hold)
        self.page.goto(self.url, wait_until="domcontentloaded")
        self.page.evaluate(_FORGET_SHIFTS_OF_MATERIAL)
        routes, held = held, None
        for route in routes:
            route.continue_()
        # The cache of the browser is off as long as requests are intercepted.
        self.page.unroute(_IS_IMAGE, hold)
        self.page.wait_for_load_state("load")

    def _note_response(self, response: Any) -> None:
        if response.status >= 400:
            self.failures.append(f"{response.status} {response.url}")

    @property
    def files(self) -> list[str]:
        """Names of the fetched image files of the plugin."""
        images = (each for each in self.addresses if _IMAGE_PATH in each)
        names = (each.partition(_IMAGE_PATH)[2].partition("#")[0] for each in images)
        return [each for each in names if not each.endswith(".css")]

    @property
    def widths(self) -> set[int]:
        """Widths of the fetched files in pixels."""
        return {int(match[1]) for name in self.files if (match := re.search(r"-(\d+)\.", name))}

    def external_requests(self) -> list[str]:
        """Return requests to other hosts."""
        return [
            each
            for each in self.addresses
            if not each.startswith((*self._home(), "data:", "blob:"))
        ]

    def _home(self) -> tuple[str]:
        return ("/".join(self.url.split("/")[:3]) + "/",)

    def read_to_the_end(self) -> None:
        """Scroll through the page, and wait for all visible images."""
        self.page.evaluate(_SCROLL)
        self.page.evaluate(_SHOW_IMAGES, 1000 * MAX_WAIT_S)
        self.wait_for_images()

    def wait_for_images(self) -> None:
        """Wait for every visible image."""
        self.page.wait_for_function(_ALL_LOADED)

    def wait_for_layout_shift(self) -> None:
        """Wait for a layout shift."""
        # Not by `wait_for_function`, which some policies of a page forbid.
        self.page.evaluate(_WAIT_FOR_SHIFT)

    def images(self) -> list[dict[str, Any]]:
        """Return the images of the plugin as the browser shows them."""
        return list(self.page.evaluate(_IMAGES))

    def wait_for_first_image(self) -> None:
        """Wait for the page's first image."""
        self.page.wait_for_function("document.querySelector('main img, img').naturalWidth > 0")

    def decode_hidden_images(self) -> None:
        """Fetch the images in closed tabs and for the other color scheme."""
        self.page.evaluate(_DECODE_HIDDEN)

    def layout_shifts(self) -> list[str]:
        """Return the layout shifts so far; an empty list if a reader sees no shift."""
        # An observer is called with the next frame.
        self.page.evaluate("() => new Promise(done => setTimeout(done, 50))")
        return [f"{value}: {nodes}" for value, nodes in self.page.evaluate("window.shifts")]
