"""Causes for which images are missing: one message for all images of a cause; pure.

Errors have one cause if one correction removes them, also if their texts differ, such as in prices,
the ids of requests, or the text of a server. An image that was not requested after an error, or
because a reference image is missing, has the cause of that error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mkdocs_imagegen.errors import (
    Billing,
    GatewayError,
    ImagegenError,
    ModelUnavailableError,
    OverBudgetError,
    StoppedError,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.report import ReportRow, State, deduplicate, plural

_OF_RUN = (Billing.PERMANENT, Billing.UNBILLED)
"""Billing classes of errors of the key, the account, the model, the network or the rate."""

_MAX_LOCATIONS = 3
_MAX_ALIKE = 10
"""Maximum number of messages about errors of one kind that differ between images."""

_Kind = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause for which images are missing, or one invalid directive.

    Attributes:
        name: Name that is equal in all builds of a run; ``""`` for an invalid directive, which
            each build names.
        text: Message: the number of images, the problem, up to three locations, one next step.
    """

    name: str
    text: str


def causes(rows: Iterable[ReportRow]) -> list[Cause]:
    """Return the causes for which images are missing or invalid, in the order of the pages.

    An error of the run is one cause. Other errors are one cause for each text; of more than ten
    texts of one kind, the first three are, and the others have one message.
    """
    kinds: dict[_Kind, dict[str, list[ReportRow]]] = {}
    for number, row in enumerate(rows):
        if row.error is not None:
            kind, detail = _kind(row.error.root, row.model)
        elif row.state is State.INVALID:
            kind, detail = ("", *row.remarks), str(number)
        else:
            continue
        kinds.setdefault(kind, {}).setdefault(detail, []).append(row)
    return [cause for kind, alike in kinds.items() for cause in _causes_of(kind, alike)]


def list_locations(locations: Iterable[str]) -> str:
    """Return up to three locations, each once, and the number of the others."""
    unique = list(dict.fromkeys(locations))
    more = [f"{len(unique) - _MAX_LOCATIONS} more"] if len(unique) > _MAX_LOCATIONS else []
    return ", ".join([*unique[:_MAX_LOCATIONS], *more])


def _kind(error: ImagegenError, model: str) -> tuple[_Kind, str]:
    """Return the kind of an error, and the detail that tells causes of that kind apart."""
    name = type(error).__name__
    if isinstance(error, GatewayError) and error.billing in _OF_RUN:
        return (name, error.problem, model if isinstance(error, ModelUnavailableError) else ""), ""
    if isinstance(error, OverBudgetError):
        return (name,), error.problem
    # The next step after a response names a file of it; the others name what has to be done.
    return (name,), error.fault if isinstance(error, GatewayError) else str(error)


def _causes_of(kind: _Kind, alike: dict[str, list[ReportRow]]) -> list[Cause]:
    details = list(alike) if len(alike) <= _MAX_ALIKE else list(alike)[:_MAX_LOCATIONS]
    texts = {detail: _text(alike.pop(detail)) for detail in details}
    if rest := [row for rows in alike.values() for row in rows]:
        count = plural(len(deduplicate(rest)), "more image has", "more images have")
        listed = list_locations(str(row.location) for row in rest)
        texts["rest"] = f"{count} an error like this ({listed}); run `mkdocs-imagegen plan`"
    return [Cause(f"{kind} {each}" if kind[0] else "", text) for each, text in texts.items()]


def _text(rows: Sequence[ReportRow]) -> str:
    locations, count = [str(row.location) for row in rows], len(deduplicate(rows))
    listed = list_locations(locations)
    errors = [row.error for row in rows if row.error is not None]
    if not errors:
        return f"{listed}: image prompt: {rows[0].remarks[-1]}"
    stop = next((each for each in errors if isinstance(each, StoppedError)), None)
    error = stop or errors[0].root
    missing = "the image is missing" if count == 1 else f"{count} images are missing"
    if len(set(locations)) == 1:
        return f"{listed}: {missing}: {error}"
    return f"{missing}: {error.text(f' ({listed})')}"
