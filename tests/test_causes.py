"""Causes for which images are missing: which errors have one message, and its text."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mkdocs_imagegen import errors
from mkdocs_imagegen.causes import causes, list_locations
from mkdocs_imagegen.errors import (
    AuthenticationError,
    EarlierRefusalError,
    InvalidResponseError,
    Location,
    ModelUnavailableError,
    ModerationError,
    NotGeneratedError,
    OverBudgetError,
    StoppedError,
    StoreError,
    UnreachableError,
)
from mkdocs_imagegen.report import ReportRow, State
from mkdocs_imagegen.spending.ledger import Ledger

NO_KEY = NotGeneratedError("no key (why)", hint="set it")
AT = "(docs/a.md:0, docs/a.md:1, docs/a.md:2, 7 more)"


def row(number, error=None, **more):
    facts = {"state": State.FAILED, "key": str(number), "model": "a/b", "error": error}
    return ReportRow(Location("docs/a.md", number), **(facts | more))


def texts(*found):
    return [cause.text for cause in causes(row(*each) for each in enumerate(found))]


def test_images_of_one_cause_have_one_message_with_count_and_three_locations():
    assert texts(*[NO_KEY] * 10) == [f"10 images are missing: no key (why) {AT}; set it"]
    assert texts(NO_KEY, NO_KEY) == [
        "2 images are missing: no key (why) (docs/a.md:0, docs/a.md:1); set it"
    ]


def test_location_comes_first_if_there_is_one():
    assert texts(NO_KEY) == ["docs/a.md:0: the image is missing: no key (why); set it"]
    pair = [row(0, NO_KEY), row(0, NO_KEY, key="dark")]
    assert causes(pair)[0].text == "docs/a.md:0: 2 images are missing: no key (why); set it"


def test_image_on_several_pages_counts_once():
    rows = [row(number, NO_KEY, key="one") for number in range(4)]
    (cause,) = causes(rows)
    listed = "docs/a.md:0, docs/a.md:1, docs/a.md:2, 1 more"
    assert cause.text == f"the image is missing: no key (why) ({listed}); set it"


def test_images_that_exist_have_no_cause():
    assert causes([row(0, state=State.READY), row(1, state=State.GENERATED)]) == []


@pytest.mark.parametrize(
    "kind",
    [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.GatewayError)
        if getattr(each, "billing", None) in {errors.Billing.PERMANENT, errors.Billing.UNBILLED}
    ],
)
def test_error_of_the_run_is_one_cause_whatever_the_server_says(kind):
    one, two = (
        kind(f'no (status 40{each}): "said {each}"', hint="do this", request_id=f"req_{each}")
        for each in (1, 2)
    )
    (text,) = texts(one, two)
    assert text.startswith('2 images are missing: no (status 401): "said 1" (docs/a.md:0, ')
    assert text.endswith("docs/a.md:1); do this [req_1]")


def test_budget_is_one_cause_whatever_the_prices():
    prices = Decimal("0.01"), Decimal("0.02")
    used = ("99 of 100", "100 of 100")
    over = [
        OverBudgetError(f"no budget ({each})", usd) for each, usd in zip(used, prices, strict=True)
    ]
    assert len(texts(*over)) == 1


def test_problems_of_the_run_are_told_apart():
    assert len(texts(NO_KEY, AuthenticationError("no"), UnreachableError("no"))) == 3
    unavailable = [ModelUnavailableError("the server does not offer the model") for _ in range(3)]
    rows = [row(number, each, model=f"a/{number % 2}") for number, each in enumerate(unavailable)]
    assert [cause.text.partition(":")[0] for cause in causes(rows)] == [
        *("2 images are missing", "docs/a.md")
    ]


def test_images_of_a_stopped_run_have_the_cause_of_the_error():
    ledger, error = Ledger(), AuthenticationError("no (401)", hint="check it", request_id="req_1")
    ledger.note_failure(error, "0", "a/b")
    with pytest.raises(StoppedError) as stopped:
        ledger.raise_if_stopped("1", "a/b")
    told = f"10 images are missing: no (401) {AT}; check it [req_1]"
    assert texts(error, *[stopped.value] * 9) == [told]
    assert texts(*[stopped.value] * 10) == [told]


def test_breaker_is_one_cause_with_the_failures_before_it():
    failures = [InvalidResponseError("no image", hint=f"see file {each}") for each in range(5)]
    stopped = StoppedError("the run was stopped: 5 in a row, last error: no image", failures[-1])
    told = "10 images are missing: the run was stopped: 5 in a row, last error: no image"
    assert texts(*failures, *[stopped] * 5) == [f"{told} {AT}; see file 4"]


def test_image_that_needs_a_missing_one_has_its_cause():
    needs = NotGeneratedError('reference image "#hero" is missing: no key', cause=NO_KEY)
    assert texts(needs, NO_KEY) == texts(NO_KEY, needs)
    assert texts(NO_KEY, needs)[0].startswith("2 images are missing: no key (why) (")


def test_equal_errors_of_images_are_one_cause_and_others_are_not():
    assert len(texts(*[ModerationError("refused", hint="reword it")] * 3)) == 1
    found = texts(*[StoreError(f"file {each} cannot be used") for each in range(10)])
    assert len(found) == 10
    assert found[9] == "docs/a.md:9: the image is missing: file 9 cannot be used"
    deletions = [EarlierRefusalError("refused", hint=f"delete {each}") for each in range(2)]
    assert len(texts(*deletions)) == 2


def test_more_than_ten_errors_of_a_kind_have_three_messages_and_a_count():
    found = texts(*[StoreError(f"file {each} cannot be used") for each in range(11)])
    assert found[:3] == [
        f"docs/a.md:{each}: the image is missing: file {each} cannot be used" for each in range(3)
    ]
    listed = "docs/a.md:3, docs/a.md:4, docs/a.md:5, 5 more"
    assert found[3:] == [
        f"8 more images have an error like this ({listed}); run `mkdocs-imagegen plan`"
    ]


@pytest.mark.parametrize(("count", "messages"), [(2, 2), (10, 10), (11, 4)])
def test_each_invalid_directive_has_a_message_up_to_ten(count, messages):
    invalid = {"state": State.INVALID, "key": "", "remarks": ("no prompt",)}
    found = causes(row(number, **invalid) for number in range(count))
    assert len(found) == messages
    assert found[0].text == "docs/a.md:0: image prompt: no prompt"
    assert {cause.name for cause in found} == {""}


def test_name_of_a_cause_does_not_depend_on_images_or_facts():
    one, two = UnreachableError("no connection (a)"), UnreachableError("no connection (b)")
    assert causes([row(0, one)])[0].name == causes([row(1, two), row(2, two)])[0].name
    assert causes([row(0, one)])[0].name != causes([row(0, NO_KEY)])[0].name


def test_locations_are_listed_once():
    assert list_locations(["a", "a", "b"]) == "a, b"
    assert list_locations("abcde") == "a, b, c, 2 more"
