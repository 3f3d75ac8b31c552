"""`generate`: makes what is missing, as far as it is told to, and nothing else."""

from __future__ import annotations

import json

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve
from mkdocs_imagegen.options import SKETCH_MODEL
from tests.cli.conftest import fence, interrupted
from tests.cli.originals import pretend_that_a_real_model_drew
from tests.support import Site


@pytest.fixture
def paged(drawn: Site) -> Site:
    drawn.options["model"], drawn.options["size"] = SKETCH_MODEL, "64x64"  # quickly drawn
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}")
    drawn.write("guide/one.md", f"# One\n\n{fence('A crane')}{fence('A buoy')}")
    drawn.write("guide/two.md", f"# Two\n\n{fence('A tug')}")
    return drawn


def original(site: Site) -> list[str]:
    records = map(json.loads, (path.read_text() for path in site.originals.rglob("*.json")))
    return sorted(each["prompt"] for each in records)


def test_everything_missing_is_made_once(paged: Site, run, emulator: Emulator) -> None:
    done = run("generate")
    assert [line.split()[1] for line in done.lines[:4]] == ["made"] * 4
    assert "4 sketches drawn" in done.lines[-1]
    assert len(original(paged)) == 4
    assert "4 images: 4 sketches reused" in run("generate").lines[-1]
    assert emulator.bill.images == 4
    assert not (paged.folder / "site").exists()


def test_a_build_after_it_makes_nothing(paged: Site, run, emulator: Emulator) -> None:
    run("generate")
    built = paged.build(strict=True)
    assert emulator.bill.images == 4
    assert len(built.images()) > 0


@pytest.mark.parametrize(
    ("pages", "prompts"),
    [
        (["index.md"], ["A ferry"]),
        (["guide"], ["A buoy", "A crane", "A tug"]),
        (["docs/guide/two.md", "index.md"], ["A ferry", "A tug"]),
        (["guide/*.md"], ["A buoy", "A crane", "A tug"]),
        (["./guide/two.md"], ["A tug"]),
    ],
)
def test_only_the_pages_that_were_named(paged: Site, run, pages, prompts) -> None:
    run("generate", *pages)
    assert original(paged) == prompts


@pytest.mark.usefixtures("paged")
def test_a_page_without_images_is_a_mistake(run, emulator: Emulator) -> None:
    assert "no page with an image matches gide" in run("generate", "gide", code=2).told
    assert emulator.bill.images == 0


def test_budgets_of_the_command_count(paged: Site, run, emulator: Emulator) -> None:
    del paged.options["model"], paged.options["size"]
    done = run("generate", "--budget-images", "2", code=1)
    assert emulator.bill.images == len(original(paged)) == 2
    assert done.told.count("exceeds the budget of") == 2
    run("generate", "--budget-usd", "0.02", code=1)
    assert emulator.bill.images == 3


@pytest.mark.usefixtures("paged")
@pytest.mark.parametrize("usd", ["-1", "much", "1e9"])
def test_a_budget_that_is_none_is_refused(run, usd, emulator: Emulator) -> None:
    assert "--budget-usd" in run("generate", f"--budget-usd={usd}", code=2).told
    assert list(emulator.log) == []


@pytest.mark.usefixtures("paged")
def test_dry_run_makes_nothing(run, emulator: Emulator) -> None:
    done = run("generate", "guide", "--dry-run")
    assert len(done.lines) == 4
    assert done.lines[-1].startswith("would make 3 for about $0.00")
    assert list(emulator.log) == []
    assert run("generate", "guide", "--dry-run", "--json").json["makes"] == 3


def test_upgrade_makes_anew_what_is_stale(paged: Site, run, emulator: Emulator) -> None:
    run("generate")
    pretend_that_a_real_model_drew(paged)
    paged.options["quality"] = "low"
    run("generate")
    assert emulator.bill.images == 4
    assert run("generate", "--upgrade", "--dry-run", "--json").json["makes"] == 4
    run("generate", "--upgrade", "index.md")
    assert emulator.bill.images == 5
    states = [each["state"] for each in run("plan", "--json").json["pictures"]]
    assert sorted(states) == ["sketch", *["stale but usable"] * 3]


