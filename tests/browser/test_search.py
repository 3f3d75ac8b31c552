"""The search of the manual: words that readers type, and the page that answers them first."""

from __future__ import annotations

import pytest

REGENERATE = "guides/regenerate/"
SIZES = "guides/sizes/"
COST = "models/cost/"
GITHUB = "deploy/github-actions/"
OFFLINE = "deploy/offline/"
CHOOSE = "models/choose/"
TROUBLE = "troubleshooting/"
PREVIEWS = "guides/previews/"
PRIVACY = "concepts/privacy/"
STORAGE = "concepts/storage/"

WORDS = {
    REGENERATE: "regenerate; redo; different image; seed; variation; delete cache; clear cache; "
    "prune",
    STORAGE: "gitignore",
    SIZES: "aspect ratio; 16:9; crop; width; responsive; AVIF; WebP",
    COST: "cost; price; billing; limit; spend; credits",
    GITHUB: "CI; GitHub Actions; fork; secrets; cache action; GitHub Pages",
    OFFLINE: "proxy; certificate; offline; air-gapped; timeout",
    CHOOSE: "deprecated; shutdown; model not found; 404; fallback",
    TROUBLE: "troubleshooting; error; API key; token; 401; 402; rate limit; 429; "
    "image not showing; placeholder; moderation",
    PREVIEWS: "og:image; Open Graph; thumbnail; cover",
    PRIVACY: "privacy; data retention; training; GDPR",
}
MIN_RIGHT = 25

_FIRST_RESULT = """() => document.querySelector(".md-search-result__item a")?.href"""
_HAS_ANSWERED = """() => /\\d|No/.test(
  document.querySelector(".md-search-result__meta").textContent
) && !document.querySelector(".md-search-result__meta").textContent.includes("No qzxv")"""


@pytest.fixture
def first_page(visit, example_url):
    """Type words into the search, and return the address of the first page that it finds."""
    page = visit(example_url).page
    page.click(".md-search__input")
    page.wait_for_selector(".md-search-result__meta", state="attached")

    def search(words: str) -> str:
        page.fill(".md-search__input", "qzxv")
        page.wait_for_function(f"!({_FIRST_RESULT})()")
        page.fill(".md-search__input", words)
        page.keyboard.press("End")
        page.wait_for_function(_HAS_ANSWERED)
        found = page.evaluate(_FIRST_RESULT) or ""
        return found.removeprefix(example_url).partition("#")[0].partition("?")[0]

    return search


def test_first_result_answers_the_words(first_page) -> None:
    found = {
        (words, page): first_page(words)
        for page, several in WORDS.items()
        for words in several.split("; ")
    }
    wrong = {words: got for (words, page), got in found.items() if got != page}
    assert len(found) - len(wrong) >= MIN_RIGHT, wrong
