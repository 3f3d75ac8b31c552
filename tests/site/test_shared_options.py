"""Options that images share: presets, folders, and a file of prompts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort

from tests.site.test_serve import serving
from tests.support import Site

IMAGE = "![A raven](imagegen:)\n"
SQUARE = {"size": "1024x1024"}


def prompts_in_the_store(site: Site) -> set[str]:
    return {json.loads(path.read_text())["prompt"] for path in site.records}


def test_folders_have_their_own_styles(site: Site) -> None:
    site.options["style"] = "Flat colours"
    site.options["presets"] = {"ink": {"style": "Black ink", **SQUARE, "class": "ink"}}
    site.options["folders"] = {"guide/**": {"style": "Pencil"}, "guide/deep/*": {"preset": "ink"}}
    for name in ("index.md", "guide/one.md", "guide/deep/two.md"):
        site.write(name, f"# Page\n\n{IMAGE}")
    site.write("guide/deep/three.md", f"---\nimagegen:\n  style: Oil\n---\n# Page\n\n{IMAGE}")
    built = site.build(strict=True)
    assert built.warnings == []
    assert prompts_in_the_store(site) == {
        "A raven\n\nFlat colours",
        "A raven\n\nPencil",
        "A raven\n\nBlack ink",
        "A raven\n\nOil",
    }
    assert 'class="imagegen ink ' in built.page("guide/deep/two/index.html")
    assert 'class="imagegen ink' not in built.page("guide/one/index.html")


def test_previews_use_presets_and_the_styles_of_folders(site: Site) -> None:
    site.options["presets"] = {"ink": {"style": "Black ink"}}
    site.options["folders"] = {"guide/*": {"style": "Pencil"}}
    site.options["previews"] = {"default": "A sign that reads {title}"}
    site.write(
        "index.md", "---\nimagegen:\n  preview: {prompt: A crow, preset: ink}\n---\n# Home\n"
    )
    site.write("guide/one.md", "# One\n")
    site.build(strict=True)
    assert prompts_in_the_store(site) == {
        "A crow\n\nBlack ink",
        "A sign that reads One\n\nPencil",
    }


def test_site_without_shared_options_is_unchanged(site: Site) -> None:
    """Definitions without a use change no byte."""
    site.write("index.md", f"# Page\n\n{IMAGE}")
    plain = site.build().files()
    site.options["presets"] = {"ink": {"style": "Black ink", **SQUARE}}
    site.options["folders"] = {"guide/**": {"preset": "ink"}}
    site.options["prompts"] = "prompts.yml"
    (site.folder / "prompts.yml").write_text("crow: A crow\n")
    assert site.build().files() == plain


def test_prompts_are_read_from_a_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.options["prompts"] = "images/prompts.yml"
    site.options["presets"] = {"ink": {"style": "Black ink"}}
    (site.folder / "images").mkdir()
    file = site.folder / "images/prompts.yml"
    file.write_text("raven: {prompt: A raven, preset: ink, alt: Räven}\ncrow: A crow\n")
    site.write("index.md", "# Page\n\n![](imagegen:raven) ![](imagegen:crow)\n")
    monkeypatch.chdir(site.docs)
    built = site.build(strict=True)
    assert prompts_in_the_store(site) == {"A raven\n\nBlack ink", "A crow"}
    assert 'alt="Räven"' in built.page("index.html")


@pytest.mark.slow
def test_prompts_file_is_read_again_by_each_build(site: Site) -> None:
    site.options["prompts"] = "prompts.yml"
    site.write("index.md", "# Page\n\n![](imagegen:raven)\n")
    for prompt in ("A raven", "Two ravens"):
        (site.folder / "prompts.yml").write_text(f"raven: {prompt}\n")
        site.build(strict=True)
    assert prompts_in_the_store(site) == {"A raven", "Two ravens"}


def config_error_of(site: Site, caplog: pytest.LogCaptureFixture) -> str:
    with pytest.raises(Abort):
        site.build()
    return "\n".join(each.getMessage() for each in caplog.records if each.levelname == "ERROR")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            None,
            "option 'prompts': file \"prompts.yml\" does not exist; create {folder}/prom",
        ),
        (
            "- A raven\n",
            "option 'prompts': prompts.yml is not a mapping of names to prompts; write",
        ),
        ("A raven\n", "option 'prompts': prompts.yml is not a mapping of names to prompts; write"),
        ("raven: A raven\ncrow: [\n", "option 'prompts': prompts.yml:3: "),
        (
            "raven: A\ncrow: B\nraven: C\n",
            "option 'prompts': prompts.yml:3: duplicate name \"raven\"",
        ),
        ("raven: {take: 1, take: 2}\n", "option 'prompts': prompts.yml:1: duplicate name \"take\""),
        (
            "raven: !!python/name:os.system\n",
            "option 'prompts': prompts.yml:1: could not determine",
        ),
        ("raven: !ENV HOME\n", "option 'prompts': prompts.yml:1: could not determine"),
        ("raven: !!map A\n", "option 'prompts': prompts.yml:1: expected a mapping node"),
        ("raven: \x00\n", "option 'prompts': prompts.yml: "),
        (
            "raven: 5\n",
            "option 'prompts': prompts.yml: `raven.prompt`: YAML read \"5\" as a number",
        ),
        ("raven: {siez: 1x1}\n", "option 'prompts': prompts.yml: `raven`: unknown option"),
        (
            "raven: {prompt: A, preset: inc}\n",
            "option 'prompts': prompts.yml: `raven.preset`: unknown preset \"inc\";",
        ),
    ],
)
def test_invalid_prompts_file_ends_the_build(
    site: Site, caplog: pytest.LogCaptureFixture, text: str | None, told: str
) -> None:
    site.options["prompts"] = "prompts.yml"
    site.options["presets"] = {"ink": {"style": "Black ink"}}
    site.write("index.md", "# Page\n")
    if text is not None:
        (site.folder / "prompts.yml").write_text(text)
    assert told.format(folder=site.folder) in config_error_of(site, caplog)


def test_prompts_file_that_cannot_be_read_is_named(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.options["prompts"] = "prompts.yml"
    file = site.folder / "prompts.yml"
    file.write_bytes("raven: Räven\n".encode("latin-1"))
    assert "prompts.yml is not UTF-8; save it as UTF-8" in config_error_of(site, caplog)
    file.unlink()
    file.mkdir()
    assert "prompts.yml cannot be read: Is a directory" in config_error_of(site, caplog)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeffraven: A raven\n"])
def test_prompts_file_can_be_empty_or_have_a_byte_order_mark(site: Site, text: str) -> None:
    site.options["prompts"] = "prompts.yml"
    (site.folder / "prompts.yml").write_text(text, "utf-8")
    site.write("index.md", "# Page\n")
    assert site.build(strict=True).warnings == []


def test_merge_key_in_the_prompts_file_is_no_duplicate(site: Site) -> None:
    site.options["prompts"] = "prompts.yml"
    text = "raven: &raven {prompt: A raven, take: 2}\ncrow: {<<: *raven, prompt: A crow}\n"
    (site.folder / "prompts.yml").write_text(text)
    site.write("index.md", "# Page\n\n![](imagegen:crow)\n")
    site.build(strict=True)
    assert prompts_in_the_store(site) == {"A crow"}


def saved(file: Path, text: str) -> None:
    """The file is replaced as a whole, as editors do."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


@pytest.mark.slow
def test_server_builds_again_when_the_prompts_file_changes(site: Site) -> None:
    """An error in it is a message, and the server runs on."""
    site.options["prompts"] = "prompts.yml"
    file = site.folder / "prompts.yml"
    file.write_text("raven: A raven\n")
    site.write("index.md", "# Page\n\n![](imagegen:raven)\n")
    with serving(site) as server:
        saved(file, "raven: [A raven\n")
        server.wait_until(lambda: "prompts.yml:2: " in server.output)
        saved(file, "raven: Two ravens\n")
        server.wait_for_builds(2)
        assert server.process.poll() is None
