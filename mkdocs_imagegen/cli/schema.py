"""The command `schema`: the options as JSON schema, for editors that check YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import click

from mkdocs_imagegen.cli.terminal import print_json
from mkdocs_imagegen.directives.options import NOT_IN_PRESETS, DirectiveOptions, PageOptions
from mkdocs_imagegen.option_parsers import object_schema
from mkdocs_imagegen.settings import Settings

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The draft of Material's schema, and the newest that the YAML language server knows entirely."""
_OPTIONS = {"anyOf": [{"$ref": "#/$defs/settings"}, {"type": "null"}]}
_ENTRY = {"properties": {"imagegen": _OPTIONS}}
_IS_ENTRY = {"anyOf": [{"const": "imagegen"}, {"type": "object", "required": ["imagegen"]}]}
_OF_MKDOCS = (
    *("INHERIT", "site_name", "site_url", "site_author", "site_description", "repo_name"),
    *("repo_url", "edit_uri", "copyright", "docs_dir", "site_dir", "use_directory_urls"),
    *("extra_templates", "extra_css", "extra_javascript", "hooks", "strict", "dev_addr"),
    *("remote_branch", "remote_name", "theme", "markdown_extensions", "extra", "nav"),
    *("validation", "exclude_docs", "not_in_nav", "watch"),
)
"""Names in `mkdocs.yml` that the schema of Material for MkDocs describes, without `plugins`."""


@click.command(
    epilog="""
\b
First line of mkdocs.yml or properdocs.yml, for editors with the YAML language server:
  # yaml-language-server: $schema=mkdocs.schema.json
\b
Examples:
  mkdocs-imagegen schema > imagegen.schema.json
  mkdocs-imagegen schema --whole-file > mkdocs.schema.json
  mkdocs-imagegen schema --with https://squidfunk.github.io/mkdocs-material/schema.json
"""
)
@click.option(
    "--whole-file",
    is_flag=True,
    help="Schema of the configuration file, not only of the plugin's options",
)
@click.option(
    "--with",
    "other",
    metavar="URL",
    help="Schema of the configuration file that also applies the one of Material at a URL",
)
@click.option("--json", "_as_json", is_flag=True, hidden=True, help="Print JSON; always the case")
def schema(*, whole_file: bool, other: str | None, _as_json: bool) -> None:
    """Print the JSON schema.

    It covers the plugin's options. `$defs` has the options of an image, of a preset, and of the
    front matter of a page.
    """
    print_json(schema_of_file(other) if whole_file or other else schema_of_options())


def schema_of_options() -> Mapping[str, Any]:
    """Return the schema of the plugin's options."""
    return _headed("Options of mkdocs-imagegen", object_schema(Settings), _defs())


def schema_of_file(other: str | None = None) -> Mapping[str, Any]:
    """Return the schema of `mkdocs.yml` or `properdocs.yml`.

    Args:
        other: URL or path of Material's `schema.json`, which then applies to everything else.
    """
    # Not by `allOf`: Material's schema accepts only the plugins that it lists.
    refs = {name: {"$ref": f"{other}#/properties/{name}"} for name in _OF_MKDOCS if other}
    entry: Mapping[str, Any] = _ENTRY
    if other:
        plugins = {"$ref": urljoin(other, "schema/plugins.json#/items")}
        entry = {"if": _IS_ENTRY, "then": _ENTRY, "else": {"anyOf": [plugins, _IS_ENTRY]}}
    both = {"anyOf": [{"type": "array", "items": entry}, {"type": "object", **_ENTRY}]}
    file = {"type": "object", "properties": {**refs, "plugins": both}}
    defs = _defs() | {"settings": object_schema(Settings)}
    return _headed("Configuration file with mkdocs-imagegen", file, defs)


def _headed(title: str, body: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"$schema": _DIALECT, "title": title, **body, "$defs": defs}


def _defs() -> dict[str, Any]:
    image = object_schema(DirectiveOptions)
    properties = image["properties"]
    shared = {name: properties[name] for name in properties if name not in NOT_IN_PRESETS}
    preset = {**image, "properties": shared}
    return {"picture": image, "preset": preset, "page": object_schema(PageOptions)}
