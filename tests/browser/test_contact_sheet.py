"""The contact sheet in a browser: 500 images, layout shifts, keyboard and accessibility."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mkdocs_imagegen.emulator.sketches.drawing import draw
from mkdocs_imagegen.imaging.encode import encode_thumbnail
from mkdocs_imagegen.imaging.image import LARGE_PX, Thumbnail
from mkdocs_imagegen.pages.contact_sheet import SheetGroup, SheetImage, contact_sheet
from tests.emulator.support import draw_request
from tests.tools import skip_or_fail

SHAPES = [(480, 320), (320, 480), (400, 400), (640, 200)]
STRIPS = 440
"""Every eighth has two takes, and the last has seven: 500 images."""

READ = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let y = 0; y < document.documentElement.scrollHeight; y += 700) {
    window.scrollTo({top: y, behavior: "instant"});
    await frame();
    await frame();
  }
}"""
LAST_IS_LOADED = "[...document.querySelectorAll('.image img')].at(-1).naturalWidth > 0"
FOCUSED = "document.activeElement.querySelector('img')?.alt"
SHOWN = "document.querySelectorAll('#groups > li:not([hidden]) .image').length"


def small(number: int) -> Thumbnail:
    width, height = SHAPES[number % len(SHAPES)]
    return encode_thumbnail(draw(draw_request(f"Harbour {number}", width, height), seed="1"))


def frames(number: int, count: int, smalls: list[Thumbnail]) -> tuple[SheetImage, ...]:
    return tuple(
        SheetImage(
            key=f"{number:04x}{take:04x}".ljust(64, "a"),
            take=take,
            model="openai/gpt-image-1-mini",
            cost="$0.015",
            created=f"2026-11-{number % 28 + 1:02}T12:00:00+00:00",
            is_shown=take == 1,
            url=f"originals/{number}.png",
            thumbnail=smalls[(number + take) % len(smalls)],
        )
        for take in range(1, count + 1)
    )


def violations(page: Any) -> list[str]:
    """Return the rules of axe that a page violates."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        skip_or_fail("axe-playwright-python is not installed")
    found = Axe().run(page).response
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
    return [rule["id"] for rule in found["violations"]]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a sheet with 500 images, and return its URL."""
    smalls = [small(number) for number in range(16)]
    counts = [7 if number == STRIPS - 1 else 1 + (number % 8 == 7) for number in range(STRIPS)]
    strips = [
        SheetGroup(
            f"Harbour {number}, " + "with a long quay " * (number % 9),
            f"Harbour {number}, with the style of the site",
            tuple(f"docs/page{number // 20}.md:{place}" for place in range(3, 4 + number % 3)),
            frames(number, count, smalls),
        )
        for number, count in enumerate(counts)
    ]
    assert sum(counts) == 500
    file = tmp_path_factory.mktemp("sheet") / "sheet.html"
    file.write_text(contact_sheet("Images of the site", "3 more are not generated yet.", strips))
    return file.as_uri()


@pytest.mark.parametrize("width", [390, 1440])
def test_500_images_load_without_a_layout_shift(visit, sheet, width) -> None:
    visited = visit(sheet, width=width)
    visited.page.evaluate(READ)
    visited.page.wait_for_function(LAST_IS_LOADED)
    assert visited.page.evaluate("document.images.length") == 501
    assert visited.layout_shifts() == []
    wide = visited.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert [each for each in visited.addresses if not each.startswith("data:")] == [sheet]
    assert visited.failures == []


def test_a_late_element_shifts_the_layout(visit, sheet) -> None:
    """Without this, the test above might never fail."""
    change = """addEventListener("DOMContentLoaded", () => {
        document.querySelector("#groups").firstElementChild.prepend("late");
        setTimeout(() => document.querySelector("header").prepend(
            Object.assign(document.createElement("div"), {textContent: "late"})), 300);
    })"""
    visited = visit(sheet, change=change)
    visited.wait_for_layout_shift()
    assert visited.layout_shifts()


