"""`gallery` and `candidates`: images side by side, on one page that needs nothing else."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve
from mkdocs_imagegen.options import SKETCH_MODEL
from tests.cli.conftest import fence, interrupted
from tests.support import Site


class Sheet(HTMLParser):
    """What stands on a contact sheet."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.text = file.read_text()
        self.images: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.keys: list[str] = []
        self.files: list[str] = []
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [given[name] or "" for name in ("src", "href") if name in given]
        if tag == "img" and "src" in given:
            self.images.append(given)
        if "data-key" in given:
            self.keys.append(given["data-key"] or "")

        if "data-file" in given:
            self.files.append(given["data-file"] or "")


@pytest.fixture
def quick(drawn: Site) -> Site:
    """A site whose images are small and free."""
    drawn.options["model"], drawn.options["size"] = SKETCH_MODEL, "400x200"
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', take=2)}")
    return drawn


def test_the_gallery_shows_what_pages_show(quick: Site, run, tmp_path: Path) -> None:
    quick.build()
    done = run("gallery", tmp_path / "sheet.html")
    assert done.lines == [f"{tmp_path / 'sheet.html'}: 2 images"]
    sheet = Sheet(tmp_path / "sheet.html")
    assert [each["alt"] for each in sheet.images] == ["Take 1: A ferry", "Take 2: A crane"]
    assert {(each["width"], each["height"], each["loading"]) for each in sheet.images} == {
        ("320", "160", "lazy")
    }
    assert sorted(sheet.keys) == sorted(path.stem for path in quick.originals.rglob("*.json"))
    for file in sheet.files:
        assert (tmp_path / file).resolve().is_relative_to(quick.originals.resolve())
        assert (tmp_path / file).exists()


def test_a_sheet_reaches_for_nothing(quick: Site, run, tmp_path: Path) -> None:
    quick.build()
    run("gallery", tmp_path / "sheet.html")
    sheet = Sheet(tmp_path / "sheet.html")
    for address in sheet.addresses:
        head, _, data = address.partition(",")
        assert head == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert (image.format, max(image.size)) == ("WEBP", 320)
    assert not re.search(r"https?://|@import|url\(", sheet.text)
    assert "default-src 'none'" in sheet.text


def test_other_takes_of_a_prompt_stand_beside_it(quick: Site, run, tmp_path: Path) -> None:
    quick.build()
    quick.write("index.md", f"# Page\n\n{fence('A ferry', take=3)}")
    quick.build()
    told = run("gallery", tmp_path / "sheet.html", "--json").json
    assert told == {"file": str(tmp_path / "sheet.html"), "pictures": 2, "missing": 0}
    sheet = Sheet(tmp_path / "sheet.html")
    assert [each["alt"] for each in sheet.images] == ["Take 1: A ferry", "Take 3: A ferry"]
    assert sheet.text.count("on the page") == 1 + sheet.text.count("as on the pages")
    assert 'class="several"' in sheet.text


def test_takes_on_two_pages_stand_in_one_strip(quick: Site, run, tmp_path: Path) -> None:
    quick.write("more.md", f"# More\n\n{fence('A ferry', take=3, quality='high')}")
    quick.build()
    assert run("gallery", tmp_path / "sheet.html", "--json").json["pictures"] == 3
    sheet = Sheet(tmp_path / "sheet.html")
    assert len(sheet.images) == 3
    assert "docs/index.md:3, docs/more.md:3" in sheet.text


@pytest.mark.usefixtures("quick")
def test_what_is_missing_is_counted(run, tmp_path: Path) -> None:
    assert run("gallery", tmp_path / "sheet.html", "--json").json["missing"] == 2
    assert "2 more are not made yet." in (tmp_path / "sheet.html").read_text()


def test_an_original_that_is_broken_is_left_out(quick: Site, run, tmp_path: Path) -> None:
    quick.build()
    image = next(quick.originals.rglob("*.webp"))
    image.write_bytes(image.read_bytes()[:-1] + b"?")
    done = run("gallery", tmp_path / "sheet.html")
    assert done.lines[-1].endswith(": 1 image")
    assert "is damaged" in done.told


def test_a_prompt_cannot_write_markup(quick: Site, run, tmp_path: Path) -> None:
    quick.write("index.md", f"# Page\n\n{fence('A </script><img src=x onerror=alert(1)> cat')}")
    quick.build()
    run("gallery", tmp_path / "sheet.html")
    sheet = Sheet(tmp_path / "sheet.html")
    assert [each["alt"] for each in sheet.images] == [
        "Take 1: A </script><img src=x onerror=alert(1)> cat"
    ]


