"""Option values: their parsers, declarations and errors; pure.

Settings, front matter and directives declare options with :func:`option` in a dataclass and read
them with :func:`read_options`. There is one :class:`Parser` for each kind of value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import Field, field, fields
from typing import Any, Generic, NamedTuple, TypeVar

from mkdocs_imagegen.errors import CONTROL, ImagegenError, OptionError
from mkdocs_imagegen.frozen import dataclass

T = TypeVar("T")
SKETCH_MODEL = "imagegen/sketch"
"""Model ID of every sketch, independent of the model that was requested."""

MAX_SIDE_PX = 8192
MAX_PIXELS = 50_000_000
"""Limit for an image that is requested or decoded; a larger one could exhaust memory."""

CREDENTIAL = r"""(?ax)
    \b(?:vck_|sk[-_])[\w*-]{4,}               # API keys of AI Gateway and OpenAI
    |\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?        # JSON web tokens
    |\bBearer\s+[\w.~+/=-]{6,}
    |(?<=://)[^/?#\s@]+(?=@)                 # user name and password of a URL"""
"""Regular expression of a credential, which no message contains."""

_MAX_QUOTED = 60
_TEXT_SCHEMA = {"type": "string"}
_LINE_SCHEMA = {"type": "string", "pattern": r"\S"}
_SIZE = re.compile(r"([1-9]\d{0,4})\s*[xX\u00d7]\s*([1-9]\d{0,4})", re.ASCII)
_LINK = re.compile(r"(?<!!)\[([^]]*)\]\([^)]*\)")
_CLASS_OR_ID = re.compile(r"[^\s\"'<>&=]+")
_CONTROL = re.compile(f"[{CONTROL}]")
_YAML_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "null",
}


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Parser(Generic[T]):
    """Parser for one kind of value.

    Attributes:
        accepts: Description of the supported values, for messages and the manual.
        convert: Function that returns the value read, or None if it is not supported.
        schema: JSON schema for editors; empty for any value. Stricter than ``convert``, which
            also reads numbers from text.
        type: Type for the manual, in Markdown.
    """

    accepts: str
    convert: Callable[[object], T | None]
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False)
    type: str = field(default="string", compare=False)

    def __call__(self, value: object) -> T:
        """Return the value read from YAML or from text.

        Raises:
            OptionError: If the value is not supported.
        """
        result = self.convert(value)
        if result is None:
            raise OptionError(
                f"unsupported value {quote_value(value)}", accepted=f"supported: {self.accepts}"
            )
        return result