def test_the_height_is_known_before_the_cards_are_painted(visit, sheet) -> None:
    visited = visit(sheet)
    before = visited.page.evaluate("document.documentElement.scrollHeight")
    visited.page.evaluate(READ)
    assert visited.page.evaluate("document.documentElement.scrollHeight") == before


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_no_fault(visit, sheet, width, dark) -> None:
    page = visit(sheet, width=width, dark=dark).page
    # Axe walks through every element again for each rule; a hundred are as good as all.
    page.evaluate("[...document.querySelectorAll('#groups > li')].slice(60).map(e => e.remove())")
    assert violations(page) == []
    page.click(".image >> nth=0")
    assert violations(page) == []


def test_arrow_keys_move_the_focus_and_enter_opens_an_image(visit, sheet) -> None:
    page = visit(sheet).page
    page.focus(".image >> nth=0")
    for key, expected in (
        ("ArrowRight", "Take 1: Harbour 1,"),
        ("ArrowRight", "Take 1: Harbour 2,"),
        ("ArrowLeft", "Take 1: Harbour 1,"),
    ):
        page.keyboard.press(key)
        assert page.evaluate(FOCUSED).startswith(expected)
    page.keyboard.press("ArrowDown")
    below = page.evaluate(FOCUSED)
    assert below not in ("Take 1: Harbour 1, ", "Take 1: Harbour 2, ")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED).startswith("Take 1: Harbour 1,")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('dialog').open")
    facts = page.text_content("#large-facts")
    assert "docs/page0.md:3, docs/page0.md:4" in facts
    assert "take: 1 · $0.015 · on the page" in facts
    assert page.text_content("#large-words") == "Harbour 1, with the style of the site"
    assert "00010001".ljust(64, "a") in facts
    assert page.get_attribute("#large-file", "href") == "originals/1.png"
    page.keyboard.press("Escape")
    assert not page.evaluate("document.querySelector('dialog').open")
    assert page.evaluate(FOCUSED).startswith("Take 1: Harbour 1,")


def test_focus_is_visible(visit, sheet) -> None:
    page = visit(sheet).page
    page.focus(".image >> nth=0")
    page.keyboard.press("ArrowRight")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_filter_and_order_change_the_list(visit, sheet) -> None:
    page = visit(sheet).page
    assert page.evaluate(SHOWN) == 500
    page.fill("#filter", "page3.md harbour 67")
    assert page.evaluate(SHOWN) == 1
    assert page.text_content("#count") == "1 image"
    page.fill("#filter", "")
    page.select_option("#order", "time")
    times = page.evaluate(
        "[...document.querySelectorAll('#groups > li')].map(e => e.dataset.created)"
    )
    assert times == sorted(times, reverse=True)
    page.select_option("#order", "number")
    numbers = page.evaluate(
        "[...document.querySelectorAll('#groups > li')].map(e => +e.dataset.number)"
    )
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("button", "text"), [(".take .copy", "take: 1"), (".key", "00000001".ljust(64, "a"))]
)
def test_take_and_key_are_copied_or_selected(visit, sheet, button, text) -> None:
    page = visit(sheet).page
    page.click(f"{button} >> nth=0")
    page.wait_for_function(
        f"document.body.innerText.includes('copied {text}') || String(getSelection()) === '{text}'"
    )


@pytest.fixture
def large(tmp_path: Path) -> str:
    """Write a sheet with four candidates next to their originals, and return its URL."""
    drawn = draw(draw_request("Harbour", 1536, 1024, output_format="png"), seed="1")
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals/0.png").write_bytes(drawn)
    thumbnails = [encode_thumbnail(drawn, LARGE_PX)]
    group = SheetGroup("Harbour", "Harbour in ink", ("docs/a.md:3",), frames(0, 4, thumbnails))
    file = tmp_path / "sheet.html"
    file.write_text(contact_sheet("Candidates", "Set `take: 2`.", [group], is_large=True))
    return file.as_uri()


