"""`verify` and `prune`: originals are looked after, and never lost by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from mkdocs_imagegen.originals import store
from tests.cli.conftest import fence
from tests.support import Site


@pytest.fixture
def original(site: Site) -> list[Path]:
    """The records of three originals in the store of a site."""
    site.options["size"] = "64x64"
    site.write("index.md", "# Page\n\n" + "".join(map(fence, ("A ferry", "A crane", "A buoy"))))
    site.build()
    return sorted(site.originals.glob("??/*.json"))


Harm = Callable[[Path], None]


def image_of(record: Path) -> Path:
    return next(each for each in record.parent.glob(f"{record.stem}.*") if each != record)


def corrupt(record: Path) -> None:
    path = image_of(record)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def scribble(record: Path) -> None:
    record.write_text("{")


def lose_record(record: Path) -> None:
    record.unlink()


def lose_image(record: Path) -> None:
    image_of(record).unlink()


@pytest.mark.usefixtures("original")
def test_whole_originals_are_counted(run) -> None:
    assert run("verify").lines == ["3 originals are whole"]
    assert run("verify", "--json").json == {"originals": 3, "faults": []}


@pytest.mark.parametrize(
    ("harms", "code"),
    [
        ([corrupt], 1),
        ([scribble], 1),
        ([lose_record], 2),
        ([lose_image], 2),
        ([corrupt, lose_record], 3),
        ([corrupt, lose_image], 3),
        ([corrupt, corrupt], 1),
    ],
)
def test_exit_codes_are_sums(original: list[Path], run, snapshot, harms: list[Harm], code) -> None:
    for harm, record in zip(harms, original, strict=False):
        harm(record)
    before = snapshot()
    done = run("verify", code=code)
    assert done.lines[-1].startswith(f"{3 - len(harms)} originals are whole, {len(harms)} faults")
    assert len(run("verify", "--json", code=code).json["faults"]) == len(harms)
    assert snapshot() == before


def test_what_cannot_be_read_counts_four(original: list[Path], run, monkeypatch) -> None:
    def refuse(path: Path, _: int) -> bytes:
        if path == image_of(original[0]):
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    monkeypatch.setattr(store, "read_plain_file", refuse)
    lose_record(original[1])
    faults = {each["kind"]: each["text"] for each in run("verify", "--json", code=6).json["faults"]}
    assert faults == {"unreadable": "Permission denied", "incomplete": "its record is missing"}


def test_no_store_is_no_fault(site: Site, run) -> None:
    site.write("index.md", "# Page\n")
    assert run("verify").lines == ["0 originals are whole"]


def age(record: Path, days: int) -> None:
    fields = json.loads(record.read_text())
    fields["created"] = (datetime.now(timezone.utc) - timedelta(days=days)).isoformat()
    record.write_text(json.dumps(fields))


@pytest.fixture
def unused(site: Site, original: list[Path]) -> list[Path]:
    """Two that no page asks for, one of them old."""
    site.write("index.md", f"# Page\n\n{fence('A ferry')}")
    records = [each for each in original if json.loads(each.read_text())["prompt"] != "A ferry"]
    age(records[0], 40)
    return records


def test_prune_lists_first_and_removes_nothing(unused, run, snapshot) -> None:
    before = snapshot()
    done = run("prune")
    assert done.lines[0].startswith(f"{unused[0].stem[:16]}  40 days  ")
    assert done.lines[-1] == "1 originals on no page; --yes removes them; 1 younger ones stay"
    assert snapshot() == before


def test_prune_removes_with_yes_what_is_old_enough(unused: list[Path], run) -> None:
    assert run("prune", "--yes", "--json").json == {"removed": True, "unused": [unused[0].stem]}
    assert not unused[0].exists()
    assert unused[1].exists()
    assert list(unused[0].parent.glob(f"{unused[0].stem}*")) == []
    assert run("verify").lines == ["2 originals are whole"]
    assert run("check").code == 0


@pytest.mark.usefixtures("unused")
def test_the_grace_period_can_be_set(run) -> None:
    assert len(run("prune", "--grace-days", "0", "--json").json["unused"]) == 2
    assert run("prune", "--grace-days", "41").lines == ["nothing to remove; 2 younger ones stay"]


def test_what_cannot_be_dated_stays(unused: list[Path], run) -> None:
    fields = json.loads(unused[0].read_text()) | {"created": "long ago"}
    unused[0].write_text(json.dumps(fields))
    assert run("prune", "--yes").lines == ["nothing to remove; 2 younger ones stay"]


def test_what_a_page_shows_stays_however_old(original: list[Path], run) -> None:
    for record in original:
        age(record, 400)
    assert run("prune", "--yes").lines == ["nothing to remove"]


def test_nothing_is_called_unused_while_that_is_not_known(drawn: Site, run) -> None:
    page = drawn.write("index.md", "# Page\n\n![A ferry](imagegen:)\n")
    drawn.build()
    page.write_text("# Page\n\n![A ferry](imagegen:){ qualty=low }\n")
    assert (
        "docs/index.md:3 has a mistake" in run("prune", "--yes", "--grace-days", "0", code=2).told
    )
    page.write_text("# Page\n\n![A ferry](imagegen:){ quality=high }\n")
    assert run("prune", "--grace-days", "0").lines[-1].startswith("nothing to remove")
    drawn.options["enabled"] = False
    assert "enabled is false" in run("prune", "--yes", "--grace-days", "0", code=2).told
    assert len(list(drawn.originals.rglob("*.json"))) == 1
