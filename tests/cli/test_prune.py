"""The command `prune`."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.cli.support import fence
from tests.paid import PaidSite
from tests.support import Site


@pytest.fixture
def site(paid_site: PaidSite) -> PaidSite:
    return paid_site


@pytest.fixture
def records(site: PaidSite) -> list[Path]:
    """The records of three originals."""
    site.write_prompts("A ferry", "A crane", "A buoy")
    site.build()
    return site.records


def set_age(record: Path, days: int) -> None:
    fields = json.loads(record.read_text())
    fields["created"] = (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()
    record.write_text(json.dumps(fields))


@pytest.fixture
def unused(site: Site, records: list[Path]) -> list[Path]:
    """The records of two originals that no page uses; the first is 40 days old."""
    site.write("index.md", f"# Page\n\n{fence('A ferry')}")
    unused = [each for each in records if json.loads(each.read_text())["prompt"] != "A ferry"]
    set_age(unused[0], 40)
    return unused


def test_prune_only_lists_unused_originals(unused, run, snapshot) -> None:
    before = snapshot()
    lines = run("prune").lines
    assert lines[0].startswith(f"{unused[0].stem[:16]}  40 days  ")
    assert lines[1] == "1 unused original; add --yes to remove; 1 younger one kept"
    assert snapshot() == before


def test_prune_removes_old_originals_with_yes(unused: list[Path], run) -> None:
    assert run("prune", "--yes", "--json").json == {"removed": True, "unused": [unused[0].stem]}
    assert not unused[0].exists()
    assert unused[1].exists()
    assert list(unused[0].parent.glob(f"{unused[0].stem}*")) == []
    assert run("verify").lines == ["2 intact originals"]
    assert run("check").code == 0


def test_prune_counts_removed_originals(unused: list[Path], run) -> None:
    set_age(unused[1], 31)
    assert run("prune", "--yes").lines[-1] == "2 unused originals removed"


@pytest.mark.usefixtures("unused")
def test_grace_period_is_an_option(run) -> None:
    assert len(run("prune", "--grace-days", "0", "--json").json["unused"]) == 2
    assert run("prune", "--grace-days", "41").lines == ["no unused originals; 2 younger ones kept"]


def test_prune_refuses_when_the_list_of_sites_is_damaged(site, unused: list[Path], run) -> None:
    users = site.originals / "work/users.json"
    users.write_bytes(b"")
    assert run("prune", "--yes", code=2).error == [
        f"Error: the list of sites in {users} cannot be read",
        "hint: delete it, then build each site that uses the originals folder",
    ]
    assert unused[0].exists()
    users.unlink()
    assert run("prune", "--yes").lines[0].startswith(unused[0].stem[:16])


def test_original_without_a_valid_date_is_kept(unused: list[Path], run) -> None:
    fields = json.loads(unused[0].read_text()) | {"created": "long ago"}
    unused[0].write_text(json.dumps(fields))
    assert run("prune", "--yes").lines == ["no unused originals; 2 younger ones kept"]


def test_original_on_a_page_is_kept_at_any_age(records: list[Path], run) -> None:
    for record in records:
        set_age(record, 400)
    assert run("prune", "--yes").lines == ["no unused originals"]


def test_prune_refuses_when_a_reference_image_is_missing(site: Site, run) -> None:
    ferry = "```imagegen\nid: ferry\n---\nA ferry\n```\n"
    site.write("index.md", f"{ferry}\n```imagegen\nreference: #ferry\n---\nIn rain\n```\n")
    site.build()
    records = {json.loads(each.read_text())["prompt"]: each for each in site.records}
    for path in records["A ferry"].parent.glob(f"{records['A ferry'].stem}.*"):
        path.unlink()
    assert run("prune", "--yes", "--grace-days", "0", code=2).error == [
        "Error: a reference image of docs/index.md:7 is missing",
        "hint: generate it, or restore it from a backup",
    ]
    assert records["In rain"].exists()


def test_prune_refuses_when_the_used_originals_are_unknown(emulated: Site, run) -> None:
    page = emulated.write("index.md", "# Page\n\n![A ferry](imagegen:)\n")
    emulated.build()
    page.write_text("# Page\n\n![A ferry](imagegen:){ qualty=low }\n")
    problem, *_ = run("prune", "--yes", "--grace-days", "0", code=2).error
    assert problem.startswith("Error: the directive at docs/index.md:3 is invalid: ")
    page.write_text("# Page\n\n![A ferry](imagegen:){ quality=high }\n")
    assert run("prune", "--grace-days", "0").lines[-1] == "no unused originals"
    emulated.options["enabled"] = False
    assert run("prune", "--yes", "--grace-days", "0", code=2).error == [
        "Error: enabled is false, so no page uses an image",
        "hint: set it to true",
    ]
    assert len(emulated.records) == 1
