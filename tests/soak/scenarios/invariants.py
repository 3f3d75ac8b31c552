"""Checks after every process of a scenario."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.soak.builds.fork_server import BUILD
from tests.soak.builds.sites import is_intact
from tests.soak.scenarios.evidence import Evidence
from tests.soak.scenarios.gateway import Charge
from tests.soak.scenarios.world import Ended, World

_TOKEN = re.compile(r"imagegen:t[0-9a-f]|data-imagegen-|[^/\w-]imagegen-(?!originals)")
_INTERRUPTED = {0, 1, 130, 143, 129}
_FILE = re.compile(r"assets/imagegen/([0-9a-f]{16})-")


def checked_run(  # noqa: PLR0913 - one argument for each condition
    world: World,
    command: Sequence[str] = BUILD,
    *,
    again: str = "",
    number: int = 0,
    environ: dict[str, str] | None = None,
    others: int = 0,
) -> None:
    """Run a command, and check folders, bill and pages after it.

    Args:
        world: The scenario.
        command: Program and arguments.
        again: Cache key that the command generates again.
        number: Signal to send; 0 for none.
        environ: Environment variables to add.
        others: Number of equal processes at the same time.
    """
    known, everything = world.known(), world.all()
    charges = len(world.gateway.charges())
    ended = world.run(command, number=number, environ=environ, others=others)
    new = world.gateway.charges()[charges:]
    after = world.all()
    for each in ended:
        world.log.append(f"  {' '.join(command)} -> {each.code}, signal {each.signal}")
        _check_process(world, each)
    may_replace = bool(again) or "--repair" in command
    _check_files(world, everything, after, may_replace=may_replace)
    _check_new_charges(world, new, known, after, again)
    _check_all_charges(world, after)
    if command == BUILD and not others and not ended[0].signal and ended[0].code == 0:
        _check_pages(world, known)
    elif command[:2] == ["mkdocs-imagegen", "verify"]:
        _check_verify(world, ended[0])


def _check_process(world: World, ended: Ended) -> None:
    world.expect("Traceback" not in ended.output, f"a traceback:\n{ended.output}")
    if ended.signal:
        is_right = ended.code in {*_INTERRUPTED, -ended.signal}
    elif ended.command == BUILD:
        is_error = world.site.options.get("on_missing") == "error"
        is_right = ended.code in ({0, 1} if is_error else {0})
    elif "generate" in ended.command:
        is_right = ended.code in (
            {0, 1} if world.site.options.get("generate") is not False else {0, 1, 2}
        )
    elif "verify" in ended.command:
        is_right = 0 <= ended.code < 16
    else:
        is_right = ended.code == 0
    world.expect(is_right, f"exit code {ended.code} of {ended.command}:\n{ended.output}")


def _check_files(world: World, before: Evidence, after: Evidence, *, may_replace: bool) -> None:
    """Check that no file was lost or changed; attempts get more lines."""
    kept = {*after.files.values()}
    for path, sha256 in before.files.items():
        now = after.files.get(path)
        if now == sha256 or path.name.endswith(".attempts.json"):
            continue
        if now and f".{now[:16]}." in path.name:
            continue  # a response in the journal has restored a damaged image
        is_record = path.suffix == ".json"
        world.expect(now is not None, f"deleted: {path}")
        # The answer to an interrupted `--again` replaces the record.
        is_expected = may_replace or bool(before.answers.get(path.stem))
        world.expect(is_record and is_expected, f"changed: {path}")
        world.expect(is_record or sha256 in kept, f"lost: {path}")
    for key, lines in before.attempts.items():
        world.expect(lines <= after.attempts.get(key, set()), f"attempts were lost: {key}")


def _check_new_charges(
    world: World, new: Sequence[Charge], known: Evidence, after: Evidence, again: str
) -> None:
    """Check that no image was charged that was stored, damaged or in a journal."""
    stored = Counter(each.key for each in new if each.sha256 in after.shas)
    for key, count in Counter(each.key for each in new).items():
        world.expect(stored[key] <= 1, f"{key} was charged {count} times at once")
        if key != again:
            world.expect(not known.images.get(key), f"{key} was charged, and is stored")
            world.expect(not known.answers.get(key), f"{key} was charged, and is in a journal")
            world.expect(key not in known.kept, f"{key} was charged, and is damaged")


def _check_all_charges(world: World, after: Evidence) -> None:
    """Check that every charge is an image or a line, or is in quarantine or in a journal."""
    lost = Counter(
        each.key
        for each in world.gateway.charges()
        if each.sha256 not in after.shas and each.sha256 not in world.destroyed
    )
    for key, count in lost.items():
        listed = len(after.attempts.get(key, ())) + after.open[key]
        world.expect(count <= listed, f"{count} charges of {key}, {listed} listed")


def _check_pages(world: World, known: Evidence) -> None:
    """Check that every image that was stored before is shown, and that no token is left."""
    site = world.site.folder / "site"
    for path in site.rglob("*.html"):
        found = _TOKEN.search(path.read_text())
        world.expect(found is None, f"a token in {path.name}: {found and found[0]}")
    rows: list[Any] = json.loads((site.parent / "report.json").read_text())["pictures"]
    pages = {page: list(fences) for page, fences in world.pages.items()}
    for row in rows:
        fence = pages[Path(row["page"]).stem].pop(0)
        request = world.request_of(fence)
        world.expect(row["key"] == request.key, f"another key: {row['key']} of {request}")
        exact = known.images.get(request.key, set())
        is_other_usable = not fence.is_exact and request.key not in known.kept
        # A damaged one is reported: another one in its place would be a surprise.
        is_usable = is_other_usable and request.subject_key not in known.damaged
        usable = exact or (known.subjects.get(request.subject_key, set()) if is_usable else set())
        shown = _FILE.match(row["file"])
        starts = {sha256[:16] for sha256 in usable}
        # A build does not read an original whose variants it has, so it notices no flipped bit.
        cached = {sha256[:16] for sha256 in known.recorded.get(request.key, ())}
        is_shown = shown is not None and shown[1] in starts | cached
        world.expect(is_shown or not starts, f"not shown: {row}, expected {starts}")
        is_there = not row["file"] or is_intact(site / row["file"])
        world.expect(is_there, f"broken: {row['file']}")
    world.expect(not any(pages.values()), "images without a row in the report")


def _check_verify(world: World, ended: Ended) -> None:
    """Check that the command finds the damage of the originals folder."""
    found = world.in_folder(world.originals)
    is_damaged = bool(found.kept - {*found.images})
    world.expect(ended.code != 0 or not is_damaged, "verify has found no damage")
