"""The site of a command: configuration, languages, files that stay as they are."""

from __future__ import annotations

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.cli.support import fence
from tests.support import Site


def test_site_without_the_plugin_is_an_error(site: Site, run) -> None:
    site.config["plugins"] = ["search"]
    problem, hint = run("plan", code=2).error
    assert problem.endswith("does not list the plugin")
    assert hint == "hint: add `imagegen` to `plugins`"


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
