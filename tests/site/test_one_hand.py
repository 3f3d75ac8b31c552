"""One style for a whole site: presets, folders, and a file of prompts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort

from tests.site.test_serve import serving
from tests.support import Site

IMAGE = "![A raven](imagegen:)\n"
SQUARE = {"size": "1024x1024"}


def prompts_in_the_store(site: Site) -> set[str]:
    return {json.loads(path.read_text())["prompt"] for path in site.originals.rglob("*.json")}


def test_each_folder_draws_in_its_own_style(site: Site) -> None:
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
    assert 'class="ink"' in built.page("guide/deep/two/index.html")
    assert 'class="ink"' not in built.page("guide/one/index.html")


def test_previews_take_presets_and_the_styles_of_folders(site: Site) -> None:
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


def test_a_site_that_uses_none_of_this_is_built_to_the_same_bytes(site: Site) -> None:
    """What is only defined, and named by nobody, changes nothing."""
    site.write("index.md", f"# Page\n\n{IMAGE}")
    plain = site.build().files()
    site.options["presets"] = {"ink": {"style": "Black ink", **SQUARE}}
    site.options["folders"] = {"guide/**": {"preset": "ink"}}
    site.options["prompts"] = "prompts.yml"
    (site.folder / "prompts.yml").write_text("crow: A crow\n")
    assert site.build().files() == plain


def test_prompts_stand_in_a_file_of_their_own(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_file_of_prompts_is_read_again_by_each_build(site: Site) -> None:
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
def test_a_mistake_in_the_file_of_prompts_ends_the_build(
    site: Site, caplog: pytest.LogCaptureFixture, text: str | None, told: str
) -> None:
    site.options["prompts"] = "prompts.yml"
    site.options["presets"] = {"ink": {"style": "Black ink"}}
    site.write("index.md", "# Page\n")
    if text is not None:
        (site.folder / "prompts.yml").write_text(text)
    assert told.format(folder=site.folder) in config_error_of(site, caplog)


def test_a_file_that_is_not_utf_8_or_no_file_is_told(
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
def test_an_empty_file_and_a_byte_order_mark_are_no_mistakes(site: Site, text: str) -> None:
    site.options["prompts"] = "prompts.yml"
    (site.folder / "prompts.yml").write_text(text, "utf-8")
    site.write("index.md", "# Page\n")
    assert site.build(strict=True).warnings == []


def test_a_merge_in_the_file_is_no_twin(site: Site) -> None:
    site.options["prompts"] = "prompts.yml"
    text = "raven: &raven {prompt: A raven, take: 2}\ncrow: {<<: *raven, prompt: A crow}\n"
    (site.folder / "prompts.yml").write_text(text)
    site.write("index.md", "# Page\n\n![](imagegen:crow)\n")
    site.build(strict=True)
    assert prompts_in_the_store(site) == {"A crow"}


def saved(file: Path, text: str) -> None:
    """Written as editors do: whole, in place of the old one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def test_serving_builds_again_when_the_file_of_prompts_changes(site: Site) -> None:
    """A mistake in it is told, and ends no server."""
    site.options["prompts"] = "prompts.yml"
    file = site.folder / "prompts.yml"
    file.write_text("raven: A raven\n")
    site.write("index.md", "# Page\n\n![](imagegen:raven)\n")
    with serving(site) as server:
        wait_for_words(server.log, "Serving on")
        saved(file, "raven: [A raven\n")
        wait_for_words(server.log, "prompts.yml:2: ")
        saved(file, "raven: Two ravens\n")
        server.wait_for_builds(2)
        assert server.process.poll() is None


def wait_for_words(log: Path, words: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while words not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
