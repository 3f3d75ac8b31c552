"""Schemas in the manual are those that the command prints."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from mkdocs_imagegen.cli.main import main
from tests.manual.pages import pages

MATERIAL = "https://squidfunk.github.io/mkdocs-material/schema.json"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mkdocs.schema.json", ["--whole-file"]),
        ("mkdocs-material.schema.json", ["--with", MATERIAL]),
    ],
)
def test_schema_of_the_manual_is_that_of_the_command(manual, name, options) -> None:
    printed = CliRunner().invoke(main, ["schema", *options]).output
    assert json.loads((manual.site / name).read_text("utf-8")) == json.loads(printed)
    assert any(f"](../{name})" in page.body for page in pages())
