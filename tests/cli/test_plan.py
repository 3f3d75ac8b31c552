"""`plan` and `check`: they tell, and change nothing."""

from __future__ import annotations

import re
import socket
from decimal import Decimal

import pytest
from click.testing import CliRunner

from mkdocs_imagegen.cli.main import main
from mkdocs_imagegen.emulator.protocol import Emulator
from tests.cli.conftest import fence
from tests.cli.originals import pretend_that_a_real_model_drew
from tests.support import Site


@pytest.fixture
def priced(drawn: Site) -> Site:
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', quality='high')}")
    drawn.write("guide/one.md", f"# One\n\n{fence('A ferry')}")
    return drawn


@pytest.mark.usefixtures("priced")
def test_each_place_is_told_with_its_state_and_price(run) -> None:
    lines = run("plan").lines
    assert lines[:3] == [
        'docs/index.md:3  missing  $0.015  "A ferry"',
        'docs/index.md:7  missing  $0.052  "A crane"',
        'docs/guide/one.md:3  missing  $0.015  "A ferry"',
    ]
    assert lines[3] == "2 images: 2 missing; a build makes 2 for about $0.067"


@pytest.mark.usefixtures("priced")
def test_json_tells_the_same(run) -> None:
    told = run("plan", "--json").json
    assert (told["makes"], Decimal(told["usd"]), told["unpriced"]) == (2, Decimal("0.067"), 0)
    assert [each["state"] for each in told["pictures"]] == ["missing"] * 3
    assert [each["line"] for each in told["pictures"]] == [3, 7, 3]


def test_nothing_is_spent_and_nothing_is_touched(
    priced: Site, run, emulator: Emulator, snapshot
) -> None:
    priced.save()
    priced.build()
    before, seen = snapshot(), len(emulator.log)
    priced.write("more.md", f"# More\n\n{fence('A buoy')}")
    before |= {"docs/more.md": snapshot()["docs/more.md"]}
    assert "1 missing" in run("plan").lines[-1]
    run("check", code=1)
    run("generate", "--dry-run")
    assert snapshot() == before
    assert len(emulator.log) == seen


def test_a_site_that_was_never_built_stays_so(priced: Site, run, snapshot) -> None:
    priced.save()
    before = snapshot()
    run("plan")
    run("check", code=1)
    assert snapshot() == before
    assert not (priced.folder / "site").exists()


def test_what_the_budget_does_not_hold_is_told_apart(priced: Site, run) -> None:
    priced.options["budget"] = {"usd": 0.02}
    lines = run("plan").lines
    assert [re.split(r" {2,}", line)[1] for line in lines[:3]] == [
        "missing",
        "over budget",
        "missing",
    ]
    assert lines[3].endswith("1 missing, 1 over budget; a build makes 1 for about $0.015")


def test_without_a_key_the_plan_says_so(priced: Site, run) -> None:
    priced.options["gateway"] = {}
    assert "but not here: AI_GATEWAY_API_KEY is not set" in run("plan").lines[-1]
    assert "is not set" in run("plan", "--json").json["refusal"]


def test_a_changed_quality_makes_it_stale_and_not_missing(priced: Site, run) -> None:
    priced.build()
    pretend_that_a_real_model_drew(priced)
    priced.options["quality"] = "low"
    assert [each["state"] for each in run("plan", "--json").json["pictures"]] == [
        "stale but usable",
        "sketch",
        "stale but usable",
    ]


def test_a_sketch_is_told_from_a_image(drawn: Site, run) -> None:
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}")
    drawn.build()
    assert run("plan").lines == [
        'docs/index.md:3  sketch  -  "A ferry"',
        "1 image: 1 sketch; none to make",
    ]


def test_a_mistake_is_planned_as_one(drawn: Site, run) -> None:
    drawn.write("index.md", f"# Page\n\n{fence('A ferry', sise='1x1')}")
    line = run("plan").lines[0]
    assert line.startswith("docs/index.md:3  mistake  -  ")
    assert 'did you mean "size"?' in line
    assert run("check", code=1).lines[-1] == (
        "1 of 1 image is not there; `mkdocs-imagegen plan` tells why"
    )


def test_the_second_language_is_seen(drawn: Site, run) -> None:
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}")
    drawn.write("index.de.md", f"# Seite\n\n{fence('A crane')}")
    languages = [
        {"locale": "en", "name": "English", "default": True, "build": True},
        {"locale": "de", "name": "Deutsch", "build": True},
    ]
    drawn.config["plugins"].append({"i18n": {"docs_structure": "suffix", "languages": languages}})
    locations = {each["page"] for each in run("plan", "--json").json["pictures"]}
    assert locations == {"docs/index.md", "docs/index.de.md"}


