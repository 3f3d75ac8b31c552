"""The queue of `mkdocs serve` that encodes files, with an encoder that a test controls."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mkdocs_imagegen.errors import ImageError, NotGeneratedError, StoreError
from mkdocs_imagegen.jobs import encode_queue
from mkdocs_imagegen.jobs.encode_queue import EncodeQueue
from tests.bench import LogTexts
from tests.waiting import wait_until


class Bench:
    """A queue whose jobs are names, and what it did."""

    def __init__(self) -> None:
        self.encoded: list[Any] = []
        self.rebuilds = self.encoders = 0
        self.is_generating = False
        self.error: Exception | None = None
        self.opening_error: Exception | None = None
        self.release = threading.Event()
        self.logged = LogTexts()
        self.queue = EncodeQueue(self._request_rebuild, lambda: self.is_generating)
        self.waits = 0
        self._wait = self.queue._changed.wait
        self.queue._changed.wait = self._counted_wait

    def build(self, *names: str, keeps_pages: bool = False) -> list[Any]:
        self.queue.begin(keeps_pages=keeps_pages)
        errors = [self.add(each) for each in names]
        self.queue.end(self._opened)
        return errors

    def add(self, name: str) -> Any:
        job: Any = SimpleNamespace(request=SimpleNamespace(key=name[0]), name=name)
        return self.queue.add(name, job)

    def wait_for_rebuild(self) -> None:
        wait_until(lambda: self.rebuilds)

    def wait_until_idle(self) -> None:
        """Wait until the thread has seen the present state, and waits for another one."""
        with self.queue._changed:
            seen, thread = self.waits, self.queue._thread
            self.queue._changed.notify_all()
        wait_until(lambda: thread is None or self.waits > seen)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        self.encoders += 1
        if self.opening_error is not None:
            raise self.opening_error
        yield self._encode
        self.encoders -= 1

    def _encode(self, job: Any) -> None:
        self.encoded.append(job.name)
        self.release.wait()
        if self.error is not None:
            raise self.error

    def _request_rebuild(self) -> None:
        self.rebuilds += 1

    def _counted_wait(self, timeout_s: float | None = None) -> bool:
        self.waits += 1
        return self._wait(timeout_s)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.release.set()
    bench.queue.close()
    bench.logged.close()
    wait_until(lambda: not any(each.name == "imagegen-encode" for each in threading.enumerate()))


def test_images_are_encoded_one_by_one_and_shown_by_one_rebuild(bench):
    bench.release.set()
    assert bench.build("A", "B", "C", "A as a card") == [None] * 4
    bench.wait_for_rebuild()
    assert bench.encoded == ["A", "B", "C", "A as a card"]
    bench.build()
    bench.wait_until_idle()
    assert (bench.rebuilds, bench.encoders) == (1, 0)
    text = "encoding the files of 3 images; until then the pages show the originals"
    assert bench.logged.texts == [text]


def test_nothing_starts_before_the_end_of_a_build(bench):
    bench.queue.begin(keeps_pages=False)
    bench.add("A")
    bench.wait_until_idle()
    assert bench.encoded == []


def test_build_pauses_the_queue_after_the_image_in_progress(bench):
    bench.build("A", "B")
    wait_until(lambda: bench.encoded)
    bench.queue.begin(keeps_pages=False)
    bench.add("B")
    bench.release.set()
    wait_until(lambda: not bench.encoders)
    assert (bench.encoded, bench.rebuilds) == (["A"], 0)
    bench.queue.end(bench._opened)
    bench.wait_for_rebuild()
    assert bench.encoded == ["A", "B"]


def test_image_that_a_build_looked_for_too_early_is_shown_by_another_one(bench):
    bench.build("A")
    wait_until(lambda: bench.encoded)
    bench.queue.begin(keeps_pages=False)
    bench.add("A")
    bench.release.set()
    wait_until(lambda: not bench.encoders)
    bench.queue.end(bench._opened)
    bench.wait_for_rebuild()


def test_image_that_no_page_shows_any_more_is_not_encoded(bench):
    bench.build("A", "B")
    wait_until(lambda: bench.encoded)
    bench.build("A")
    bench.release.set()
    bench.wait_for_rebuild()
    assert "B" not in bench.encoded


def test_generated_images_have_the_encoders_first(bench, monkeypatch):
    monkeypatch.setattr(encode_queue, "_CHECK_INTERVAL_S", 0.01)
    bench.release.set()
    bench.is_generating = True
    bench.build("A")
    bench.wait_until_idle()
    assert bench.encoded == []
    bench.is_generating = False
    bench.wait_for_rebuild()


def test_rebuild_waits_for_generated_images(bench, monkeypatch):
    monkeypatch.setattr(encode_queue, "_CHECK_INTERVAL_S", 0.01)
    bench.build("A")
    wait_until(lambda: bench.encoded)
    bench.is_generating = True
    bench.release.set()
    bench.wait_until_idle()
    assert bench.rebuilds == 0
    bench.is_generating = False
    bench.wait_for_rebuild()


def test_files_that_the_cache_does_not_keep_are_encoded_once(bench):
    """A rebuild after each attempt would have no end."""
    bench.release.set()
    bench.build("A")
    bench.wait_for_rebuild()
    assert bench.build("A", "B") == [None, None]
    wait_until(lambda: bench.rebuilds == 2)
    bench.build("A", "B")
    bench.wait_until_idle()
    assert (bench.encoded, bench.rebuilds) == (["A", "B"], 2)


@pytest.mark.parametrize(
    ("error", "text", "kind"),
    [
        (ImageError("broken"), "broken", ImageError),
        (ValueError("x"), "ValueError", NotGeneratedError),
    ],
)
def test_error_is_returned_to_builds_and_the_image_is_not_encoded_again(bench, error, text, kind):
    bench.release.set()
    bench.error = error
    bench.build("A", "B")
    bench.wait_for_rebuild()
    for _ in range(2):
        (first, _) = bench.build("A", "B")
        assert isinstance(first, kind)
        assert text in str(first)
    bench.wait_until_idle()
    assert (bench.encoded, bench.rebuilds) == (["A", "B"], 1)


@pytest.mark.parametrize("error", [MemoryError(), OSError("full"), StoreError("full")])
def test_image_that_could_not_be_written_is_tried_again_after_the_next_build(bench, error):
    bench.release.set()
    bench.error = error
    for attempts in (1, 2):
        assert bench.build("A") == [None]
        wait_until(lambda: len(bench.encoded) == attempts and not bench.encoders)  # noqa: B023
    bench.wait_until_idle()
    assert (bench.encoded, bench.rebuilds) == (["A", "A"], 0)  # the page would be the same
    bench.error = None
    assert bench.build("A") == [None]
    bench.wait_for_rebuild()
    assert bench.build("A") == [None]
    assert bench.encoded == ["A"] * 3


def test_third_failure_to_write_an_image_is_returned_to_builds(bench):
    bench.release.set()
    bench.error = StoreError("full")
    for attempts in (1, 2, 3):
        assert bench.build("A") == [None]
        wait_until(lambda: len(bench.encoded) == attempts and not bench.encoders)  # noqa: B023
    bench.wait_for_rebuild()
    assert bench.build("A") == [bench.error]
    assert bench.encoded == ["A"] * 3


def test_encoder_that_cannot_be_opened_is_opened_again_after_the_next_build(bench):
    bench.release.set()
    bench.opening_error = StoreError("no access")
    assert bench.build("A") == [None]
    wait_until(lambda: bench.encoders)
    bench.wait_until_idle()
    assert (bench.encoders, bench.encoded) == (1, [])
    bench.opening_error, bench.encoders = None, 0
    assert bench.build("A") == [None]
    bench.wait_for_rebuild()
    assert bench.encoded == ["A"]
    assert any(each.name == "imagegen-encode" for each in threading.enumerate())


def test_rebuild_is_requested_three_times_when_no_build_begins(bench, monkeypatch):
    monkeypatch.setattr(encode_queue, "_REBUILD_RETRY_INTERVAL_S", 0.01)
    bench.release.set()
    bench.build("A")
    wait_until(lambda: bench.rebuilds == 3)
    bench.wait_until_idle()
    assert bench.rebuilds == 3


def test_dirty_build_keeps_the_images_of_other_pages(bench):
    bench.queue = EncodeQueue(None, lambda: False)
    bench.build("A")
    wait_until(lambda: bench.encoded)
    bench.build("B", keeps_pages=True)
    bench.build("C", keeps_pages=True)
    bench.release.set()
    wait_until(lambda: {"A", "B", "C"} <= set(bench.encoded))
    wait_until(lambda: not bench.encoders)
    assert bench.rebuilds == 0


def test_close_waits_for_no_encoder(bench):
    bench.build("A", "B")
    wait_until(lambda: bench.encoded)
    bench.queue.close()
    assert bench.encoders == 1
    bench.release.set()
    wait_until(lambda: not bench.encoders)
    assert (bench.encoded, bench.rebuilds) == (["A"], 0)
