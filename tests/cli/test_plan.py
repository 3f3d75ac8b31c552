"""The command `plan`."""

from __future__ import annotations

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.support import fence, store_as_real_model
from tests.paid import PaidSite
from tests.repository import commit_all
from tests.support import Site


@pytest.fixture
def priced(emulated: Site) -> Site:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', quality='high')}")
    emulated.write("guide/one.md", f"# One\n\n{fence('A ferry')}")
    return emulated


@pytest.mark.usefixtures("priced")
def test_plan_lists_each_location_with_state_and_price(run) -> None:
    assert run("plan").lines == [
        'docs/index.md:3  missing  $0.015  "A ferry"',
        'docs/index.md:7  missing  $0.052  "A crane"',
        'docs/guide/one.md:3  missing  $0.015  "A ferry"',
        "2 images: 2 missing; a build generates 2 images (about $0.067)",
    ]


@pytest.mark.usefixtures("priced")
def test_plan_prints_json(run) -> None:
    plan = run("plan", "--json").json
    assert list(plan) == ["version", "makes", "usd", "unpriced", "refusal", "pictures"]
    assert (plan["makes"], Decimal(plan["usd"]), plan["unpriced"]) == (2, Decimal("0.067"), 0)
    assert [each["state"] for each in plan["pictures"]] == ["missing"] * 3
    assert [each["line"] for each in plan["pictures"]] == [3, 7, 3]


def test_plan_counts_missing_images_next_to_existing_ones(priced: Site, run) -> None:
    priced.build()
    priced.write("more.md", f"# More\n\n{fence('A buoy')}")
    assert run("plan").lines[-1] == (
        "3 images: 2 sketches, 1 missing; a build generates 1 image (about $0.015)"
    )


def test_plan_tells_images_over_budget(priced: Site, run) -> None:
    priced.options["budget"] = {"usd": 0.02}
    lines = run("plan").lines
    states = [re.split(r" {2,}", line)[1] for line in lines[:3]]
    assert states == ["missing", "over budget", "missing"]
    assert lines[3] == (
        "2 images: 1 missing, 1 over budget; a build generates 1 image (about $0.015)"
    )
    assert run("plan").stderr == (
        "docs/index.md:7: the image is missing: no budget left for another image "
        "($0.015 of $0.02 per run); build again, or raise `budget.usd`\n"
    )


def test_plan_says_why_no_images_can_be_generated(priced: Site, run) -> None:
    priced.options["gateway"] = {}
    plan = run("plan")
    assert plan.lines[-1] == "2 images: 2 missing; a build would generate 2 images (about $0.067)"
    assert plan.stderr.startswith("2 images are missing: AI_GATEWAY_API_KEY is not set (docs/")
    priced.options["budget"] = {"images": 1}
    assert run("plan").stderr == plan.stderr
    assert "AI_GATEWAY_API_KEY" in run("plan", "--json").json["refusal"]


def test_image_is_stale_when_the_quality_changes(priced: Site, run) -> None:
    priced.build()
    store_as_real_model(priced)
    priced.options["quality"] = "low"
    states = [each["state"] for each in run("plan", "--json").json["pictures"]]
    assert states == ["stale but usable", "sketch", "stale but usable"]
    assert run("plan").lines[0] == 'docs/index.md:3  stale  -  "A ferry"'


@pytest.mark.parametrize("pages", [("a.md", "b.md"), ("b.md", "a.md")])
def test_image_is_missing_when_it_is_stale_elsewhere(priced: Site, run, pages) -> None:
    priced.build()
    store_as_real_model(priced)
    (priced.docs / "guide/one.md").unlink()
    priced.options["quality"] = "low"
    priced.write("index.md", "# Page\n")
    stale, exact = pages
    priced.write(stale, f"# Page\n\n{fence('A ferry')}")
    priced.write(exact, f"# Page\n\n{fence('A ferry', quality='low')}")
    plan = run("plan", "--json").json
    states = {each["page"]: each["state"] for each in plan["pictures"]}
    assert states == {f"docs/{stale}": "stale but usable", f"docs/{exact}": "missing"}
    assert plan["makes"] == 1
    assert run("plan").lines[-1] == ("1 image: 1 missing; a build generates 1 image (about $0.006)")
    assert run("check", code=1).lines[-1] == "1 of 1 image is missing or invalid"
    priced.options["budget"] = {"images": 0}
    states = [each["state"] for each in run("plan", "--json").json["pictures"]]
    assert sorted(states) == ["over budget", "stale but usable"]


