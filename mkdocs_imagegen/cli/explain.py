"""`plan --explain`: where everything comes from that one image asks for."""

from __future__ import annotations

from dataclasses import asdict

from mkdocs_imagegen.cli.terminal import say, say_table
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.directives.explain import Explanation
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.request import ImageRequest


def explanation_of(entry: Entry) -> Explanation:
    """Why an image is asked for as it is.

    Raises:
        OptionError: it is not told, since the prompt has a mistake.
    """
    found = entry.explain()
    if found is None:
        raise OptionError(f"{entry.line.location} has a mistake", hint="mend that first")
    return found


def requests_of(entry: Entry) -> tuple[ImageRequest, ...]:
    """What is asked for, references and all."""
    return entry.found.requests if isinstance(entry.found, Directive) else ()


def say_explanation(entry: Entry) -> None:
    """The final prompt, its parts and all options, each with where it stands."""
    found, requests = explanation_of(entry), requests_of(entry)
    say(f"{entry.line.location}: {entry.line.state.value}, key {requests[0].key[:16]}\n")
    for request in requests:
        say(f"{request.prompt}\n")
    parts = [(part.role, str(part.origin), part.text or "none") for part in found.parts]
    say_table(("Part", "From", "Text"), parts)
    choices = [(each.option, str(each.origin), each.value) for each in found.options]
    say_table(("Option", "From", "Value"), choices)


def as_dict(entry: Entry) -> dict[str, object]:
    """The same for JSON."""
    found, requests = explanation_of(entry), requests_of(entry)
    return {
        "place": str(entry.line.location),
        "state": entry.line.state.value,
        "keys": [request.key for request in requests],
        "prompts": [request.prompt for request in requests],
        "parts": [asdict(part) | {"origin": str(part.origin)} for part in found.parts],
        "options": [asdict(each) | {"origin": str(each.origin)} for each in found.options],
    }
