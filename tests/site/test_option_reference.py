"""Reference of options for the manual."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields, is_dataclass

import pytest
import yaml
from mkdocs.utils.yaml import yaml_load

from example_site.option_reference import example, reference
from mkdocs_imagegen.directives.grammar import split_fence
from mkdocs_imagegen.directives.options import DirectiveOptions, PageOptions
from mkdocs_imagegen.option_parsers import option_names, read_options
from mkdocs_imagegen.settings import Settings, read_settings


def groups_of(kind):
    """Return the kind, and the kinds of all groups of options in it."""
    inside = [type(each.default) for each in fields(kind) if is_dataclass(each.default)]
    return [kind, *(each for group in inside for each in groups_of(group))]


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (group, each.name)
        for group in groups_of(Settings)
        for each in fields(group)
        if "parser" in each.metadata and not is_dataclass(each.default)
    ],
)
def test_default_is_accepted_as_the_reference_shows_it(group, name):
    (row,) = (each for each in reference(group) if each.name == name)
    default = next(each for each in fields(group) if each.name == name)
    value = default.default_factory() if default.default is MISSING else default.default
    read = default.metadata["parser"](yaml.safe_load(row.default))
    assert value is None or read == value


def test_reference_lists_every_option_once_and_after_its_group():
    names = [row.name for row in reference(Settings)]
    assert len(names) == len(set(names))
    assert names == [*all_names(Settings)]
    assert {"gateway", "gateway.timeout", "variants.quality.avif"} < {*names}


def all_names(kind, prefix=""):
    for name in option_names(kind):
        yield prefix + name
        default = getattr(kind(), name, None)
        if is_dataclass(default):
            yield from all_names(type(default), f"{prefix}{name}.")


@pytest.mark.parametrize("kind", [Settings, DirectiveOptions, PageOptions])
def test_reference_describes_every_option(kind):
    for row in reference(kind):
        assert row.about.strip(), row.name
        assert row.accepts.strip(), row.name
        assert row.type.strip(), row.name
        assert row.example.strip(), row.name


@pytest.mark.parametrize("row", reference(Settings), ids=lambda row: row.name)
def test_example_of_a_setting_is_accepted_and_differs_from_its_default(row, tmp_path):
    (tmp_path / "prompts.yml").write_text("ferry: A ferry leaves the harbor at dawn.\n")
    (fence, _, *lines, end) = example(row, "site").strip().split("\n")
    assert (fence, end) == ('```yaml title="mkdocs.yml"', "```")
    options = yaml_load("\n".join(lines))[0]["imagegen"]
    if row.name == "gateway.key_env":
        options["gateway"]["url"] = "https://example.org/v1"  # the gateway has its own variables
    if "!ENV" not in row.example:
        assert read_settings(options, tmp_path) != read_settings({}, tmp_path)


@pytest.mark.parametrize("row", reference(PageOptions), ids=lambda row: row.name)
def test_example_of_a_page_option_is_accepted(row):
    (_, _, *lines, _, _) = example(row, "page").strip().split("\n")
    read_options(PageOptions, yaml_load("\n".join(lines))["imagegen"])


@pytest.mark.parametrize("row", reference(DirectiveOptions), ids=lambda row: row.name)
def test_example_of_an_image_option_is_accepted(row):
    blocks = re.findall(
        r"^```imagegen\n(.*?)^```$", example(row, "image"), re.DOTALL | re.MULTILINE
    )
    for block in blocks:
        assert row.name in read_fence_options(block)
    assert blocks or row.name in {"prompt", "name"}


def read_fence_options(block):
    options = dict(split_fence(block)[0])
    read_options(DirectiveOptions, options)
    return options
