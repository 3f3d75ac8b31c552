"""The options of a dataclass as the manual shows them."""

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
    """The options of a dataclass, in order, those of mappings inside it after each."""
    rows: list[OptionReference] = []
    for each in fields(kind):
        if "parser" not in each.metadata:
            continue
        name = prefix + each.name.rstrip("_")
        default = {} if each.default is MISSING else each.default
        quoted_value = "" if is_dataclass(default) else _default(default, each.metadata["parser"])
        rows.append(
            OptionReference(
                name, quoted_value, each.metadata["parser"].accepts, each.metadata["about"]
            )
        )
        if is_dataclass(default):
            rows += reference(type(default), f"{name}.")
    return rows


def _default(value: object, parser: Parser[Any]) -> str:
    # An empty tuple is what some options read for the word "auto".
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
