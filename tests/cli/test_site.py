"""The site of a command: configuration, languages, files that stay as they are."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.hosts import look
from tests.cli.support import Sheet, fence
from tests.support import Site


def test_site_without_the_plugin_is_an_error(site: Site, run) -> None:
    site.config["plugins"] = ["search"]
    problem, hint = run("plan", code=2).error
    assert problem.endswith("does not list the plugin")
    assert hint == "hint: add `imagegen` to `plugins`"


@pytest.mark.parametrize("command", ["plan", "check"])
def test_command_tells_that_an_installed_generator_ignores_the_plugin(
    site: Site, run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "find_spec", lambda name: ModuleSpec(name, None, origin="file"))
    site.write("index.md", "# Page\n")
    (line,) = run(command).stderr.splitlines()
    assert line.startswith("imagegen: mkdocs.yml lists the plugin under `plugins`, which Zensical")


def test_invalid_configuration_ends_with_2(site: Site, run) -> None:
    site.options["modle"] = "a/b"
    done = run("plan", code=2)
    assert "Traceback" not in done.stderr
    assert done.error[0].startswith("Error: Aborted")


def test_images_of_a_second_language_are_found(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    emulated.write("index.de.md", f"# Seite\n\n{fence('A crane')}")
    languages = [
        {"locale": "en", "name": "English", "default": True, "build": True},
        {"locale": "de", "name": "Deutsch", "build": True},
    ]
    i18n = {"docs_structure": "suffix", "languages": languages}
    emulated.config["plugins"].append({"i18n": i18n})
    locations = {each["page"] for each in run("plan", "--json").json["pictures"]}
    assert locations == {"docs/index.md", "docs/index.de.md"}


def test_commands_that_only_look_change_no_file(
    emulated: Site, run, emulator: Emulator, snapshot
) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    emulated.build()
    emulated.write("more.md", f"# More\n\n{fence('A buoy')}")
    before, requests = snapshot(), len(emulator.log)
    run("plan")
    run("check", code=1)
    run("generate", "--dry-run")
    assert snapshot() == before
    assert len(emulator.log) == requests


def test_commands_that_only_look_write_no_file_when_the_site_was_never_built(
    emulated: Site, run, snapshot
) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    emulated.save()
    before = snapshot()
    run("plan")
    run("check", code=1)
    assert snapshot() == before
    assert not (emulated.folder / "site").exists()


def test_image_and_its_dark_image_are_two_images_in_every_command(
    small: Site, run, tmp_path: Path
) -> None:
    """Two pairs, of which one is on two pages."""
    ferry = fence("A ferry", dark="at night")
    small.write("index.md", f"# Page\n\n{ferry}{fence('A crane', dark='in fog')}")
    small.write("more.md", f"# More\n\n{ferry}")
    small.options["report"] = "report.json"
    sheet = tmp_path / "sheet.html"

    plan = run("plan", "--json").json
    assert (plan["makes"], len(plan["pictures"])) == (4, 6)
    totals = run("plan").lines[-1]
    assert totals.startswith("4 images: 4 missing; a build generates 4 images (")
    assert run("generate", "--dry-run", "--json").json["makes"] == 4
    assert run("check", code=1).lines[-1].startswith("4 of 4 images are missing")
    assert run("gallery", sheet, "--json").json == {
        "file": str(sheet),
        "files": [str(sheet)],
        "pictures": 0,
        "missing": 4,
    }
    small.options["generate"], small.options["on_missing"] = False, "error"
    assert "\n  4 images are missing: generate is false (" in small.run("build").stderr

    small.options["generate"], small.options["budget"] = True, {"images": 3}
    assert run("plan").lines[-1].startswith("4 images: 3 missing, 1 over budget; a build generates")
    assert run("generate", code=1).lines[-1].startswith("4 images: 3 sketches drawn, 1 over budget")
    assert run("check", code=1).lines[-1].startswith("1 of 4 images is missing")
    assert run("gallery", sheet, "--json").json["missing"] == 1

    assert small.build().summary.startswith("imagegen: 4 images: 3 sketches reused, 1 sketch drawn")
    pictures = small.report()["pictures"]
    assert len({each["key"] for each in pictures}) == 4
    assert (len(pictures), [each["pictures"] for each in small.report()["bill"]]) == (6, [1])
    assert small.build().summary == "imagegen: 4 images: 4 sketches reused"
    assert run("plan").lines[-1] == "4 images: 4 sketches; no images to generate"
    assert run("generate").lines == ["4 images: 4 sketches reused"]
    assert run("check").lines == ["4 of 4 images drawn as sketches", "no images are missing"]
    assert run("gallery", sheet).lines == [f"{sheet}: 4 images"]
    assert len(Sheet(sheet).images) == 4
