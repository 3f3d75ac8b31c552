"""Known models: accepted values, prices, zero data retention."""

from dataclasses import replace

import pytest

from mkdocs_imagegen.errors import OptionError, RejectedRequestError
from mkdocs_imagegen.gateway.models import check_request, check_retention
from mkdocs_imagegen.option_parsers import Size


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