@pytest.mark.parametrize(("width", "least_px", "columns"), [(390, 320, 1), (1440, 480, 2)])
def test_candidates_are_large_enough_to_judge(visit, large, width, least_px, columns) -> None:
    visited = visit(large, width=width)
    page = visited.page
    page.wait_for_function(LAST_IS_LOADED)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.image img')].map(e => e.getBoundingClientRect().toJSON())"
    )
    assert min(box["width"] for box in boxes) >= least_px
    assert all(box["width"] / box["height"] == pytest.approx(1.5, abs=0.02) for box in boxes)
    assert len({box["x"] for box in boxes}) == columns
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.text_content("header code") == "take: 2"
    assert visited.layout_shifts() == []


def test_opened_image_is_the_original_if_it_is_next_to_the_sheet(visit, large, sheet) -> None:
    page = visit(large).page
    page.click(".image >> nth=0")
    page.wait_for_function("document.getElementById('large-image').naturalWidth === 1536")
    visited = visit(sheet)
    with visited.page.expect_event("requestfailed"):
        visited.page.click(".image >> nth=0")
    shown = visited.page.evaluate("document.getElementById('large-image').src.slice(0, 5)")
    assert shown == "data:"


def test_the_file_stays_small(sheet) -> None:
    size = Path(sheet.removeprefix("file://")).stat().st_size
    assert size < 500 * 25_000


PROMPT = "<b>Harbor</b> " + "in a long prompt without an end " * 20 + "x" * 300


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a review of an added, a changed, a dropped and a missing image; return its URL."""
    drawn = [draw(draw_request("Harbor", 1024, side), seed="1") for side in (768, 1536)]
    before, after = (
        replace(each, side=side, url="")
        for each, side in zip(
            frames(0, 2, [encode_thumbnail(each, LARGE_PX) for each in drawn]),
            ("before", "after"),
            strict=True,
        )
    )
    where = ("docs/a.md:3", f"docs/{'long' * 40}.md:4")
    groups = [
        SheetGroup("Harbor", "A red harbor", where, (before, after), "changed", "A blue harbor"),
        SheetGroup("Harbor", PROMPT, where, (after,), "added"),
        SheetGroup("Harbor", "A harbor", where, (before,), "dropped", "A harbor"),
        SheetGroup("Harbor", "A pier", where, (before,), "changed", "A", "It is missing ($0.02)."),
    ]
    file = tmp_path_factory.mktemp("review") / "review.html"
    file.write_text(contact_sheet("Images since main", "1 added.", groups, is_review=True))
    return file.as_uri()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1440])
def test_review_has_no_fault_for_axe_and_no_layout_shift(visit, review, width, dark) -> None:
    visited = visit(review, width=width, dark=dark)
    visited.page.evaluate(READ)
    visited.page.wait_for_function(LAST_IS_LOADED)
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visited.layout_shifts() == []
    assert violations(visited.page) == []
    visited.page.click(".image >> nth=0")
    assert violations(visited.page) == []
    assert [each for each in visited.addresses if not each.startswith("data:")] == [review]


@pytest.mark.parametrize(("width", "is_beside"), [(390, False), (1440, True)])
def test_review_shows_both_images_and_their_words(visit, review, width, is_beside) -> None:
    page = visit(review, width=width).page
    before, after = page.evaluate(
        "[...document.querySelectorAll('.image img')].slice(0, 2)"
        ".map(e => e.getBoundingClientRect().toJSON())"
    )
    assert (before["x"] < after["x"]) == is_beside
    assert (before["y"] < after["y"]) == (not is_beside)
    assert page.text_content(".prompt del") == "blue"
    assert page.text_content(".prompt ins") == "red"
    assert page.text_content(".prompt >> nth=1").split() == PROMPT.split()
    assert page.text_content(".note") == "It is missing ($0.02)."


def test_review_is_used_with_the_keyboard(visit, review) -> None:
    page = visit(review).page
    page.focus(".image >> nth=0")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == "After: Harbor"
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('dialog').open")
    assert page.text_content("#large-words") == "A red harbor"
    assert "after · take: 2" in page.text_content("#large-facts")
    assert not page.is_visible("#large-file")
    page.keyboard.press("Escape")
    page.fill("#filter", "dropped")
    assert page.evaluate(SHOWN) == 1