def test_check_is_content_when_all_is_there(priced: Site, run) -> None:
    priced.build()
    assert run("check").lines == ["all there"]
    assert run("check", "--json").json == {"ok": True, "skip_or_fail": []}


@pytest.mark.usefixtures("priced")
def test_check_names_what_is_not_there(run) -> None:
    done = run("check", "--json", code=1).json
    assert not done["ok"]
    assert [each["line"] for each in done["skip_or_fail"]] == [3, 7, 3]


@pytest.mark.usefixtures("priced")
def test_check_opens_no_socket(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    run("check", code=1)
    run("plan")


def test_a_site_without_the_plugin_is_told_so(site: Site, run) -> None:
    site.config["plugins"] = ["search"]
    assert "does not list the plugin" in run("plan", code=2).told


def test_a_mistake_in_the_configuration_ends_with_2(site: Site, run) -> None:
    site.options["modle"] = "a/b"
    done = run("plan", code=2)
    assert "Traceback" not in done.told


def test_every_command_has_help_with_an_example(run_alone) -> None:
    said = run_alone("--help").said
    for name in main.commands:
        assert re.search(rf"^ +{name} ", said, re.MULTILINE), name
    assert "Examples:" in run_alone("plan", "--help").said


def test_the_shell_completes_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "mkdocs-imagegen ca")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_MKDOCS_IMAGEGEN_COMPLETE", "bash_complete")
    said = CliRunner().invoke(main, prog_name="mkdocs-imagegen").stdout
    assert said.split() == ["plain,candidates"]


@pytest.fixture
def styled(drawn: Site) -> Site:
    drawn.options["style"] = "Ink on paper."
    drawn.options["presets"] = {"plate": {"style": "An old plate.", "quality": "high"}}
    drawn.options["prompts"] = {"hero": {"prompt": "A ferry", "size": "1024x1024"}}
    drawn.write(
        "index.md",
        "# Page\n\n![Boat](imagegen:hero){ preset=plate #boat }\n\n"
        f"{fence('A crane', dark='at night')}",
    )
    return drawn


@pytest.mark.usefixtures("styled")
def test_every_part_and_option_is_told_with_where_it_stands(run) -> None:
    told = run("plan", "--explain", "index.md#boat", "--json").json
    assert told["prompts"] == ["A ferry\n\nAn old plate."]
    parts = [(part["role"], part["origin"]) for part in told["parts"]]
    assert parts == [
        ("subject", 'the named prompt "hero" in mkdocs.yml'),
        ("style", 'preset "plate", named by the image'),
    ]
    options = {each["option"]: (each["value"], each["origin"]) for each in told["options"]}
    assert options["size"] == ("1024x1024", 'the named prompt "hero" in mkdocs.yml')
    assert options["quality"] == ("high", 'preset "plate", named by the image')
    assert options["background"] == ("auto", "the default")


@pytest.mark.usefixtures("styled")
def test_an_explanation_reads_as_text(run) -> None:
    lines = run("plan", "--explain", "index.md:5").lines
    assert lines[0].startswith("docs/index.md:5: missing, key ")
    assert lines[2:7:4] == ["A crane", "A crane"]
    assert "style  mkdocs.yml: style  Ink on paper." in lines
    assert "dark  the image  at night" in lines


@pytest.mark.usefixtures("styled")
def test_a_place_without_a_image_is_told_with_what_is_near(run) -> None:
    told = run("plan", "--explain", "index.md:7", code=2).told
    assert 'no image at "index.md:7"' in told
    assert "docs/index.md:5" in told


def test_a_pair_for_light_and_dark_is_planned_as_two(drawn: Site, run) -> None:
    drawn.write("index.md", f"# Page\n\n{fence('A crane', dark='at night')}")
    told = run("plan", "--json").json
    assert (told["makes"], Decimal(told["usd"])) == (2, Decimal("0.030"))


def test_a_mistake_is_told_with_its_reason(drawn: Site, run) -> None:
    drawn.write("index.md", f"# Page\n\n{fence('A crane', size='640x480')}")
    assert "openai/gpt-image-1-mini does not support" in run("plan").lines[0]
    run("check", code=1)
    assert "does not support" in run("generate", code=1).told


def test_fences_that_begin_alike_are_told_by_their_own_lines(drawn: Site, run) -> None:
    fences = [fence(f"Number {each}\nand more", size="1024x1024") for each in range(3)]
    drawn.write("index.md", "# Page\n\n" + "".join(fences))
    lines = [line.partition("  ")[0] for line in run("plan").lines[:3]]
    assert lines == ["docs/index.md:3", "docs/index.md:10", "docs/index.md:17"]


def test_sketches_are_made_for_nothing(site: Site, run) -> None:
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
    assert run("plan").lines[-1] == "2 images: 2 missing; a build makes 2 for nothing"
    assert run("plan", "--json").json["unpriced"] == 0
