"""`plan --since` and `gallery --since`, in real repositories with images that were charged."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import fence
from tests.paid import PaidSite, paid_gateway
from tests.repository import commit_all, git


@pytest.fixture
def site(tmp_path: Path, monkeypatch) -> Iterator[PaidSite]:
    """A committed site with three images on two pages."""
    with paid_gateway(monkeypatch) as emulator:
        site = PaidSite(tmp_path / "site", emulator)
        site.options["report"] = None
        (site.folder / ".gitignore").write_text("/site/\n/.cache/\n")
        site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
        site.write("guide/one.md", f"# One\n\n{fence('A buoy', id='buoy')}")
        site.build()
        commit_all(site.folder)
        git(site.folder, "switch", "-q", "-c", "branch")
        monkeypatch.chdir(site.folder)
        yield site


def plan(site: PaidSite, *arguments: str) -> list[str]:
    done = site.command("plan", "--since", "main", *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def changes(site: PaidSite) -> list[tuple[str, str, str, str]]:
    """Change, first location, and the prompts before and after."""
    found: dict[str, Any] = json.loads("\n".join(plan(site, "--json")))
    return [
        (
            each["change"],
            each["places"][0],
            " ".join((each["before"] or {"prompt": ""})["prompt"].split()),
            " ".join((each["after"] or {"prompt": ""})["prompt"].split()),
        )
        for each in found["changes"]
    ]


def test_branch_without_changes_has_none(site: PaidSite) -> None:
    assert plan(site) == ["no changes; no new originals; no images to generate"]


def test_images_are_added_changed_and_dropped(site: PaidSite) -> None:
    site.write("index.md", f"# Page\n\n{fence('A crane')}{fence('A buoy at night')}")
    site.write("guide/one.md", f"# One\n\n{fence('A red buoy', id='buoy')}")
    before = site.emulator.bill.usd
    site.build()
    assert changes(site) == [
        ("added", "docs/index.md:7", "", "A buoy at night"),
        ("changed", "docs/guide/one.md:3", "A buoy", "A red buoy"),
        ("dropped", "docs/index.md:3", "A ferry", ""),
    ]
    found = json.loads("\n".join(plan(site, "--json")))
    assert Decimal(found["spent_usd"]) == site.emulator.bill.usd - before > 0


def test_image_that_is_generated_later_is_added(site: PaidSite) -> None:
    """Its page is the same in both states."""
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}{fence('A dune')}")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    assert changes(site) == []
    site.build()
    assert changes(site) == [("added", "docs/index.md:11", "", "A dune")]


def test_image_that_is_generated_again_is_changed(site: PaidSite) -> None:
    assert site.command("generate", "docs/index.md:3", "--again").exit_code == 0
    assert changes(site) == [("changed", "docs/index.md:3", "A ferry", "A ferry")]


def test_moved_page_changes_no_image(site: PaidSite) -> None:
    git(site.folder, "mv", "docs/guide/one.md", "docs/two.md")
    assert changes(site) == []
    site.write("two.md", f"# One\n\n{fence('A red buoy', id='buoy')}")
    assert changes(site) == [("changed", "docs/two.md:3", "A buoy", "A red buoy")]


def test_deleted_page_drops_its_images(site: PaidSite) -> None:
    (site.docs / "guide/one.md").unlink()
    assert changes(site) == [("dropped", "docs/guide/one.md:3", "A buoy", "")]
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}{fence('A buoy')}")
    assert changes(site) == []  # moved


def test_style_of_the_site_changes_every_image(site: PaidSite) -> None:
    site.options["style"] = "Ink on paper."
    assert changes(site) == [
        ("changed", "docs/index.md:3", "A ferry", "A ferry Ink on paper."),
        ("changed", "docs/index.md:7", "A crane", "A crane Ink on paper."),
        ("changed", "docs/guide/one.md:3", "A buoy", "A buoy Ink on paper."),
    ]


def test_stale_image_is_not_changed_until_it_is_generated(site: PaidSite) -> None:
    site.options["quality"] = "low"
    assert changes(site) == []
    assert site.command("generate", "docs/index.md", "--upgrade").exit_code == 0
    assert [each[:2] for each in changes(site)] == [
        ("changed", "docs/index.md:3"),
        ("changed", "docs/index.md:7"),
    ]


def test_branch_is_compared_with_the_commit_at_which_it_left_the_revision(site: PaidSite) -> None:
    site.write("more.md", f"# More\n\n{fence('A dune')}")
    site.build()
    commit_all(site.folder)
    git(site.folder, "switch", "-q", "main")
    site.write("index.md", "# Page\n")
    commit_all(site.folder)
    git(site.folder, "switch", "-q", "branch")
    assert changes(site) == [("added", "docs/more.md:3", "", "A dune")]


def test_site_that_did_not_use_the_plugin_adds_every_image(site: PaidSite) -> None:
    config = site.folder / "mkdocs.yml"
    config.write_text("site_name: A site\nplugins: [search]\n")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    assert [each[0] for each in changes(site)] == ["added"] * 3


def test_named_prompts_are_those_of_the_revision(site: PaidSite) -> None:
    prompts = site.folder / "prompts.yml"
    prompts.write_text("boat: A boat\n")
    site.options["prompts"] = "prompts.yml"
    site.write("index.md", "# Page\n\n![Boat](imagegen:boat)\n")
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    prompts.write_text("boat: A red boat\n")
    assert changes(site) == [("changed", "docs/index.md:3", "A boat", "A red boat")]


def test_images_of_snippets_are_compared_by_their_records(site: PaidSite) -> None:
    site.config["markdown_extensions"].append({"pymdownx.snippets": {"base_path": ["."]}})
    (site.folder / "part.md").write_text(fence("A dune"))
    site.write("more.md", '# More\n\n--8<-- "part.md"\n')
    site.build()
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    site.write("more.md", '# More\n\nText.\n\n--8<-- "part.md"\n')
    assert changes(site) == []
    (site.folder / "part.md").write_text(fence("A high dune"))
    site.build()
    assert [(each[0], each[3]) for each in changes(site)] == [("added", "A high dune")]


def test_folder_that_git_ignores_is_compared_on_disk(site: PaidSite) -> None:
    (site.folder / ".gitignore").write_text("/site/\n/.cache/\n/imagegen-originals/\n")
    git(site.folder, "rm", "-rq", "--cached", "imagegen-originals")
    commit_all(site.folder)
    git(site.folder, "branch", "-f", "main")
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A red crane')}")
    site.build()
    assert changes(site) == [("changed", "docs/index.md:7", "A crane", "A red crane")]
    *_, totals = plan(site)
    assert totals == ("1 changed; $0.041 spent on 1 new original; no images to generate")


def test_table_names_costs_and_files(site: PaidSite) -> None:
    site.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A red crane')}")
    site.build()
    site.write("more.md", f"# More\n\n{fence('A dune')}")
    assert plan(site) == [
        'changed  docs/index.md:7  ready  $0.041  "A red crane"',
        'added  docs/more.md:3  missing  about $0.041  "A dune"',
        "1 added, 1 changed; $0.041 spent on 1 new original; 1 image to generate (about $0.041)",
        "2 files to commit; run `git add imagegen-originals`",
    ]
