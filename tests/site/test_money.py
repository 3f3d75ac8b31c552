"""Charges of builds: the budget, refused prompts, failures and crash recovery."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.errors import StoreError
from tests.paid import PaidEmulator, PaidSite
from tests.support import Built, Site
from tests.waiting import MAX_WAIT_S

NO_LIMIT = {"images": None, "usd": None}


def pages(site: Site, number: int) -> None:
    for each in range(number):
        site.write(f"page{each:02}.md", f"# Page\n\n```imagegen\nPrompt {each}\n```\n")


def build_with(site: Site, emulator: Emulator, **options: Any) -> Built:
    with EmulatorServer(emulator) as server:
        # One URL for all servers of a test: sketches are found by it.
        site.options["gateway"] = {"url": server.url, "auth": "none", "timeout": MAX_WAIT_S}
        site.options.update({"concurrency": 1, **options})
        return site.build()


def states(site: Site) -> list[str]:
    return [image["state"] for image in site.report()["pictures"]]


def test_budget_of_images_is_never_exceeded(site: Site) -> None:
    pages(site, 5)
    site.options["report"] = "report.json"
    emulator = Emulator(require_key=False)
    built = build_with(site, emulator, budget={"images": 2, "usd": None}, concurrency=4)
    assert emulator.bill.images == 2
    assert built.summary.endswith("3 over budget (about $0.045)")
    assert sorted(states(site)) == ["made"] * 2 + ["over budget"] * 3
    (over,) = [text for text in built.warnings if "budget" in text]
    assert over.startswith(
        "imagegen: 3 images are missing: no budget left for another image (2 of 2 images per run) ("
    )
    assert over.count("docs/page") == 3


def test_budget_in_dollars_counts_reported_charges(site: Site) -> None:
    pages(site, 5)
    emulator = Emulator(require_key=False)
    build_with(site, emulator, budget={"images": None, "usd": 0.05})
    assert 0 < emulator.bill.usd <= Decimal("0.05")
    assert emulator.bill.images < 5


def test_sketch_is_drawn_when_budget_is_zero(site: Site) -> None:
    pages(site, 3)
    site.options["budget"] = {"images": 0, "usd": 0}
    assert "3 sketches drawn" in site.build(strict=True).summary


def test_next_build_generates_images_that_were_over_budget(site: Site) -> None:
    pages(site, 3)
    emulator = Emulator(require_key=False)
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options["budget"] = {"images": 2}
        site.build()
        assert "1 sketch drawn" in site.build(strict=True).summary
    assert emulator.bill.images == 3


def test_run_is_stopped_after_five_charged_failures_in_a_row(site: Site) -> None:
    pages(site, 30)
    emulator = Emulator(plan=["bad-base64"] * 30, require_key=False)
    built = build_with(site, emulator, budget=NO_LIMIT)
    assert emulator.bill.images == 5
    assert built.summary.endswith("5 failed requests may have been charged (about $0.075)")
    (stopped,) = [text for text in built.warnings if "images are missing" in text]
    assert stopped.startswith(
        "imagegen: 30 images are missing: the run was stopped: 5 requests in a row returned no "
        "image and may have been charged (about $0.075), last error: the server's response cannot"
    )
    assert ", 27 more); the response is in " in stopped


def test_refused_prompt_is_requested_again_when_take_or_file_changes(
    site: Site,
) -> None:
    page = site.write("index.md", "# Page\n\n```imagegen\nA prompt\n```\n")
    site.options["report"] = "report.json"
    emulator = Emulator(plan=["moderation-blocked", "ok", "ok"], require_key=False)
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.build()
        assert states(site) == ["refused"]
        built = site.build()
        assert sum(seen.method == "POST" for seen in emulator.log) == 1
        assert states(site) == ["refused"]
        (warning,) = built.warnings
        assert "moderation refused the prompt" in warning
        assert "set another `take`" in warning
        page.write_text("# Page\n\n```imagegen\ntake: 2\n---\nA prompt\n```\n")
        assert "1 sketch drawn" in site.build(strict=True).summary
        page.write_text("# Page\n\n```imagegen\nA prompt\n```\n")
        (refusal,) = site.originals.rglob("*.attempts.json")
        assert str(refusal) in warning
        refusal.unlink()
        assert "1 sketch drawn" in site.build(strict=True).summary


def test_response_in_journal_is_stored_by_next_build_when_store_was_full(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pages(site, 8)
    emulator = Emulator(require_key=False)
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options.update({"concurrency": 1, "variants": {"widths": [1536], "formats": ["jpeg"]}})
        with monkeypatch.context() as patch:
            patch.setattr("tempfile.tempdir", str(tmp_path))
            patch.setattr("mkdocs_imagegen.originals.store.OriginalStore.put", _full)
            built = site.build()
        generated = emulator.bill.images
        assert 0 < generated < 8  # the run stops when an image cannot be stored
        assert len(built.images()) == generated
        rescued = [text for text in built.warnings if text.endswith("the next build stores it")]
        assert len(rescued) == generated
        again = site.build()
    assert emulator.bill.images == 8
    stored = [text for text in again.infos if "stored an image that an earlier build" in text]
    assert len(stored) == generated
    assert f"{8 - generated} sketches drawn" in again.summary
    assert list((site.originals / "work/journal").iterdir()) == []


def _full(*_: object, **__: object) -> None:
    raise StoreError("no space left")


def test_request_with_unknown_outcome_is_reported_and_listed(site: Site) -> None:
    pages(site, 1)
    emulator = Emulator(plan=["cut", "ok"], require_key=False)
    built = build_with(site, emulator)
    assert "1 failed request may have been charged (about $0.015)" in built.summary
    (path,) = site.originals.glob("??/*.attempts.json")
    (attempt,) = json.loads(path.read_text())
    assert attempt["billing"] == "unknown"
    assert attempt["cost_usd"] == "0.015"


def test_languages_of_a_run_share_a_budget(site: Site) -> None:
    pages(site, 3)
    for page in site.docs.glob("*.md"):
        page.with_suffix(".de.md").write_text(page.read_text().replace("Prompt", "Bild"))
    languages = [
        {"locale": "en", "default": True, "name": "English"},
        {"locale": "de", "name": "Deutsch"},
    ]
    site.config["plugins"].append({"i18n": {"docs_structure": "suffix", "languages": languages}})
    emulator = Emulator(require_key=False)
    build_with(site, emulator, budget={"images": 4, "usd": None})
    assert emulator.bill.images == 4


def test_images_of_earlier_runs_count_in_the_month(paid_site: PaidSite, paid: PaidEmulator) -> None:
    month = {**NO_LIMIT, "images_per_month": 5}
    paid_site.write_prompts("One", "Two", "Three")
    assert paid_site.requests_of_build(budget=month) == 3
    paid.fault = "bad-base64"
    paid_site.write_prompts("One", "Two", "Three", "Four")
    assert paid_site.requests_of_build() == 1
    paid.fault = "ok"
    paid_site.write_prompts(*"ABCDE", "One", "Two", "Three")
    plan = paid_site.command("plan")
    assert "a build generates 1 image " in plan.output
    assert paid_site.requests_of_build() == 1
    assert paid_site.states.count("over budget") == 4
    (warning,) = (text for text in paid_site.built.warnings if "budget" in text)
    assert "(5 of 5 images per calendar month)" in warning
    assert "raise `budget.images_per_month`, or build again next month" in warning
    assert paid_site.requests_of_build() == 0
    done = paid_site.command("generate")
    assert "per calendar month" in done.output
    assert paid.requests == 5
    for path in paid_site.records:
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "created": "2026-01-01T00:00:00Z"}))
    assert paid_site.requests_of_build() == 4


def test_spend_of_earlier_runs_counts_in_the_month(paid_site: PaidSite) -> None:
    paid_site.write_prompts("One", "Two", "Three")
    month = {**NO_LIMIT, "usd_per_month": 0.17}  # an image costs $0.041
    assert paid_site.requests_of_build(budget=month) == 3
    paid_site.write_prompts(*"ABCDE", "One", "Two", "Three")
    assert paid_site.requests_of_build() == 1
    assert any("per calendar month)" in text for text in paid_site.built.warnings)