def test_sketch_is_told_from_an_image(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    emulated.build()
    assert run("plan").lines == [
        'docs/index.md:3  sketch  -  "A ferry"',
        "1 image: 1 sketch; no images to generate",
    ]


def test_plan_of_a_site_without_images_is_one_line(emulated: Site, run) -> None:
    emulated.write("index.md", "# Page\n")
    assert run("plan").lines == ["no images"]


def test_invalid_directive_is_listed_with_its_error(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry', sise='1x1')}")
    line = run("plan").lines[0]
    assert line.startswith("docs/index.md:3  invalid  -  ")
    assert 'did you mean "size"?' in line


def test_size_that_the_model_does_not_support_is_listed_as_invalid(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A crane', size='640x480')}")
    line = run("plan").lines[0]
    assert line.startswith("docs/index.md:3  invalid  -  ")
    assert '"640x480"' in line
    assert '"640x480"' in run("generate", code=1).stderr


def test_pair_of_a_light_and_a_dark_image_counts_as_two(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A crane', dark='at night')}")
    plan = run("plan", "--json").json
    assert (plan["makes"], Decimal(plan["usd"])) == (2, Decimal("0.030"))


def test_fences_that_begin_alike_have_their_own_lines(emulated: Site, run) -> None:
    fences = [fence(f"Number {each}\nand more", size="1024x1024") for each in range(3)]
    emulated.write("index.md", "# Page\n\n" + "".join(fences))
    lines = [line.partition("  ")[0] for line in run("plan").lines[:3]]
    assert lines == ["docs/index.md:3", "docs/index.md:10", "docs/index.md:17"]


def test_sketches_are_planned_at_no_cost(site: Site, run) -> None:
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
    assert run("plan").lines[-1] == ("2 images: 2 missing; a build generates 2 images (at no cost)")
    assert run("plan", "--json").json["unpriced"] == 0


def test_image_of_unknown_price_is_counted(emulated: Site, run) -> None:
    emulated.options["model"] = "acme/painter"
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    assert run("plan").lines == [
        'docs/index.md:3  missing  price unknown  "A ferry"',
        "1 image: 1 missing; a build generates 1 image (price unknown)",
    ]
    assert run("plan", "--json").json["unpriced"] == 1


@pytest.mark.parametrize("asked", [0, 1e9])
def test_price_in_the_list_of_the_server_is_planned(emulated: Site, run, asked: float) -> None:
    emulated.options["model"] = "acme/painter"
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', size='640x480')}")
    cost = {"usd": "0.03", "size": "1536x1024", "quality": ""}
    offer = {"model": "acme/painter", "price": "", "ends": None, "costs": [cost]}
    path = emulated.folder / ".cache/plugin/imagegen/offers.json"
    path.parent.mkdir(parents=True)
    server = emulated.options["gateway"]["url"]
    path.write_text(json.dumps({"server": server, "asked": asked, "offers": [offer]}))
    assert run("plan").lines == [
        'docs/index.md:3  missing  $0.03  "A ferry"',
        'docs/index.md:7  missing  price unknown  "A crane"',
        "2 images: 2 missing; a build generates 2 images (about $0.03, price of 1 unknown)",
    ]
    prices = [each["price_usd"] for each in run("check", "--json", code=1).json["lacking"]]
    assert prices == ["0.03", None]


@pytest.fixture
def styled(emulated: Site) -> Site:
    emulated.options["style"] = "Ink on paper."
    emulated.options["presets"] = {"plate": {"style": "An old plate.", "quality": "high"}}
    emulated.options["prompts"] = {"hero": {"prompt": "A ferry", "size": "1024x1024"}}
    emulated.write(
        "index.md",
        "# Page\n\n![Boat](imagegen:hero){ preset=plate #boat }\n\n"
        f"{fence('A crane', dark='at night')}",
    )
    return emulated


@pytest.mark.usefixtures("styled")
def test_explanation_names_the_origin_of_each_part_and_option(run) -> None:
    explanation = run("plan", "--explain", "index.md#boat", "--json").json
    assert list(explanation) == [
        *("place", "state", "keys", "prompts", "originals", "parts", "options")
    ]
    assert explanation["prompts"] == ["A ferry\n\nAn old plate."]
    parts = [(part["role"], part["origin"]) for part in explanation["parts"]]
    assert parts == [
        ("subject", 'the named prompt "hero" in mkdocs.yml'),
        ("style", 'preset "plate", named by the image'),
    ]
    options = {each["option"]: (each["value"], each["origin"]) for each in explanation["options"]}
    assert options["size"] == ("1024x1024", 'the named prompt "hero" in mkdocs.yml')
    assert options["quality"] == ("high", 'preset "plate", named by the image')
    assert options["background"] == ("auto", "the default")


@pytest.mark.usefixtures("styled")
def test_explanation_is_printed_as_text(run) -> None:
    lines = run("plan", "--explain", "index.md:5").lines
    keys = run("plan", "--explain", "index.md:5", "--json").json["keys"]
    light, dark = (key[:16] for key in keys)
    assert lines[0] == f"docs/index.md:5: missing, cache key {light}, {dark} in dark mode"
    assert lines[2:7:4] == ["A crane", "A crane"]
    assert "style  mkdocs.yml: style  Ink on paper." in lines
    assert "dark  the image  at night" in lines


def test_explanation_names_the_original(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry', dark='at night')}")
    emulated.build()
    originals = run("plan", "--explain", "index.md", "--json").json["originals"]
    assert {Path(each).parent.parent for each in originals} == {emulated.originals}
    lines = run("plan", "--explain", "index.md").lines
    assert lines[1:4] == [*(f"original: {each}" for each in originals), ""]


@pytest.mark.usefixtures("styled")
def test_explanation_of_a_location_without_an_image_is_an_error(run) -> None:
    problem, hint, nearest, *_ = run("plan", "--explain", "index.md:7", code=2).error
    assert problem == 'Error: no image at "index.md:7"'
    assert hint == "hint: the nearest are:"
    assert "docs/index.md:5" in nearest


def test_plan_names_a_misspelled_model(priced: Site, run) -> None:
    """Also on a site that draws sketches, whose emulator accepts every model."""
    priced.options.update({"gateway": {"url": "sketch:"}, "model": "gpt-image-2"})
    assert run("plan").stderr == (
        'imagegen: mkdocs.yml: "gpt-image-2" is not a known model ID; did you mean '
        '"openai/gpt-image-2"?\n'
    )


def test_images_that_a_build_refuses_are_not_counted(paid_site: PaidSite) -> None:
    """The original of the first image is in git, and not in the work tree."""
    paid_site.write_prompts("A ferry")
    paid_site.build()
    commit_all(paid_site.folder)
    shutil.rmtree(paid_site.originals)
    shutil.rmtree(paid_site.folder / ".cache")
    paid_site.write_prompts("A ferry", "A crane")
    paid_site.options["budget"] = {"images": 1}
    plan, dry_run = paid_site.command("plan"), paid_site.command("generate", "--dry-run")
    assert "\n2 images: 2 missing; a build generates 1 image (" in plan.stdout
    assert "\nwould generate 1 image (" in dry_run.stdout
    for output in (plan.output, dry_run.output):  # of both streams, also with click 8.1
        assert "docs/index.md:3: the image is missing: the original is in git, but not" in output
        assert "docs/index.md:7:" not in output  # only its row in the table
    assert paid_site.requests_of_build() == 1
