"""Progress of the images that a run generates."""

from __future__ import annotations

import time
from decimal import Decimal
from types import SimpleNamespace

import pytest

from mkdocs_imagegen.errors import OverBudgetError, RateLimitedError
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.jobs.progress import Progress
from tests.bench import LogTexts
from tests.paid import PaidEmulator, PaidSite


@pytest.fixture
def clock(monkeypatch):
    """Time in seconds, in a list of one number."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def logged():
    texts = LogTexts()
    yield texts.texts
    texts.close()


@pytest.fixture
def generated():
    """Result of an image that cost a cent."""
    record = SimpleNamespace(cost_usd=Decimal("0.01"))
    return Result(original=SimpleNamespace(record=record), was_generated=True)


def test_line_is_logged_every_ten_seconds(clock, logged, generated):
    progress = Progress()
    for _ in range(50):
        progress.job_added()
    for _ in range(15):
        clock[0] += 2
        progress.job_done(generated)
    assert logged == [
        "generated 6 of 50 images (30/min, about 88 s left, $0.06 so far)",
        "generated 12 of 50 images (30/min, about 76 s left, $0.12 so far)",
    ]


def test_first_hold_is_logged_at_once(clock, logged, generated):
    progress = Progress()
    progress.job_added()
    progress.job_held("rate limited by the server")
    assert logged == ["generated 0 of 1 image (rate limited by the server, $0.00 so far)"]
    clock[0] += 61
    progress.job_done(generated)
    assert logged[1:] == ["generated 1 of 1 image (1/min, about 0 s left, $0.01 so far)"]


def test_hold_without_a_new_image_is_logged_once(clock, logged):
    progress = Progress()
    for _ in range(9):
        progress.job_added()
    for _ in range(20):
        clock[0] += 11
        progress.job_held("no connection to the server")
    progress.job_done(Result(error=RateLimitedError("x")))
    progress.job_done(Result(error=OverBudgetError("x", None)))
    assert len(logged) == 1


def test_queue_of_the_server_logs_a_hold(logged):
    Progress().job_held("no connection to the server")
    assert logged == ["no connection to the server"]


def test_long_build_logs_its_progress(
    paid_site: PaidSite, paid: PaidEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mkdocs_imagegen.jobs.progress._LOG_INTERVAL_S", 0.0)
    paid_site.write_prompts("One", "Two", "Three")
    lines = [text for text in paid_site.build().infos if "generated 3 of 3 images (" in text]
    assert len(lines) == 1
    assert "$0." in lines[0]
    assert paid.bill.images == 3
