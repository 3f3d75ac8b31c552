"""What goes wrong with one image costs that image, and no other."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import time

import pytest

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.jobs import scheduler
from tests.bench import PNG, Studio, request, want
from tests.originals.support import flip, refuse

UNFORESEEN = [RuntimeError("unforeseen"), MemoryError("unforeseen"), KeyError("unforeseen")]


@pytest.mark.parametrize("error", UNFORESEEN)
def test_what_fails_while_the_files_are_made_costs_only_them(bench, error):
    def derive(_original, layout, _content):
        if layout == "broken":
            raise error
        return "files"

    made = bench(derive=derive)
    broken, other, next_one = made.make(
        want(request(), "broken"), want(request(), "other"), want(request(1))
    )
    assert "unforeseen" in str(broken.error)
    assert broken.was_generated  # and so is on the bill
    assert (other.error, next_one.error) == (None, None)
    assert sorted(made.studio.asked) == ["prompt 0", "prompt 1"]


@pytest.mark.parametrize("error", UNFORESEEN)
def test_what_fails_while_a_image_is_asked_for_costs_only_it_and_once(bench, error):
    async def fails(asked, _keep):
        await asyncio.sleep(0.05)
        if asked == request():
            raise error

    made = bench(Studio(fails))
    first, second, other = made.make(
        want(request(), "A"), want(request(), "B"), want(request(1), "A")
    )
    assert "unforeseen" in str(first.error)
    assert "unforeseen" in str(second.error)
    assert other.error is None
    assert sorted(made.studio.asked) == ["prompt 0", "prompt 1"]
    assert made.purchaser.in_flight == 0
    assert made.stores.journal.keys() == [request().key]


@pytest.mark.parametrize("error", UNFORESEEN)
def test_what_fails_while_an_original_is_read_costs_only_that(bench, monkeypatch, error):
    def read(_kept):
        raise error

    made = bench()
    made.make(want(request(), "before"))
    original = made.stores.originals.find(request().key)
    monkeypatch.setattr(made.stores.originals, "read", read)
    (after,) = made.make(want(request(), "after", original=original))
    assert "unforeseen" in str(after.error)


def test_waiting_behind_another_build_is_no_failure_however_long(bench, monkeypatch):
    monkeypatch.setattr(scheduler, "_CLAIM_INTERVAL_S", 0.02)
    monkeypatch.setattr(scheduler, "_CLAIM_MESSAGE_INTERVAL_S", 0.1)
    made = bench(timeout_s=0.05)
    with made.stores.claims.claim(request().key):
        for layout in "AB":
            made.scheduler.start(want(request(), layout))
        time.sleep(0.5)
        assert made.studio.asked == []
        assert "waiting for images that another build is asking for" in made.said
    first, second = made.make(want(request(), "A"), want(request(), "B"))
    assert (first.error, second.error, made.studio.asked) == (None, None, ["prompt 0"])


def test_a_broken_original_that_cannot_be_moved_away_is_never_shown(bench):
    before = bench()
    before.make(want(request()))
    original = before.stores.originals.find(request().key)
    flip(original.path)
    before.stores.originals.quarantine.write_text("no folder")
    quoted_value = []
    made = bench(derive=lambda _original, _shape, content: quoted_value.append(content))
    (lost,) = made.make(want(request(), "not bought", original=original, can_generate=False))
    (anew,) = made.make(want(request(), "bought anew", original=original))
    assert (lost.image, anew.error) == (None, None)
    assert made.studio.asked == ["prompt 0"]
    assert quoted_value == [PNG]


def test_an_original_that_breaks_between_two_shapes_is_not_shown_either(bench):
    quoted_value = []
    made = bench(derive=lambda _original, _shape, content: quoted_value.append(content))
    made.make(want(request(), "A"))
    flip(made.stores.originals.find(request().key).path)
    made.stores.originals.quarantine.write_text("no folder")
    (result,) = made.make(want(request(), "B"))
    assert "cannot be moved out of the way" in str(result.error)
    assert quoted_value == [PNG]


def test_a_draft_that_is_only_fitted_stays_a_draft(bench):
    made = bench()
    made.make(want(request(), "before"))
    original = made.stores.originals.find(request().key)
    (result,) = made.make(want(request(), "after", original=original, is_draft=True))
    assert (result.is_draft, result.was_generated, result.error) == (True, False, None)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_files_cannot_be_locked_nothing_is_bought(bench, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", refuse(number))
    made = bench()
    (result,) = made.make(want(request()))
    assert isinstance(result.error, StoreError)
    assert "locks no files" in str(result.error)
    assert made.studio.asked == []
