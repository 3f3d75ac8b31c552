"""The command `gallery`."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from mkdocs_imagegen.cli import site as site_module
from mkdocs_imagegen.cli.terminal import CommandError
from tests.cli.support import Sheet, fence, replace_image, store_as_real_model
from tests.support import Site


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sheet.html"


def test_sheet_shows_the_images_of_all_pages(small: Site, run, file: Path) -> None:
    small.build()
    assert run("gallery", file).lines == [f"{file}: 2 images"]
    sheet = Sheet(file)
    assert sheet.alts == ["Take 1: A ferry", "Take 2: A crane"]
    assert {(each["width"], each["height"], each["loading"]) for each in sheet.images} == {
        ("320", "160", "lazy")
    }
    assert sorted(sheet.keys) == sorted(path.stem for path in small.records)


def test_sheet_links_to_the_originals(small: Site, run, file: Path) -> None:
    small.build()
    run("gallery", file)
    for name in Sheet(file).files:
        original = (file.parent / name).resolve()
        assert original.is_relative_to(small.originals.resolve())
        assert original.exists()


def test_sheet_loads_no_other_file(small: Site, run, file: Path) -> None:
    small.build()
    run("gallery", file)
    sheet = Sheet(file)
    for url in sheet.urls:
        head, _, data = url.partition(",")
        assert head == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert (image.format, max(image.size)) == ("WEBP", 320)
    assert not re.search(r"https?://|@import|url\(", sheet.text)
    assert "default-src 'none'" in sheet.text


def test_sheet_shows_other_takes_of_a_prompt(small: Site, run, file: Path) -> None:
    small.build()
    small.write("index.md", f"# Page\n\n{fence('A ferry', take=3)}")
    small.build()
    result = run("gallery", file, "--json").json
    assert result == {"file": str(file), "files": [str(file)], "pictures": 2, "missing": 0}
    sheet = Sheet(file)
    assert sheet.alts == ["Take 1: A ferry", "Take 3: A ferry"]
    assert sheet.takes == ["take: 1", "take: 3"]
    assert sheet.text.count("on the page") == 1 + sheet.text.count("as on the pages")
    assert 'class="several"' in sheet.text


def test_takes_on_two_pages_are_one_group(small: Site, run, file: Path) -> None:
    small.write("more.md", f"# More\n\n{fence('A ferry', take=3, quality='high')}")
    small.build()
    assert run("gallery", file, "--json").json["pictures"] == 3
    sheet = Sheet(file)
    assert len(sheet.images) == 3
    assert "docs/index.md:3, docs/more.md:3" in sheet.text


@pytest.mark.usefixtures("small")
def test_sheet_counts_missing_images(run, file: Path) -> None:
    assert run("gallery", file, "--json").json["missing"] == 2
    assert "<p>2 images missing.</p>" in file.read_text()


def test_sheet_leaves_out_a_corrupt_original(small: Site, run, file: Path) -> None:
    small.build()
    image = next(small.originals.rglob("*.webp"))
    image.write_bytes(image.read_bytes()[:-1] + b"?")
    done = run("gallery", file)
    assert done.lines[-1] == f"{file}: 1 image"
    assert image.name.partition(".")[0][:6] in done.stderr


def test_sheet_leaves_out_a_truncated_original(small: Site, run, file: Path) -> None:
    small.build()
    image = next(small.originals.rglob("*.webp"))
    image.write_bytes(image.read_bytes()[:-1])
    done = run("gallery", file)
    assert done.lines[-1] == f"{file}: 1 image"
    assert image.name in done.stderr


def test_sheet_leaves_out_an_intact_original_that_is_no_image(small: Site, run, file: Path) -> None:
    small.build()
    name = replace_image(small.records[0], b"no image")
    done = run("gallery", file)
    assert done.lines[-1] == f"{file}: 1 image"
    assert f"image {name} is left out: the bytes are not a valid image" in done.stderr


def test_titles_leave_out_the_style(small: Site, run, file: Path) -> None:
    small.options["style"] = "Ink on paper."
    small.write("index.md", f"# Page\n\n{fence('A ferry', dark='at night')}")
    small.build()
    run("gallery", file)
    titles = re.findall(r"<h2 title=\"([^\"]+)\">([^<]+)</h2>", Sheet(file).text)
    assert [(" ".join(prompt.split()), title) for prompt, title in titles] == [
        ("A ferry Ink on paper.", "A ferry"),
        ("A ferry Ink on paper. at night", "A ferry at night"),
    ]
    assert [line.split("  ")[-1] for line in run("plan").lines[:2]] == [
        '"A ferry"',
        '"A ferry at night"',
    ]


def test_sheet_shows_the_price_of_each_image(emulated: Site, run, file: Path) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', quality='high')}")
    emulated.build()
    store_as_real_model(emulated)
    run("gallery", file)
    prices = re.findall(r"<code>take: 1</code> · (.+?)(?: · on the page)?</span>", Sheet(file).text)
    assert {"$0.015", "$0.052"} <= set(prices)


def test_prompt_is_escaped(small: Site, run, file: Path) -> None:
    prompt = "A </script><img src=x onerror=alert(1)> cat"
    small.write("index.md", f"# Page\n\n{fence(prompt)}")
    small.build()
    run("gallery", file)
    assert Sheet(file).alts == [f"Take 1: {prompt}"]


def test_large_sheet_continues_in_linked_files(small: Site, run, file: Path, monkeypatch) -> None:
    monkeypatch.setattr(site_module, "_MAX_IMAGES", 2)
    prompts = [fence(f"Ferry {number}") for number in range(5)]
    small.write("index.md", f"# Page\n\n{''.join(prompts)}")
    small.build()
    files = [file, file.with_name("sheet-2.html"), file.with_name("sheet-3.html")]
    assert run("gallery", file).lines == [
        f"{files[0]}: 2 images",
        f"{files[1]}: 2 images",
        f"{files[2]}: 1 image",
    ]
    titles = [each[len("Take 1: ") :] for part in files for each in Sheet(part).alts]
    assert titles == [f"Ferry {number}" for number in range(5)]
    links = [re.findall(r'<a href="([^"]+)">(\w+) part</a>', Sheet(part).text) for part in files]
    assert links == [
        [("sheet-2.html", "Next")],
        [("sheet.html", "Previous"), ("sheet-3.html", "Next")],
        [("sheet-2.html", "Previous")],
    ]
    assert '<output id="count" for="filter">2 images</output>' in file.read_text()
    assert run("gallery", file, "--json").json["files"] == list(map(str, files))


def test_progress_ends_before_an_error_is_shown(small: Site, run, file: Path, monkeypatch) -> None:
    events, show = [], CommandError.show

    def progress(items, _):
        try:
            yield from items
        finally:
            events.append("end")

    monkeypatch.setattr(site_module, "_MAX_IMAGES", 1)
    monkeypatch.setattr(site_module, "show_progress", progress)
    monkeypatch.setattr(
        CommandError, "show", lambda self, **more: (events.append("error"), show(self, **more))
    )
    small.write("third.md", f"# Third\n\n{fence('A lock')}")
    small.build()
    file.with_name("sheet-2.html").write_text("<p>Mine</p>")
    run("gallery", file, code=2)
    assert events == ["end", "error"]


def test_other_file_with_the_name_of_a_part_is_not_overwritten(
    small: Site, run, file: Path, monkeypatch
) -> None:
    monkeypatch.setattr(site_module, "_MAX_IMAGES", 1)
    small.build()
    other = file.with_name("sheet-2.html")
    other.write_text("<p>Mine</p>")
    assert run("gallery", file, code=2).error == [
        f"Error: {other} is no contact sheet",
        "hint: move it, or choose another name",
    ]
    assert other.read_text() == "<p>Mine</p>"


@pytest.mark.usefixtures("small")
def test_sheet_that_cannot_be_written_is_an_error(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (problem,) = run("gallery", tmp_path / "file" / "sheet.html", code=2).error
    assert problem.startswith(f"Error: cannot write {tmp_path / 'file' / 'sheet.html'}: ")


@pytest.mark.parametrize("arguments", [["gallery"], ["candidates", "index.md:3", "--output"]])
def test_file_that_is_not_html_is_not_overwritten(small: Site, run, arguments) -> None:
    page = small.docs / "index.md"
    before = page.read_text()
    assert f"{page} does not end in .html" in run(*arguments, page, code=2).stderr
    assert page.read_text() == before
