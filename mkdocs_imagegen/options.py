"""Values an author or a site may write, and how they are read; pure.

One :class:`Parser` for each kind of value, used alike for settings, front matter and directives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, field, fields
from typing import Any, Generic, NamedTuple, TypeVar

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass

T = TypeVar("T")
SKETCH_MODEL = "imagegen/sketch"
"""The model under which every sketch is filed, whatever model was asked for."""

MAX_SIDE_PX = 8192
MAX_PIXELS = 50_000_000
"""Of an image that is asked for or decoded; more would only exhaust memory."""

_TEXT_SCHEMA = {"type": "string"}
_LINE_SCHEMA = {"type": "string", "pattern": r"\S"}
_SIZE = re.compile(r"([1-9]\d{0,4})\s*[xX\u00d7]\s*([1-9]\d{0,4})", re.ASCII)
_LINK = re.compile(r"(?<!!)\[([^]]*)\]\([^)]*\)")
_CLASS_OR_ID = re.compile(r"[^\s\"'<>&=]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_YAML_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Parser(Generic[T]):
    """Reads one kind of value.

    Attributes:
        accepts: what is accepted, in words.
        convert: the value read, or None where it is not accepted.
        schema: the same as JSON schema, for editors; as YAML would have it, so stricter than
            ``convert``, which also takes numbers as text; empty for anything.
        kind: the dataclass whose options a mapping holds; None for any other value.
    """

    accepts: str
    convert: Callable[[object], T | None]
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False)
    kind: type[Any] | None = None

    def __call__(self, value: object) -> T:
        """The value read, from YAML or from text.

        Raises:
            OptionError: with the value received and what is accepted.
        """
        result = self.convert(value)
        if result is None:
            raise OptionError(
                f"{quote_value(value)} is not accepted", accepted=f"accepted: {self.accepts}"
            )
        return result


def quote_value(value: object) -> str:
    """The value as it is quoted in a message: short, on one line."""
    text = str(value) if isinstance(value, str) else repr(value)
    text = _CONTROL.sub("�", " ".join(text.split()))
    text = re.sub(r"[\ud800-\udfff]", "�", text)  # compiled when needed, since it takes a while
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'  # noqa: PLR2004 - the cut above


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the known word closest to ``name``, if one is close."""
    import difflib  # noqa: PLC0415 - only for a mistake

    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        plain = _CONTROL.sub("", value.replace("\r\n", "\n"))
        return plain.encode("utf-8", "ignore").decode("utf-8")  # no lone surrogates
    kind = _YAML_KINDS.get(type(value), "something else")
    raise OptionError(
        f"YAML read {quote_value(value)} as {kind}, not as text", hint="put it in quotes"
    )


def is_yes(value: str) -> bool:
    """Whether an environment variable such as ``CI`` or ``OFFLINE`` says yes."""
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
    text = "" if isinstance(value, bool) else str(value).strip()
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return None
    return int(text) if smallest <= int(text) <= largest else None


def _number(value: object, smallest: float, largest: float) -> float | None:
    if isinstance(value, bool) or not re.fullmatch(
        r"\d{1,9}(\.\d{1,9})?", str(value).strip(), re.ASCII
    ):
        return None
    number = float(str(value))
    return number if smallest <= number <= largest else None


def _classes(value: object) -> tuple[str, ...] | None:
    names = tuple((_text(value) or "").split())
    return names if all(_CLASS_OR_ID.fullmatch(name) for name in names) else None


def _one_id(value: object) -> str | None:
    text = (_text(value) or "").strip()
    return text if _CLASS_OR_ID.fullmatch(text) else None


TEXT: Parser[str] = Parser("text", _text, _TEXT_SCHEMA)
BOOLEAN: Parser[bool] = Parser("true or false", _boolean, {"type": "boolean"})
SIZE: Parser[Size] = Parser(
    f"WIDTHxHEIGHT, up to {MAX_SIDE_PX} a side and {MAX_PIXELS} pixels, like 1536x1024",
    _size,
    {"type": "string", "pattern": r"^[1-9][0-9]{0,4} *[xX\u00d7] *[1-9][0-9]{0,4}$"},
)
CLASSES: Parser[tuple[str, ...]] = Parser("class names separated by spaces", _classes, _TEXT_SCHEMA)
ID: Parser[str] = Parser("one id, without spaces or quotes", _one_id, _LINE_SCHEMA)