def test_a_place_that_takes_no_file_is_told(quick: Site, run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in run("gallery", tmp_path / "file" / "sheet.html", code=2).told
    assert quick.docs.exists()


@pytest.mark.usefixtures("quick")
def test_candidates_are_made_next_to_each_other(run, tmp_path: Path, emulator: Emulator) -> None:
    file = tmp_path / "sheet.html"
    told = run("candidates", "index.md:3", "-n", "3", "-o", file, "--json").json
    assert [(each["take"], each["made"]) for each in told["takes"]] == [
        (n, True) for n in (1, 2, 3)
    ]
    assert told["place"] == "docs/index.md:3"
    assert len({each["key"] for each in told["takes"]}) == 3
    assert [each["alt"] for each in Sheet(file).images] == [f"Take {n}: A ferry" for n in (1, 2, 3)]
    assert emulator.bill.images == 3


def test_what_is_there_is_not_made_again(
    quick: Site, run, tmp_path: Path, emulator: Emulator
) -> None:
    quick.build()
    file = tmp_path / "sheet.html"
    done = run("candidates", "index.md:3", "-o", file)
    assert done.lines[0] == "1 there already, 3 made for $0.00"
    assert done.lines[2].startswith(
        "To choose one, write its take at docs/index.md:3, like `take: 2`"
    )
    assert (
        run("candidates", "index.md:3", "-o", file).lines[0].startswith("4 there already, 0 made")
    )
    assert emulator.bill.images == 2 + 3


def test_the_take_that_is_chosen_is_shown_by_the_next_build(
    quick: Site, run, tmp_path: Path, emulator: Emulator
) -> None:
    told = run("candidates", "index.md:3", "-o", tmp_path / "sheet.html", "--json").json
    quick.write("index.md", f"# Page\n\n{fence('A ferry', take=3)}")
    quick.options["report"] = "report.json"
    quick.build(strict=True)
    assert emulator.bill.images == 4
    assert quick.report()["pictures"][0]["state"] == "sketch"
    assert Path(told["takes"][2]["file"]).exists()


def test_the_take_in_use_stands_beside_fewer_others(quick: Site, run, emulator: Emulator) -> None:
    quick.write("index.md", f"# Page\n\n{fence('A ferry', take=7)}")
    told = run("candidates", "index.md:3", "-n", "1", "--json").json
    assert [each["take"] for each in told["takes"]] == [1]  # 7 is not there, and was not asked for
    quick.build()
    told = run("candidates", "index.md:3", "-n", "2", "--json").json
    assert [(each["take"], each["made"]) for each in told["takes"]] == [
        (1, False),
        (2, True),
        (7, False),
    ]
    assert emulator.bill.images == 3


def test_the_budget_holds(drawn: Site, run, tmp_path: Path, emulator: Emulator) -> None:
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}")
    drawn.options["budget"] = {"images": 2}
    done = run("candidates", "index.md:3", "-o", tmp_path / "sheet.html", code=1)
    assert emulator.bill.images == 2
    assert done.told.count("exceeds the budget of") == 2
    assert len(Sheet(tmp_path / "sheet.html").images) == 2


def test_without_permission_nothing_is_made(quick: Site, run, tmp_path: Path) -> None:
    quick.build()
    quick.options["gateway"] = {"auth": "api-key", "url": quick.options["gateway"]["url"]}
    quick.options["gateway"]["key_env"] = "A_KEY_THAT_IS_NOT_SET"
    file = tmp_path / "sheet.html"
    done = run("candidates", "index.md:3", "-n", "2", "-o", file, code=2)
    assert done.told.splitlines()[-1].startswith(
        "Error: nothing is made: A_KEY_THAT_IS_NOT_SET is not set"
    )
    assert (done.said, file.exists()) == ("", False)
    quick.options["generate"] = False
    assert "generate is false" in run("candidates", "index.md:3", "-o", file, code=2).told
    done = run("candidates", "index.md:3", "-n", "1", "-o", file)
    assert done.lines[0] == "1 there already, 0 made for $0.00"
    assert len(Sheet(file).images) == 1


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("cup.png", "docs/index.md:5 has a mistake: there is no file /cup.png (accepted"),
        ("#mug", 'docs/index.md:5 has a mistake: it follows "/index.md#mug", and there is no such'),
        ("#crane", 'docs/index.md:5: there is no image yet: it follows "/index.md#crane", which'),
    ],
)
def test_nothing_is_made_without_what_it_follows(
    quick: Site, run, emulator: Emulator, reference: str, why: str
) -> None:
    crane = "![A crane](imagegen:){ id=crane }\n\n"
    quick.write("index.md", f"# Page\n\n{crane}{fence('A ferry', reference=reference)}")
    done = run("candidates", "index.md:5", code=2)
    assert done.told.splitlines()[-1].startswith(f"Error: {why}")
    assert emulator.bill.images == 0


def test_a_dark_twin_has_its_own_takes(quick: Site, run, tmp_path: Path) -> None:
    quick.write("index.md", f"# Page\n\n{fence('A ferry', dark='at night')}")
    file = tmp_path / "sheet.html"
    run("candidates", "index.md", "-n", "2", "-o", file)
    alts = [each["alt"] or "" for each in Sheet(file).images]
    assert [" ".join(alt.split()) for alt in alts] == [
        "Take 1: A ferry",
        "Take 2: A ferry",
        "Take 1: A ferry at night",
        "Take 2: A ferry at night",
    ]


def test_without_output_it_goes_into_a_temporary_file(quick: Site, run) -> None:
    told = run("candidates", "index.md:3", "-n", "1", "--json").json
    assert Path(told["sheet"]).name == "candidates.html"
    assert Path(told["sheet"]).exists()
    assert quick.folder not in Path(told["sheet"]).parents


def test_an_interrupt_keeps_the_takes_that_were_paid_for(site: Site, tmp_path: Path) -> None:
    site.options.update({"model": SKETCH_MODEL, "size": "64x64", "concurrency": 2})
    site.write("index.md", f"# Page\n\n{fence('A ferry')}")
    slow = Emulator(latency_s=0.8, require_key=False)
    with serve(slow) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        code, told = interrupted(
            site, slow, "candidates", "index.md", "-n", "12", "-o", str(tmp_path / "sheet.html")
        )
    assert (code, "what was paid for is stored" in told) == (130, True), told
    assert "Traceback" not in told
    assert 0 < slow.bill.images < 12
    assert len(list(site.originals.rglob("*.json"))) == slow.bill.images


def test_a_sheet_is_written_over_nothing_but_a_page(drawn, run) -> None:
    before = (drawn.save()).read_text()
    told = run("gallery", "mkdocs.yml", code=2).told
    assert "mkdocs.yml is no name of an HTML page" in told
    assert drawn.save().read_text() == before
