"""The image that LOCATION names on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import fence, store_as_real_model
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


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("location", "prompt"),
    [
        ("index.md:3", "A ferry"),
        ("docs/index.md:3", "A ferry"),
        ("./docs/index.md:9", "A crane"),
        ("index.md#boat", "A ferry"),
        ("guide/one.md:3", "A quay"),
        ("only.md", "A reef"),
        ("key of A pier", "A pier"),
        ("key of A ferry", "A ferry"),
    ],
)
def test_location_finds_its_image(run, location: str, prompt: str) -> None:
    if location.startswith("key of "):
        images = run("plan", "--json").json["pictures"]
        keys = {image["prompt"]: image["key"] for image in images}
        location = keys[location.removeprefix("key of ")][:12]
    assert run("plan", "--explain", location, "--json").json["prompts"] == [prompt]


def test_key_of_a_stale_original_finds_its_image(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
    emulated.build()
    store_as_real_model(emulated)
    emulated.options["quality"] = "high"
    (file,) = run("plan", "--explain", "index.md:3", "--json").json["originals"]
    key = Path(file).name.partition(".")[0]
    explanation = run("plan", "--explain", key, "--json").json
    assert (explanation["state"], explanation["prompts"]) == ("stale but usable", ["A ferry"])
    assert key not in explanation["keys"]


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("location", "problem", "hint"),
    [
        ("index.md:4", 'no image at "index.md:4"', ["the nearest are:", "docs/index.md:3"]),
        ("index.md#ship", 'no image at "index.md#ship"', ["the nearest are:", '"A ferry"']),
        (
            "index.md:13",
            '"index.md:13" matches 2 images',
            ["use the cache key of one of them:", '"A tug"', '"A buoy"'],
        ),
        (
            "one.md:3",
            '"one.md:3" matches 2 images',
            ["docs/guide/one.md:3", "docs/blog/one.md:3"],
        ),
        ("wrong.md:7", 'no image at "wrong.md:7"', ["  invalid       docs/wrong.md:3"]),
        ("indx.md:3", 'no image at "indx.md:3"', ['did you mean "index.md"?']),
        ("nowhere.md:3", 'no image at "nowhere.md:3"', ["run `mkdocs-imagegen plan`"]),
        ("abcdef", 'no image at "abcdef"', ["use 6 characters of a cache key"]),
        (
            "wrong.md:3",
            "the directive at docs/wrong.md:3 is invalid",
            ['did you mean "size"?', "fix it first"],
        ),
    ],
)
def test_location_without_one_image_is_an_error(run, location, problem, hint) -> None:
    first, *rest = run("candidates", location, code=2).error
    assert first.startswith(f"Error: {problem}")
    assert rest[0].startswith("hint: ")
    for words in hint:
        assert words in "\n".join(rest)
