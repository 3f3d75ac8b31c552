"""Sites on bad disks, and the counts of their builds."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.settings import DEFAULT_CACHE_DIR, DEFAULT_ORIGINALS_DIR
from tests.soak.builds.fork_server import BuildForkServer
from tests.soak.builds.sites import ChargedImages, SiteState, site_of, write_prompts
from tests.support import Site

PROMPTS = ("A harbour", "A lighthouse")
_HUNG_S = 120
_RESCUED = re.compile(r"(/\S*imagegen-rescued-[^/\s]+)/([0-9a-f]{64})\.([0-9a-f]{16})\.\w+")
_OWN_FRAME = re.compile(r'File "[^"]*/mkdocs_imagegen/')


@dataclass(slots=True)
class Trial:
    """One site on one disk.

    Attributes:
        name: Name of the trial.
        site: The site.
        site_dir: Folder of the built site.
        can_mkdocs_fail: True if MkDocs itself writes to the bad disk.
        output: Output of the last build.
    """

    name: str
    site: Site
    site_dir: Path
    can_mkdocs_fail: bool = False
    output: str = ""

    @property
    def state(self) -> SiteState:
        """Files of the site now."""
        state = SiteState(self.site)
        state.site = self.site_dir
        return state


class Workspace:
    """Gateway, reference site, and counts.

    Args:
        folder: Folder of all sites.
        fork_server: Server that starts builds.
        server: The gateway.

    Attributes:
        counts: Counts of all builds.
        keys: Cache key of each prompt.
        reference: Site that was built on a good disk.
    """

    def __init__(self, folder: Path, fork_server: BuildForkServer, server: EmulatorServer) -> None:
        self.folder, self.fork_server = folder, fork_server
        self.counts: Counter[str] = Counter()
        self._url = server.url
        self._charges = ChargedImages(server.emulator)
        self.reference = self.trial("reference")
        self.build(self.reference)
        rows = json.loads((self.reference.site.folder / "report.json").read_text())["pictures"]
        self.keys = {row["prompt"]: row["key"] for row in rows}
        self._stored = self.reference.state.stored()

    @property
    def pid(self) -> int:
        """Id of the process that starts builds."""
        return self.fork_server.pid

    def trial(self, name: str, *, data: Path | None = None, site_dir: Path | None = None) -> Trial:
        """Create a site with the prompts.

        Args:
            name: Name of the trial.
            data: Folder for originals and cache; None for the default folders.
            site_dir: Folder of the built site; None for the default one.
        """
        folder = self.folder / re.sub(r"\W+", "-", name)
        shutil.rmtree(folder, ignore_errors=True)
        site = site_of(folder, self._url, concurrency=1)
        write_prompts(site, PROMPTS)
        if data is not None:
            site.options["originals_dir"] = str(data / "originals")
            site.options["cache_dir"] = str(data / "cache")
        site.config["site_dir"] = str(site_dir or folder / "site")
        site.save()
        return Trial(name, site, site_dir or folder / "site", site_dir is not None)

    def copied(self, name: str) -> Trial:
        """Create a site with copies of the reference site's folders, with new file times."""
        trial = self.trial(name)
        for folder in (DEFAULT_ORIGINALS_DIR, DEFAULT_CACHE_DIR):
            source, copy = self.reference.site.folder / folder, trial.site.folder / folder
            shutil.copytree(source, copy, copy_function=shutil.copyfile)
        return trial

    def build(self, trial: Trial) -> int:
        """Build a site, count the faults, and return the number of charged images."""
        had, before = self._available(trial), self._charges.by_prompt()
        trial.output, code = self._run(trial)
        charged = self._charges.by_prompt() - before
        seen = Counter(
            builds=1,
            charged=charged.total(),
            tracebacks=_has_traceback(trial),
            failed=code != 0 and not trial.can_mkdocs_fail,
            twice=sum(self.keys[each] in had for each in charged) if had else 0,
            partial=(trial.state.count_broken_files() if code == 0 else 0)
            + _count_temporary(trial),
        )
        if trial.name != "reference":
            safe = self._available(trial) | _rescued(trial)
            seen["lost"] = sum(self.keys[each] not in safe for each in charged)
            seen["changed"] = sum(sha != self._stored[k] for k, sha in trial.state.stored().items())
        self._note(trial, seen)
        return charged.total()

    def expect(self, trial: Trial, name: str, *, is_met: bool) -> None:
        """Count a fault unless a condition is met."""
        self._note(trial, Counter({name: int(not is_met)}))

    def is_same_site(self, trial: Trial) -> bool:
        """Return True if all pages and images equal those of the reference site."""
        return _published(trial.site_dir) == _published(self.reference.site_dir)

    def _run(self, trial: Trial) -> tuple[str, int]:
        build = self.fork_server.start(trial.site.folder)
        try:
            code = build.wait(_HUNG_S)
        except TimeoutError:
            self._note(trial, Counter(hung=1))
            code = -1
        return build.output, code

    def _available(self, trial: Trial) -> set[str]:
        """Return the keys of stored images, and of answers that the next build stores."""
        state = trial.state
        opened = (intent.request.key for intent in state.open_intents())
        journaled = {key for key in opened if state.journal.find_responses(key)}
        return {key for key, sha in state.stored().items() if sha} | journaled

    def _note(self, trial: Trial, seen: Counter[str]) -> None:
        self.counts.update(seen)
        if faults := {name: number for name, number in seen.items() if number and name in FAULTS}:
            print(f"{trial.name}: {faults}\n{trial.output}", file=sys.stderr)  # noqa: T201 - details


FAULTS = {
    "tracebacks": "builds with a traceback through mkdocs-imagegen",
    "failed": "builds that failed although the disk of the site was good",
    "hung": "builds that hung",
    "lost": "images charged and not in the store, the journal or a folder named in the output",
    "twice": "images charged although they were in the store or the journal",
    "partial": "partial files in the store, or in the site if a page shows them",
    "changed": "originals with changed bytes",
    "spent": "images charged although no file can be written, or one is of a newer version",
    "other": "sites that differ from the reference site",
    "missing": "images missing after the disk was good again",
    "outside": "files outside the site that were changed",
}


def _has_traceback(trial: Trial) -> bool:
    """Return True for a traceback, unless MkDocs itself failed on the bad disk."""
    has_one = "Traceback (most" in trial.output
    return has_one and (not trial.can_mkdocs_fail or _OWN_FRAME.search(trial.output) is not None)


def _count_temporary(trial: Trial) -> int:
    """Return the number of temporary files; only a killed build leaves one."""
    state = trial.state
    return sum(1 for folder in (state.cache, state.originals) for _ in folder.rglob("*.tmp"))


def _rescued(trial: Trial) -> set[str]:
    """Return the keys of intact images in rescue folders that the output names."""
    found = _RESCUED.finditer(trial.output)
    return {match[2] for match in found if _sha(Path(match[0])).startswith(match[3])}


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _published(site_dir: Path) -> dict[str, bytes]:
    """Return pages and images by name."""
    kinds = (*site_dir.rglob("*.html"), *site_dir.glob("assets/imagegen/*"))
    return {path.relative_to(site_dir).as_posix(): path.read_bytes() for path in kinds}
