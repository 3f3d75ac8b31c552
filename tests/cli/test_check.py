"""The command `check`."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.support import fence, store_as_real_model
from tests.support import Site


@pytest.fixture
def three(emulated: Site) -> Site:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', quality='high')}")
    emulated.write("guide/one.md", f"# One\n\n{fence('A ferry')}")
    return emulated


def test_check_passes_when_every_image_exists(three: Site, run) -> None:
    three.build()
    sketches = "2 of 2 images drawn as sketches"
    assert run("check").lines == [sketches, "no images are missing"]
    assert run("check", "--json").json == {"ok": True, "lacking": [], "sketches": 2}


def test_check_does_not_mention_sketches_without_any(three: Site, run) -> None:
    three.build()
    store_as_real_model(three)
    three.write("index.md", f"# Page\n\n{fence('A ferry')}")
    assert run("check").lines == ["no images are missing"]


@pytest.mark.usefixtures("three")
def test_check_lists_missing_images(run) -> None:
    lines = run("check", code=1).lines
    assert lines[0] == 'docs/index.md:3  missing  $0.015  "A ferry"'
    assert lines[3] == ("2 of 2 images are missing or invalid")
    done = run("check", "--json", code=1).json
    assert not done["ok"]
    assert [each["line"] for each in done["lacking"]] == [3, 7, 3]


def test_check_fails_when_a_directive_is_invalid(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry', sise='1x1')}")
    assert run("check", code=1).lines[-1] == "1 of 1 image is missing or invalid"


@pytest.mark.usefixtures("three")
def test_check_opens_no_connection(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    run("check", code=1)
    run("plan")


@pytest.fixture
def two(emulated: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site in a folder of a repository: one page misses an image, another one does not."""
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    emulated.write("guide/one.md", f"# One\n\n{fence('A crane')}")
    emulated.write("guide/none.md", "# None")
    emulated.write("README.txt", "no page")
    emulated.save()
    (emulated.folder / "guide.md").write_text("not in the docs folder")
    monkeypatch.chdir(emulated.folder.parent)
    return emulated


def locations(lines: list[str]) -> list[str]:
    return [line.partition(":")[0] for line in lines if line.startswith("docs/")]


@pytest.mark.parametrize(
    ("files", "pages"),
    [
        (["index.md"], ["docs/index.md"]),
        (["docs/index.md"], ["docs/index.md"]),
        (["site_source/docs/index.md"], ["docs/index.md"]),
        (
            ["site_source/docs/guide/none.md", "site_source/docs/guide/one.md"],
            ["docs/guide/one.md"],
        ),
        (["guide"], ["docs/guide/one.md"]),
        (["docs/guide/**"], ["docs/guide/one.md"]),
        (["g*/*.md"], ["docs/guide/one.md"]),
        (["docs"], ["docs/guide/one.md", "docs/index.md"]),
        (["site_source/docs"], ["docs/guide/one.md", "docs/index.md"]),
        (["site_source/mkdocs.yml"], ["docs/guide/one.md", "docs/index.md"]),
        (["site_source/guide.md", "index.md"], ["docs/index.md"]),
    ],
)
@pytest.mark.usefixtures("two")
def test_check_of_files_lists_the_images_of_their_pages(run, files, pages) -> None:
    assert sorted(locations(run("check", *files, code=1).lines)) == pages


@pytest.mark.parametrize(
    "file",
    ["site_source/docs/guide/none.md", "site_source/docs/README.txt", "site_source/guide.md"],
)
@pytest.mark.usefixtures("two")
def test_check_ignores_files_that_show_no_images(run, file) -> None:
    assert run("check", f"site_source/{file}").lines == ["the named files show no images"]
    assert run("check", f"site_source/{file}", "--json").json == {
        "ok": True,
        "lacking": [],
        "sketches": 0,
    }


def test_check_of_a_file_at_the_root_ignores_a_page_of_the_same_name(two: Site, run) -> None:
    two.write("CHANGES.md", f"# Page\n\n{fence('A tug')}")
    Path("CHANGES.md").write_text("about the repository")
    assert run("check", "CHANGES.md").lines == ["the named files show no images"]
    lines = run("check", "site_source/docs/CHANGES.md", code=1).lines
    assert locations(lines) == ["docs/CHANGES.md"]


def test_check_of_the_file_of_prompts_covers_the_whole_site(two: Site, run) -> None:
    two.options["prompts"] = "prompts.yml"
    (two.folder / "prompts.yml").write_text("tug: A tug")
    assert len(locations(run("check", "site_source/prompts.yml", code=1).lines)) == 2


def test_check_of_files_follows_links_to_the_site(two: Site, run, monkeypatch) -> None:
    link = two.folder.parent / "link"
    link.symlink_to(two.folder)
    monkeypatch.setattr(two, "folder", link)
    lines = run("check", "site_source/docs/index.md", code=1).lines
    assert locations(lines) == ["docs/index.md"]
