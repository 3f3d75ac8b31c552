"""What a reader's browser does with a page, and what it shows of our images."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_OURS = "assets/imagegen/"

# What moved, told by the browser itself; what a reader's own click moves does not count.
_NOTE_SHIFTS = """
window.shifts = [];
const place = rect => `${rect.x},${rect.y} ${rect.width}x${rect.height}`;
const told = ({node, previousRect, currentRect}) =>
  `${node?.nodeName}.${node?.className}: ${place(previousRect)} to ${place(currentRect)}`;
new PerformanceObserver(list => {
  for (const {value, hadRecentInput, sources} of list.getEntries())
    if (!hadRecentInput) window.shifts.push([value, sources.map(told).join("; ")]);
}).observe({type: "layout-shift", buffered: true});
"""
_LEAST_SHIFT = 0.001
"""A line of text that settles by some pixels. Images without their sizes moved pages by eight
times as much and more."""

_IMAGES = """() => [...document.images]
  .filter(img => (img.getAttribute("src") || "").includes("assets/imagegen/"))
  .map(img => ({
    src: img.getAttribute("src"), shown: img.currentSrc, alt: img.getAttribute("alt"),
    decoded: img.complete && img.naturalWidth > 0,
    natural: img.naturalWidth / img.naturalHeight,
    told: img.getAttribute("width") / img.getAttribute("height"),
    drawn: img.clientWidth / img.clientHeight, width: img.offsetWidth,
    loading: img.loading, priority: img.fetchPriority, visible: img.checkVisibility(),
  }))"""

_SCROLL = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += 800) {
    window.scrollTo({top: y, behavior: "instant"});
    await new Promise(done => setTimeout(done, 15));
  }
}"""

_ALL_THERE = """() => [...document.images].every(img => img.complete || !img.checkVisibility())"""

_DECODE_THE_HIDDEN = """async () => {
  const hidden = [...document.images].filter(img => !img.checkVisibility());
  for (const img of hidden) img.loading = "eager";
  await Promise.allSettled(hidden.map(img => img.decode()));
}"""


@dataclass
class Visit:
    """One page, open in a browser.

    Attributes:
        context: the browser's, with nothing else in it.
        url: the page's address; nothing beyond its host is reached.
        change: a script that is run as soon as there is a document.
    """

    context: Any
    url: str
    change: str = ""
    addresses: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        self.page.add_init_script(_NOTE_SHIFTS + self.change)
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("response", self._note_response)
        self.page.on("requestfailed", lambda request: self.failures.append(request.url))
        self.page.goto(self.url, wait_until="load")

    def _note_response(self, response: Any) -> None:
        if response.status >= 400:
            self.failures.append(f"{response.status} {response.url}")

    @property
    def files(self) -> list[str]:
        """The names of our files that were fetched."""
        ours = (each for each in self.addresses if _OURS in each)
        return [each.partition(_OURS)[2].partition("#")[0] for each in ours]

    @property
    def widths(self) -> set[int]:
        """How wide the fetched files are, in pixels."""
        return {int(match[1]) for name in self.files if (match := re.search(r"-(\d+)\.", name))}

    def abroad(self) -> list[str]:
        """Requests to any other host."""
        return [
            each
            for each in self.addresses
            if not each.startswith((*self._home(), "data:", "blob:"))
        ]

    def _home(self) -> tuple[str]:
        return ("/".join(self.url.split("/")[:3]) + "/",)

    def read_to_the_end(self) -> None:
        """Scroll through the page, and wait for every image that a reader can see."""
        self.page.evaluate(_SCROLL)
        self.wait_for_images()

    def wait_for_images(self) -> None:
        """Wait for every image that is not hidden."""
        self.page.wait_for_function(_ALL_THERE)

    def images(self) -> list[dict[str, Any]]:
        """Our images as the browser sees them."""
        return list(self.page.evaluate(_IMAGES))

    def wait_for_first_image(self) -> None:
        """Wait for the page's first image."""
        self.page.wait_for_function("document.querySelector('main img, img').naturalWidth > 0")

    def decode_the_hidden(self) -> None:
        """Fetch also what stands in closed tabs and for the other colour scheme."""
        self.page.evaluate(_DECODE_THE_HIDDEN)

    def moved(self) -> list[str]:
        """What moved so far, and by how much; nothing where it was less than a reader sees."""
        # An observer is told with the next frame.
        self.page.evaluate("() => new Promise(done => setTimeout(done, 50))")
        shifts = self.page.evaluate("window.shifts")
        total = sum(value for value, _ in shifts)
        return [f"{value}: {what}" for value, what in shifts] if total > _LEAST_SHIFT else []
