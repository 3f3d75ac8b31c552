"""Tests of the lookup: originals, jobs and errors of one build."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from mkdocs_imagegen.errors import (
    EarlierFailureError,
    EarlierRefusalError,
    NotGeneratedError,
    NotSelectedError,
    OptionError,
    PendingError,
    StoreError,
)
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.jobs.scheduler import Scheduler
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.pipeline.context import BuildMode
from mkdocs_imagegen.pipeline.lookup import TOO_LATE, Lookup, scheduler_of_server
from mkdocs_imagegen.spending.ledger import Attempt, Attempts
from mkdocs_imagegen.spending.permission import Permission
from tests.originals.support import CONTENT, flip, record
from tests.pipeline.support import build_context, directive, request

SMALL = Layout(Size(32, 24))


class Observer:
    """Observer that counts."""

    def __init__(self):
        self.added = 0
        self.done = []

    def job_added(self):
        self.added += 1

    def job_done(self, result):
        self.done.append(result.was_generated)


class Queue:
    """Double of the queue of `mkdocs serve`."""

    def pending_error(self, _job):
        return PendingError("in a moment")


@pytest.fixture
def opened(tmp_path):
    """Opens lookups: `opened(mode=..., options=...)`; closes them at the end."""
    lookups = []

    def open_lookup(options=None, **facts):
        lookups.append(Lookup(build_context(tmp_path, options, **facts)))
        return lookups[-1]

    yield open_lookup
    for each in lookups:
        each.close()


def look_up(lookup, *directives, uri="index.md"):
    """Return the first result of each directive after the join."""
    for each in directives:
        lookup.look_up(each, uri)
    lookup.join()
    return [lookup.results(each)[0] for each in directives]


def test_missing_original_is_generated_and_reused_by_the_next_build(opened):
    first, second = (look_up(opened(), directive())[0] for _ in range(2))
    assert (first.was_generated, second.was_generated) == (True, False)
    assert first.original.record == second.original.record
    assert first.image == second.image


def test_directive_that_no_page_shows_has_no_result(opened):
    lookup = opened()
    look_up(lookup, directive())
    assert lookup.results(directive("Another")) is None


def test_dark_image_is_looked_up_too(opened):
    lookup = opened()
    pair = directive(dark=request("A balloon at night"))
    look_up(lookup, pair)
    assert [each.was_generated for each in lookup.results(pair)] == [True, True]


def test_known_request_is_deferred_to_the_join(opened):
    look_up(opened(), directive())
    lookup = opened()
    lookup.look_up(directive(), "index.md")
    lookup.look_up(directive("Another"), "index.md")
    assert lookup.results(directive()) is None
    assert lookup.results(directive("Another")) == (Result(),)  # its job runs


def test_equal_requests_are_observed_as_one_job(opened):
    observer = Observer()
    lookup = opened(mode=BuildMode(observer=observer))
    look_up(lookup, directive(), directive(layout=SMALL), directive("Another"))
    assert (observer.added, observer.done) == (2, [True, True])


@pytest.mark.parametrize("order", [("a.md", "b.md"), ("b.md", "a.md")])
def test_image_is_generated_if_one_of_its_pages_is_selected(opened, order):
    lookup = opened(mode=BuildMode(pages=("b.md",)))
    for uri in order:
        lookup.look_up(directive(), uri)
    (result,) = look_up(lookup, directive(), uri="a.md")
    assert result.was_generated


def test_image_of_another_page_is_not_generated(opened):
    lookup = opened(mode=BuildMode(pages=("b.md",)))
    (result,) = look_up(lookup, directive(), uri="a.md")
    assert isinstance(result.error, NotSelectedError)


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"permission": Permission("generate is false")}, "generate is false"),
        ({"mode": BuildMode(generate=False)}, "this command generates no images"),
        ({"options": {"enabled": False}, "permission": Permission("off")}, "off"),
    ],
)
def test_nothing_is_generated_without_permission(opened, facts, error):
    (result,) = look_up(opened(**facts), directive())
    assert isinstance(result.error, NotGeneratedError)
    assert result.error.fault == error


def test_switched_off_plugin_does_not_show_originals(opened):
    look_up(opened(), directive())
    off = opened({"enabled": False}, permission=Permission("enabled is false"))
    (result,) = look_up(off, directive())
    assert (result.original, result.image) == (None, None)


def test_request_that_the_model_rejects_is_not_sent(opened):
    invalid = directive(request=request(model="openai/gpt-image-1-mini"))
    (result,) = look_up(opened(), invalid)
    assert isinstance(result.error, OptionError)


def note(folder, **more):
    attempts = Attempts([build_context(folder).settings.originals_path])
    facts = {"begun": "2026-11-23", "billing": "billed", "model": SKETCH_MODEL, "fault": "blocked"}
    attempts.add(request().key, Attempt(**(facts | more)))


@pytest.mark.parametrize("is_again", [False, True])
def test_image_that_was_charged_twice_is_sent_only_on_request(opened, tmp_path, is_again):
    timeout_s = build_context(tmp_path).settings.gateway.timeout
    now = datetime.now(timezone.utc)
    for minutes in (2, 1):
        begun = (now - timedelta(minutes=minutes)).isoformat()
        note(tmp_path, begun=begun, timeout_s=timeout_s, counts=True)
    again = frozenset([request().key]) if is_again else frozenset()
    (result,) = look_up(opened(mode=BuildMode(again=again)), directive())
    assert result.was_generated is is_again
    assert isinstance(result.error, EarlierFailureError) is not is_again


@pytest.mark.parametrize("is_retried", [False, True])
def test_refused_prompt_is_sent_again_only_on_request(opened, tmp_path, is_retried):
    lookup = opened(mode=BuildMode(retry_refused=is_retried))
    note(tmp_path, billing="refused")
    (result,) = look_up(lookup, directive())
    assert result.was_generated is is_retried
    assert isinstance(result.error, EarlierRefusalError) is not is_retried


@pytest.mark.parametrize(
    ("is_exact", "upgrade", "is_reused"),
    [(False, False, True), (True, False, False), (False, True, False)],
)
def test_stale_original_is_reused_unless_the_request_is_exact(opened, is_exact, upgrade, is_reused):
    lookup = opened(
        mode=BuildMode(publish=False, upgrade=upgrade), permission=Permission("generate is false")
    )
    of_model = request(model="openai/gpt-image-1-mini", size=Size(1024, 1024))
    stale = replace(of_model, quality="low")
    lookup.originals.put(record(key=stale.key, subject=stale.subject_key), CONTENT)
    (result,) = look_up(
        lookup, directive(request=of_model, exact_options=frozenset({"model"} if is_exact else ()))
    )
    assert (result.original is not None) is is_reused


def test_image_after_the_join_is_not_generated(opened, caplog):
    lookup = opened()
    lookup.join()
    lookup.look_up(directive(), "index.md")
    (result,) = lookup.results(directive())
    assert result.error.fault == TOO_LATE
    assert caplog.messages == [f'imagegen: image prompt "A balloon": {TOO_LATE}']


def test_queue_of_the_server_gets_the_missing_images(opened):
    lookup = opened(serve_queue=Queue(), is_serving=True)
    (result,) = look_up(lookup, directive())
    assert isinstance(result.error, PendingError)
    assert [each.request for each in lookup.queued_jobs(directive())] == [request()]
    assert lookup.queued_jobs(directive("Another")) == []


def test_damaged_original_is_not_generated_by_the_queue_of_the_server(opened):
    lookup = opened(
        serve_queue=Queue(), is_serving=True, open_gateway=lambda *_: pytest.fail("opened")
    )
    lookup.originals.put(record(key=request().key, subject=request().subject_key), CONTENT)
    flip(next(lookup.originals.folder.rglob("*.webp")))
    (result,) = look_up(lookup, directive())
    assert isinstance(result.error, StoreError)
    assert lookup.queued_jobs(directive()) == []


def test_scheduler_of_the_server_writes_no_file_into_the_site(opened, tmp_path):
    lookup = opened(serve_queue=Queue(), is_serving=True)
    look_up(lookup, directive())
    (job,) = lookup.queued_jobs(directive())
    with scheduler_of_server(build_context(tmp_path)) as scheduler:
        assert scheduler.start(replace(job)).result().was_generated
    assert not (tmp_path / "site").exists()
    (result,) = look_up(opened(permission=Permission("no")), directive())
    assert result.image is not None


def test_close_closes_the_stores_after_an_interrupt(opened, monkeypatch):
    closed = []

    def interrupt(scheduler):
        close(scheduler)
        raise KeyboardInterrupt

    close = Scheduler.close
    monkeypatch.setattr(Scheduler, "close", interrupt)
    lookup = opened()
    monkeypatch.setattr(lookup.builder, "close", lambda: closed.append(True))
    lookup.look_up(directive(), "a.md")
    with pytest.raises(KeyboardInterrupt):
        lookup.close()
    assert closed == [True]
    monkeypatch.undo()


def test_dry_run_writes_no_variant(opened, tmp_path):
    look_up(opened(mode=BuildMode(publish=False)), directive())
    assert not (tmp_path / "site").exists()
    assert not list(tmp_path.rglob("derived"))
