"""A site under test: its prompts, options, folders and gateway, and the processes that build it."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import DEFAULT_CACHE_DIR, DEFAULT_ORIGINALS_DIR
from tests.soak.builds.fork_server import BUILD, BuildForkServer, BuildProcess
from tests.soak.builds.sites import site_of
from tests.soak.scenarios.evidence import Evidence, evidence_in
from tests.soak.scenarios.gateway import BillingGateway
from tests.waiting import MAX_WAIT_S

MODELS = ("openai/gpt-image-2", "openai/gpt-image-2.5-flare")
"""Models without a shutdown date: the judge knows a charge by the model that was sent."""
QUALITIES = ("medium", "low")
_SIZE = Size(1024, 1024)
_ORIGINALS = (DEFAULT_ORIGINALS_DIR, "img", "../shared/img")
_CACHES = (DEFAULT_CACHE_DIR, ".cache2")


@dataclass(slots=True)
class Fence:
    """One image on a page."""

    prompt: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        return not self.options.keys().isdisjoint({"model", "quality"})

    def text(self) -> str:
        """Return the Markdown of the image."""
        header = "".join(f"{name}: {value}\n" for name, value in self.options.items())
        return f"```imagegen\n{header}{'---' + chr(10) if header else ''}{self.prompt}\n```\n"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended.

    Attributes:
        command: Its command.
        code: Exit code, negative for a signal.
        output: Output.
        signal: Signal that was sent, or 0.
    """

    command: Sequence[str]
    code: int
    output: str
    signal: int


class World:
    """One scenario.

    Args:
        folder: Folder of the scenario.
        fork_server: Server that starts processes.
        gateway: The gateway.
        url: URL of the gateway.
        rng: Source of all choices.

    Attributes:
        pages: Images of each page.
        noted: Originals folders in use, by the cache folder of that time.
        destroyed: SHA-256 of the images that the scenario has destroyed.
        log: Steps and processes so far.
        violations: Failed checks.
    """

    def __init__(
        self,
        folder: Path,
        fork_server: BuildForkServer,
        gateway: BillingGateway,
        url: str,
        rng: random.Random,
    ) -> None:
        self.site = site_of(folder / "site", url, concurrency=3)
        self.site.options.update({"model": MODELS[0], "size": str(_SIZE)})
        self.gateway, self.rng = gateway, rng
        self.pages: dict[str, list[Fence]] = {}
        self.noted: dict[Path, set[Path]] = {}
        self.destroyed: set[str] = set()
        self.log: list[str] = []
        self.violations: list[str] = []
        self._fork_server = fork_server
        self._prompts = 0

    @property
    def originals(self) -> Path:
        return self._path(self.site.options.get("originals_dir", DEFAULT_ORIGINALS_DIR))

    @property
    def cache(self) -> Path:
        return self._path(self.site.options.get("cache_dir", DEFAULT_CACHE_DIR))

    @property
    def all_folders(self) -> list[Path]:
        """Every originals folder that the scenario may use."""
        return list(map(self._path, _ORIGINALS))

    @property
    def known_folders(self) -> set[Path]:
        """Originals folders into which a build has to look now."""
        default = self._path(DEFAULT_CACHE_DIR)
        noted = (self.noted.get(cache, set()) for cache in (self.cache, default))
        return {self.originals, self._path(DEFAULT_ORIGINALS_DIR)}.union(*noted)

    @property
    def caches(self) -> list[Path]:
        return list(map(self._path, _CACHES))

    @property
    def fences(self) -> list[tuple[str, Fence]]:
        return [(page, each) for page, fences in self.pages.items() for each in fences]

    def choose_folder(self, option: str) -> None:
        """Change the originals folder or the cache folder."""
        names = _ORIGINALS if option == "originals_dir" else _CACHES
        now = self.site.options.pop(option, names[0])
        name = self.rng.choice([each for each in names if each != now])
        if name != names[0]:
            self.site.options[option] = name

    def request_of(self, fence: Fence) -> ImageRequest:
        """Return the request of an image."""
        options = self.site.options
        model = fence.options.get("model", options["model"])
        quality = fence.options.get("quality", options.get("quality", QUALITIES[0]))
        return ImageRequest(model, fence.prompt, _SIZE, quality)

    def new_prompt(self) -> str:
        self._prompts += 1
        return f"Prompt {self._prompts}"

    def known(self) -> Evidence:
        """Return the evidence that a build has to find."""
        return evidence_in(self.known_folders)

    def all(self) -> Evidence:
        """Return the evidence in every folder."""
        return evidence_in(self.all_folders)

    def in_folder(self, folder: Path) -> Evidence:
        """Return the evidence in one folder."""
        return evidence_in([folder])

    def expect(self, is_met: bool, text: str) -> None:
        """Note a violation unless a condition is met."""
        if not is_met:
            self.violations.append(text)
            self.log.append(f"  VIOLATION: {text}")

    def edit(self, change: Callable[[], None]) -> None:
        """Change files; note the images that are destroyed by this."""
        before = self.all().shas
        change()
        self.destroyed |= before - self.all().shas

    def write(self) -> None:
        """Write pages and options."""
        for path in self.site.docs.glob("page*.md"):
            if path.stem not in self.pages:
                path.unlink()
        self.site.write("index.md", "# A site\n")
        for page, fences in self.pages.items():
            self.site.write(f"{page}.md", "\n".join([f"# {page}\n", *(f.text() for f in fences)]))
        self.site.save()

    def run(
        self,
        command: Sequence[str] = BUILD,
        *,
        number: int = 0,
        environ: dict[str, str] | None = None,
        others: int = 0,
    ) -> list[Ended]:
        """Run a command, and ``others`` more of the same at the same time; send a signal or not."""
        self.write()
        (self.site.folder / "report.json").unlink(missing_ok=True)
        before = len(self.gateway.charges())
        responses, delay_s = self.rng.randrange(4), self.rng.uniform(0, 0.3)
        victim = self.rng.randrange(others + 1)
        processes = [
            self._fork_server.start(
                self.site.folder,
                [*command, *(["-d", f"../site{each}"] if each else [])],
                environ or {},
                f"output{each}.log",
            )
            for each in range(others + 1)
        ]
        sent = 0
        if number:
            codes = {victim: self._send(processes[victim], number, before + responses, delay_s)}
            sent = number if codes[victim] is None else 0
        ended = []
        for each, process in enumerate(processes):
            known = codes.get(each) if number else None
            code = process.wait(2 * MAX_WAIT_S) if known is None else known
            signal_of = sent if each == victim else 0
            ended.append(Ended(command, code, process.output, signal_of))
        has_noted = any(not each.signal for each in ended) or self.gateway.bill.images > before
        if has_noted and ("build" in command or "generate" in command):
            self.noted.setdefault(self.cache, set()).add(self.originals)
        return ended

    def _send(self, process: BuildProcess, number: int, charges: int, delay_s: float) -> int | None:
        """Send a signal after some charges; return the exit code if the process ended before."""
        end = time.monotonic() + MAX_WAIT_S
        while time.monotonic() < end and self.gateway.bill.images < charges:
            if (code := process.poll()) is not None:
                return code
            time.sleep(0.005)
        time.sleep(delay_s)
        if (code := process.poll()) is not None:
            return code
        process.send(number)
        return None

    def _path(self, name: str) -> Path:
        return Path((self.site.folder / name).resolve())


def remove(folder: Path) -> None:
    """Delete a folder."""
    shutil.rmtree(folder, ignore_errors=True)


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
