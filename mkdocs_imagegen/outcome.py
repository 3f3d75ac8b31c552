"""What became of one directive, and what the page shows of it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from mkdocs_imagegen.directives.directive import Directive, Found
from mkdocs_imagegen.making import Result, StoppedError
from mkdocs_imagegen.originals.store import Kept
from mkdocs_imagegen.pictures.picture import Picture, public_name
from mkdocs_imagegen.pictures.placeholder import placeholder
from mkdocs_imagegen.report import State
from mkdocs_imagegen.spending import Permission

_NOT_MADE = "This picture is not made yet"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one directive.

    Attributes:
        state: how the picture stands.
        picture: what the page shows: the picture, or a stand-in.
        result: what the making told; empty where nothing was made.
        error: why there is only a stand-in; ``""`` where there is a picture.
    """

    state: State
    picture: Picture
    result: Result = field(default_factory=Result)
    error: str = ""


def from_store(directive: Directive, kept: Kept) -> Outcome:
    """The picture that was there, shown as it is."""
    picture = Picture(public_name(kept.original, directive.request.size), kept.path)
    return Outcome(_state_of(directive, kept), picture, Result(kept, picture))


def from_making(directive: Directive, result: Result, *, in_full: bool) -> Outcome:
    """What the making brought: a picture, or an error.

    Args:
        directive: what was asked for.
        result: what came.
        in_full: whether the stand-in tells the error, or only what the picture would show.
    """
    if result.picture is not None and result.kept is not None:
        state = State.MADE if result.made else _state_of(directive, result.kept)
        return Outcome(state, result.picture, result)
    state = State.MISSING if isinstance(result.error, StoppedError) else State.FAILED
    text = str(result.error) if in_full else directive.alt
    stand_in = placeholder(_NOT_MADE, text, directive.layout)
    return Outcome(state, stand_in, result, f"there is no picture: {result.error}")


def not_made(directive: Directive, permission: Permission) -> Outcome:
    """A stand-in for a picture that may not be made in this build."""
    stand_in = placeholder(_NOT_MADE, directive.alt, directive.layout)
    return Outcome(State.MISSING, stand_in, error=f"there is no picture yet: {permission.refusal}")


def mistaken(found: Found, text: str, *, in_full: bool) -> Outcome:
    """A stand-in that names the mistake of its directive, in full or briefly."""
    brief = text.partition(" (")[0].partition("; ")[0]
    stand_in = placeholder(
        "This image prompt has a mistake", text if in_full else brief, found.layout
    )
    return Outcome(State.MISTAKE, stand_in, error=text)


def _state_of(directive: Directive, kept: Kept) -> State:
    same = kept.original.key in (directive.request.key, directive.request.as_sketch.key)
    return State.READY if same else State.STALE
