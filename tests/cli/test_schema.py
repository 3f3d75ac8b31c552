"""The command `schema`: an editor accepts the options that a build accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from mkdocs.utils.yaml import get_yaml_loader, yaml_load
from referencing import Registry
from referencing.jsonschema import DRAFT7

from mkdocs_imagegen.cli.schema import schema_of_file, schema_of_options
from mkdocs_imagegen.directives.options import NOT_IN_PRESETS, DirectiveOptions, PageOptions
from mkdocs_imagegen.option_parsers import OptionsError, option_names, read_options
from mkdocs_imagegen.settings import Settings, read_settings

CONFIG = Path(__file__).parents[2] / "example_site" / "mkdocs.yml"


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    Draft7Validator.check_schema(schema_of_options())
    return Draft7Validator(schema_of_options())


def of(schema: Draft7Validator, name: str) -> Draft7Validator:
    return Draft7Validator({**schema.schema, **schema.schema["$defs"][name]})


def configuration_of_the_manual() -> dict[str, Any]:
    loader = get_yaml_loader()
    loader.add_constructor("!relative", lambda _, node: node.value)
    return yaml_load(CONFIG.read_text(), loader)


def options_of_the_manual() -> Mapping[str, Any]:
    plugins = configuration_of_the_manual()["plugins"]
    return next(
        each["imagegen"] for each in plugins if isinstance(each, dict) and "imagegen" in each
    )


def test_schema_accepts_the_configuration_of_the_manual(schema) -> None:
    assert [error.message for error in schema.iter_errors(options_of_the_manual())] == []


def test_schema_describes_every_option(schema) -> None:
    assert list(schema.schema["properties"]) == option_names(Settings)
    assert list(schema.schema["$defs"]["picture"]["properties"]) == option_names(DirectiveOptions)
    assert list(schema.schema["$defs"]["page"]["properties"]) == option_names(PageOptions)
    for name, each in schema.schema["properties"].items():
        assert each["description"], name
        assert "](" not in each["description"].replace("![…](", "")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": "1024x1024", "quality": "low", "generate": True},
        {"generate": "auto", "on_missing": "error"},
        {"budget": {"images": None, "usd": 0.5}},
        {"gateway": {"url": "sketch:", "auth": "none", "timeout": 30}},
        {"variants": {"widths": [320, 640], "formats": ["avif"], "quality": {"avif": 50}}},
        {"variants": {"widths": "320 640", "formats": "auto"}},
        {"variants": {"widths": "auto", "sizes": "(max-width: 50em) 100vw, 40em"}},
        {"previews": {"default": "{title}", "include": ["blog/**"], "exclude": None}},
        {"prompts": {"ferry": "A ferry", "crane": {"prompt": "A crane", "take": 2}}},
        {"presets": {"icon": {"size": "1024x1024", "background": "transparent"}}},
        {"folders": {"guide/**": {"quality": "high"}}},
        {"originals_dir": None, "report": "report.json"},
    ],
)
def test_schema_accepts_options_of_a_build(schema, options) -> None:
    read_settings(options, Path())
    assert [error.message for error in schema.iter_errors(options)] == []


@pytest.mark.parametrize(
    "options",
    [
        {"modle": "a/b"},
        {"size": "large"},
        {"size": 1024},
        {"enabled": "perhaps"},
        {"generate": "sometimes"},
        {"budget": 5},
        {"budget": {"euros": 5}},
        {"budget": {"usd": -1}},
        {"concurrency": 65},
        {"model": ""},
        {"gateway": {"url": "ftp://example.org"}},
        {"variants": {"formats": ["gif"]}},
        {"variants": {"sizes": ""}},
        {"folders": {"guide/**": {"qualty": "high"}}},
        {"folders": ["guide"]},
    ],
)
def test_schema_rejects_options_that_a_build_rejects(schema, options) -> None:
    with pytest.raises(OptionsError):
        read_settings(options, Path())
    assert list(schema.iter_errors(options)) != []


def test_schema_rejects_a_misspelled_option_of_a_named_prompt(schema) -> None:
    (error,) = schema.iter_errors({"prompts": {"ferry": {"promt": "A ferry"}}})
    assert list(error.absolute_path) == ["prompts"]


@pytest.mark.parametrize(
    ("kind", "name", "options", "is_valid"),
    [
        (DirectiveOptions, "picture", {"prompt": "A ferry", "ratio": "16:9", "take": 3}, True),
        (DirectiveOptions, "picture", {"focus": "top", "class": "wide", "id": "boat"}, True),
        (DirectiveOptions, "picture", {"take": 0}, False),
        (DirectiveOptions, "picture", {"widht": 3}, False),
        (DirectiveOptions, "preset", {"quality": "low", "ratio": "16:9"}, True),
        (PageOptions, "page", {"preview": {"prompt": "A ferry"}, "style": "none"}, True),
        (PageOptions, "page", {"preview": False, "preview_position": "top"}, True),
        (PageOptions, "page", {"preview_position": "left"}, False),
    ],
)
def test_schema_covers_images_presets_and_pages(schema, kind, name, options, is_valid) -> None:
    assert of(schema, name).is_valid(options) is is_valid
    if is_valid:
        read_options(kind, options)
    else:
        with pytest.raises(OptionsError):
            read_options(kind, options)


@pytest.mark.parametrize("name", NOT_IN_PRESETS)
def test_presets_have_no_option_of_a_single_image(schema, name) -> None:
    assert not of(schema, "preset").is_valid({name: "a"})


def test_command_prints_the_schema(run_alone) -> None:
    assert run_alone("schema").json == json.loads(json.dumps(schema_of_options()))


def test_whole_file_covers_mkdocs_yml(run_alone) -> None:
    whole = Draft7Validator(run_alone("schema", "--whole-file").json)
    assert whole.is_valid(configuration_of_the_manual())
    assert whole.is_valid({"plugins": ["search", "imagegen", {"imagegen": None}]})
    assert whole.is_valid({"plugins": {"imagegen": {"quality": "low"}}})
    for plugins in ([{"imagegen": {"modle": "a/b"}}], {"imagegen": {"modle": "a/b"}}):
        assert not whole.is_valid({"plugins": plugins})


MATERIAL = "https://material.example/latest/schema.json"
DRAFT_7 = "https://json-schema.org/draft-07/schema"
FILES = {
    MATERIAL: {
        "$schema": DRAFT_7,
        "type": "object",
        "properties": {
            **{name: {} for name in ("nav", "markdown_extensions", "theme", "docs_dir")},
            "site_name": {"type": "string"},
            "plugins": {"$ref": "schema/plugins.json"},
        },
        "additionalProperties": False,
    },
    f"{MATERIAL.removesuffix('.json')}/plugins.json": {
        "$schema": DRAFT_7,
        "type": "array",
        "items": {"anyOf": [{"$ref": "#/$defs/built-in"}]},
        "uniqueItems": True,
        "$defs": {"built-in": {"anyOf": [{"$ref": "plugins/search.json"}]}},
    },
    f"{MATERIAL.removesuffix('.json')}/plugins/search.json": {
        "oneOf": [
            {"const": "search"},
            {
                "type": "object",
                "properties": {"search": {"properties": {"lang": {"type": "string"}}}},
                "additionalProperties": False,
            },
        ]
    },
}
"""Schemas with the structure of those of Material for MkDocs, by URL."""
REGISTRY = Registry().with_resources(
    [(url, DRAFT7.create_resource(each)) for url, each in FILES.items()]
)


@pytest.fixture(scope="module")
def both() -> Draft7Validator:
    Draft7Validator.check_schema(schema_of_file(MATERIAL))
    return Draft7Validator(schema_of_file(MATERIAL), registry=REGISTRY)


@pytest.mark.parametrize(
    "file",
    [
        {"site_name": "A site", "plugins": ["search", "imagegen"]},
        {"plugins": [{"imagegen": {"quality": "low"}}, {"search": {"lang": "en"}}]},
        {"plugins": [{"imagegen": None}]},
        {"plugins": {"imagegen": {"quality": "low"}}},
        {"nav": ["index.md"]},
    ],
)
def test_joined_schema_accepts_what_a_build_accepts(both, file) -> None:
    assert [error.message for error in both.iter_errors(file)] == []


@pytest.mark.parametrize(
    "file",
    [
        {"plugins": ["search", {"imagegen": {"qualty": "low"}}]},
        {"plugins": {"imagegen": {"qualty": "low"}}},
        {"plugins": ["imagegen", {"search": {"lang": 3}}]},
        {"plugins": ["imagegen", "serach"]},
        {"site_name": 3, "plugins": ["imagegen"]},
    ],
)
def test_joined_schema_rejects_mistakes_in_both_parts(both, file) -> None:
    assert list(both.iter_errors(file)) != []


def test_schemas_cannot_be_joined_by_all_of() -> None:
    """Material's schema accepts no plugin that it does not list."""
    file = {"plugins": ["search", "imagegen"]}
    assert Draft7Validator(schema_of_file()).is_valid(file)
    assert not Draft7Validator({"$ref": MATERIAL}, registry=REGISTRY).is_valid(file)


def test_joined_schema_refers_to_a_file_next_to_it() -> None:
    properties = schema_of_file("material/schema.json")["properties"]
    assert properties["theme"] == {"$ref": "material/schema.json#/properties/theme"}
    assert "material/schema/plugins.json#/items" in json.dumps(properties["plugins"])


def test_command_joins_the_schemas(run_alone) -> None:
    expected = json.loads(json.dumps(schema_of_file(MATERIAL)))
    assert run_alone("schema", "--with", MATERIAL).json == expected
