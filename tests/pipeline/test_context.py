"""Tests of the context of a build."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.pipeline.context import (
    BuildMode,
    Run,
    generation_settings,
    has_unfinished_requests,
)
from mkdocs_imagegen.settings import read_settings


@pytest.mark.parametrize(
    ("pages", "is_included"),
    [((), True), (("a/**",), True), (("b.md", "a/*.md"), True), (("b.md", "b/**"), False)],
)
def test_mode_includes_pages_by_glob(pages, is_included):
    assert BuildMode(pages=pages).includes("a/index.md") is is_included


def test_run_has_one_ledger_report_and_set_of_reference_files():
    run, other = Run(), Run()
    assert run.ledger is run.ledger is not other.ledger
    assert run.report is run.report is not other.report
    assert run.reference_files is run.reference_files is not other.reference_files


@pytest.mark.parametrize(
    ("serve", "is_serving", "is_sketch"),
    [("sketch", True, True), ("sketch", False, False), ("generate", True, False)],
)
def test_sketches_replace_the_gateway_only_under_serve(tmp_path, serve, is_serving, is_sketch):
    settings = read_settings({"serve": serve}, tmp_path)
    found = generation_settings(settings, is_serving=is_serving)
    assert found.gateway.is_sketch is is_sketch


def test_requests_are_unfinished_while_the_journal_has_an_intent(tmp_path):
    settings = read_settings({}, tmp_path)
    assert not has_unfinished_requests(settings)
    earlier = [settings.cache_path / name for name in ("journal", "journal-0123abcd")]
    for journal in (settings.work_path / "journal", *earlier):
        journal.mkdir(parents=True)
        (journal / "unknown.jsonl").touch()
        assert not has_unfinished_requests(settings)
        for name in ("a.intent", "a.0123abcd.answer"):
            (journal / name).touch()
            assert has_unfinished_requests(settings)
            (journal / name).unlink()
