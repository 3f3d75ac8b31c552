"""Figures that sentences and samples of the manual state by hand are those of the code."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from inspect import signature
from itertools import product
from pathlib import Path

import pytest

from mkdocs_imagegen.cli.prune import _GRACE_DAYS
from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.emulator.models import MODELS, SHUT_DOWN
from mkdocs_imagegen.gateway.client import CONNECT_TIMEOUT_S
from mkdocs_imagegen.gateway.models import KNOWN_MODELS, STANDARD_SIZES
from mkdocs_imagegen.gateway.policy import MAX_ATTEMPTS, MAX_BACKOFF_S, MAX_WAIT_S
from mkdocs_imagegen.gateway.pricing import price_usd
from mkdocs_imagegen.jobs.scheduler import _DRAIN_MESSAGE_INTERVAL_S
from mkdocs_imagegen.jobs.serve_queue import RETRY_AFTER_S
from mkdocs_imagegen.originals.judge import DefectKind
from mkdocs_imagegen.originals.record import VERSION
from mkdocs_imagegen.report import format_usd
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending import ledger
from mkdocs_imagegen.spending.budget import MAX_CHARGED_FAILURES, MAX_CHARGED_FAILURES_IN_A_ROW
from tests.manual.pages import DOCS, ROOT, pages

README, CHOOSE = ROOT / "README.md", DOCS / "models/choose.md"
BUDGET = f"at most {Settings().budget.images} images for at most ${Settings().budget.usd}"
LIST_PRICES = {
    Decimal(format_usd(usd).removeprefix("$"))
    for model, facts in KNOWN_MODELS.items()
    for kind in product(STANDARD_SIZES, facts.qualities)
    if (usd := price_usd(ImageRequest(model, "", *kind))) is not None
}
DEFAULT_PRICES = KNOWN_MODELS[Settings().model].usd[Settings().quality]
FOLDER, REST_HOURS = Settings().originals_dir, ledger.REST // timedelta(hours=1)
CACHE_BYTES = signature(DerivedStore).parameters["size_limit_bytes"].default
EXIT_CODES = {
    DefectKind.DAMAGED: "A file is damaged",
    DefectKind.UNREADABLE: "A file cannot be read, is a Git LFS pointer, or is of a newer version",
    DefectKind.ORPHANED: "An image has no record, and no page shows it",
}

SENTENCES = [
    ("index.md", BUDGET),
    ("models/cost.md", BUDGET),
    (
        "troubleshooting/index.md",
        f"{Settings().budget.images} of {Settings().budget.images} images per run",
    ),
    ("get-started/first-image.md", f"generate the image for about ${DEFAULT_PRICES[1]}."),
    ("guides/serve.md", f"the first save after {RETRY_AFTER_S:.0f} seconds sends it again"),
    ("guides/regenerate.md", f"older than {_GRACE_DAYS} days (`--grace-days`)"),
    ("concepts/billing.md", f"Retried, up to {MAX_ATTEMPTS} attempts"),
    ("concepts/billing.md", f"no connection after {MAX_ATTEMPTS} attempts"),
    ("concepts/billing.md", f"at most {MAX_WAIT_S:.0f} seconds, plus a random delay"),
    ("concepts/billing.md", f"grows up to {MAX_BACKOFF_S:.0f} seconds"),
    ("concepts/billing.md", f"After {MAX_CHARGED_FAILURES_IN_A_ROW} charged or possibly charged"),
    ("concepts/billing.md", f"in a row, or {MAX_CHARGED_FAILURES} in total"),
    ("concepts/billing.md", f"Every {_DRAIN_MESSAGE_INTERVAL_S:.0f} seconds a message"),
    ("concepts/billing.md", f"After {ledger.MAX_ATTEMPTS} attempts that count"),
    ("concepts/billing.md", f"{REST_HOURS} hours after the second attempt"),
    ("concepts/storage.md", f"The originals folder, `{FOLDER}`, contains every image"),
    ("concepts/storage.md", f"The cache folder, `{Settings().cache_dir}`, contains files"),
    ("concepts/storage.md", f"| `version` | {VERSION};"),
    ("concepts/storage.md", f"up to {CACHE_BYTES // 10**9} GB"),
    ("deploy/index.md", f"Keep the whole folder `{FOLDER}` between builds"),
    ("deploy/offline.md", f"established within {CONNECT_TIMEOUT_S:.0f} seconds"),
    ("troubleshooting/index.md", f"accepted none of {MAX_ATTEMPTS} attempts"),
    ("troubleshooting/index.md", f"still busy after {MAX_ATTEMPTS} attempts"),
    ("troubleshooting/index.md", f"except once after {REST_HOURS} hours"),
    *(
        ("troubleshooting/index.md", f"| {kind.value} | {EXIT_CODES[kind]} |")
        for kind in DefectKind
    ),
]
_PRICE = re.compile(r"\$(\d+\.\d+)")
_ROW = re.compile(r"^\S+:\d+  \w+  \$(?P<price>[\d.]+)  ", re.MULTILINE)


def words_of(path: Path) -> str:
    return " ".join(path.read_text().split())


@pytest.mark.parametrize(("page", "sentence"), SENTENCES)
def test_figure_of_a_sentence_is_that_of_the_code(page: str, sentence: str) -> None:
    assert sentence in words_of(DOCS / page)


def test_budget_of_the_readme_is_that_of_the_code() -> None:
    assert BUDGET in words_of(README)


@pytest.mark.parametrize(
    "block", [b for p in pages() for b in p.blocks if _ROW.search(b.text)], ids=str
)
def test_prices_of_a_sample_are_list_prices_and_add_up(block) -> None:
    prices = [Decimal(price) for price in _ROW.findall(block.text)]
    assert {*prices} <= LIST_PRICES
    *_, total = _PRICE.findall(block.text)
    assert Decimal(total) == sum(prices)


def test_listed_prices_of_models_are_those_of_the_code() -> None:
    listed = dict(re.findall(r"^.  (openai/\S+)  \$([\d.]+)  ", CHOOSE.read_text(), re.MULTILINE))
    assert len(listed) == len(KNOWN_MODELS.keys() - SHUT_DOWN)
    for model, price in listed.items():
        request = ImageRequest(model, "", Settings().size, Settings().quality)
        assert Decimal(price) == price_usd(request)


def test_prices_of_the_readme_are_those_of_the_code() -> None:
    settings = Settings()
    square, other = DEFAULT_PRICES
    text = words_of(README)
    assert f"default model, `{settings.model}`, a {settings.quality}-quality image" in text
    assert f"${square} (square) or ${other} (other sizes)" in text


def test_shutdown_date_of_the_readme_is_that_of_the_emulator() -> None:
    (date,) = re.findall(r"on (\d{4}-\d\d-\d\d)", words_of(README))
    shutdown = MODELS[Settings().model].shutdown
    assert shutdown is not None
    assert datetime.fromtimestamp(shutdown, timezone.utc).date().isoformat() == date
