"""Reference of the options of a dataclass, for the manual."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from textwrap import indent
from typing import Any

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Parser, Size

_FIRST_SENTENCE = re.compile(r".+?\.(?= [A-Z`]|$)")
_PLAIN_KINDS = re.compile(r"text|true or false|a mapping such as .+|\w+( \| \w+)+")
"""Values that the type of an option describes in full."""


@dataclass(frozen=True, slots=True)
class OptionReference:
    """One option as the manual shows it."""

    name: str
    type: str
    default: str
    accepts: str
    about: str
    example: str

    @property
    def summary(self) -> str:
        """First sentence of the description."""
        match = _FIRST_SENTENCE.match(self.about)
        return match[0] if match else self.about

    @property
    def facts(self) -> str:
        """Line with the type, the default and the supported values."""
        default = f"Default: `{self.default}`" if self.default else ""
        is_plain = _PLAIN_KINDS.fullmatch(self.accepts.removesuffix(", or null"))
        accepts = "" if is_plain else f"Supported: {self.accepts}"
        return " · ".join(filter(None, [f"Type: {self.type}", default, accepts]))


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
        about, example = each.metadata["about"], each.metadata["example"]
        rows.append(OptionReference(name, parser.type, text, parser.accepts, about, example))
        rows += reference(type(default), f"{name}.") if is_group else []
    return rows


def option_table(rows: Sequence[OptionReference], anchor: str = "") -> Iterator[str]:
    """Yield a table of options that links to their headings."""
    has_defaults = any(row.default not in {"", "null", "{}"} for row in rows)
    yield f"| Option | Type |{' Default |' if has_defaults else ''} Description |"
    yield "|---|---|---|" + ("---|" if has_defaults else "")
    for row in rows:
        default = f" `{row.default}` |" if row.default else " |"
        cells = f"| [`{row.name}`](#{anchor}{row.name}) | {row.type} |"
        yield f"{cells}{default if has_defaults else ''} {row.summary} |"


def option_headings(rows: Sequence[OptionReference], form: str, anchor: str = "") -> Iterator[str]:
    """Yield a heading with description and example for each option.

    Args:
        rows: The options.
        form: Form of the examples: ``site``, ``page`` or ``image``.
        anchor: Prefix of the IDs of the headings.
    """
    shows_default = form == "site"
    for row in rows:
        facts = row.facts if shows_default else row.facts.replace(" · Default: `null`", "")
        yield f"\n### `{row.name}` {{ #{anchor}{row.name} }}\n\n{facts}\n\n{row.about}\n"
        yield example(row, form)


def example(row: OptionReference, form: str) -> str:
    """Return a code block with the example of an option."""
    if form == "image":
        return _image_example(row)
    text = _nested(row.name, row.example)
    if form == "page":
        return f'```yaml title="docs/guide.md"\n---\nimagegen:\n{indent(text, "  ")}\n---\n```\n'
    lines = indent(text, " " * 6)
    return f'```yaml title="mkdocs.yml"\nplugins:\n  - imagegen:\n{lines}\n```\n'


def _nested(name: str, value: str) -> str:
    """Return YAML of an option in its mappings."""
    outer, dot, inner = name.partition(".")
    if dot:
        return f"{outer}:\n{indent(_nested(inner, value), '  ')}"
    is_mapping = "\n" in value or re.match(r"[\w/*]+: ", value)
    return f"{name}:\n{indent(value, '  ')}" if is_mapping else f"{name}: {value}"


_IMAGE_EXAMPLES = {
    "prompt": '```yaml title="prompts.yml"\nferry:\n  prompt: {0}\n  width: 480\n```\n',
    "name": '```markdown title="docs/guide.md"\n![](imagegen:){{ name={0} }}\n```\n',
    "mask": "reference: images/ferry.png\nmask: {0}",
}
_IMAGE = (
    '````markdown title="docs/guide.md"\n```imagegen\n{0}\n---\n'
    "A ferry leaves the harbor at dawn.\n```\n````\n"
)


def _image_example(row: OptionReference) -> str:
    text = _IMAGE_EXAMPLES.get(row.name, f"{row.name}: {{0}}").format(row.example)
    return text if text.startswith("```") else _IMAGE.format(text)


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
