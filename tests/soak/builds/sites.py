"""Sites with many prompts, the images that an emulator charges, and the files of a site."""

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
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.originals.judge import DefectKind
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import DEFAULT_CACHE_DIR, DEFAULT_ORIGINALS_DIR
from mkdocs_imagegen.spending.journal import Intent, Journal
from mkdocs_imagegen.spending.ledger import Attempts
from tests.support import Site
from tests.waiting import MAX_WAIT_S, wait_until

PER_PAGE = 30
_EMPTY: Mapping[str, int] = MappingProxyType({})
_IMAGE_FILE = re.compile(r"assets/imagegen/(?!main\.)[\w.-]+")


class Latency:
    """Random latencies of responses, until `end` is called.

    Args:
        low_s: Shortest latency in seconds.
        high_s: Longest latency in seconds.
        responses: Number of responses; all later ones wait for `end`. None for no limit.
    """

    def __init__(self, low_s: float, high_s: float, responses: int | None = None) -> None:
        self._low_s, self._high_s = low_s, high_s
        self._responses = responses
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def __call__(self, _: float) -> None:
        self._ended.wait(self._next_s())

    def end(self) -> None:
        """Send all further responses at once."""
        self._ended.set()

    def _next_s(self) -> float | None:
        with self._lock:
            if self._responses == 0:
                return None
            self._responses = None if self._responses is None else self._responses - 1
        return random.uniform(self._low_s, self._high_s)  # noqa: S311 - not a secret


class ChargedImages:
    """Images that an emulator has charged, by prompt; each response must be a success.

    Args:
        emulator: The emulator.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._lock = threading.Lock()
        self._sent: Counter[str] = Counter()
        emulator.watch(self._note)

    def _note(self, entry: LogEntry) -> None:
        if entry.prompt is not None and entry.status == 200:
            with self._lock:
                self._sent[entry.prompt] += 1

    def count_sent(self) -> int:
        """Return the number of images in responses so far."""
        with self._lock:
            return self._sent.total()

    def by_prompt(self) -> Counter[str]:
        """Return the number of charges of each prompt, after the last response."""
        wait_until(lambda: self.count_sent() == self._emulator.bill.images)
        with self._lock:
            return Counter(self._sent)


def site_of(folder: Path, url: str, *, concurrency: int, timeout: float = MAX_WAIT_S) -> Site:
    """Create a site with small images that take little time."""
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
    """Replace the pages of a site by pages with these prompts."""
    for page in site.docs.glob("*.md"):
        page.unlink()
    site.write("index.md", "# A site\n")
    for number, start in enumerate(range(0, len(prompts), PER_PAGE)):
        fences = (f"```imagegen\n{each}\n```\n" for each in prompts[start : start + PER_PAGE])
        site.write(f"page{number:03}.md", "# A page\n\n" + "\n".join(fences))


class SiteState:
    """Files of a site: originals, attempts, journal and pages.

    Args:
        site: The site.
    """

    def __init__(self, site: Site) -> None:
        self.cache = site.folder / site.options.get("cache_dir", DEFAULT_CACHE_DIR)
        self.originals = site.folder / site.options.get("originals_dir", DEFAULT_ORIGINALS_DIR)
        self.site = site.folder / "site"
        self.journal = Journal(self.originals / "work/journal")
        self.store = OriginalStore(self.originals, inspect_image, can_write=False)
        self.attempts = Attempts([self.originals])

    def stored(self) -> dict[str, str]:
        """Return the SHA-256 of each original by key; "" for a record without an intact image."""
        keys = (path.stem for path in self.originals.glob(f"??/{64 * '?'}.json"))
        verdicts = {key: self.store.audit(key) for key in keys}
        return {
            key: verdict.original.record.sha256 if verdict.original and not verdict.defect else ""
            for key, verdict in verdicts.items()
            if verdict and not (verdict.defect and verdict.defect.kind is DefectKind.UNREADABLE)
        }

    def stored_prompts(self) -> set[str]:
        """Return the prompts of all intact originals."""
        stored = self.stored()
        return {each.prompt for each in self.store.records() if stored.get(each.key)}

    def count_quarantined(self) -> int:
        """Return the number of files in quarantine."""
        return sum(1 for _ in self.store.quarantine.glob("*"))

    def unknown(self) -> Counter[str]:
        """Return the number of attempts with an unknown outcome of each key."""
        found = {key: self.attempts.find(key) for key in self.attempts.cache_keys()}
        return Counter(
            {key: sum(each.billing == "unknown" for each in lines) for key, lines in found.items()}
        )

    def open_intents(self) -> list[Intent]:
        """Return the intents of calls that have not ended."""
        found = []
        for key in self.journal.open_keys():
            with contextlib.suppress(NewerVersionError):
                found += [self.journal.find_intent(key)]
        return [intent for intent in found if intent is not None]

    def open_calls(self) -> dict[str, int]:
        """Return the time in nanoseconds at which each open call was written, by key."""
        found = {}
        for path in self.journal.folder.glob("*.intent"):
            with contextlib.suppress(FileNotFoundError):
                found[path.stem] = path.stat().st_mtime_ns
        return found

    def journaled_answers(self) -> set[str]:
        """Return the keys of answers in the journal that are not stored as originals."""
        return {path.name.partition(".")[0] for path in self.journal.folder.glob("*.answer")}

    def count_broken_files(self) -> int:
        """Return the number of images in the pages that are missing or damaged."""
        return sum(not is_intact(self.site / name) for name in self._shown())

    def count_shown(self) -> int:
        """Return the number of different images in the pages, placeholders left out."""
        return sum(not name.endswith(".svg") for name in self._shown())

    def _shown(self) -> set[str]:
        pages = (path.read_text() for path in self.site.rglob("*.html"))
        return {name for page in pages for name in _IMAGE_FILE.findall(page)}


def is_intact(path: Path) -> bool:
    """Return True if an image file can be decoded."""
    try:
        if path.suffix == ".svg":
            return path.read_text().rstrip().endswith("</svg>")
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError):
        return False
    return True


def request_of(prompt: str) -> ImageRequest:
    """Return the request of a prompt on a site of `site_of`."""
    return ImageRequest(SKETCH_MODEL, prompt, Size(64, 64))


def count_unlisted(charges: Counter[str], state: SiteState) -> int:
    """Return the number of charges beyond one per prompt that no attempt lists."""
    listed = state.unknown()
    return sum(
        max(0, count - 1 - listed[request_of(prompt).key]) for prompt, count in charges.items()
    )


def wait_for_call(state: SiteState, before: Mapping[str, int] = _EMPTY) -> bool:
    """Wait for a call that was not open before; return False if there is none in time."""
    end = time.monotonic() + MAX_WAIT_S
    while not state.open_calls().items() - before.items():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
