"""The command `candidates`: several takes of one image, on a contact sheet."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from mkdocs_imagegen.causes import causes
from mkdocs_imagegen.cli.site import (
    ContactSheet,
    as_json,
    config_file,
    require_html,
    require_unlocked,
)
from mkdocs_imagegen.cli.targets import Target, find_target
from mkdocs_imagegen.cli.terminal import (
    CommandError,
    open_in_browser,
    print_causes,
    print_json,
    print_line,
)
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.look import SiteView, look
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.pipeline.context import BuildMode
from mkdocs_imagegen.pipeline.lookup import Lookup, open_originals
from mkdocs_imagegen.report import ReportRow, State, format_cost, plural
from mkdocs_imagegen.request import ImageRequest

_MAX_TAKES = 20
_IN_USE = (State.READY, State.SKETCH)
"""States in which the page shows the take that its directive names."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One take of an image.

    Attributes:
        request: Request of the take.
        result: Result of the request.
    """

    request: ImageRequest
    result: Result

    @property
    def original(self) -> Original | None:
        """Original of the take; None if the request failed."""
        return self.result.original

    @property
    def row(self) -> ReportRow:
        """Row of the take, with its number as its location."""
        key, error = self.request.key, None if self.original else self.result.error
        location = Location(f"take {self.request.take}")
        return ReportRow(location, State.FAILED, key, model=self.request.model, error=error)

    def as_dict(self) -> dict[str, object]:
        """Return the take for JSON."""
        original, result = self.original, self.result
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
  mkdocs-imagegen candidates guide.md#harbor -n 6 --output harbor.html --open
  mkdocs-imagegen candidates 3fa9c1 --json
"""
)
@click.argument("location")
@config_file
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, _MAX_TAKES),
    metavar="N",
    default=4,
    show_default=True,
    help="Show takes 1 to N",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=require_html,
    help="HTML page to write; by default a temporary file",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser")
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
    """Generate several takes of one image to compare.

    A take is another image of the same prompt. Takes 1 to N, and the take in use if its number is
    higher, are on one contact sheet. You are charged for each new take, twice for an image with a
    dark-mode image. Existing takes are reused, and the budget applies. To choose a take, set its
    number on the image, such as `take: 3`.

    LOCATION is `page.md:LINE`, `page.md#id`, `page.md` if it has only one image, or the first
    characters of a cache key.
    """
    site = look(config_file, change=require_unlocked)
    target = find_target(location, site.entries)
    _require_references(target)
    takes = _generate(site, target, count)
    is_lacking = any(take.original is None for take in takes)
    if is_lacking and not site.context.permission.is_granted:
        raise CommandError(causes(take.row for take in takes)[0].text)
    output = output or Path(tempfile.mkdtemp(prefix="imagegen-"), "candidates.html")
    _write_sheet(site, target, takes, output)
    if as_json:
        place = str(target.entry.location)
        print_json(
            {"place": place, "sheet": str(output), "takes": [take.as_dict() for take in takes]}
        )
    else:
        _print_result(target, takes, output)
    if opens:
        open_in_browser(output)
    raise SystemExit(1 if is_lacking else 0)


def _require_references(target: Target) -> None:
    """Raise an error if the image is invalid for its model, or one of its references is missing.

    Raises:
        CommandError: If the directive is invalid or a reference is missing.
    """
    location, outcome = target.entry.location, target.entry.outcome
    if outcome.state is State.INVALID:
        raise CommandError(f"the directive at {location} is invalid: {outcome.error}")
    if not target.directive.is_complete:
        raise CommandError(f"{location}: {outcome.error}")


def _generate(site: SiteView, target: Target, count: int) -> list[_Candidate]:
    """Return all takes, generated or reused; takes of a dark-mode image come last."""
    first = target.directive
    in_use = {first.request.take} if target.entry.outcome.state in _IN_USE else set()
    takes = [_with_take(first, take) for take in sorted(in_use.union(range(1, count + 1)))]
    mode = BuildMode(publish=False, waits_for_connection=True)
    with contextlib.closing(Lookup(replace(site.context, mode=mode))) as lookup:
        lookup.recover()
        found = _look_up(takes, lookup)
    return sorted(found, key=lambda each: each.request.prompt != first.request.prompt)


def _look_up(takes: Sequence[Directive], lookup: Lookup) -> list[_Candidate]:
    for directive in takes:
        lookup.look_up(directive)
    lookup.join()
    return [
        _Candidate(*pair)
        for directive in takes
        for pair in zip(directive.requests, lookup.results(directive) or (), strict=True)
    ]


def _with_take(directive: Directive, take: int) -> Directive:
    dark = replace(directive.dark, take=take) if directive.dark else None
    return replace(directive, request=replace(directive.request, take=take), dark=dark)


def _write_sheet(site: SiteView, target: Target, takes: Sequence[_Candidate], output: Path) -> None:
    store = open_originals(site.context.settings)
    sheet = ContactSheet(store, site.entries, output, is_large=True)
    originals = [
        (
            request,
            [
                take.original
                for take in takes
                if take.request.prompt == request.prompt and take.original is not None
            ],
        )
        for request in target.directive.requests
    ]
    title = f"Candidates for {target.entry.location}"
    sheet.write(title, f"{_instruction(target)}.", originals, len(takes))


def _instruction(target: Target) -> str:
    source = target.directive.source
    option = "`take: 2` and a line `---` above the prompt"
    if source.kind == "inline image":
        option = "`{ take=2 }` after the image"
    elif source.kind == "preview":
        option = "`preview: {take: 2, prompt: …}`"
    elif "---" in source.body.split():
        option = "`take: 2` in its options"
    return f"To choose one, set its number at {target.entry.location}, such as {option}"


def _print_result(target: Target, takes: Sequence[_Candidate], output: Path) -> None:
    print_causes(take.row for take in takes)
    originals = [take for take in takes if take.original is not None]
    print_line(_totals(takes))
    print_line(str(output))
    if originals:
        print_line(_instruction(target))


def _totals(takes: Sequence[_Candidate]) -> str:
    generated = [
        take.original.record for take in takes if take.original and take.result.was_generated
    ]
    reused = sum(take.original is not None for take in takes) - len(generated)
    failed = len(takes) - reused - len(generated)
    is_sketch = any(record.model == SKETCH_MODEL for record in generated)
    costs = [record.cost_usd for record in generated]
    simulated = "simulated charge: " if is_sketch and any(costs) else ""
    parts = [
        f"{reused} reused" if reused else "",
        f"{len(generated)} generated ({simulated}{format_cost(costs)})" if generated else "",
        f"{failed} failed" if failed else "",
    ]
    return f"{plural(len(takes), 'take')}: {', '.join(filter(None, parts))}"
