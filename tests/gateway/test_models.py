"""Known models: accepted values, prices, zero data retention."""

from dataclasses import replace

import pytest

from mkdocs_imagegen.errors import OptionError, RejectedRequestError
from mkdocs_imagegen.gateway.models import (
    KNOWN_MODELS,
    check_request,
    check_retention,
    suggest_model,
)
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size


def test_request_with_too_many_references_is_rejected(tools):
    many = replace(tools.REQUEST, references=("a" * 64,) * 17)
    with pytest.raises(OptionError, match=r"17 references.*up to 16"):
        check_request(many, "webp")
    check_request(replace(many, references=many.references[:16], size=Size(1024, 1024)), "webp")


ZERO = {"gateway": {"zeroDataRetention": True}}
MINI = "openai/gpt-image-1-mini"


def test_zero_data_retention_is_rejected_when_no_provider_offers_it():
    with pytest.raises(RejectedRequestError, match="zero data retention"):
        check_retention(MINI, ZERO)
    with pytest.raises(RejectedRequestError):
        check_retention(MINI, {"gateway": ZERO["gateway"] | {"models": [MINI]}})


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("bfl/flux", ZERO),
        (MINI, {}),
        (MINI, {"gateway": {"zeroDataRetention": False}}),
        (MINI, {"gateway": "x"}),
        (MINI, {"gateway": ZERO["gateway"] | {"models": ["bfl/flux"]}}),
    ],
)
def test_zero_data_retention_is_accepted_for_other_requests(model, options):
    check_retention(model, options)


@pytest.mark.parametrize(
    ("model", "suggestion"),
    [
        ("gpt-image-2", "openai/gpt-image-2"),
        ("gpt-image-1-mni", MINI),
        ("openai/gpt-image-1-mni", MINI),
        ("opanai/gpt-image-2", "openai/gpt-image-2"),
        ("openai/gpt-imgae-1.5", "openai/gpt-image-1.5"),
        ("OpenAI/GPT-Image-2.6-Flare", "openai/gpt-image-2.6-flare"),
    ],
)
def test_misspelled_model_is_recognized(model, suggestion):
    assert suggest_model(model) == suggestion


@pytest.mark.parametrize(
    "model",
    [
        *KNOWN_MODELS,
        SKETCH_MODEL,
        *("openai/gpt-image-3", "openai/gpt-image-2.7-flare", "gpt-image-3"),
        *("openai/gpt-image-1-max", "openai/gpt-image-2.6", "google/gpt-image-2"),
        *("bfl/flux-2-pro", "google/imagen-4", "my-deployment", "image", ""),
    ],
)
def test_model_that_may_exist_gets_no_suggestion(model):
    assert suggest_model(model) is None
