"""What builds leave in the journal: nothing that was paid for is forgotten or bought again."""

from __future__ import annotations

import json
import socket

import anyio
import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.wire_types import HttpResponse
from mkdocs_imagegen.errors import InvalidResponseError, NewerVersionError, OutcomeUnknownError
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending.journal import Journal
from mkdocs_imagegen.spending.stores import Stores
from tests.bench import BODY, PNG, Bench, Studio, intent, request, want

LINK = json.dumps({"data": [{"url": "https://cdn.example/x.png"}]}).encode()
GARBAGE = b'{"data": "what was paid for"}'


def answered(made: Bench, body: bytes = BODY) -> str:
    """Leave an answer in the journal, as a build that was killed; its key."""
    made.stores.journal.begin(intent(request()))
    made.stores.journal.spool(request().key, body)
    return request().key


def test_a_sketch_does_not_end_a_real_answer(bench):
    sketching = bench(gateway={"url": "sketch:"})
    sketching.make(want(request()))
    key = answered(sketching)
    sketching.stores.recovery.recover_all()
    assert sketching.journal == []
    assert sketching.stores.store.find_verified(key).record.model == request().model


def test_a_call_that_could_not_be_listed_stays(bench):
    async def cut(*_):
        raise OutcomeUnknownError("cut")

    made = bench(Studio(cut))
    made.stores.journal.unknown_path.mkdir(parents=True)
    made.make(want(request()))
    assert made.journal == [f"{request().key}.intent"]


def test_an_answer_that_could_not_be_put_into_quarantine_stays(bench):
    async def garbage(_, keep):
        keep(GARBAGE)
        raise InvalidResponseError("bad", body=GARBAGE)

    made = bench(Studio(garbage))
    made.stores.store.quarantine.parent.mkdir(parents=True)
    made.stores.store.quarantine.write_text("no folder")
    made.make(want(request()))
    made.stores.recovery.recover_all()
    assert made.stores.journal.answer(request().key) == GARBAGE
    made.stores.store.quarantine.unlink()
    made.stores.recovery.recover_all()
    assert made.journal == []
    assert [path.read_bytes() for path in made.stores.store.quarantine.iterdir()] == [GARBAGE]


def test_a_build_with_other_originals_leaves_calls_alone_that_are_going_on(bench):
    other = bench(originals_dir="b")
    left = []

    async def meanwhile(_, keep):
        other.stores.recovery.recover_all()
        left.append(one.journal)
        keep(BODY)
        other.stores.recovery.recover_all()
        left.append(one.journal)

    one = bench(Studio(meanwhile), originals_dir="a")
    (result,) = one.make(want(request()))
    key = request().key
    assert left == [[f"{key}.intent"], [f"{key}.answer", f"{key}.intent"]]
    assert (result.error, one.stored(), other.stored()) == (None, ["prompt 0"], [])


def _with(**fields):
    return lambda original: original.update(fields)


def _sized(*size):
    return lambda original: original["request"].update(size=size)


@pytest.mark.parametrize(
    "change",
    [
        _sized(float("inf"), 1),
        _sized("9" * 5000, 1),
        _sized(None, 1),
        _with(price_usd="sNaN"),
        _with(price_usd="Infinity"),
        _with(price_usd=[]),
        _with(output_format="x" * 10),
        _with(request=None),
        _with(version=2),
    ],
)
def test_an_odd_intent_ends_no_build(bench, change):
    made = bench()
    key = answered(made)
    path = made.stores.journal._path(key, "intent")
    original = json.loads(path.read_text())
    change(original)
    path.write_text(json.dumps(original))
    made.stores.recovery.recover_all()
    same, other = made.make(want(request()), want(request(1)))
    assert same.error is None or isinstance(same.error, NewerVersionError)
    assert other.error is None


