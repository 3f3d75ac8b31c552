"""The command `generate`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from tests.cli.conftest import Ran
from tests.cli.support import MAX_S, command, environ_of, fence, interrupt, store_as_real_model
from tests.soak.builds.sites import SiteState
from tests.support import Site


@pytest.fixture
def pages(emulated: Site) -> Site:
    emulated.options["model"], emulated.options["size"] = SKETCH_MODEL, "64x64"
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    emulated.write("guide/one.md", f"# One\n\n{fence('A crane')}{fence('A buoy')}")
    emulated.write("guide/two.md", f"# Two\n\n{fence('A tug')}")
    return emulated


def prompts_of(site: Site) -> list[str]:
    records = map(json.loads, (path.read_text() for path in site.records))
    return sorted(each["prompt"] for each in records)


def test_generate_requests_each_missing_image_once(pages: Site, run, emulator: Emulator) -> None:
    lines = run("generate").lines
    assert [line.split()[1] for line in lines[:4]] == ["generated"] * 4
    assert lines[4].startswith("4 images: 4 sketches drawn")
    assert len(prompts_of(pages)) == 4
    assert run("generate").lines == ["4 images: 4 sketches reused"]
    assert emulator.bill.images == 4
    assert not (pages.folder / "site").exists()


def test_build_after_generate_makes_no_request(pages: Site, run, emulator: Emulator) -> None:
    run("generate")
    built = pages.build(strict=True)
    assert emulator.bill.images == 4
    assert len(built.images()) > 0


@pytest.mark.parametrize(
    ("names", "prompts"),
    [
        (["index.md"], ["A ferry"]),
        (["guide"], ["A buoy", "A crane", "A tug"]),
        (["docs/guide/two.md", "index.md"], ["A ferry", "A tug"]),
        (["guide/*.md"], ["A buoy", "A crane", "A tug"]),
        (["./guide/two.md"], ["A tug"]),
    ],
)
def test_generate_is_limited_to_the_named_pages(pages: Site, run, names, prompts) -> None:
    run("generate", *names)
    assert prompts_of(pages) == prompts


def test_pages_are_named_as_in_docs_dir_or_as_plan_prints_them(emulated: Site, run) -> None:
    emulated.docs.rename(emulated.folder / "content")
    emulated.docs = emulated.folder / "content"
    emulated.config["docs_dir"] = "content"
    emulated.write("guide/one.md", f"# One\n\n{fence('A ferry')}")
    emulated.write("two.md", f"# Two\n\n{fence('A crane')}")
    path = emulated.docs / "guide" / "one.md"
    for name in ("guide/one.md", "content/guide/one.md", "guide", path, os.path.relpath(path)):
        assert "would generate 1 image " in run("generate", "--dry-run", name).lines[-1]
    assert "would generate 2 images " in run("generate", "--dry-run", "content/").lines[-1]
    assert run("generate", "--dry-run", "two.md", "three.md", code=2).error == [
        'Error: no page with an image matches "three.md"',
        "hint: run `mkdocs-imagegen plan` for all locations",
    ]
    for name in ("two.md:3", "two.md#crane"):
        hint = run("generate", name, code=2).error[1]
        assert hint == "hint: name the page, two.md, or add --again to regenerate the image"
    hint = run("generate", "three.md:3", code=2).error[1]
    assert hint == "hint: run `mkdocs-imagegen plan` for all locations"


@pytest.mark.usefixtures("pages")
def test_page_without_images_is_an_error(run, emulator: Emulator) -> None:
    (problem, _) = run("generate", "gide", code=2).error
    assert problem == 'Error: no page with an image matches "gide"'
    assert emulator.bill.images == 0


def test_prompt_on_several_pages_is_generated_for_a_named_one(pages: Site, run) -> None:
    pages.write("index.md", f"# Page\n\n{fence('A tug')}")
    run("generate", "guide/one.md")
    assert run("generate", "index.md").lines[-1].startswith("1 image: 1 sketch drawn")


def test_preview_is_generated_only_for_a_named_page(pages: Site, run) -> None:
    front = "---\nimagegen:\n  preview: A preview\n  preview_position: top\n---\n"
    pages.write("other.md", f"{front}# Other\n")
    run("generate", "index.md")
    assert prompts_of(pages) == ["A ferry"]
    run("generate", "other.md")
    assert prompts_of(pages) == ["A ferry", "A preview"]


def test_budget_of_the_command_replaces_that_of_the_site(
    pages: Site, run, emulator: Emulator
) -> None:
    del pages.options["model"], pages.options["size"]
    lines = run("generate", "--budget-images", "2", code=1).lines
    assert emulator.bill.images == len(prompts_of(pages)) == 2
    assert "2 over budget (about $0.03)" in lines[-1]
    run("generate", "--budget-usd", "0.02", code=1)
    assert emulator.bill.images == 3


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("usd", ["-1", "much", "1e9"])
def test_invalid_budget_is_an_error(run, usd, emulator: Emulator) -> None:
    assert "--budget-usd" in run("generate", f"--budget-usd={usd}", code=2).stderr
    assert list(emulator.log) == []


@pytest.mark.usefixtures("pages")
def test_dry_run_makes_no_request(run, emulator: Emulator) -> None:
    lines = run("generate", "guide", "--dry-run").lines
    assert len(lines) == 4
    assert lines[-1] == "would generate 3 images (price unknown)"
    assert list(emulator.log) == []


@pytest.mark.usefixtures("pages")
def test_dry_run_prints_json(run) -> None:
    result = run("generate", "guide", "--dry-run", "--json").json
    assert result == {"makes": 3, "usd": "0", "unpriced": 3, "refusal": ""}


def test_dry_run_lists_invalid_directives_and_the_refusal(pages: Site, run) -> None:
    pages.options["gateway"] = {}
    pages.write("more.md", f"# More\n\n{fence('A cup', sise='1x1')}")
    lines = run("generate", "--dry-run").lines
    assert any('did you mean "size"?' in line for line in lines)
    assert lines[-1] == "would generate 4 images (price unknown)"
    assert "4 images are missing: AI_GATEWAY_API_KEY is not" in run("generate", "--dry-run").stderr


def test_upgrade_regenerates_stale_images(pages: Site, run, emulator: Emulator) -> None:
    run("generate")
    store_as_real_model(pages)
    pages.options["quality"] = "low"
    run("generate")
    assert emulator.bill.images == 4
    assert run("generate", "--upgrade", "--dry-run", "--json").json["makes"] == 4
    run("generate", "--upgrade", "index.md")
    assert emulator.bill.images == 5
    states = [each["state"] for each in run("plan", "--json").json["pictures"]]
    assert sorted(states) == ["sketch", *["stale but usable"] * 3]


def test_refused_prompt_is_retried_only_with_the_option(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    refusing = Emulator(plan=["moderation-blocked"], require_key=False)
    with EmulatorServer(refusing) as server:
        emulated.options["gateway"]["url"] = server.url
        run("generate", code=1)
        assert run("plan", "--json").json["pictures"][0]["state"] == "refused"
        run("generate", code=1)
        assert refusing.bill.images == 0
        requests = len(refusing.log)
        run("generate", "--retry-refused")
    assert (len(refusing.log), refusing.bill.images) == (requests + 1, 1)


def test_sketch_with_an_unsupported_option_is_noted_by_generate(pages: Site, run) -> None:
    pages.options["gateway"] = {"url": "sketch:"}
    del pages.options["model"]
    pages.write("more.md", f"# More\n\n{fence('A cup', quality='hihg')}")
    assert '"hihg"' in run("generate").stderr
    assert '"hihg"' not in run("plan").stderr


@pytest.mark.usefixtures("pages")
def test_generate_prints_the_report_as_json(run) -> None:
    report = run("generate", "--json").json
    assert [each["state"] for each in report["pictures"]] == ["made"] * 4
    assert report["bill"][0]["pictures"] == 4


def test_generate_without_permission_is_an_error(pages: Site, run) -> None:
    pages.options["gateway"] = {}
    error = run("generate", code=2).error
    listed = "(docs/index.md:3, docs/guide/one.md:3, docs/guide/one.md:7, 1 more)"
    assert error[0] == f"Error: 4 images are missing: AI_GATEWAY_API_KEY is not set {listed}"
    assert error[1].startswith("hint: set it, ")
    pages.options["generate"] = False
    assert run("generate", code=2).error == [
        f"Error: 4 images are missing: generate is false {listed}",
        "hint: set `generate: auto` or `on_missing: placeholder`",
    ]


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_finishes_and_stores_images_in_progress(site: Site, with_signal) -> None:
    prompts = "".join(fence(f"Prompt {number}") for number in range(12))
    site.write("index.md", f"# Page\n\n{prompts}")
    slow = Emulator(latency_s=1.0, require_key=False)
    with EmulatorServer(slow) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options["concurrency"] = 3
        code, stdout, stderr = interrupt(site, slow, "generate", with_signal=with_signal)
    assert (code, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "interrupted; finished images are stored"
    assert "Traceback" not in stderr
    assert 0 < slow.bill.images < 12
    assert len(SiteState(site).stored_prompts()) == slow.bill.images
    assert SiteState(site).open_intents() == []


def test_run_after_a_killed_one_tells_the_requests_in_progress(
    site: Site, run_alone: Callable[..., Ran]
) -> None:
    site.write("index.md", "".join(fence(f"Prompt {number}") for number in range(6)))
    slow = Emulator(latency_s=1.0, require_key=False)
    with EmulatorServer(slow) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options["concurrency"] = 2
        site.save()
        process = subprocess.Popen(command("generate"), cwd=site.folder, env=environ_of({}))
        try:
            end = time.monotonic() + MAX_S
            while slow.bill.images < 2:
                assert time.monotonic() < end
                assert process.poll() is None
                time.sleep(0.01)
            lost = {each.request.key: each.request for each in SiteState(site).open_intents()}
        finally:
            process.kill()
            process.wait()
        stderr = run_alone("generate", "--budget-images", "0", code=1).stderr
    assert lost
    for request in lost.values():
        assert f'"{request.prompt}"' in stderr
    attempts = SiteState(site).attempts
    assert set(attempts.cache_keys()) == set(lost)
    for key in lost:
        (attempt,) = attempts.find(key)
        assert (attempt.billing, attempt.counts) == ("unknown", False)
