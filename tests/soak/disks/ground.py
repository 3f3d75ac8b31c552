"""Sites that are built on bad disks, and what is counted of each build."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.builds.forks import Forks
from tests.soak.builds.sites import Bill, Left, site_of, write_prompts
from tests.support import Site

PROMPTS = ("A harbour", "A lighthouse")
_CACHE = ".cache/plugin/imagegen"
_HUNG_S = 60
_RESCUED = re.compile(r"(/\S*imagegen-rescued-[^/\s]+)/([0-9a-f]{64})\.([0-9a-f]{16})\.\w+")
_OURS = re.compile(r'File "[^"]*/mkdocs_imagegen/')


@dataclass(slots=True)
class Trial:
    """One site on one disk.

    Attributes:
        name: in words.
        site: as it is written.
        output: where it is built.
        hosts: whether the host itself meets the bad disk, so that it may fail.
        said: what its builds have said so far.
    """

    name: str
    site: Site
    output: Path
    hosts: bool = False
    said: str = field(default="")

    @property
    def left(self) -> Left:
        """What is on disk of it now."""
        left = Left(self.site)
        left.site = self.output
        return left


class Ground:
    """A gateway, a whole site to compare with, and the counts.

    Args:
        folder: where sites are made.
        forks: starts builds.
        server: the gateway.

    Attributes:
        counts: what was seen.
        keys: of each prompt.
        whole: a site that was built on a good disk.
    """

    def __init__(self, folder: Path, forks: Forks, server: EmulatorServer) -> None:
        self.folder, self.forks = folder, forks
        self.counts: Counter[str] = Counter()
        self._url = server.url
        self._bill = Bill(server.emulator)
        self.whole = self.trial("whole")
        self.build(self.whole)
        lines = json.loads((self.whole.site.folder / "report.json").read_text())["pictures"]
        self.keys = {line["prompt"]: line["key"] for line in lines}
        self._stored = self.whole.left.stored()

    @property
    def pid(self) -> int:
        """The process that starts builds."""
        return self.forks._process.pid

    def trial(self, name: str, *, cache: Path | None = None, output: Path | None = None) -> Trial:
        """A new site that shows the prompts."""
        folder = self.folder / re.sub(r"\W+", "-", name)
        shutil.rmtree(folder, ignore_errors=True)
        site = site_of(folder, self._url, concurrency=1, timeout=20)
        write_prompts(site, PROMPTS)
        if cache is not None:
            site.options["cache_dir"] = str(cache)
        site.config["site_dir"] = str(output or folder / "site")
        site.save()
        return Trial(name, site, output or folder / "site", output is not None)

    def copied(self, name: str) -> Trial:
        """A new site with the cache of the whole one, copied without times."""
        trial = self.trial(name)
        copy = trial.site.folder / _CACHE
        shutil.copytree(self.whole.site.folder / _CACHE, copy, copy_function=shutil.copyfile)
        return trial

    def build(self, trial: Trial) -> int:
        """Build it, and count what is wrong; the images that were billed for it."""
        had, before = self._had(trial), self._bill.by_prompt()
        trial.said, code = self._built(trial)
        billed = self._bill.by_prompt() - before
        seen = Counter(
            builds=1,
            billed=billed.total(),
            tracebacks=_has_traceback(trial),
            failed=code != 0 and not trial.hosts,
            twice=sum(self.keys[each] in had for each in billed) if had else 0,
            partial=(trial.left.broken_images() if code == 0 else 0) + _unfinished(trial),
        )
        if trial.name != "whole":
            safe = self._had(trial) | _rescued(trial)
            seen["lost"] = sum(self.keys[each] not in safe for each in billed)
            seen["changed"] = sum(sha != self._stored[k] for k, sha in trial.left.stored().items())
        self._note(trial, seen)
        return billed.total()

    def expect(self, trial: Trial, name: str, *, is_so: bool) -> None:
        """Count what ought to be so and is not."""
        self._note(trial, Counter({name: int(not is_so)}))

    def same_site(self, trial: Trial) -> bool:
        """Whether it shows the pages and images of the whole site, to the byte."""
        return _shown(trial.output) == _shown(self.whole.output)

    def _built(self, trial: Trial) -> tuple[str, int]:
        building = self.forks.start(trial.site.folder)
        try:
            code = building.wait(_HUNG_S)
        except TimeoutError:
            self._note(trial, Counter(hung=1))
            code = -1
        return building.said, code

    def _had(self, trial: Trial) -> set[str]:
        """The keys of images that are stored, and of answers that the next build stores."""
        left = trial.left
        begun = (intent.request.key for intent in left.begun())
        spooled = {key for key in begun if left.journal.find_response(key) is not None}
        return {key for key, sha in left.stored().items() if sha} | spooled

    def _note(self, trial: Trial, seen: Counter[str]) -> None:
        self.counts.update(seen)
        if faults := {name: number for name, number in seen.items() if number and name in FAULTS}:
            print(f"{trial.name}: {faults}\n{trial.said}", file=sys.stderr)  # noqa: T201 - says which


FAULTS = {
    "tracebacks": "builds that ended with a traceback of ours",
    "failed": "builds that did not stand, although the site's own disk was good",
    "hung": "builds that hung",
    "lost": "images billed and neither stored, nor in the journal, nor in a folder that is told",
    "twice": "images billed although the store or the journal had them",
    "partial": "partial files in the store, or in the site where a page refers to them",
    "changed": "originals whose bytes changed",
    "spent": "images billed where nothing can be kept",
    "other": "sites that differ from what the same images give on a good disk",
    "lacking": "images not there after the disk was good again",
    "outside": "files outside that were changed",
}


def _has_traceback(trial: Trial) -> bool:
    """A build that the host's own disk ends is the host's to tell."""
    is_one = "Traceback (most" in trial.said
    return is_one and (not trial.hosts or _OURS.search(trial.said) is not None)


def _unfinished(trial: Trial) -> int:
    """Temporary files, which no build leaves that was not killed."""
    return sum(1 for _ in trial.left.cache.rglob("*.tmp"))


def _rescued(trial: Trial) -> set[str]:
    """The keys of images in folders that the build has told of, verified."""
    found = _RESCUED.finditer(trial.said)
    return {match[2] for match in found if _sha(Path(match[0])).startswith(match[3])}


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _shown(output: Path) -> dict[str, bytes]:
    """Pages and images, by name."""
    kinds = (*output.rglob("*.html"), *output.glob("assets/imagegen/*"))
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in kinds}
