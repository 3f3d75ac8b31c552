"""The command `verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mkdocs_imagegen.originals import judge
from tests.paid import PaidEmulator, PaidSite

Harm = Callable[[Path], None]


@pytest.fixture
def site(paid_site: PaidSite) -> PaidSite:
    return paid_site


@pytest.fixture
def records(site: PaidSite) -> list[Path]:
    """The records of three originals."""
    site.write_prompts("A ferry", "A crane", "A buoy")
    site.build()
    return site.records


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
    assert run("verify", "--json").json == {"originals": 3, "faults": [], "attempts": []}


@pytest.mark.parametrize(
    ("harms", "texts"),
    [
        ([corrupt], ["the image differs from the SHA-256 in its name"]),
        ([scribble], ["Expecting property name"]),
        ([lose_image], ["its image is missing"]),
        ([corrupt, lose_image], ["the image differs", "its image is missing"]),
    ],
)
def test_damaged_files_count_1(
    records: list[Path], run, snapshot, harms: list[Harm], texts: list[str]
) -> None:
    for harm, record in zip(harms, records, strict=False):
        harm(record)
    before = snapshot()
    faults = run("verify", "--json", code=1).json["faults"]
    assert [each["kind"] for each in faults] == ["damaged"] * len(texts)
    assert all(text in each["text"] for text, each in zip(texts, faults, strict=True))
    assert run("verify", code=1).lines[-1] in {
        "2 intact originals, 1 fault",
        "1 intact original, 2 faults",
    }
    assert snapshot() == before


def test_lost_record_of_an_image_on_a_page_is_no_fault(records: list[Path], run) -> None:
    """A build writes it again."""
    lose_record(records[0])
    assert run("verify").lines == ["3 intact originals"]


def test_lost_record_of_an_imported_file_on_a_page_is_no_fault(
    site: PaidSite, run, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (300, 200), "teal").save(photo)
    site.write_prompts("A ferry")
    run("import", str(photo), "index.md")
    assert (site.originals / ".gitattributes").read_text() == "* -text\n"
    assert (site.originals / "work/.gitignore").read_text() == "*\n"
    lose_record(site.records[0])
    assert run("verify", "--repair").lines == ["1 intact original, 1 record repaired"]
    assert json.loads(site.records[0].read_text())["answered_by"] == "import"


def test_unreadable_file_counts_4_and_orphaned_image_8(
    site: PaidSite, records: list[Path], run, monkeypatch
) -> None:
    def refuse(path: Path, _: int) -> bytes:
        if path == image_of(records[0]):
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    monkeypatch.setattr(judge, "read_plain_file", refuse)
    (fault,) = run("verify", "--json", code=4).json["faults"]
    assert (fault["kind"], fault["text"]) == ("unreadable", "Permission denied")
    site.write("index.md", "# Page\n")
    lose_record(records[1])
    scribble(records[2])
    lose_image(records[2])
    faults = run("verify", "--json", code=13).json["faults"]
    assert {each["kind"] for each in faults} == {"damaged", "orphaned", "unreadable"}


def test_record_of_a_newer_version_counts_4_and_stays(records: list[Path], run) -> None:
    newer = records[0].read_text().replace('"version": 2', '"version": 99')
    records[0].write_text(newer)
    (fault,) = run("verify", "--repair", "--json", code=4).json["faults"]
    assert "newer version" in fault["text"]
    assert records[0].read_text() == newer


def test_repair_writes_lost_and_damaged_records(
    site: PaidSite, paid: PaidEmulator, records: list[Path], run
) -> None:
    images = site.images_of_originals
    lose_record(records[0])
    scribble(records[1])
    fields = json.loads(records[2].read_text())
    records[2].write_text(json.dumps(fields | {"width": 7, "photographer": "Ada"}))
    assert run("verify", "--repair").lines == ["3 intact originals, 3 records repaired"]
    assert json.loads(records[0].read_text())["rebuilt"] is True
    assert json.loads(records[1].read_text())["rebuilt"] is True
    assert json.loads(records[2].read_text()) == fields | {"photographer": "Ada"}
    assert site.images_of_originals == images
    aside = {path.read_text() for path in (site.originals / "work/quarantine").iterdir()}
    assert len(aside) == 2
    assert "{" in aside
    assert run("verify", "--repair").lines == ["3 intact originals"]
    assert site.requests_of_build() == 0
    assert paid.requests == 3


def test_repair_leaves_a_damaged_image_and_its_record(records: list[Path], run, snapshot) -> None:
    corrupt(records[0])
    lose_image(records[1])
    before = snapshot()
    assert run("verify", "--repair", code=1).lines[-1] == "1 intact original, 2 faults"
    assert snapshot() == before


def test_verify_lists_requests_without_an_image(site: PaidSite, paid: PaidEmulator, run) -> None:
    site.write_prompts("A ferry")
    paid.fault = "half-image"
    site.build()
    site.build()
    lines = run("verify").lines
    assert lines[1] == "0 intact originals"
    assert "2" in lines[0].split()
    assert "about $0.082" in lines[0]
    (attempt,) = run("verify", "--json").json["attempts"]
    assert (attempt["requests"], attempt["usd"]) == (2, "0.082")
    assert lines[0].startswith(attempt["key"][:16])


def test_missing_originals_folder_is_no_fault(site: PaidSite, run) -> None:
    site.write("index.md", "# Page\n")
    assert run("verify").lines == ["0 intact originals"]
