"""Cases of bad disks: full, read-only, restored, linked, or with unexpected files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from mkdocs_imagegen.spending.journal import Intent
from tests.soak.builds.sites import request_of, write_prompts
from tests.soak.disks.file_systems import fill, limited_file_size, more_inodes, read_only, small
from tests.soak.disks.workspace import PROMPTS, Trial, Workspace

_DATA_KIB, _SITE_KIB = 1024, 12 * 1024
_REQUEST = request_of(PROMPTS[0])
_LOCATIONS = (
    *("work/journal/{0}.intent", "work/journal/{0}.answer", "work/journal/{0}.0badf00d.answer"),
    *("{1}/{0}.attempts.json", "work/claims/{0}.lock"),
)
"""Paths in the originals folder, with the cache key and its first digits."""


def full(workspace: Workspace, leave_kib: int, *, data: bool, site: bool) -> None:
    """Build with little free space for originals and cache, the site or all; then with enough."""
    name = f"full {leave_kib} KiB, data {data}, site {site}"
    disk = workspace.folder / "disk"
    with small(disk, _SITE_KIB if site else _DATA_KIB):
        site_dir = disk / "site" if site else None
        trial = workspace.trial(name, data=disk if data else None, site_dir=site_dir)
        ballast = fill(disk, leave_kib)
        workspace.build(trial)
        ballast.unlink()
        _build_on_good_disk(workspace, trial)


def few_inodes(workspace: Workspace, inodes: int) -> None:
    """Build on a disk with few inodes."""
    disk = workspace.folder / "disk"
    with small(disk, _DATA_KIB, inodes):
        trial = workspace.trial(f"{inodes} inodes", data=disk)
        workspace.build(trial)
        more_inodes(disk)
        _build_on_good_disk(workspace, trial)


def small_files(workspace: Workspace, max_kib: int) -> None:
    """Build with a limit on the size of files, if no disk can be mounted."""
    trial = workspace.trial(f"files up to {max_kib} KiB")
    trial.can_mkdocs_fail = True
    with limited_file_size(max_kib, workspace.pid):
        workspace.build(trial)
    trial.can_mkdocs_fail = False
    _build_on_good_disk(workspace, trial)


def read_only_originals(workspace: Workspace) -> None:
    """Build with read-only originals: these are used, and no image is charged."""
    trial = workspace.copied("read-only originals")
    with read_only(trial.state.originals):
        spent = workspace.build(trial)
        workspace.expect(trial, "other", is_met=workspace.is_same_site(trial))
        write_prompts(trial.site, [*PROMPTS, "A new prompt"])
        spent += workspace.build(trial)
    workspace.expect(trial, "spent", is_met=spent == 0)


def read_only_cache(workspace: Workspace) -> None:
    """Build with a read-only cache: new images are stored and shown nevertheless."""
    cache = workspace.folder / "cache"
    cache.mkdir(exist_ok=True)
    with read_only(cache):
        trial = workspace.trial("read-only cache")
        trial.site.options["cache_dir"] = str(cache)
        trial.site.save()
        _build_on_good_disk(workspace, trial)


def no_folders(workspace: Workspace) -> None:
    """Build with the folders of originals and cache in a folder that takes no files."""
    locked = workspace.folder / "locked"
    locked.mkdir(exist_ok=True)
    trial = workspace.trial("no folders", data=locked)
    with read_only(locked):
        workspace.expect(trial, "spent", is_met=workspace.build(trial) == 0)


def newer_version(workspace: Workspace) -> None:
    """Build with records and an intent of a newer version."""
    trial = workspace.copied("newer version")
    for record in trial.state.originals.glob("??/*.json"):
        record.write_text(json.dumps(json.loads(record.read_text()) | {"version": 99}))
    before = _contents(trial.state.originals)
    spent = workspace.build(trial)
    workspace.expect(trial, "changed", is_met=not before - _contents(trial.state.originals))
    trial = workspace.trial("newer intent")
    intent = _begin_call(trial)
    intent.write_text(json.dumps(json.loads(intent.read_text()) | {"version": 99}))
    # The other prompt has no intent.
    spent += workspace.build(trial) - (len(PROMPTS) - 1)
    workspace.expect(trial, "spent", is_met=spent == 0)


def restored(workspace: Workspace) -> None:
    """Build with files that have lost their times and permissions, as after a restore in CI."""
    trial = workspace.copied("restored")
    for path in (*trial.state.originals.rglob("*"), *trial.state.cache.rglob("*")):
        if path.is_file():
            path.chmod(0o444)
    _expect_no_change(workspace, trial)
    _expect_no_change(workspace, trial)


def linked(workspace: Workspace) -> None:
    """Build with links as folders, once to full folders and once to empty ones."""
    trial = workspace.copied("linked")
    for folder in (trial.state.originals, trial.state.cache):
        target = workspace.folder / f"target of {folder.name}"
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        folder.symlink_to(target)
    _expect_no_change(workspace, trial)
    for folder in (trial.state.originals, trial.state.cache):
        shutil.rmtree(folder.resolve())
        folder.resolve().mkdir()
    workspace.build(trial)
    workspace.expect(trial, "missing", is_met=_has_all(workspace, trial))


def unexpected_files(workspace: Workspace) -> None:
    """Build with pipes, links and folders at the paths of records, journal and claims."""
    outside = workspace.folder / "outside"
    outside.write_text("private")
    for location in _LOCATIONS:
        for plant in (os.mkfifo, lambda path: path.symlink_to(outside), Path.mkdir):
            trial = workspace.trial(f"unexpected file at {location}")
            if "attempts" in location:
                _begin_call(trial)  # the build lists it in that file
            _plant(trial, location, plant)
            workspace.build(trial)
            workspace.expect(trial, "outside", is_met=outside.read_text() == "private")


def _plant(trial: Trial, location: str, plant: Callable[[Path], None]) -> None:
    path = trial.state.originals / location.format(_REQUEST.key, _REQUEST.key[:2])
    path.parent.mkdir(parents=True, exist_ok=True)
    plant(path)


def _begin_call(trial: Trial) -> Path:
    """Write the intent of a call without an answer; return its path."""
    journal = trial.state.journal
    journal.begin(Intent(_REQUEST, "http://x", "jpeg", None, "2026-11-23T17:00:00+00:00"))
    return journal.folder / f"{_REQUEST.key}.intent"


def _build_on_good_disk(workspace: Workspace, trial: Trial) -> None:
    """Build on a good disk: all images are stored."""
    workspace.build(trial)
    workspace.expect(trial, "missing", is_met=_has_all(workspace, trial))
    workspace.expect(trial, "other", is_met=workspace.is_same_site(trial))


def _expect_no_change(workspace: Workspace, trial: Trial) -> None:
    workspace.expect(trial, "spent", is_met=workspace.build(trial) == 0)
    workspace.expect(trial, "other", is_met=workspace.is_same_site(trial))


def _has_all(workspace: Workspace, trial: Trial) -> bool:
    return set(trial.state.stored()) == set(workspace.keys.values())


def _contents(folder: Path) -> set[bytes]:
    """Return the content of every image in a folder."""
    return {path.read_bytes() for path in folder.rglob("*.jpg*") if path.is_file()}


def run_all(workspace: Workspace, kibs: Sequence[int], *, may_mount: bool) -> None:
    """Run every case once; those of full disks with each amount of free space."""
    for kib in kibs:
        if not may_mount:
            small_files(workspace, kib)
            continue
        full(workspace, kib, data=True, site=False)
        full(workspace, kib, data=False, site=True)
        full(workspace, kib, data=True, site=True)
    for case in (restored, linked, newer_version, unexpected_files):
        case(workspace)
    for case in (read_only_originals, read_only_cache, no_folders) if may_mount else ():
        case(workspace)
    for inodes in kibs if may_mount else ():
        few_inodes(workspace, inodes + 4)
