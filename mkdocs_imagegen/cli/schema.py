"""The command `schema`: the options as JSON schema, for editors that check YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from mkdocs_imagegen.cli.terminal import print_json
from mkdocs_imagegen.directives.options import NOT_IN_PRESETS, DirectiveOptions, PageOptions
from mkdocs_imagegen.option_parsers import object_schema
from mkdocs_imagegen.settings import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OPTIONS = {"anyOf": [{"$ref": "#/$defs/settings"}, {"type": "null"}]}
_PLUGINS = {
    "anyOf": [
        {"type": "array", "items": {"properties": {"imagegen": _OPTIONS}}},
        {"type": "object", "properties": {"imagegen": _OPTIONS}},
    ]
}


@click.command(
    epilog="""
\b
First line of mkdocs.yml, for editors with the YAML language server:
  # yaml-language-server: $schema=mkdocs.schema.json
\b
Examples:
  mkdocs-imagegen schema > imagegen.schema.json
  mkdocs-imagegen schema --whole-file > mkdocs.schema.json
"""
)
@click.option(
    "--whole-file", is_flag=True, help="Schema of mkdocs.yml, not only of the plugin's options"
)
@click.option("--json", "_as_json", is_flag=True, hidden=True, help="Print JSON; always the case")
def schema(*, whole_file: bool, _as_json: bool) -> None:
    """Print the JSON schema.

    It covers the plugin's options. `$defs` has the options of an image, of a preset, and of the
    front matter of a page.
    """
    print_json(_schema_of_file() if whole_file else schema_of_options())


def schema_of_options() -> Mapping[str, Any]:
    """Return the schema of the plugin's options in `mkdocs.yml`."""
    return _headed("Options of mkdocs-imagegen", object_schema(Settings), _defs())


def _schema_of_file() -> Mapping[str, Any]:
    plugins = {"type": "object", "properties": {"plugins": _PLUGINS}}
    return _headed(
        "mkdocs.yml with mkdocs-imagegen", plugins, _defs() | {"settings": object_schema(Settings)}
    )


def _headed(title: str, body: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"$schema": _DIALECT, "title": title, **body, "$defs": defs}


def _defs() -> dict[str, Any]:
    image = object_schema(DirectiveOptions)
    properties = image["properties"]
    shared = {name: properties[name] for name in properties if name not in NOT_IN_PRESETS}
    preset = {**image, "properties": shared}
    return {"picture": image, "preset": preset, "page": object_schema(PageOptions)}
