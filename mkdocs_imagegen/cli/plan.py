"""`plan` and `check`: what a build would do, and whether anything is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import click

from mkdocs_imagegen.cli import explain as explain_command
from mkdocs_imagegen.cli.site import Looked, SiteError, as_json, config_file, look
from mkdocs_imagegen.cli.targets import entry_at
from mkdocs_imagegen.cli.terminal import say, say_json, say_table
from mkdocs_imagegen.errors import OptionError, OverBudgetError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import SKETCH_MODEL, quote_value
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.report import ReportRow, State, deduplicate, format_usd, plural
from mkdocs_imagegen.settings.budget import BudgetSettings
from mkdocs_imagegen.spending.budget import Budget

_NO_LIMIT = BudgetSettings(images=None, usd=None)
LOOKS = BuildMode(makes=False, shows=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build would do.

    Attributes:
        lines: every place, those that the budget does not hold marked.
        images: how many would be made.
        usd: about what they would cost, in dollars.
        unpriced: how many of them have a price that is not known.
    """

    lines: list[ReportRow]
    images: int
    usd: Decimal
    unpriced: int


def planned(looked: Looked) -> Plan:
    """What a build would make of what is missing, within the budget, in the order of pages."""
    account, over = Budget(), set()
    is_free = looked.settings.gateway.is_sketch
    budget = _NO_LIMIT if is_free else looked.settings.budget
    missing = [line for line in deduplicate(looked.lines) if line.state is State.MISSING]
    unpriced = 0
    for line in missing:
        try:
            for usd in line.missing_usd:
                account.reserve(budget, usd)
                unpriced += usd is None and not is_free
        except OverBudgetError:
            over.add(line.key)
    lines = [
        replace(line, state=State.OVER_BUDGET) if line.key in over else line
        for line in looked.lines
    ]
    return Plan(lines, account.images, account.usd, unpriced)


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen plan
  mkdocs-imagegen plan --json | jq .usd
  mkdocs-imagegen plan --explain guide/install.md:12
"""
)
@config_file
@click.option("--explain", metavar="LOCATION", help="Show where one image has its options from.")
@as_json
def plan(config_file: str | None, explain: str | None, *, as_json: bool) -> None:
    """Show what a build would make, and what that would cost; spends nothing."""
    looked = look(config_file, LOOKS)
    if explain is not None:
        _explain(explain, looked, as_json=as_json)
        return
    found = planned(looked)
    if as_json:
        say_json(_as_json(looked, found))
        return
    say_lines(found.lines)
    say(_totals(found, looked))


@click.command(
    epilog="""
\b
Example, before a release:
  mkdocs-imagegen check && mkdocs build --strict
"""
)
@config_file
@as_json
def check(config_file: str | None, as_json: bool) -> None:  # noqa: FBT001 - how click calls it
    """Exit with 1 if a page needs an image that is not there; needs no network and no key."""
    looked = look(config_file, LOOKS)
    lacking = [line for line in looked.lines if is_lacking(line)]
    if as_json:
        say_json({"ok": not lacking, "lacking": [line.as_dict() for line in lacking]})
    else:
        say_lines(lacking)
        be = "is" if len(lacking) == 1 else "are"
        count = f"{len(lacking)} of {plural(len(looked.lines), 'image')} {be} not there"
        say(f"{count}; `mkdocs-imagegen plan` tells why" if lacking else "all there")
    raise SystemExit(1 if lacking else 0)


def _explain(location: str, looked: Looked, *, as_json: bool) -> None:
    try:
        entry = entry_at(location, looked.entries)
        if as_json:
            say_json(explain_command.as_dict(entry))
        else:
            explain_command.say_explanation(entry)
    except OptionError as error:
        raise SiteError(str(error)) from None


def say_lines(lines: Sequence[ReportRow]) -> None:
    """A table of places, with prompt, state and price."""
    if lines:
        rows = [(str(line.location), line.state.value, price(line), _words(line)) for line in lines]
        say_table(("Place", "State", "Price", "Prompt"), rows)


def price(line: ReportRow) -> str:
    """What making it would cost, where it has to be made, or has cost, where it was just made."""
    if line.state is State.GENERATED:
        about = "about " if line.cost_is_estimate else ""
        return "?" if line.cost_usd is None else f"{about}{format_usd(line.cost_usd)}"
    if not line.state.is_missing:
        return "-"
    if line.model == SKETCH_MODEL:
        return "$0.00"
    known = [usd for usd in line.missing_usd if usd is not None]
    return format_usd(sum(known, Decimal(0))) if known else "?"


def is_lacking(line: ReportRow) -> bool:
    """Whether a page needs something that is not there, or cannot be read."""
    return line.state.is_missing or line.state is State.INVALID


def _words(line: ReportRow) -> str:
    is_mistake = line.state is State.INVALID or not line.prompt
    return "; ".join(line.remarks) if is_mistake else quote_value(line.prompt)


def _totals(found: Plan, looked: Looked) -> str:
    count = Counter(line.state for line in deduplicate(found.lines))
    states = ", ".join(f"{number} {state.value}" for state, number in count.items())
    cost = f"about {format_usd(found.usd)}" if found.usd else "nothing"
    more = f" and {found.unpriced} of unknown price" if found.unpriced else ""
    would = f"a build makes {found.images} for {cost}{more}" if found.images else "none to make"
    if found.images and not looked.permission.is_granted:
        would = f"{would}, but not here: {looked.permission.refusal}"
    return f"{plural(count.total(), 'image')}: {states}; {would}" if count else "no images"


def _as_json(looked: Looked, found: Plan) -> dict[str, object]:
    return {
        "version": 1,
        "makes": found.images,
        "usd": str(found.usd),
        "unpriced": found.unpriced,
        "refusal": looked.permission.refusal,
        "pictures": [line.as_dict() for line in found.lines],
    }