def quote_value(value: object) -> str:
    """Return a value as messages quote it: short, on one line, without an API key."""
    text = str(value) if isinstance(value, str) else repr(value)
    # The patterns that are not compiled yet are compiled on first use, since that is slow.
    text = _CONTROL.sub("�", " ".join(re.sub(CREDENTIAL, "[redacted]", text).split()))
    text = re.sub(r"[\ud800-\udfff]", "�", text)
    return f'"{text[:_MAX_QUOTED]}…"' if len(text) > _MAX_QUOTED else f'"{text}"'


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known name closest to ``name``; None if no name is close."""
    return _did_you_mean([name], list(known))


def _did_you_mean(names: Sequence[str], known: Sequence[str]) -> str | None:
    import difflib  # noqa: PLC0415 - costs 1 ms, and only a mistake needs it

    close = (difflib.get_close_matches(name, known, n=1, cutoff=0.6) for name in names)
    found = [match[0] for match in close if match]
    return f"did you mean {_quote_names(found)}?" if found else None


def _quote_names(names: Sequence[str]) -> str:
    *first, last = map(quote_value, names)
    return f"{', '.join(first)} and {last}" if first else last


def _text(value: object) -> str | None:
    if isinstance(value, str):
        plain = _CONTROL.sub("", value.replace("\r\n", "\n"))
        return plain.encode("utf-8", "ignore").decode("utf-8")  # drops lone surrogates
    kind = _YAML_KINDS.get(type(value), "another type")
    raise OptionError(
        f"YAML read {quote_value(value)} as {kind}, not as text", hint="put it in quotes"
    )


def is_yes(value: str) -> bool:
    """Return True if an environment variable such as ``CI`` or ``OFFLINE`` is switched on."""
    return value.strip().lower() not in ("", "0", "false", "no", "off")


def _boolean(value: object) -> bool | None:
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    return words.get(str(value).strip().lower())


def _size(value: object) -> Size | None:
    match = _SIZE.fullmatch((_text(value) or "").strip())
    size = Size(int(match[1]), int(match[2])) if match else Size(0, 0)
    fits = max(size) <= MAX_SIDE_PX and size.width * size.height <= MAX_PIXELS
    return size if match and fits else None


def _whole(value: object, smallest: int, largest: int) -> int | None:
    read = _number(value, smallest, largest)
    return None if read is None or "." in str(value) else int(read)


def _number(value: object, smallest: float, largest: float) -> float | None:
    text = "" if isinstance(value, bool) else str(value).strip()
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return None
    return float(text) if smallest <= float(text) <= largest else None


def _classes(value: object) -> tuple[str, ...] | None:
    names = tuple((_text(value) or "").split())
    return names if all(_CLASS_OR_ID.fullmatch(name) for name in names) else None


def _one_id(value: object) -> str | None:
    text = (_text(value) or "").strip()
    return text if _CLASS_OR_ID.fullmatch(text) else None


TEXT: Parser[str] = Parser("text", _text, _TEXT_SCHEMA)
BOOLEAN: Parser[bool] = Parser("true or false", _boolean, {"type": "boolean"}, type="boolean")
SIZE: Parser[Size] = Parser(
    f"WIDTHxHEIGHT, like 1536x1024, up to {MAX_SIDE_PX} per side and {MAX_PIXELS} pixels",
    _size,
    {"type": "string", "pattern": r"^[1-9][0-9]{0,4} *[xX\u00d7] *[1-9][0-9]{0,4}$"},
    type="size (`WIDTHxHEIGHT`)",
)
CLASSES: Parser[tuple[str, ...]] = Parser("class names separated by spaces", _classes, _TEXT_SCHEMA)
ID: Parser[str] = Parser("one ID, without spaces or quotes", _one_id, _LINE_SCHEMA)


def words(*accepted: str) -> Parser[str]:
    """Return a parser for one of a few words, in upper or lower case."""

    def convert(value: object) -> str | None:
        word = str(value).strip().lower()
        if word not in accepted and (hint := did_you_mean(word, accepted)):
            raise OptionError(f"unsupported value {quote_value(value)}", hint=hint)
        return word if word in accepted else None

    truths = [each for word, each in (("true", True), ("false", False)) if word in accepted]
    literals = ", ".join(f"`{word}`" for word in accepted)
    schema = {"enum": [*accepted, *truths]}
    return Parser(" | ".join(accepted), convert, schema, type=literals)


def whole_number(smallest: int, largest: int) -> Parser[int]:
    """Return a parser for a whole number within bounds, both included."""
    return Parser(
        f"a whole number from {smallest} to {largest}",
        lambda value: _whole(value, smallest, largest),
        {"type": "integer", "minimum": smallest, "maximum": largest},
        type="integer",
    )


def number(smallest: float, largest: float) -> Parser[float]:
    """Return a parser for a number within bounds, both included."""
    return Parser(
        f"a number from {smallest:g} to {largest:g}",
        lambda value: _number(value, smallest, largest),
        {"type": "number", "minimum": smallest, "maximum": largest},
        type="number",
    )


def one_line(
    accepts: str = "text on one line", kind: str = "string", *, is_name: bool = False
) -> Parser[str]:
    """Return a parser for text on one line that is not empty; a name has no unseen characters."""

    def convert(value: object) -> str | None:
        text = " ".join((_text(value) or "").split())
        return text if text and (text.isprintable() or not is_name) else None

    return Parser(accepts, convert, _LINE_SCHEMA, type=kind)


def optional(parser: Parser[T]) -> Parser[Any]:
    """Return a parser that also accepts YAML's null and keeps it."""

    def convert(value: object) -> object:
        return _NULL if value is None else parser(value)

    schema = {"anyOf": [parser.schema, {"type": "null"}]}
    return Parser(f"{parser.accepts}, or null", convert, schema, type=f"{parser.type} or `null`")


_NULL = object()


def option(default: T, parser: Parser[Any], about: str, example: str = "") -> T:
    """Return a dataclass field that is an option.

    Args:
        default: Value of an option that is not set.
        parser: Parser of its values.
        about: Description for the manual, in Markdown.
        example: Value for the manual, in YAML.
    """
    return _field(default, {"parser": parser, "about": about, "example": example})


