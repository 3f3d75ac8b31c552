"""Reference of the options of a dataclass, for the manual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Parser, Size


@dataclass(frozen=True, slots=True)
class OptionReference:
    """One option as the manual shows it."""

    name: str
    default: str
    accepts: str
    about: str


def reference(kind: type[Any], prefix: str = "") -> list[OptionReference]:
    """Return the options of a dataclass in order, each mapping followed by its own options."""
    rows: list[OptionReference] = []
    for each in fields(kind):
        parser: Parser[Any] | None = each.metadata.get("parser")
        if parser is None:
            continue
        name = prefix + each.name.rstrip("_")
        default = {} if each.default is MISSING else each.default
        is_group = is_dataclass(default)
        text = "" if is_group else _default(default, parser)
        rows.append(OptionReference(name, text, parser.accepts, each.metadata["about"]))
        rows += reference(type(default), f"{name}.") if is_group else []
    return rows


def _default(value: object, parser: Parser[Any]) -> str:
    # Some options read the word "auto" as an empty tuple.
    return "auto" if value == () and parser("auto") == () else _as_yaml(value)


def _as_yaml(value: object) -> str:
    plain = {True: "true", False: "false", None: "null", "": '""'}
    if isinstance(value, (bool, str, type(None))):
        return plain.get(value, str(value))
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, tuple) and not isinstance(value, Size):
        return f"[{', '.join(map(_in_list, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _in_list(value: object) -> str:
    text = str(value)
    return text if text.isalnum() else f'"{text}"'
