"""The model that is sent after a shutdown: when, which one, and what is said about it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import (
    ForbiddenError,
    ModelForbiddenError,
    ModelShutDownError,
    ModelUnavailableError,
    ModerationError,
    OutcomeUnknownError,
)
from mkdocs_imagegen.gateway.models import KNOWN_MODELS
from mkdocs_imagegen.gateway.offers import Offer
from mkdocs_imagegen.spending import model_choice
from mkdocs_imagegen.spending.model_choice import ModelChoice
from tests.bench import MODEL, SERVER, FakeGateway, job, request
from tests.originals.support import request_record

FLARE_2_5, FLARE_2_6, IMAGE_2 = KNOWN_MODELS[MODEL].replacements
BEFORE, NEAR, AFTER = date(2026, 10, 1), date(2026, 11, 20), date(2026, 12, 2)
REFUSED = ModelUnavailableError("the server does not offer the model")
ENDED = ModelShutDownError("the model was shut down")


class Server(FakeGateway):
    """A server that refuses some models; it notes the models of all requests."""

    def __init__(self, refusals=(), offered=None):
        async def refuse(asked, _):
            self.models.append(asked.model)
            if error := dict(refusals).get(asked.model):
                raise type(error)(error.fault, hint=error.hint)

        async def offers():
            return tuple(Offer(model, "", None) for model in offered or ())

        super().__init__(before=refuse, offers=offers)
        self.models = []


@pytest.fixture(autouse=True)
def day(monkeypatch):
    """Set the current day."""

    def set_day(today):
        monkeypatch.setattr(model_choice, "today", lambda: today)

    set_day(AFTER)
    return set_day


def run(bench, server, count=1, **options):
    made = bench(server, **options)
    return made, made.run_jobs(*(job(request(number)) for number in range(count)))


@pytest.mark.parametrize("today", [NEAR, AFTER])
def test_model_that_the_list_lacks_near_its_date_gets_no_request(bench, day, today):
    day(today)
    server = Server(offered=[FLARE_2_5, IMAGE_2])
    made, results = run(bench, server, 8)
    assert server.models == [FLARE_2_5] * 8
    records = [each.original.record for each in results]
    assert {(each.key, each.model, each.answered_by) for each in records} == {
        (request(number).key, MODEL, FLARE_2_5) for number in range(8)
    }
    (said,) = (text for text in made.said if "replace" in text)
    end = f"{MODEL} was shut down on 2026-12-01"
    assert said == (
        f"{end if today == AFTER else f'{MODEL} is no longer offered (shutdown date 2026-12-01)'}; "
        f"{FLARE_2_5} replaces it ($0.013 an image of 1024x1024, $0.011 before); "
        f"to choose it yourself, set `model: {FLARE_2_5}`"
    )


@pytest.mark.parametrize(
    ("today", "offered"),
    [(BEFORE, [FLARE_2_5]), (AFTER, []), (AFTER, [MODEL, FLARE_2_5])],
    ids=["long before its date", "without a list", "listed"],
)
def test_absence_from_a_list_proves_nothing_else(bench, day, today, offered):
    day(today)
    server = Server(offered=offered)
    run(bench, server)
    assert server.models == [MODEL]


@pytest.mark.parametrize("model", ["img", "azure/deployment", "openai/gpt-image-9"])
def test_request_to_an_unlisted_model_is_sent(bench, model):
    server = Server(offered=[FLARE_2_5])
    made = bench(server)
    (result,) = made.run_jobs(job(replace(request(), model=model)))
    assert (server.models, result.error) == ([model], None)


@pytest.mark.parametrize(("error", "today"), [(ENDED, BEFORE), (REFUSED, NEAR), (REFUSED, AFTER)])
def test_refused_model_is_replaced_and_not_requested_again(bench, day, error, today):
    day(today)
    server = Server([(MODEL, error)], [MODEL, FLARE_2_5])
    made, results = run(bench, server, 9, concurrency=2)
    assert [each.error for each in results] == [None] * 9
    assert server.models.count(MODEL) <= 2
    assert made.run.ledger.budget.images == 9
    assert made.journal == []
    again = Server([(MODEL, error)], [MODEL, FLARE_2_5])
    made = bench(again)
    made.run_jobs(job(request(9)))
    assert again.models == [FLARE_2_5]


def test_refused_model_without_a_shutdown_is_an_error(bench, day):
    day(BEFORE)
    server = Server([(MODEL, REFUSED)], [MODEL, FLARE_2_5])
    _, (result,) = run(bench, server)
    assert type(result.error) is ModelUnavailableError
    assert server.models == [MODEL]


@pytest.mark.parametrize(
    "error",
    [ForbiddenError("no"), OutcomeUnknownError("status 500"), ModerationError("refused")],
)
def test_other_failure_is_no_shutdown(bench, error):
    server = Server([(MODEL, error)], [MODEL, FLARE_2_5])
    _, (result,) = run(bench, server)
    assert type(result.error) is type(error)
    assert server.models == [MODEL]


def test_refused_replacement_is_replaced_too(bench):
    server = Server([(MODEL, ENDED), (FLARE_2_5, REFUSED)], [FLARE_2_5, IMAGE_2])
    made = bench(server)
    (result,) = made.run_jobs(job(request()))
    record = result.original.record
    assert server.models == [FLARE_2_5, IMAGE_2]
    assert (record.answered_by, record.quality, record.answered_quality) == (
        IMAGE_2,
        "medium",
        "low",
    )


def test_without_an_affordable_replacement_nothing_is_sent(bench):
    server = Server(offered=["openai/gpt-image-2.5-sunburst", "a/b"])
    _, results = run(bench, server, 8)
    assert server.models == []
    (text,) = {str(each.error) for each in results}
    assert text == (
        f"{MODEL} was shut down on 2026-12-01, and no built-in replacement is offered at a known "
        "price of at most 1.5 times that "
        "(alternatives: openai/gpt-image-2.5-sunburst ($0.013), a/b (price unknown)); "
        "set `model: openai/gpt-image-2.5-sunburst`; existing images stay in use"
    )


def test_image_that_names_its_model_has_an_error(bench):
    server = Server(offered=[FLARE_2_5, FLARE_2_6, IMAGE_2])
    made = bench(server)
    exact = frozenset({"model"})
    (result,) = made.run_jobs(job(request(), exact_options=exact))
    assert server.models == []
    assert f"`model: {FLARE_2_5}` on the image, its preset, named prompt or page" in str(
        result.error
    )
    assert str(result.error).count("($") == 3


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 0, 3], [0, 0, 3, 3]])
@pytest.mark.parametrize("is_offered", [True, False])
def test_image_that_names_its_model_blocks_no_equal_one(bench, order, is_offered):
    server = Server([(MODEL, ENDED)], [FLARE_2_5, *[MODEL] * is_offered])
    made = bench(server, concurrency=4)
    options = [frozenset(each) for each in (["model"], ["model", "quality"], ["quality"], [])]
    jobs = [job(request(), f"layout {n}", exact_options=options[n]) for n in order]
    errors = {
        bool(each.exact_options & {"model"}): result.error
        for each, result in zip(jobs, made.run_jobs(*jobs), strict=True)
    }
    assert server.models.count(FLARE_2_5) == 1
    assert server.models.count(MODEL) <= is_offered
    assert errors[False] is None
    assert len(made.stored()) == 1
    assert made.run.ledger.budget.images == 1
    (result,) = bench(Server()).run_jobs(job(request(), exact_options=options[0]))
    assert result.error is None


def test_own_list_replaces_the_built_in_one_at_any_price(bench):
    server = Server([("a/b", REFUSED)], [FLARE_2_5])
    run(bench, server, fallback_models=["a/b", IMAGE_2])
    assert server.models == ["a/b", IMAGE_2]


def test_own_list_is_tried_whenever_the_model_is_refused(bench, day):
    day(BEFORE)
    server = Server([(MODEL, REFUSED)], [MODEL])
    made, results = run(bench, server, 5, fallback_models=["a/b"], concurrency=2)
    assert server.models.count(MODEL) <= 2
    assert {each.original.record.answered_by for each in results} == {"a/b"}
    assert any(f"the server refuses {MODEL}; a/b replaces it" in text for text in made.said)


def test_empty_list_switches_replacements_off(bench):
    server = Server(offered=[FLARE_2_5])
    _, (result,) = run(bench, server, fallback_models=[])
    assert (server.models, type(result.error)) == ([], ModelShutDownError)


def test_budget_reserves_the_price_of_the_replacement(bench):
    server = Server(offered=[FLARE_2_5])
    made, _ = run(bench, server, 3, budget={"usd": "0.03"}, concurrency=1)
    assert len(server.models) == 2
    assert made.run.ledger.budget.usd == 2 * Decimal("0.01317")
    costs = {(each.cost_usd, each.cost_is_estimate) for each in made.stores.originals.records()}
    assert costs == {(Decimal("0.01317"), True)}


def test_dearest_of_the_routed_models_is_reserved(bench):
    routing = {"gateway": {"models": [IMAGE_2, FLARE_2_5]}}
    made = bench(Server(), gateway={"provider_options": routing}, fallback_models=[])
    price = ModelChoice.from_cache(made.settings).price_usd(request())
    assert price == Decimal("0.053")


def test_upcoming_shutdown_is_announced(bench, day):
    day(NEAR)
    server = Server(offered=[MODEL, FLARE_2_5])
    made, _ = run(bench, server, 2)
    assert server.models == [MODEL] * 2
    (said,) = (text for text in made.said if "shut down" in text)
    assert said.startswith(
        f"{MODEL} will be shut down on 2026-12-01; {FLARE_2_5} will replace it "
        "($0.013 an image of 1024x1024, $0.011 now)"
    )


@pytest.mark.parametrize("today", [BEFORE, NEAR, AFTER])
@pytest.mark.parametrize("is_estimate", [True, False])
def test_estimate_without_a_list_trusts_a_date_that_is_past(bench, day, today, is_estimate):
    day(today)
    choice = ModelChoice.from_cache(bench(Server()).settings, is_estimate=is_estimate)
    is_replaced = is_estimate and today == AFTER
    assert choice.sent_for(request()).model == (FLARE_2_5 if is_replaced else MODEL)
    assert choice.estimate_usd(request()) == Decimal("0.01317" if is_replaced else "0.011")


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"server": "SERVER", "models": 1}', '{"server": "SERVER", "models": {"a": {}}}'],
)
def test_invalid_memory_is_ignored(bench, content):
    settings = bench(Server()).settings
    path = settings.cache_path / "shut_down.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content.replace("SERVER", SERVER))
    assert not ModelChoice.from_cache(settings).is_shut_down("a")


@pytest.mark.parametrize(
    ("server", "age_s", "is_kept"),
    [(SERVER, 80_000, True), (SERVER, 90_000, False), ("https://other.example/v1", 0, False)],
)
def test_memory_is_of_one_server_and_one_day(bench, server, age_s, is_kept):
    settings = bench(Server()).settings
    path = settings.cache_path / "shut_down.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    models = {"a/b": {"at": time.time() - age_s, "said": "no longer offered"}}
    path.write_text(json.dumps({"server": server, "models": models}))
    assert ModelChoice.from_cache(settings).is_shut_down("a/b") is is_kept


def offers_of(models, age_s):
    listed = [{"model": each, "price": "", "ends": None, "costs": []} for each in models]
    return json.dumps({"server": SERVER, "asked": time.time() - age_s, "offers": listed})


@pytest.mark.parametrize("age_s", [60, 90_000])
def test_old_list_without_a_replacement_is_requested_again(bench, age_s):
    server = Server(offered=[FLARE_2_5])
    made = bench(server)
    path = made.settings.prices_path
    path.parent.mkdir(parents=True)
    path.write_text(offers_of(["a/b"], age_s))
    (result,) = made.run_jobs(job(request()))
    assert (server.models, result.error) == ([FLARE_2_5], None)


def test_replacement_is_named_after_its_first_image(bench):
    server = Server([(MODEL, ENDED), (FLARE_2_5, REFUSED)], [FLARE_2_5, IMAGE_2])
    made = bench(server)
    made.run_jobs(job(request()))
    (said,) = (text for text in made.said if "replaces it" in text)
    assert f"{IMAGE_2} replaces it" in said
    assert "set `model: openai/gpt-image-2` and `quality: low`" in said


def test_refused_account_is_no_shutdown(bench, day):
    day(NEAR)
    error = ModelForbiddenError("the account's plan does not include the model", hint="add credit")
    _, (result,) = run(bench, Server([(MODEL, error)], [MODEL, FLARE_2_5]))
    assert (type(result.error), result.error.hint) == (ModelForbiddenError, "add credit")
    again = Server(offered=[MODEL, FLARE_2_5])
    run(bench, again)
    assert again.models == [MODEL]


def test_own_list_is_not_sent_to_a_model_that_was_shut_down(bench):
    server = Server(offered=[IMAGE_2])
    made = bench(server, fallback_models=[MODEL, IMAGE_2])
    made.run_jobs(job(replace(request(), model="openai/gpt-image-1")))
    assert server.models == [IMAGE_2]


def test_routed_models_do_not_raise_the_price_limit(bench):
    routing = {"gateway": {"models": ["openai/gpt-image-1.5"]}}
    gateway = {"url": SERVER, "provider_options": routing}
    server = Server(offered=[FLARE_2_6])
    made = bench(server, gateway=gateway)
    made.run_jobs(job(replace(request(), quality="low")))
    assert server.models == []


@pytest.mark.parametrize("answered", ["", "medium"])
def test_automatic_quality_is_answered_by_the_choice_of_the_server(answered):
    asked = replace(request(), model=FLARE_2_5, quality="auto")
    known = request_record(
        replace(asked, model=MODEL), answered_by=FLARE_2_5, answered_quality=answered
    )
    assert known.answers(asked)
    assert known.answers(replace(asked, quality="medium")) is bool(answered)
    assert not known.answers(replace(asked, quality="high"))