def shared_option(kind: type[Any], name: str, default: T) -> T:
    """Return a field for an option of another dataclass, with a default of its own."""
    return _field(default, _options(kind)[name].metadata)


def _field(default: T, metadata: Mapping[str, Any]) -> T:
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)


class UnknownOptionError(OptionError):
    """Options that do not exist.

    Args:
        names: Options as written.
        known: Options that exist.
    """

    def __init__(self, names: Sequence[str], known: Iterable[str]) -> None:
        self.names, self.known = names, sorted(known)
        close = _did_you_mean(names, self.known)
        super().__init__(
            f"unknown option{'s' if len(names) > 1 else ''} {_quote_names(names)}",
            accepted=None if close else f"supported: {', '.join(self.known)}",
            hint=close,
        )


class OptionsError(OptionError):
    """Several options that are not accepted.

    The text names all unknown options of one mapping together: first those with a close match, and
    after all other errors those without one, whose message lists every option.

    Args:
        errors: Path and error of each option.
    """

    def __init__(self, errors: Sequence[tuple[str, ImagegenError]]) -> None:
        close, unknown = (
            dict[str, list[UnknownOptionError]](),
            dict[str, list[UnknownOptionError]](),
        )
        others: list[str] = []
        for name, error in errors:
            if isinstance(error, UnknownOptionError):
                group = close if error.hint else unknown
                group.setdefault(name.removesuffix(error.names[-1]), []).append(error)
            else:
                others.append(f"`{name}`: {error}")
        first, last = map(_join_unknown, close.items()), map(_join_unknown, unknown.items())
        super().__init__("; ".join([*first, *others, *last]))
        self.errors = errors


@contextmanager
def collect_errors(errors: list[tuple[str, ImagegenError]], path: str) -> Iterator[None]:
    """Add an error in the block to a list, with the path of its option, instead of raising it."""
    try:
        yield
    except OptionsError as nested:
        errors += [(f"{path}.{name}", error) for name, error in nested.errors]
    except ImagegenError as error:
        errors.append((path, error))


def _join_unknown(group: tuple[str, Sequence[UnknownOptionError]]) -> str:
    prefix, errors = group
    names = [name for error in errors for name in error.names]
    place = f"`{prefix.rstrip('.')}`: " if prefix else ""
    return f"{place}{UnknownOptionError(names, errors[0].known)}"


def read_options(kind: type[T], written: Mapping[str, object]) -> T:
    """Return an instance of a dataclass, read from a mapping by the parsers of its options.

    Raises:
        OptionsError: If options do not exist or their values are not supported.
    """
    options = _options(kind)
    values: dict[str, object] = {}
    errors: list[tuple[str, ImagegenError]] = []
    for name, value in written.items():
        with collect_errors(errors, str(name)):
            if name not in options:
                raise UnknownOptionError([str(name)], options)
            read = options[name].metadata["parser"](value)
            values[options[name].name] = None if read is _NULL else read
    if errors:
        raise OptionsError(errors)
    return kind(**values)


def nested(kind: type[T], example: str) -> Parser[T]:
    """Return a parser for a mapping of the options of a dataclass.

    Args:
        kind: The dataclass.
        example: One option with a value, for messages.
    """
    return Parser(
        f"a mapping such as {{{example}}}",
        lambda value: read_options(kind, value) if isinstance(value, Mapping) else None,
        object_schema(kind),
        type="mapping",
    )


def object_schema(kind: type[Any]) -> Mapping[str, Any]:
    """Return the JSON schema of a mapping of the options of a dataclass."""
    properties = {
        name: {"description": _LINK.sub(r"\1", each.metadata["about"])}
        | dict(each.metadata["parser"].schema)
        for name, each in _options(kind).items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def option_names(kind: type[Any]) -> list[str]:
    """Return the names of a dataclass's options, as an author writes them."""
    return list(_options(kind))


def _options(kind: type[Any]) -> dict[str, Field[Any]]:
    if kind not in _TABLES:
        # A field whose name would be a Python keyword ends with an underscore.
        _TABLES[kind] = {
            each.name.rstrip("_"): each for each in fields(kind) if "parser" in each.metadata
        }
    return _TABLES[kind]


_TABLES: dict[type[Any], dict[str, Field[Any]]] = {}
"""Options by dataclass, kept because every image block is read by them."""
