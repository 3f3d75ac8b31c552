"""English of the manual: words, headings and the parts of a page."""

from __future__ import annotations

import re

import pytest

from tests.english import BANNED, BANNED_IN_PROSE, PRONOUNS
from tests.manual.pages import ManualPage, nav_titles, pages

MAX_PRONOUNS = 5 / 1000
QUESTION = re.compile(r"(What|When|How|Where|Who|Why|Which|Whether)\b|.*\?$")
TITLES_BY_TRADITION = {"How it works"}
ENDS = {"See also", "Next steps"}
PAGES = list(pages())
MANUAL = [page for page in PAGES if not page.name.startswith("/") and page.name != "changelog.md"]
IN_QUOTES = re.compile(r"[\"“][^\"”\n]*[\"”]|\*[^*\n]+\*")


def prose_faults(page: ManualPage) -> list[str]:
    text = IN_QUOTES.sub(" ", page.prose.replace("**", ""))
    matches = [*BANNED.finditer(text), *BANNED_IN_PROSE.finditer(text)]
    return [
        f"{page}: {match[0]!r} in {text[max(0, match.start() - 40) : match.end() + 40]!r}"
        for match in matches
    ]


def heading_faults(page: ManualPage) -> list[str]:
    return [
        f"{page}: {text}"
        for _, text in page.headings
        if QUESTION.match(text) and text not in TITLES_BY_TRADITION
    ]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_page_has_no_banned_word(page) -> None:
    assert prose_faults(page) == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_headings_name_a_task_or_a_topic(page) -> None:
    assert heading_faults(page) == []


def test_manual_has_few_pronoun_words() -> None:
    counts = {page.name: len(PRONOUNS.findall(page.prose)) for page in PAGES}
    words = sum(len(re.findall(r"[A-Za-z']+", page.prose)) for page in PAGES)
    assert sum(counts.values()) <= MAX_PRONOUNS * words, counts


@pytest.mark.parametrize("page", MANUAL, ids=str)
def test_page_has_one_title_a_description_and_an_end(page) -> None:
    (title,) = (text for level, text in page.headings if level == 1)
    assert title == (nav_titles()[page.name] if page.name != "index.md" else "mkdocs-imagegen")
    assert page.front_matter.get("description")
    assert ENDS & {text for _, text in page.headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_code_block_has_a_language(page) -> None:
    assert [str(block) for block in page.blocks if not block.language] == []


def test_a_fault_is_found() -> None:
    text = "# Who wins\n\nThe picture is made anew.\n\n```\nx\n```\n\n## Cost?\n"
    page = ManualPage("page.md", text)
    assert len(prose_faults(page)) == 2
    assert heading_faults(page) == ["page.md: Who wins", "page.md: Cost?"]
    assert [block.language for block in page.blocks] == [""]


def test_code_is_no_prose() -> None:
    text = "A `picture` in [code](picture.md).\n\n````markdown\n```\npicture\n```\n````\n"
    assert prose_faults(ManualPage("page.md", text)) == []