def words(*accepted: str) -> Parser[str]:
    """A parser for one of a few words, written in any case."""

    def convert(value: object) -> str | None:
        word = str(value).strip().lower()
        return word if word in accepted else None

    truths = [each for word, each in (("true", True), ("false", False)) if word in accepted]
    return Parser(" | ".join(accepted), convert, {"enum": [*accepted, *truths]})


def whole_number(smallest: int, largest: int) -> Parser[int]:
    """A parser for a whole number within bounds, both included."""
    return Parser(
        f"a whole number from {smallest} to {largest}",
        lambda value: _whole(value, smallest, largest),
        {"type": "integer", "minimum": smallest, "maximum": largest},
    )


def number(smallest: float, largest: float) -> Parser[float]:
    """A parser for a number within bounds, both included."""
    return Parser(
        f"a number from {smallest:g} to {largest:g}",
        lambda value: _number(value, smallest, largest),
        {"type": "number", "minimum": smallest, "maximum": largest},
    )


def one_line(accepts: str = "text on one line") -> Parser[str]:
    """A parser for text that is not empty and stands on one line."""

    def convert(value: object) -> str | None:
        text = " ".join((_text(value) or "").split())
        return text or None

    return Parser(accepts, convert, _LINE_SCHEMA)


def optional(parser: Parser[T]) -> Parser[Any]:
    """The same parser, which also accepts YAML's null (and keeps it)."""

    def convert(value: object) -> object:
        return _NULL if value is None else parser(value)

    schema = {"anyOf": [parser.schema, {"type": "null"}]}
    return Parser(f"{parser.accepts}, or null", convert, schema)


_NULL = object()


def option(default: Any, parser: Parser[Any], about: str) -> Any:  # noqa: ANN401 - typed by its field
    """A dataclass field that is an option: its default, its parser, and what it is about."""
    metadata = {"parser": parser, "about": about}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)


class UnknownOptionError(OptionError):
    """An option that does not exist; its text names the known ones and the closest."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"unknown option {quote_value(name)}",
            accepted=f"known: {', '.join(names)}",
            hint=did_you_mean(name, names),
        )


class OptionsError(OptionError):
    """Several options were not accepted; ``errors`` has each with its name."""

    def __init__(self, errors: list[tuple[str, OptionError]]) -> None:
        super().__init__("; ".join(_named(name, error) for name, error in errors))
        self.errors = errors


def _named(name: str, error: OptionError) -> str:
    return str(error) if isinstance(error, UnknownOptionError) else f'option "{name}": {error}'


def read_options(kind: type[T], written: Mapping[str, object]) -> T:
    """An instance of the dataclass ``kind`` from what was written, by its options' parsers.

    Raises:
        OptionsError: every option that does not exist or whose value is not accepted.
    """
    options = _options(kind)
    values: dict[str, object] = {}
    errors: list[tuple[str, OptionError]] = []
    for name, value in written.items():
        try:
            if name not in options:
                raise UnknownOptionError(str(name), options)
            read = options[name].metadata["parser"](value)
            values[options[name].name] = None if read is _NULL else read
        except OptionsError as nested:
            errors += [(f"{name}.{inner}", error) for inner, error in nested.errors]
        except OptionError as error:
            errors.append((str(name), error))
    if errors:
        raise OptionsError(errors)
    return kind(**values)


def nested(kind: type[T]) -> Parser[T]:
    """A parser for a mapping whose entries are the options of a dataclass."""
    return Parser(
        "a mapping of the options below",
        lambda value: read_options(kind, value) if isinstance(value, Mapping) else None,
        kind=kind,
    )


def object_schema(kind: type[Any]) -> Mapping[str, Any]:
    """The JSON schema of a mapping whose entries are the options of a dataclass."""
    properties = {
        name: {"description": _LINK.sub(r"\1", each.metadata["about"])}
        | dict(_schema_of(each.metadata["parser"]))
        for name, each in _options(kind).items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _schema_of(parser: Parser[Any]) -> Mapping[str, Any]:
    return parser.schema if parser.kind is None else object_schema(parser.kind)


def option_names(kind: type[Any]) -> list[str]:
    """The names of a dataclass's options, as an author writes them."""
    return list(_options(kind))


def _options(kind: type[Any]) -> dict[str, Field[Any]]:
    if kind not in _TABLES:
        # A field whose name would be a keyword of Python ends with an underscore.
        _TABLES[kind] = {
            each.name.rstrip("_"): each for each in fields(kind) if "parser" in each.metadata
        }
    return _TABLES[kind]


_TABLES: dict[type[Any], dict[str, Field[Any]]] = {}
"""The options of each class that has some, since every fence is read by them."""
