"""Reference of options for the manual."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass

import pytest
import yaml

from example_site.option_reference import reference
from mkdocs_imagegen.directives.options import DirectiveOptions, PageOptions
from mkdocs_imagegen.options import option_names
from mkdocs_imagegen.settings import Settings


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
