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

WORDS = {
    REGENERATE: "regenerate; redo; different image; seed; variation; delete cache; clear cache; "
    "prune; gitignore",
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
MIN_RIGHT = 46

_SEARCH = """async words => {
  const input = document.querySelector(".md-search__input");
  const first = () => document.querySelector(".md-search-result__item a")?.href || "";
  const until = async reached => {
    for (let i = 0; i < 60 && !reached(); i++) await new Promise(done => setTimeout(done, 50));
  };
  const type = text => {
    input.value = text;
    input.dispatchEvent(new KeyboardEvent("keyup", {bubbles: true}));
  };
  type("qzxv");
  await until(() => !first());
  type(words);
  await until(first);
  return first();
}"""
"""Clears the results, types words, and returns the address of the first result; waits for 3 s."""


@pytest.fixture
def first_page(visit, example_url):
    """Return a function that returns the first page that the search finds for some words."""
    page = visit(example_url).page
    page.click(".md-search__input")
    page.wait_for_function(
        "document.querySelector('.md-search-result__meta').textContent.includes('Type')"
    )

    def search(words: str) -> str:
        found = page.evaluate(_SEARCH, words)
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
    assert ("cost", COST) not in wrong
