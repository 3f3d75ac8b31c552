"""Tests of the messages about the images of a build."""

from __future__ import annotations

import logging
from functools import partial
from itertools import count

import pytest

from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.log import run_filter
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pipeline.messages import (
    log_model_mistakes,
    log_outcomes,
    unsupported_by_model,
)
from mkdocs_imagegen.pipeline.outcome import Outcome
from mkdocs_imagegen.report import State
from tests.pipeline.support import build_context, directive, request

IMAGE = PageImage((), Size(64, 48))
WARN, INFO = logging.WARNING, logging.INFO
SILENT = {"on_missing": "placeholder"}


@pytest.fixture
def messages_of(tmp_path, caplog):
    """Logs outcomes on lines 3, 4, …, and returns level and text of each message."""
    caplog.set_level(INFO, "mkdocs")

    def log(*outcomes, options=None, **facts):
        context = build_context(tmp_path, options, **facts)
        lines = (partial(Location, "docs/a.md", line) for line in count(3))
        log_outcomes(context, zip(outcomes, lines, strict=False))
        return [(each.levelno, each.getMessage()) for each in caplog.records]

    return log


@pytest.mark.parametrize(
    ("state", "options", "is_serving", "level"),
    [
        (State.MISSING, {}, False, WARN),
        (State.OVER_BUDGET, {}, False, WARN),
        (State.REFUSED, {}, False, WARN),
        (State.FAILED, {}, False, WARN),
        (State.MISSING, {}, True, None),
        (State.OVER_BUDGET, {}, True, None),
        (State.FAILED, {}, True, WARN),
        (State.MISSING, SILENT, False, None),
        (State.FAILED, SILENT, False, INFO),
        (State.REFUSED, {"on_missing": "error"}, False, INFO),
        (State.MISSING, {"enabled": False}, False, None),
        (State.INVALID, SILENT, True, WARN),
        (State.INVALID, {"enabled": False}, False, WARN),
    ],
)
def test_level_of_an_error(messages_of, state, options, is_serving, level):
    outcome = Outcome(state, IMAGE, error="it failed")
    text = "imagegen: docs/a.md:3: image prompt: it failed"
    found = messages_of(outcome, options=options, is_serving=is_serving)
    assert found == ([] if level is None else [(level, text)])


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


def test_location_is_found_only_for_a_message(tmp_path):
    outcome = Outcome(State.READY, IMAGE)
    outcomes = [(outcome, lambda: pytest.fail("the source was read"))]
    log_outcomes(build_context(tmp_path), outcomes)


def test_error_of_several_images_is_logged_once(messages_of):
    outcomes = [Outcome(State.MISSING, IMAGE, error="no API key") for _ in range(3)]
    assert messages_of(*outcomes, Outcome(State.FAILED, IMAGE, error="it failed")) == [
        (WARN, "imagegen: docs/a.md:3 and 2 more locations: image prompt: no API key"),
        (WARN, "imagegen: docs/a.md:6: image prompt: it failed"),
    ]


def test_each_invalid_directive_is_logged(messages_of):
    outcomes = [Outcome(State.INVALID, IMAGE, error="no prompt") for _ in range(2)]
    assert messages_of(*outcomes) == [
        (WARN, "imagegen: docs/a.md:3: image prompt: no prompt"),
        (WARN, "imagegen: docs/a.md:4: image prompt: no prompt"),
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
