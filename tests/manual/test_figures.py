"""Figures that the README and the home page state by hand are those of the code."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from mkdocs_imagegen.emulator.models import MODELS
from mkdocs_imagegen.gateway.models import KNOWN_MODELS
from mkdocs_imagegen.settings import Settings
from tests.manual.pages import DOCS, ROOT

README = ROOT / "README.md"


def words_of(path) -> str:
    return " ".join(path.read_text().split())


@pytest.mark.parametrize("path", [README, DOCS / "index.md"], ids=["README", "index"])
def test_budget_is_that_of_the_code(path) -> None:
    budget = Settings().budget
    assert f"at most {budget.images} images for at most ${budget.usd}" in words_of(path)


def test_prices_of_the_readme_are_those_of_the_code() -> None:
    settings = Settings()
    square, other = KNOWN_MODELS[settings.model].usd[settings.quality]
    text = words_of(README)
    assert f"default model, `{settings.model}`, a {settings.quality}-quality image" in text
    assert f"${square} (square) or ${other} (other sizes)" in text


def test_shutdown_date_of_the_readme_is_that_of_the_emulator() -> None:
    (date,) = re.findall(r"on (\d{4}-\d\d-\d\d)", words_of(README))
    shutdown = MODELS[Settings().model].shutdown
    assert shutdown is not None
    assert datetime.fromtimestamp(shutdown, timezone.utc).date().isoformat() == date
