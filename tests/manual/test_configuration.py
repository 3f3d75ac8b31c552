"""Configuration in the manual is accepted as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.utils.yaml import yaml_load

from mkdocs_imagegen.directives.options import PRESET_OPTIONS, DirectiveOptions, PageOptions
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.option_parsers import option_names, read_options
from mkdocs_imagegen.settings import Settings, read_settings
from tests.manual.pages import CodeBlock, ManualPage, pages

BLOCKS = [
    block
    for page in pages()
    for block in page.blocks
    if block.language in {"yaml", "yml"} and "--8<--" not in block.text
]
CONFIGURATIONS = [block for block in BLOCKS if block.title.endswith("mkdocs.yml")]
FRONT_MATTER = [block for block in BLOCKS if block.title.endswith(".md")]


def check_configuration(block: CodeBlock, folder: Path) -> None:
    """Read a block as mkdocs.yml, or as part of the plugin's options."""
    (folder / "prompts.yml").write_text("ferry: A ferry leaves the harbor at dawn.\n")
    config = yaml_load(block.text) or {}
    plugins = config.get("plugins", [])
    for plugin in plugins:
        if isinstance(plugin, dict) and "imagegen" in plugin:
            read_settings(plugin["imagegen"] or {}, folder)
    if not plugins and {*config} <= {*option_names(Settings)}:
        read_settings(config, folder)
    for name, preset in (config.get("presets") or {}).items() if not plugins else ():
        assert {*preset} <= {*PRESET_OPTIONS}, name
        read_options(DirectiveOptions, preset)


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=str)
def test_configuration_is_accepted(block, tmp_path) -> None:
    check_configuration(block, tmp_path)


@pytest.mark.parametrize("block", FRONT_MATTER, ids=str)
def test_front_matter_is_accepted(block) -> None:
    _, text, *_ = re.split(r"^---$", block.text, flags=re.MULTILINE)
    read_options(PageOptions, (yaml_load(text) or {}).get("imagegen") or {})


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_yaml_has_a_title_or_is_an_error_message(block) -> None:
    assert block.title or "errors.md" in block.page


def test_a_wrong_configuration_is_found(tmp_path) -> None:
    lines = "    plugins:\n      - imagegen: {widht: 1}"
    text = f'text\n\n    ```yaml title="mkdocs.yml"\n{lines}\n    ```\n'
    (block,) = ManualPage("page.md", text).blocks
    with pytest.raises(OptionError):
        check_configuration(block, tmp_path)
