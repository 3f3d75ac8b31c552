"""Tests of the messages about the images of a build."""

from __future__ import annotations

import logging
from functools import partial
from itertools import count

import pytest

from mkdocs_imagegen.errors import Location, NotGeneratedError
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.log import run_filter
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pipeline.messages import (
    log_causes,
    log_model_mistakes,
    log_remarks,
    unsupported_by_model,
)
from mkdocs_imagegen.pipeline.outcome import Outcome
from mkdocs_imagegen.report import ReportRow, State
from mkdocs_imagegen.spending.permission import Permission
from tests.pipeline.support import build_context, directive, request

IMAGE = PageImage((), Size(64, 48))
WARN, INFO = logging.WARNING, logging.INFO
SILENT, ERROR = {"on_missing": "placeholder"}, {"on_missing": "error"}
SERVING, REFUSED = {"is_serving": True}, {"permission": Permission("no API key")}


@pytest.fixture
def messages_of(tmp_path, caplog):
    """Logs outcomes on lines 3, 4, …, and returns level and text of each message."""
    caplog.set_level(INFO, "mkdocs")

    def log(*outcomes, options=None, **facts):
        context = build_context(tmp_path, options, **facts)
        located = [(each, Location("docs/a.md", line)) for line, each in enumerate(outcomes, 3)]
        run_filter.begin_run()
        log_causes(context, ((each, partial(rows_of, each, at)) for each, at in located))
        log_remarks((each, partial(Location, at.page, at.line)) for each, at in located)
        return [(each.levelno, each.getMessage()) for each in caplog.records]

    return log


def rows_of(outcome, location):
    is_invalid = outcome.state is State.INVALID
    error = None if is_invalid else NotGeneratedError(outcome.error)
    remarks = (outcome.error,)
    return [ReportRow(location, outcome.state, remarks=remarks, error=error)]


@pytest.mark.parametrize(
    ("state", "options", "facts", "level"),
    [
        (State.MISSING, {}, {}, WARN),
        (State.OVER_BUDGET, {}, {}, WARN),
        (State.REFUSED, {}, {}, WARN),
        (State.FAILED, {}, {}, WARN),
        (State.MISSING, {}, SERVING, INFO),
        (State.OVER_BUDGET, {}, SERVING, INFO),
        (State.FAILED, {}, SERVING, WARN),
        (State.FAILED, ERROR, SERVING, INFO),
        (State.MISSING, {"serve": "generate"}, SERVING, INFO),
        (State.MISSING, {"serve": "generate"} | SILENT, SERVING | REFUSED, WARN),
        (State.MISSING, {"serve": "generate", "enabled": False}, SERVING | REFUSED, None),
        (State.MISSING, SILENT, {}, None),
        (State.FAILED, SILENT, {}, INFO),
        (State.REFUSED, ERROR, {}, None),
        (State.MISSING, {"enabled": False}, {}, None),
        (State.INVALID, SILENT, SERVING, WARN),
        (State.INVALID, {"enabled": False}, {}, WARN),
    ],
)
def test_level_of_an_error(messages_of, state, options, facts, level):
    outcome = Outcome(state, IMAGE, error="it failed")
    problem = "image prompt" if state is State.INVALID else "the image is missing"
    found = messages_of(outcome, options=options, **facts)
    text = f"imagegen: docs/a.md:3: {problem}: it failed"
    assert found == ([] if level is None else [(level, text)])


@pytest.mark.parametrize(("is_serving", "level"), [(True, INFO), (False, WARN)])
def test_server_does_not_end_without_a_key_when_it_is_strict(
    messages_of, monkeypatch, is_serving, level
):
    monkeypatch.setattr(run_filter, "is_strict", True)
    outcome = Outcome(State.MISSING, IMAGE, error="no API key")
    options = {"serve": "generate"}
    ((found, _),) = messages_of(outcome, options=options, is_serving=is_serving, **REFUSED)
    assert found == level


def test_remarks_are_logged_for_generated_images_alone(messages_of):
    results = (
        Result(was_generated=True, remarks=("slow",)),
        Result(remarks=("reused",)),
        Result(alarm="move it"),
    )
    assert messages_of(Outcome(State.GENERATED, IMAGE, results=results)) == [
        (INFO, "imagegen: docs/a.md:3: image prompt: slow"),
        (WARN, "imagegen: docs/a.md:3: image prompt: move it"),
    ]


def test_equal_remarks_are_logged_once(messages_of):
    result = Result(was_generated=True, remarks=("slow",))
    outcomes = [Outcome(State.GENERATED, IMAGE, results=(result, result)) for _ in range(5)]
    locations = "docs/a.md:3, docs/a.md:4, docs/a.md:5, 2 more"
    assert messages_of(*outcomes) == [(INFO, f"imagegen: {locations}: image prompt: slow")]


