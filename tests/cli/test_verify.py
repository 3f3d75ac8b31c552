"""The command `verify`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mkdocs_imagegen.originals import store
from tests.cli.support import fence
from tests.support import Site

Harm = Callable[[Path], None]


@pytest.fixture
def records(site: Site) -> list[Path]:
    """The records of three originals."""
    site.options["size"] = "64x64"
    site.write("index.md", "# Page\n\n" + "".join(map(fence, ("A ferry", "A crane", "A buoy"))))
    site.build()
    return sorted(site.originals.glob("??/*.json"))


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


@pytest.mark.usefixtures("records")
def test_verify_counts_intact_originals(run) -> None:
    assert run("verify").lines == ["3 intact originals"]
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
def test_exit_code_is_the_sum_of_the_kinds_of_faults(
    records: list[Path], run, snapshot, harms: list[Harm], code
) -> None:
    for harm, record in zip(harms, records, strict=False):
        harm(record)
    before = snapshot()
    last = run("verify", code=code).lines[-1]
    assert last in {"2 intact originals, 1 fault", "1 intact original, 2 faults"}
    assert last.endswith(f"{len(harms)} fault" + "s" * (len(harms) > 1))
    assert len(run("verify", "--json", code=code).json["faults"]) == len(harms)
    assert snapshot() == before


def test_unreadable_file_counts_4(records: list[Path], run, monkeypatch) -> None:
    def refuse(path: Path, _: int) -> bytes:
        if path == image_of(records[0]):
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    monkeypatch.setattr(store, "read_plain_file", refuse)
    lose_record(records[1])
    faults = {each["kind"]: each["text"] for each in run("verify", "--json", code=6).json["faults"]}
    assert faults["unreadable"] == "Permission denied"
    assert sorted(faults) == ["incomplete", "unreadable"]


def test_missing_originals_folder_is_no_fault(site: Site, run) -> None:
    site.write("index.md", "# Page\n")
    assert run("verify").lines == ["0 intact originals"]
