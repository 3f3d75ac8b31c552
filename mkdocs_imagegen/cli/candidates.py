"""`candidates`: takes of one image, made next to each other."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import click

from mkdocs_imagegen.cli.gallery import PAGE, Sheet, requests_of
from mkdocs_imagegen.cli.plan import LOOKS
from mkdocs_imagegen.cli.site import (
    Looked,
    SiteError,
    as_json,
    config_file,
    interrupted,
    look,
)
from mkdocs_imagegen.cli.stores import store_of
from mkdocs_imagegen.cli.targets import entry_at
from mkdocs_imagegen.cli.terminal import Progress, say, say_json, show_in_browser, tell
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway_opening import credential_for, open_gateway
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.lookup import Lookup
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.pipeline.stores import Workshop
from mkdocs_imagegen.report import State, format_usd
from mkdocs_imagegen.request import ImageRequest

_SMALL_PX = 960
_MOST = 20
_IN_USE = (State.READY, State.SKETCH)
"""Those in which a page shows the very take that it names."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One take of one image, and what became of it."""

    request: ImageRequest
    result: Result

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        original, result = self.result.original, self.result
        cost = original.record.cost_usd if original and result.was_generated else None
        return {
            "take": self.request.take,
            "prompt": self.request.prompt,
            "key": original.record.key if original else self.request.key,
            "file": str(original.path) if original else None,
            "made": result.was_generated,
            "cost_usd": None if cost is None else str(cost),
            "error": None if result.error is None else str(result.error),
        }


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen candidates docs/guide.md:12
  mkdocs-imagegen candidates guide.md#harbour -n 6 --output harbour.html --open
  mkdocs-imagegen candidates 3fa9c1 --json
"""
)
@click.argument("location")
@config_file
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, _MOST),
    default=4,
    show_default=True,
    help="How many, beside the one in use.",
)
@click.option(
    "-o",
    "--output",
    type=PAGE,
    help="The contact sheet; by default a temporary file.",
)
@click.option("--open", "opens", is_flag=True, help="Open it in a browser.")
@as_json
def candidates(  # noqa: PLR0913 - one argument for each option
    location: str,
    config_file: str | None,
    *,
    count: int,
    output: Path | None,
    opens: bool,
    as_json: bool,
) -> None:
    """Make takes 1 to N of the image at LOCATION, and show them beside the one in use.

    LOCATION is `page.md:LINE`, `page.md#id`, `page.md` if it has only one image, or the first
    characters of a cache key. What is there is not made again, and the budget holds. To choose
    one, write its `take: 3` into the prompt's options.
    """
    looked = look(config_file, LOOKS)
    entry = _entry(location, looked)
    found = _made(looked, entry, count)
    if any(each.result.original is None for each in found) and not looked.permission.is_granted:
        raise SiteError(f"nothing is made: {looked.permission.refusal}")
    output = output or Path(tempfile.mkdtemp(prefix="imagegen-"), "candidates.html")
    _write_sheet(looked, entry, found, output)
    if as_json:
        takes = [each.as_dict() for each in found]
        say_json({"place": str(entry.line.location), "sheet": str(output), "takes": takes})
    else:
        _say(entry, found, output)
    if opens:
        show_in_browser(output)
    raise SystemExit(1 if any(each.result.original is None for each in found) else 0)


def _entry(location: str, looked: Looked) -> Entry:
    """The image at a place, with all that it follows.

    Raises:
        SiteError: there is none, it is a mistake, or something that it follows is missing.
    """
    try:
        entry = entry_at(location, looked.entries)
    except OptionError as error:
        raise SiteError(str(error)) from None
    if entry.line.state is State.INVALID:
        raise SiteError(f"{entry.line.location} has a mistake: {entry.outcome.error}")
    if isinstance(entry.found, Directive) and not entry.found.is_complete:
        raise SiteError(f"{entry.line.location}: {entry.outcome.error}")
    return entry


def _made(looked: Looked, entry: Entry, count: int) -> list[_Candidate]:
    """Every take, from the store or made now."""
    first = entry.found
    assert isinstance(first, Directive)  # noqa: S101 - nothing else is found by its place
    in_use = {first.request.take} if entry.line.state in _IN_USE else set()
    takes = [_with_take(first, take) for take in sorted(in_use.union(range(1, count + 1)))]
    with Progress() as progress, _looking_up(looked, progress) as lookup:
        for directive in takes:
            lookup.look_up(directive)
        try:
            lookup.join()
        except KeyboardInterrupt:
            raise interrupted() from None
        found = [
            _Candidate(*pair)
            for directive in takes
            for pair in zip(directive.requests, lookup.results(directive) or (), strict=True)
        ]
    # One image's takes side by side, then those of its dark twin.
    return sorted(found, key=lambda each: each.request.prompt != first.request.prompt)


def _with_take(directive: Directive, take: int) -> Directive:
    dark = replace(directive.dark, take=take) if directive.dark else None
    return replace(directive, request=replace(directive.request, take=take), dark=dark)


@contextlib.contextmanager
def _looking_up(looked: Looked, progress: Progress) -> Iterator[Lookup]:
    """A build of the takes alone."""
    settings = looked.settings
    mode = BuildMode(makes=True, shows=False, watcher=progress)
    host = BuildContext(settings.cache_path, looked.permission, mode=mode)
    opened = partial(open_gateway, settings, credential_for(settings)[0])
    workshop = Workshop(settings, looked.run, host, opened)
    lookup = Lookup(workshop, looked.run, host, tell)
    try:
        lookup.recover()
        yield lookup
    finally:
        lookup.close()


def _write_sheet(looked: Looked, entry: Entry, found: Sequence[_Candidate], output: Path) -> None:
    sheet = Sheet(store_of(looked.settings), looked.entries, output, _SMALL_PX)
    images = {
        request: [
            each.result.original
            for each in found
            if each.request.prompt == request.prompt and each.result.original
        ]
        for request in requests_of(entry)
    }
    sheet.write(
        f"Candidates for {entry.line.location}", f"To choose one, {_choice(entry)}.", images
    )


def _choice(entry: Entry) -> str:
    found = entry.found
    assert isinstance(found, Directive)  # noqa: S101 - nothing else is found by its place
    take = "`take: 2` and a line `---` above it"
    if found.source.kind == "inline image":
        take = "`{ take=2 }` behind it"
    elif "---" in found.source.body.split():
        take = "`take: 2` among its options"
    return f"write its take at {entry.line.location}, like {take}"


def _say(entry: Entry, found: Sequence[_Candidate], output: Path) -> None:
    for each in found:
        if each.result.error is not None and each.result.original is None:
            tell(f"take {each.request.take}: {each.result.error}")
    made = [
        each.result.original.record
        for each in found
        if each.result.original and each.result.was_generated
    ]
    there = sum(each.result.original is not None for each in found) - len(made)
    usd = sum((each.cost_usd or Decimal(0) for each in made), Decimal(0))
    say(f"{there} there already, {len(made)} made for {format_usd(usd)}")
    say(str(output))
    if any(each.result.original for each in found):
        say(f"To choose one, {_choice(entry)}")
