"""YAML: named prompts and presets, options in configuration files, and lines of options."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.option_parsers import Parser, quote_value

_MAX_PARENTS = 9
"""Maximum number of files that inherit from each other."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Loader of plain values. The one in C reads 1,000 prompts in 0.02 s, that in Python in 0.2 s."""


_FRONT_MATTER = re.compile(
    r"\ufeff?---[ \t]*\r?\n(.*?\r?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL
)


def _by_name(value: object) -> Mapping[str, object] | None:
    if not isinstance(value, Mapping):
        return None
    return {str(name): each for name, each in value.items()}


def _prompts_or_file(value: object) -> Mapping[str, object] | None:
    # A file is read later, when the folder that its path is relative to is known.
    return {} if isinstance(value, str) and value.strip() else _by_name(value)


_SCHEMA = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/picture"}]},
}
PROMPTS: Parser[Mapping[str, object]] = Parser(
    "a mapping of names to prompts", _by_name, _SCHEMA, type="mapping"
)
PROMPTS_OR_FILE: Parser[Mapping[str, object]] = Parser(
    "a mapping of names to prompts, or the path of a YAML file with such a mapping",
    _prompts_or_file,
    {"anyOf": [{"type": "string"}, _SCHEMA]},
    type="mapping or path",
)
PRESETS: Parser[Mapping[str, object]] = Parser(
    "a mapping of names to mappings of image options",
    _by_name,
    {"type": "object", "additionalProperties": {"$ref": "#/$defs/preset"}},
    type="mapping of names to mappings",
)


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]  # one of PyYAML's loaders
    """Loader that rejects a key given twice; PyYAML would drop the first without a message."""

    def construct_mapping(self, node: yaml.MappingNode, **options: bool) -> dict[Any, Any]:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        keys = [key for key, _ in pairs if key.tag != "tag:yaml.org,2002:merge"]
        seen: set[str] = set()
        for key in keys:
            if str(key.value) in seen:
                problem = f"duplicate name {quote_value(key.value)}"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(str(key.value))
        mapping: dict[Any, Any] = super().construct_mapping(node, **options)
        return mapping


def read_prompt_file(path: Path) -> Mapping[str, object]:
    """Return the named prompts of a YAML file; an empty mapping if the file is empty.

    Raises:
        OptionError: If the file cannot be read, is not valid YAML, or contains no mapping.
    """
    try:
        content = _load(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        hint = f"create {path}, with lines like `ferry: A ferry in the rain`"
        raise OptionError(f"file {quote_value(path.name)} does not exist", hint=hint) from None
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OptionError(f"{path.name} is not UTF-8", hint="save it as UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid_yaml(path, error) from None
    prompts = {} if content is None else _by_name(content)
    if prompts is None:
        hint = "write one name per line, like `ferry: A ferry in the rain`"
        raise OptionError(f"{path.name} is not a mapping of names to prompts", hint=hint)
    return prompts


def listed_names(file: Path, option: str) -> set[str]:
    """Return the names in a list of a configuration file, as in `plugins`, and in its parents."""
    return {name for name, _ in _listed(file, option)}


def plugin_options(file: Path) -> dict[str, object] | None:
    """Return the options of the plugin in a configuration file, without its site generator.

    Of tags, only `!ENV` has a value.

    Returns:
        The options; None if the file does not list the plugin, or cannot be read.
    """
    found = [node for name, node in _listed(file, "plugins") if name == "imagegen"]
    if not found:
        return None
    try:
        options = _ConfigLoader("").construct_document(found[0]) if found[0] else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return options if isinstance(options, dict) else {}


def _listed(file: Path, option: str) -> Iterator[tuple[str, yaml.Node | None]]:
    """Yield the names in a list, each with its options; a list that cannot be read has none."""
    for _ in range(_MAX_PARENTS):
        fields = _nodes_of(file)
        listed = fields.get(option)
        for each in listed.value if isinstance(listed, yaml.SequenceNode) else [listed]:
            if each is None:
                break
            pairs = each.value if isinstance(each, yaml.MappingNode) else [(each, None)]
            yield from ((str(key.value), value) for key, value in pairs)
        # MkDocs merges mappings with those of the parent, and replaces lists.
        if isinstance(listed, yaml.SequenceNode) or "INHERIT" not in fields:
            return
        file = file.parent / str(fields["INHERIT"].value)


def _nodes_of(file: Path) -> dict[str, yaml.Node]:
    """Return the values of a YAML file, without the objects that its tags stand for."""
    try:
        node = yaml.compose(file.read_text("utf-8", "replace"), _Loader)
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        return {}
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {str(key.value): value for key, value in pairs}


class _ConfigLoader(_Loader):  # type: ignore[misc]  # one of PyYAML's loaders
    """Loader of options in a configuration file."""


def _read_env(loader: yaml.SafeLoader, node: yaml.Node) -> object:
    """Return the value of the first variable that is set, else the default, which is the last."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    names, defaults = (nodes[:-1], nodes[-1:]) if len(nodes) > 1 else (nodes, [])
    values = (os.environ[each.value] for each in names if each.value in os.environ)
    if (value := next(values, None)) is None:
        return loader.construct_object(defaults[0], deep=True) if defaults else None
    tag = loader.resolve(yaml.ScalarNode, value, (True, False))
    return loader.construct_object(yaml.ScalarNode(tag, value))


_ConfigLoader.add_constructor("!ENV", _read_env)
_ConfigLoader.add_multi_constructor("", lambda *_: None)


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """Return the front matter of a page, and the text after it; invalid YAML is text."""
    match = _FRONT_MATTER.match(text)
    try:
        read = yaml.load(match[1] or "", _Loader) if match else None  # noqa: S506 - plain values
    except (yaml.YAMLError, ValueError, RecursionError):
        read = None
    if match is None or not isinstance(read, dict):
        return {}, text
    return read, text[match.end() :]


def line_of_option(text: str, path: str) -> int | None:
    """Return the line of an option in YAML, from 1, or of the nearest mapping that is found.

    Args:
        text: YAML, or a page with front matter.
        path: Names of the option and of the mappings around it, joined by dots.
    """
    loader, line = _Loader(text), None
    try:
        node = loader.get_node() if loader.check_node() else None
    except yaml.YAMLError:
        return None
    finally:
        loader.dispose()
    while isinstance(node, yaml.MappingNode):
        pairs = [pair for pair in node.value if f"{path}.".startswith(f"{pair[0].value}.")]
        if not pairs:
            break
        key, node = pairs[0]
        line, path = key.start_mark.line + 1, path[len(key.value) + 1 :]
    return line


def _load(text: str) -> object:
    loader = _UniqueKeyLoader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _invalid_yaml(path: Path, error: Exception) -> OptionError:
    mark = getattr(error, "problem_mark", None)
    location = f"{path.name}:{mark.line + 1}" if mark else path.name
    problem = " ".join(str(getattr(error, "problem", None) or error).split())
    return OptionError(f"{location}: {problem}", hint="fix that line")