def test_location_is_found_only_for_a_message(tmp_path):
    outcome = Outcome(State.READY, IMAGE)
    outcomes = [(outcome, lambda: pytest.fail("the source was read"))]
    log_causes(build_context(tmp_path), outcomes)
    log_remarks(outcomes)


def test_error_of_several_images_is_logged_once(messages_of):
    outcomes = [Outcome(State.MISSING, IMAGE, error="no API key") for _ in range(3)]
    assert messages_of(*outcomes, Outcome(State.FAILED, IMAGE, error="it failed")) == [
        (
            WARN,
            "imagegen: 3 images are missing: no API key (docs/a.md:3, docs/a.md:4, docs/a.md:5)",
        ),
        (WARN, "imagegen: docs/a.md:6: the image is missing: it failed"),
    ]


def test_cause_is_logged_once_per_run_and_a_mistake_in_each_build(tmp_path, caplog):
    missing = Outcome(State.MISSING, IMAGE, error="no API key")
    invalid = Outcome(State.INVALID, IMAGE, error="no prompt")
    run_filter.begin_run()
    for line in (3, 4):
        at = Location("docs/a.md", line)
        outcomes = [(each, partial(rows_of, each, at)) for each in (missing, invalid)]
        log_causes(build_context(tmp_path), outcomes)
    assert [each.getMessage().rpartition(": ")[2] for each in caplog.records] == [
        *("no API key", "no prompt", "no prompt")
    ]


@pytest.mark.parametrize(
    ("given", "is_supported"),
    [
        (request(size=Size(1024, 1024)), True),
        (request(size=Size(400, 200)), False),
        (request(size=Size(400, 200), model="a/b"), True),
    ],
)
def test_sketch_that_the_model_would_reject(tmp_path, given, is_supported):
    settings = build_context(tmp_path).settings
    assert bool(unsupported_by_model(settings, given, settings.model)) is not is_supported


AZURE = {"gateway": {"url": "https://example.org/v1", "key_env": "KEY"}}


@pytest.fixture
def mistakes_of(tmp_path, caplog):
    """Logs the mistakes in the models of images, and returns level and text of each message."""
    caplog.set_level(INFO, "mkdocs")

    def log(*models, options=None, error="", is_strict=False):
        run_filter.begin_run()
        run_filter.is_strict = is_strict
        lines = (partial(Location, "docs/a.md", line) for line in count(3))
        outcome = Outcome(State.MISSING, IMAGE, error=error)
        shown = [(directive(own_model=model), outcome, next(lines)) for model in models]
        log_model_mistakes(build_context(tmp_path, options), shown)
        run_filter.is_strict = False
        texts = [(each.levelno, each.getMessage()) for each in caplog.records]
        return [each for each in texts if "model ID" in each[1]]

    return log


def unknown(location, model, suggestion):
    return f'imagegen: {location}: "{model}" is not a known model ID; did you mean "{suggestion}"?'


def test_misspelled_model_is_logged_once(mistakes_of):
    assert mistakes_of(None, "gpt-image-2", "gpt-image-2", "openai/gpt-image-1-mni") == [
        (WARN, unknown("docs/a.md:4", "gpt-image-2", "openai/gpt-image-2")),
        (WARN, unknown("docs/a.md:6", "openai/gpt-image-1-mni", "openai/gpt-image-1-mini")),
    ]


def test_misspelled_model_of_the_site_is_logged_without_an_image(mistakes_of):
    options = {"model": "gpt-image-1", "draft": {"model": "gpt-image-2"}}
    assert mistakes_of(None, None, options=options) == [
        (WARN, unknown("mkdocs.yml", "gpt-image-1", "openai/gpt-image-1")),
        (WARN, unknown("mkdocs.yml", "gpt-image-2", "openai/gpt-image-2")),
    ]


def test_misspelled_model_fails_no_strict_build(mistakes_of):
    assert [level for level, _ in mistakes_of("gpt-image-2", is_strict=True)] == [INFO]


def test_model_of_another_server_is_not_known_here(mistakes_of):
    assert mistakes_of("gpt-image-2", options=AZURE | {"model": "gpt-image-1"}) == []


def test_model_whose_error_has_a_suggestion_is_not_logged_again(mistakes_of):
    assert mistakes_of("gpt-image-2", error='not found; did you mean "x"?') == []


def test_site_without_images_has_no_message_about_models(mistakes_of):
    assert mistakes_of(options={"model": "gpt-image-1"}) == []
