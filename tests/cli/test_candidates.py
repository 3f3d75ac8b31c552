"""The command `candidates`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from tests.cli.support import Sheet, fence, interrupt
from tests.support import Site


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sheet.html"


@pytest.mark.usefixtures("small")
def test_candidates_are_generated_next_to_each_other(run, file: Path, emulator: Emulator) -> None:
    result = run("candidates", "index.md:3", "-n", "3", "-o", file, "--json").json
    assert (result["place"], result["sheet"]) == ("docs/index.md:3", str(file))
    takes = result["takes"]
    assert [(each["take"], each["made"]) for each in takes] == [(n, True) for n in (1, 2, 3)]
    assert list(takes[0]) == ["take", "prompt", "key", "file", "made", "cost_usd", "error"]
    assert len({each["key"] for each in takes}) == 3
    assert Sheet(file).alts == [f"Take {n}: A ferry" for n in (1, 2, 3)]
    assert emulator.bill.images == 3


def test_existing_takes_are_reused(small: Site, run, file: Path, emulator: Emulator) -> None:
    small.build()
    lines = run("candidates", "index.md:3", "-o", file).lines
    assert lines[:2] == ["4 takes: 1 reused, 3 generated ($0.00)", str(file)]
    assert run("candidates", "index.md:3", "-o", file).lines[0] == "4 takes: 4 reused"
    assert emulator.bill.images == 2 + 3


@pytest.mark.parametrize(
    ("directive", "instruction"),
    [
        (fence("A ferry"), "`take: 2` and a line `---` above the prompt"),
        (fence("A ferry", quality="low"), "`take: 2` in its options"),
        ("![A ferry](imagegen:)\n", "`{ take=2 }` after the image"),
    ],
)
def test_candidates_say_how_to_choose_one(
    small: Site, run, file: Path, directive: str, instruction: str
) -> None:
    small.write("index.md", f"# Page\n\n{directive}")
    last = run("candidates", "index.md:3", "-n", "1", "-o", file).lines[-1]
    assert last == f"To choose one, set its number at docs/index.md:3, such as {instruction}"
    note = re.sub(r"`(.+?)`", r"<code>\1</code>", last)
    assert f"<p>{note}.</p>" in file.read_text()


def test_candidates_of_a_preview_are_chosen_in_the_front_matter(small: Site, run) -> None:
    small.write("index.md", "---\nimagegen:\n  preview: A ferry\n---\n# Page\n")
    last = run("candidates", "index.md", "-n", "1").lines[-1]
    assert last == (
        "To choose one, set its number at docs/index.md:3, such as `preview: {take: 2, prompt: …}`"
    )
    small.write("index.md", "---\nimagegen:\n  preview: {take: 2, prompt: A ferry}\n---\n# Page\n")
    assert run("plan", "--json").json["pictures"][0]["state"] == "missing"


def test_chosen_take_is_shown_by_the_next_build(
    small: Site, run, file: Path, emulator: Emulator
) -> None:
    takes = run("candidates", "index.md:3", "-o", file, "--json").json["takes"]
    small.write("index.md", f"# Page\n\n{fence('A ferry', take=3)}")
    small.options["report"] = "report.json"
    small.build(strict=True)
    assert emulator.bill.images == 4
    assert small.report()["pictures"][0]["state"] == "sketch"
    assert Path(takes[2]["file"]).exists()


def test_take_in_use_is_added_if_it_exists(small: Site, run, emulator: Emulator) -> None:
    small.write("index.md", f"# Page\n\n{fence('A ferry', take=7)}")
    takes = run("candidates", "index.md:3", "-n", "1", "--json").json["takes"]
    assert [each["take"] for each in takes] == [1]
    small.build()
    takes = run("candidates", "index.md:3", "-n", "2", "--json").json["takes"]
    assert [(each["take"], each["made"]) for each in takes] == [(1, False), (2, True), (7, False)]
    assert emulator.bill.images == 3


def test_candidates_respect_the_budget(emulated: Site, run, file: Path, emulator: Emulator) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}")
    emulated.options["budget"] = {"images": 2}
    done = run("candidates", "index.md:3", "-o", file, code=1)
    assert emulator.bill.images == 2
    assert done.lines[0] == "4 takes: 2 generated (simulated charge: $0.03), 2 failed"
    assert re.fullmatch(
        r"2 images are missing: no budget left for another image \(2 of 2 images per run\) "
        r"\(take \d, take \d\); build again, or raise `budget.images`",
        done.stderr.splitlines()[-1],
    )
    assert len(Sheet(file).images) == 2


def test_candidates_without_permission_are_an_error(small: Site, run, file: Path) -> None:
    small.build()
    small.options["gateway"] = {"auth": "api-key", "url": small.options["gateway"]["url"]}
    small.options["gateway"]["key_env"] = "A_KEY_THAT_IS_NOT_SET"
    done = run("candidates", "index.md:3", "-n", "2", "-o", file, code=2)
    assert done.error[0].startswith("Error: take 2: the image is missing: ")
    assert "A_KEY_THAT_IS_NOT_SET" in "".join(done.error)
    assert (done.stdout, file.exists()) == ("", False)


def test_candidates_without_permission_show_existing_takes(small: Site, run, file: Path) -> None:
    small.build()
    small.options["generate"] = False
    assert "generate is false" in run("candidates", "index.md:3", "-o", file, code=2).stderr
    assert run("candidates", "index.md:3", "-n", "1", "-o", file).lines[0] == "1 take: 1 reused"
    assert len(Sheet(file).images) == 1


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("cup.png", "the directive at docs/index.md:5 is invalid: "),
        ("#mug", "the directive at docs/index.md:5 is invalid: "),
        ("#crane", "docs/index.md:5: "),
    ],
)
def test_missing_reference_is_an_error(
    small: Site, run, emulator: Emulator, reference: str, problem: str
) -> None:
    crane = "![A crane](imagegen:){ id=crane }\n\n"
    small.write("index.md", f"# Page\n\n{crane}{fence('A ferry', reference=reference)}")
    error = run("candidates", "index.md:5", code=2).error
    assert error[0].startswith(f"Error: {problem}")
    assert reference in "".join(error)
    assert emulator.bill.images == 0


def test_dark_image_has_takes_of_its_own(small: Site, run, file: Path) -> None:
    small.write("index.md", f"# Page\n\n{fence('A ferry', dark='at night')}")
    run("candidates", "index.md", "-n", "2", "-o", file)
    assert Sheet(file).alts == [
        "Take 1: A ferry",
        "Take 2: A ferry",
        "Take 1: A ferry at night",
        "Take 2: A ferry at night",
    ]


def test_sheet_is_a_temporary_file_without_output(small: Site, run) -> None:
    result = run("candidates", "index.md:3", "-n", "1", "--json").json
    assert Path(result["sheet"]).name == "candidates.html"
    assert Path(result["sheet"]).exists()
    assert small.folder not in Path(result["sheet"]).parents


def test_interrupt_keeps_the_takes_in_progress(site: Site, file: Path) -> None:
    site.options.update({"model": SKETCH_MODEL, "size": "64x64", "concurrency": 2})
    site.write("index.md", f"# Page\n\n{fence('A ferry')}")
    slow = Emulator(latency_s=0.8, require_key=False)
    with EmulatorServer(slow) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        code, _, stderr = interrupt(
            site, slow, "candidates", "index.md", "-n", "12", "-o", str(file)
        )
    assert (code, stderr.splitlines()[-1]) == (130, "interrupted; finished images are stored")
    assert "Traceback" not in stderr
    assert 0 < slow.bill.images < 12
    assert len(site.records) == slow.bill.images
