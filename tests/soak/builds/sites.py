"""Sites of many prompts, an emulator that bills them, and what is left of a build."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.state import LogEntry
from mkdocs_imagegen.errors import NewerVersionError
from mkdocs_imagegen.options import SKETCH_MODEL
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.spending.journal import Intent, Journal
from tests.support import Site

PER_PAGE = 30
_NONE: Mapping[str, int] = MappingProxyType({})
_SHOWN = re.compile(r"assets/imagegen/[\w.-]+")


class Latency:
    """Random times that answers take, until nobody waits for them any more.

    Args:
        low_s: the shortest, in seconds.
        high_s: the longest.
    """

    def __init__(self, low_s: float, high_s: float) -> None:
        self._low_s, self._high_s = low_s, high_s
        self._over = threading.Event()

    def __call__(self, _: float) -> None:
        self._over.wait(random.uniform(self._low_s, self._high_s))  # noqa: S311 - no secret

    def end(self) -> None:
        """Answer everything at once from now on."""
        self._over.set()


class Bill:
    """What was paid for, by prompt, while every answer that is computed is delivered as a success.

    Args:
        emulator: whose images are counted.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._lock = threading.Lock()
        self._answered: Counter[str] = Counter()
        emulator.watch(self._note)

    def _note(self, seen: LogEntry) -> None:
        if seen.prompt is not None and seen.status == 200:
            with self._lock:
                self._answered[seen.prompt] += 1

    def by_prompt(self) -> Counter[str]:
        """How often each was paid for, once nothing is being computed any more."""
        while True:
            with self._lock:
                answered = Counter(self._answered)
            if answered.total() == self._emulator.bill.images:
                return answered
            time.sleep(0.01)


def site_of(folder: Path, url: str, *, concurrency: int, timeout: float = 30) -> Site:
    """A site whose images are small and cost no time."""
    site = Site(folder)
    options = {
        "model": SKETCH_MODEL,
        "size": "64x64",
        "concurrency": concurrency,
        "gateway": {"url": url, "auth": "none", "output_format": "jpeg", "timeout": timeout},
        "budget": {"images": None, "usd": None},
        "variants": {"widths": [64], "formats": ["jpeg"], "blur": False},
        "report": "report.json",
    }
    site.options.update(options)
    site.save()
    return site


def write_prompts(site: Site, prompts: Sequence[str]) -> None:
    """Pages that show these prompts and no others."""
    for page in site.docs.glob("*.md"):
        page.unlink()
    site.write("index.md", "# A site\n")
    for number, start in enumerate(range(0, len(prompts), PER_PAGE)):
        fences = (f"```imagegen\n{each}\n```\n" for each in prompts[start : start + PER_PAGE])
        site.write(f"page{number:03}.md", "# A page\n\n" + "\n".join(fences))


class Left:
    """What a site has on disk.

    Args:
        site: whose cache is where it is by default, or where its option says.
    """

    def __init__(self, site: Site) -> None:
        self.cache = site.folder / site.options.get("cache_dir", ".cache/plugin/imagegen")
        self.site = site.folder / "site"
        self.journal = Journal(self.cache / "journal")
        self.store = OriginalStore(self.cache / "originals", self.cache / "quarantine")

    def stored(self) -> dict[str, str]:
        """The hash of every original of which there is a record, by key."""
        records = self.store.folder.glob("??/*.json")
        found: dict[str, str] = {}
        for path in records:
            with contextlib.suppress(NewerVersionError):
                original = self.store.find_verified(path.stem)
                found[path.stem] = original.record.sha256 if original else ""
        return found

    def prompts_stored(self) -> set[str]:
        """The prompts of all originals, verified."""
        return {each.prompt for each in self.store.records() if self.store.find_verified(each.key)}

    def quarantined(self) -> int:
        """Return the number of files in quarantine."""
        return sum(1 for _ in self.store.quarantine.glob("*"))

    def unknown(self) -> Counter[str]:
        """How often each prompt is listed as a call whose outcome nobody knows."""
        return Counter(intent.request.prompt for intent in self.journal.unknown_intents())

    def begun(self) -> list[Intent]:
        """The calls that are written down and not ended."""
        found = []
        for key in self.journal.open_keys():
            with contextlib.suppress(NewerVersionError):
                found += [self.journal.find_intent(key)]
        return [intent for intent in found if intent is not None]

    def calls(self) -> dict[str, int]:
        """When each call was written down that is not ended, in nanoseconds, by key."""
        found = {}
        for path in (self.cache / "journal").glob("*.intent"):
            with contextlib.suppress(FileNotFoundError):
                found[path.stem] = path.stat().st_mtime_ns
        return found

    def answered(self) -> set[str]:
        """The keys of answers that are not stored yet."""
        return {path.stem for path in (self.cache / "journal").glob("*.answer")}

    def broken_images(self) -> int:
        """Images that pages show and that are not there as a whole."""
        pages = (path.read_text() for path in self.site.rglob("*.html"))
        names = {name for page in pages for name in _SHOWN.findall(page)}
        return sum(not is_whole(self.site / name) for name in names)

    def count_shown(self) -> int:
        """Return the number of different images in the pages, placeholders left out."""
        pages = (path.read_text() for path in self.site.rglob("*.html"))
        names = {name for page in pages for name in _SHOWN.findall(page)}
        return sum(not name.endswith(".svg") for name in names)


def is_whole(path: Path) -> bool:
    try:
        if path.suffix == ".svg":
            return path.read_text().rstrip().endswith("</svg>")
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError):
        return False
    return True


def unlisted(bill: Counter[str], left: Left) -> int:
    """Payments beyond one for each prompt that ``unknown.jsonl`` does not list."""
    listed = left.unknown()
    return sum(max(0, count - 1 - listed[prompt]) for prompt, count in bill.items())


def wait_for_call(left: Left, timeout_s: float, before: Mapping[str, int] = _NONE) -> bool:
    """Wait until a call is written down that was not there before; whether one was."""
    end = time.monotonic() + timeout_s
    while not left.calls().items() - before.items():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