@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), MemoryError("unforeseen")])
def test_what_fails_while_an_answer_is_stored_leaves_it_and_is_told(bench, monkeypatch, error):
    def fails(*_):
        raise error

    made = bench()
    key = answered(made)
    monkeypatch.setattr(made.stores.keeper, "keep", fails)
    made.stores.recovery.recover_all()
    assert made.said == ["an earlier build's answer stays in the journal: unforeseen"]
    assert made.stores.journal.answer(key) == BODY


def test_a_image_that_an_answer_links_to_is_fetched_and_not_bought_again(bench):
    made = bench(gateway={"url": "https://x.example/v1", "accept_urls": True})
    answered(made, LINK)
    made.stores.recovery.recover_all()
    assert len(made.journal) == 2
    (result,) = made.make(want(request()))
    assert (made.studio.opened, made.studio.asked) == ([LINK], [])
    assert result.original is not None
    assert made.journal == []


class Linking:
    """An emulator that answers with links, and the host that they lead to."""

    def __init__(self) -> None:
        self.emulator = Emulator(plan=["url"] * 9, require_key=False)
        self.answer = HttpResponse(503, {}, b"")

    def __call__(self, method, path, *rest):
        if path == "/sketch.png":
            return self.answer
        return self.emulator.handle(method, path, *rest)


@pytest.fixture
def linked(bench, monkeypatch):
    """A builder of builds that follow links: its result, and what it left in the journal."""

    async def look_up(_host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    def linked(host):
        options = {"url": "https://x.example/v1", "auth": "none", "accept_urls": True}
        made = bench(Gateway(GatewaySettings(**options), None, host), gateway=options)
        made.stores.recovery.recover_all()
        (result,) = made.make(want(request()))
        return made, result

    monkeypatch.setattr(anyio, "getaddrinfo", look_up)
    return linked


def test_a_link_that_cannot_be_fetched_now_is_tried_again_by_the_next_build(linked):
    host = Linking()
    for _ in range(2):
        made, result = linked(host)
        assert "status 503; the next build tries again; to pay for another" in str(result.error)
        assert str(result.error).endswith(f"{request().key}.answer")
        assert len(made.journal) == 2
        assert not made.stores.store.quarantine.exists()
    host.answer = HttpResponse(200, {}, PNG)
    made, result = linked(host)
    assert (result.error, made.journal, host.emulator.bill.images) == (None, [], 1)
    assert made.stores.store.read(result.original) == PNG


def test_a_link_that_is_dead_goes_into_quarantine(linked):
    host = Linking()
    linked(host)
    host.answer = HttpResponse(404, {}, b"")
    made, result = linked(host)
    assert "status 404; the answer is in " in str(result.error)
    assert (made.journal, host.emulator.bill.images) == ([], 1)
    assert b"sketch.png" in next(made.stores.store.quarantine.iterdir()).read_bytes()


def test_a_link_that_the_journal_does_not_have_goes_into_quarantine(linked, monkeypatch):
    monkeypatch.setattr(Journal, "spool", lambda *_: False)
    made, result = linked(Linking())
    assert "status 503; the answer is in " in str(result.error)
    assert len(list(made.stores.store.quarantine.iterdir())) == 1


def test_one_record_of_a_newer_version_does_not_stop_other_purchases(bench):
    made = bench()
    made.make(want(request()))
    record = made.stores.store._record_path(request().key)
    record.write_text(json.dumps(json.loads(record.read_text()) | {"version": 2}))
    stores = Stores(made.settings, made.said.append)
    assert stores.finder.usable(request(1), is_exact=False) is None


def test_a_link_stays_in_the_journal_while_links_are_not_followed(linked, bench):
    linked(Linking())
    deaf = bench(gateway={"url": "https://x.example/v1", "auth": "none"})
    deaf.stores.recovery.recover_all()
    assert deaf.stores.journal.answer(request().key)
    assert "links to its image; set gateway.accept_urls" in deaf.said[-1]
    assert not deaf.stores.store.quarantine.exists()
    (result,) = deaf.make(want(request()))
    assert "links to its image" in str(result.error)
    assert deaf.stores.journal.answer(request().key)
