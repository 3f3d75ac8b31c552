"""Builds on disks that are full, read-only, restored, linked, or full of surprises."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from mkdocs_imagegen.options import SKETCH_MODEL, Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.journal import Intent, Journal
from tests.soak.builds.sites import write_prompts
from tests.soak.disks.ground import PROMPTS, Ground, Trial
from tests.soak.disks.rooms import fill, more_inodes, no_file_beyond, read_only, small

_CACHE_KIB, _SITE_KIB = 1024, 12 * 1024
_REQUEST = ImageRequest(SKETCH_MODEL, PROMPTS[0], Size(64, 64))
_PLACES = ("journal/{}.intent", "journal/{}.answer", "journal/unknown.jsonl")
_LOCK = "originals/.claims/{}.lock"


def full(ground: Ground, leave_kib: int, *, cache: bool, site: bool) -> None:
    """Builds that begin with so much room for the cache, the site or both; then with all room."""
    name = f"full {leave_kib} KiB, cache {cache}, site {site}"
    disk = ground.folder / "disk"
    with small(disk, _SITE_KIB if site else _CACHE_KIB):
        where = disk / "cache" if cache else None
        trial = ground.trial(name, cache=where, output=disk / "site" if site else None)
        ballast = fill(disk, leave_kib)
        ground.build(trial)
        ballast.unlink()
        _good_again(ground, trial)


def few_inodes(ground: Ground, inodes: int) -> None:
    """A disk that takes only so many files and folders."""
    disk = ground.folder / "disk"
    with small(disk, _CACHE_KIB, inodes):
        trial = ground.trial(f"{inodes} inodes", cache=disk / "cache")
        ground.build(trial)
        more_inodes(disk)
        _good_again(ground, trial)


def pretended_full(ground: Ground, most_kib: int) -> None:
    """No file may grow beyond a size, where nothing can be mounted."""
    trial = ground.trial(f"files up to {most_kib} KiB")
    trial.hosts = True
    with no_file_beyond(most_kib, ground.pid):
        ground.build(trial)
    trial.hosts = False
    _good_again(ground, trial)


def read_only_cache(ground: Ground) -> None:
    """What is there is used; nothing is bought."""
    trial = ground.copied("read-only cache")
    with read_only(trial.left.cache):
        spent = ground.build(trial)
        ground.expect(trial, "other", is_so=ground.same_site(trial))
        write_prompts(trial.site, [*PROMPTS, "A new prompt"])
        spent += ground.build(trial)
    ground.expect(trial, "spent", is_so=spent == 0)


def no_cache(ground: Ground) -> None:
    """There is none, and none can be made."""
    locked = ground.folder / "locked"
    locked.mkdir(exist_ok=True)
    trial = ground.trial("no cache", cache=locked / "cache")
    with read_only(locked):
        ground.expect(trial, "spent", is_so=ground.build(trial) == 0)


def newer_version(ground: Ground) -> None:
    """Records and an intent of a version that is not known yet."""
    trial = ground.copied("newer version")
    for record in trial.left.store.folder.glob("??/*.json"):
        record.write_text(json.dumps(json.loads(record.read_text()) | {"version": 99}))
    before = _contents(trial.left.cache)
    ground.counts["bought again"] += ground.build(trial)
    ground.expect(trial, "changed", is_so=not before - _contents(trial.left.cache))
    trial = ground.trial("newer intent")
    intent = _begun(trial)
    intent.write_text(json.dumps(json.loads(intent.read_text()) | {"version": 99}))
    ground.counts["bought again"] += ground.build(trial)


def restored(ground: Ground) -> None:
    """A cache without its times and rights, as a store of CI gives it back."""
    trial = ground.copied("restored")
    for path in trial.left.cache.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    _is_as_before(ground, trial)
    _is_as_before(ground, trial)


def linked(ground: Ground) -> None:
    """The cache folder is a link to elsewhere, once full and once empty."""
    trial = ground.copied("linked")
    elsewhere = ground.folder / "elsewhere"
    shutil.rmtree(elsewhere, ignore_errors=True)
    trial.left.cache.rename(elsewhere)
    trial.left.cache.symlink_to(elsewhere)
    _is_as_before(ground, trial)
    shutil.rmtree(elsewhere)
    elsewhere.mkdir()
    ground.build(trial)
    ground.expect(trial, "lacking", is_so=_has_all(ground, trial))


def surprises(ground: Ground) -> None:
    """Pipes, links and folders where the journal and the locks have their files."""
    outside = ground.folder / "outside"
    outside.write_text("nobody's business")
    for location in (*_PLACES, _LOCK):
        for plant in (os.mkfifo, lambda path: path.symlink_to(outside), Path.mkdir):
            trial = ground.trial(f"surprise at {location}")
            if "unknown" in location:
                _begun(trial)  # one that has to be told there
            _planted(trial, location, plant)
            ground.build(trial)
            ground.expect(trial, "outside", is_so=outside.read_text() == "nobody's business")


def _planted(trial: Trial, location: str, plant: Callable[[Path], None]) -> None:
    path = trial.left.cache / location.format(_REQUEST.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    plant(path)


def _begun(trial: Trial) -> Path:
    """A call that was written down, and nothing came of it."""
    journal = Journal(trial.left.cache / "journal")
    journal.begin(Intent(_REQUEST, "http://x", "jpeg", None, "2026-11-23T17:00:00+00:00"))
    return journal.unknown_path.with_name(f"{_REQUEST.key}.intent")


def _good_again(ground: Ground, trial: Trial) -> None:
    """The disk has room: everything is there after the next build."""
    ground.build(trial)
    ground.expect(trial, "lacking", is_so=_has_all(ground, trial))
    ground.expect(trial, "other", is_so=ground.same_site(trial))


def _is_as_before(ground: Ground, trial: Trial) -> None:
    ground.expect(trial, "spent", is_so=ground.build(trial) == 0)
    ground.expect(trial, "other", is_so=ground.same_site(trial))


def _has_all(ground: Ground, trial: Trial) -> bool:
    return set(trial.left.stored()) == set(ground.keys.values())


def _contents(folder: Path) -> set[bytes]:
    """Every image below a folder, wherever it is now."""
    return {path.read_bytes() for path in folder.rglob("*.jpg*") if path.is_file()}


def once(ground: Ground, kibs: Sequence[int], *, may_mount: bool) -> None:
    """Every case once; those of full disks with each room."""
    for kib in kibs:
        if not may_mount:
            pretended_full(ground, kib)
            continue
        full(ground, kib, cache=True, site=False)
        full(ground, kib, cache=False, site=True)
        full(ground, kib, cache=True, site=True)
    for case in (restored, linked, newer_version, surprises):
        case(ground)
    for case in (read_only_cache, no_cache) if may_mount else ():
        case(ground)
    for inodes in kibs if may_mount else ():
        few_inodes(ground, inodes + 4)
