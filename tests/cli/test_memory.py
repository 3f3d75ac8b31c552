"""Memory of commands that read every original of a large folder."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from mkdocs_imagegen.originals.record import serialize_record
from tests.cli.support import fence
from tests.originals.support import PNG, key_of, record
from tests.support import Site

FEW, MORE = 300, 1000

pytestmark = pytest.mark.slow


def add_originals(originals: Path, numbers: range) -> None:
    """Add originals of other sites, whose images are one file with many names."""
    for number in numbers:
        name = f"original {number}"
        other = record(
            name, PNG, subject=key_of(f"subject of {name}"), mime="image/png", width=30, height=20
        )
        folder = originals / other.key[:2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{other.key}.json").write_bytes(serialize_record(other))
        image = originals / "image.png"
        if not image.exists():
            image.write_bytes(PNG)
        os.link(image, folder / other.file_name)


def peak_bytes(run, *arguments: str) -> int:
    """Return the peak of the memory that a command allocates."""
    tracemalloc.start()
    try:
        run(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("arguments", "max_bytes"),
    [
        (["verify"], 500),
        (["prune", "--json"], 600),
        (["gallery", "FILE"], 500),
        (["plan"], 400),
    ],
)
def test_memory_does_not_grow_with_the_originals(
    site: Site, run, arguments: list[str], max_bytes: int
) -> None:
    site.options["gateway"] = {"url": "http://127.0.0.1:1/v1"}
    site.write("index.md", f"# Page\n\n{fence('A ferry')}")
    arguments = [str(site.folder / "sheet.html") if each == "FILE" else each for each in arguments]
    originals = site.folder / "imagegen-originals"
    add_originals(originals, range(FEW))
    run(*arguments)  # imports
    # The smaller of two, since Python enlarges its table of interned strings by megabytes in some.
    before = min(peak_bytes(run, *arguments) for _ in range(2))
    grown = []
    for count in (FEW + MORE, FEW + 2 * MORE):
        add_originals(originals, range(count - MORE, count))
        grown.append((peak_bytes(run, *arguments) - before) / (count - FEW))
    assert min(grown) < max_bytes  # a record takes more than 1,300 bytes
