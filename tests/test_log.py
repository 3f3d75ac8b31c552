"""The logger and its filter."""

from __future__ import annotations

import logging

import pytest

from mkdocs_imagegen.log import NOT_STRICT, ONCE, log, run_filter


@pytest.fixture(autouse=True)
def _new_run(monkeypatch):
    run_filter.begin_run()
    monkeypatch.setattr(run_filter, "is_strict", False)


def test_messages_have_the_prefix_and_their_arguments(caplog):
    log.warning("%s is missing", "a.png")
    assert caplog.messages == ["imagegen: a.png is missing"]


def test_once_is_once_per_run(caplog):
    for text in ("no key", "no key", "no network"):
        log.warning(text, extra=ONCE)
    run_filter.begin_run()
    log.warning("no key", extra=ONCE)
    assert caplog.messages == [f"imagegen: {text}" for text in ("no key", "no network", "no key")]


def test_message_with_a_name_is_logged_once_in_any_wording(caplog):
    for price in ("$0.041", "$0.031"):
        log.warning("shut down (%s)", price, extra={"imagegen_once": "shutdown"})
    assert caplog.messages == ["imagegen: shut down ($0.041)"]


def test_other_messages_are_repeated(caplog):
    for _ in range(2):
        log.warning("broken")
    assert len(caplog.messages) == 2


@pytest.mark.parametrize(("strict", "level"), [(True, logging.INFO), (False, logging.WARNING)])
def test_warnings_can_be_spared_under_strict(caplog, monkeypatch, strict, level):
    monkeypatch.setattr(run_filter, "is_strict", strict)
    caplog.set_level(logging.INFO, "mkdocs")
    log.warning("commit the folder", extra=NOT_STRICT)
    log.warning("broken")
    assert [each.levelno for each in caplog.records] == [level, logging.WARNING]
