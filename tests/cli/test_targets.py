"""Which image an author means by a place."""

from __future__ import annotations

import pytest

from tests.cli.conftest import fence
from tests.support import Site


@pytest.fixture
def pages(site: Site) -> Site:
    site.options["generate"] = False
    site.write(
        "index.md",
        f"# Page\n\n{fence('A ferry', id='boat')}{fence('A crane')}"
        "![A tug](imagegen:) ![A buoy](imagegen:)\n",
    )
    site.write("guide/one.md", f"# One\n\n{fence('A quay')}{fence('A pier')}")
    site.write("blog/one.md", f"# One\n\n{fence('A dyke')}{fence('A ferry', id='again')}")
    site.write("only.md", f"# Only\n\n{fence('A reef')}")
    site.write("wrong.md", f"# Wrong\n\n{fence('A cape', sise='1x1')}")
    return site


@pytest.fixture
def found(pages: Site, run):
    """The prompt at a place, or what is said instead."""
    assert pages.docs.exists()
    plan = run("plan", "--json").json["pictures"]
    keys = {each["prompt"]: each["key"] for each in plan}

    def found(location: str) -> str:
        location = (
            keys[location.removeprefix("key ")][:12] if location.startswith("key ") else location
        )
        done = run("plan", "--explain", location, "--json")
        return str(done.json["prompts"][0])

    return found


@pytest.mark.parametrize(
    ("location", "prompt"),
    [
        ("index.md:3", "A ferry"),
        ("docs/index.md:3", "A ferry"),
        ("./docs/index.md:9", "A crane"),
        ("index.md#boat", "A ferry"),
        ("guide/one.md:3", "A quay"),
        ("only.md", "A reef"),
        ("key A pier", "A pier"),
        ("key A ferry", "A ferry"),
    ],
)
def test_a_place_is_found(found, location: str, prompt: str) -> None:
    assert found(location) == prompt


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("index.md:4", ["no image at", "docs/index.md:3", '"A ferry"']),
        ("index.md#ship", ["no image at", '"A ferry"']),
        ("index.md:13", ["stands for 2 images", '"A tug"', '"A buoy"', "by its key"]),
        ("one.md:3", ["stands for 2 images", "docs/guide/one.md:3", "docs/blog/one.md:3"]),
        ("indx.md:3", ["no image at", 'did you mean "index.md"?']),
        ("nowhere.md:3", ["no image at", "`plan` lists every place"]),
        ("abcdef", ["no image at", "first 6 characters"]),
        ("wrong.md:3", ["has a mistake", 'did you mean "size"?', "mend that first"]),
    ],
)
def test_what_cannot_be_found_is_told_with_what_is_near(pages: Site, run, location, said) -> None:
    assert pages.docs.exists()
    told = run("candidates", location, code=2).told
    assert "Traceback" not in told
    for words in said:
        assert words in told