def test_refused_prompts_are_asked_again_only_when_told(drawn: Site, run) -> None:
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}")
    refusing = Emulator(plan=["moderation-blocked"], require_key=False)
    with serve(refusing) as server:
        drawn.options["gateway"]["url"] = server.url
        run("generate", code=1)
        assert run("plan", "--json").json["pictures"][0]["state"] == "refused"
        run("generate", code=1)
        assert refusing.bill.images == 0
        asked = len(refusing.log)
        run("generate", "--retry-refused")
    assert (len(refusing.log), refusing.bill.images) == (asked + 1, 1)


def test_dry_run_says_what_would_come_in_the_way(paged: Site, run) -> None:
    paged.options["gateway"] = {}
    paged.write("more.md", f"# More\n\n{fence('A cup', sise='1x1')}")
    lines = run("generate", "--dry-run").lines
    assert any('did you mean "size"?' in line for line in lines)
    assert "but not here: AI_GATEWAY_API_KEY is not set" in lines[-1]


def test_a_sketch_that_the_model_would_refuse_is_told(paged: Site, run) -> None:
    paged.options["gateway"] = {"url": "sketch:"}
    del paged.options["model"]
    paged.write("more.md", f"# More\n\n{fence('A cup', quality='hihg')}")
    told = 'docs/more.md:3: image prompt: a sketch is shown, but quality "hihg"'
    assert told in run("generate").told
    assert told not in run("plan").told


@pytest.mark.usefixtures("paged")
def test_json_is_the_report(run) -> None:
    told = run("generate", "--json").json
    assert [each["state"] for each in told["pictures"]] == ["made"] * 4
    assert told["bill"][0]["pictures"] == 4


def test_without_permission_it_says_why(paged: Site, run) -> None:
    paged.options["gateway"] = {}
    assert "nothing is made: AI_GATEWAY_API_KEY is not set" in run("generate", code=2).told
    paged.options["generate"] = False
    assert "generate is false" in run("generate", code=2).told


def test_an_interrupt_keeps_what_was_paid_for(site: Site) -> None:
    prompts = "".join(fence(f"Prompt {number}") for number in range(12))
    site.write("index.md", f"# Page\n\n{prompts}")
    slow = Emulator(latency_s=1.0, require_key=False)
    with serve(slow) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options["concurrency"] = 3
        code, told = interrupted(site, slow, "generate")
    assert (code, "what was paid for is stored" in told) == (130, True), told
    assert "Traceback" not in told
    assert 0 < slow.bill.images < 12
    assert len(original(site)) == slow.bill.images


def test_pages_are_named_from_the_docs_folder_or_as_plan_prints_them(drawn: Site, run) -> None:
    drawn.docs.rename(drawn.folder / "content")
    drawn.docs = drawn.folder / "content"
    drawn.config["docs_dir"] = "content"
    drawn.write("guide/one.md", f"# One\n\n{fence('A ferry')}")
    drawn.write("two.md", f"# Two\n\n{fence('A crane')}")
    assert "would make 1 " in run("generate", "--dry-run", "guide/one.md").lines[-1]
    assert "would make 1 " in run("generate", "--dry-run", "content/guide/one.md").lines[-1]
    assert "would make 1 " in run("generate", "--dry-run", "guide").lines[-1]
    assert "would make 2 " in run("generate", "--dry-run", "content/").lines[-1]
    assert "matches three.md" in run("generate", "--dry-run", "two.md", "three.md", code=2).told


def test_a_prompt_on_several_pages_is_made_for_the_one_that_was_named(paged: Site, run) -> None:
    paged.write("index.md", f"# Page\n\n{fence('A tug')}")
    run("generate")
    (record,) = (path for path in paged.originals.rglob("*.json") if "A tug" in path.read_text())
    record.write_text("broken")
    done = run("generate", "index.md")
    assert "1 sketch drawn" in done.lines[-1]


def test_previews_of_other_pages_are_not_made(paged: Site, run) -> None:
    front = "---\nimagegen:\n  preview: A preview\n  preview_position: top\n---\n"
    paged.write("other.md", f"{front}# Other\n")
    run("generate", "index.md")
    assert original(paged) == ["A ferry"]
    run("generate", "other.md")
    assert original(paged) == ["A ferry", "A preview"]
