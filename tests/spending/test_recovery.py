"""Recovery from killed builds: no response is lost, no image is generated twice."""

from __future__ import annotations

import errno
import json
import os
import socket
from dataclasses import replace
from decimal import Decimal
from itertools import count

import anyio
import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.wire_types import HttpResponse
from mkdocs_imagegen.errors import InvalidResponseError, NewerVersionError, OutcomeUnknownError
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.jobs.scheduler import Scheduler
from mkdocs_imagegen.originals.record import IMPORT
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending import recovery
from mkdocs_imagegen.spending.journal import Journal
from mkdocs_imagegen.spending.recovery import recover_all
from tests.bench import BODY, PNG, Bench, FakeGateway, body_of, intent, job, request
from tests.originals.support import flip, png, read_original, record_file, request_record
from tests.waiting import wait_until

LINK = json.dumps({"data": [{"url": "https://cdn.example/x.png"}]}).encode()
GARBAGE = b'{"data": "what was paid for"}'


def answered(made: Bench, body: bytes = BODY) -> str:
    """Leave an answer in the journal, as a build that was killed; its key."""
    made.stores.journal.begin(intent(request()))
    made.stores.journal.save_response(intent(request()), body)
    return request().key


def bodies(made: Bench) -> list[bytes]:
    return [each.body for each in made.stores.journal.find_responses(request().key)]


def test_sketch_does_not_replace_response_in_journal(bench):
    sketching = bench(gateway={"url": "sketch:"})
    sketching.run_jobs(job(request()))
    made = bench()
    key = answered(made)
    sketching = bench(gateway={"url": "sketch:"})
    recover_all(sketching.stores)
    assert made.journal == []
    assert read_original(sketching.stores.originals, key).record.model == request().model


def test_response_stays_when_the_journal_cannot_be_listed(bench, monkeypatch):
    made = bench()
    answered(made)
    for working_calls in range(6):
        with monkeypatch.context() as broken:
            calls, listdir = count(), os.listdir

            def listed(path, calls=calls, listdir=listdir, working_calls=working_calls):
                if next(calls) == working_calls:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                return listdir(path)

            broken.setattr("os.listdir", listed)
            recover_all(made.stores)
        assert made.stores.attempts.find(request().key) == []
    recover_all(made.stores)
    assert made.stored() == ["prompt 0"]
    assert made.journal == []


def test_recovered_image_has_the_price_of_its_request(bench):
    made = bench()
    sent = replace(intent(request()), price_usd=Decimal("0.02"))
    made.stores.journal.begin(sent)
    made.stores.journal.save_response(sent, BODY)
    (result,) = made.run_jobs(job(request()))
    record = result.original.record
    assert (record.cost_usd, record.cost_is_estimate) == (Decimal("0.02"), True)
    assert (result.was_generated, made.client.asked) == (False, [])


def test_response_replaces_a_damaged_original(bench):
    made = bench()
    made.run_jobs(job(request()))
    key = answered(made)
    flip(made.stores.originals.find(key).path)
    recover_all(made.stores)
    assert read_original(made.stores.originals, key) is not None
    assert made.journal == []


def test_intent_stays_when_it_cannot_be_listed(bench):
    async def cut(*_):
        raise OutcomeUnknownError("cut")

    made = bench(FakeGateway(cut))
    made.stores.attempts.path(request().key).mkdir(parents=True)
    made.run_jobs(job(request()))
    assert made.journal == [f"{request().key}.intent"]


def test_response_stays_when_quarantine_cannot_be_written(bench):
    async def garbage(_, keep):
        keep(GARBAGE)
        raise InvalidResponseError("bad", body=GARBAGE)

    made = bench(FakeGateway(garbage))
    made.stores.originals.quarantine.parent.mkdir(parents=True, exist_ok=True)
    made.stores.originals.quarantine.write_text("no folder")
    made.run_jobs(job(request()))
    recover_all(made.stores)
    assert bodies(made) == [GARBAGE]
    made.stores.originals.quarantine.unlink()
    recover_all(made.stores)
    assert made.journal == []
    assert [path.read_bytes() for path in made.stores.originals.quarantine.iterdir()] == [GARBAGE]


def test_recovery_leaves_requests_in_flight_of_another_build(bench):
    other = bench(originals_dir="b")
    left = []

    async def meanwhile(_, keep):
        recover_all(other.stores)
        left.append(one.journal)
        keep(BODY)
        recover_all(other.stores)
        left.append(one.journal)

    one = bench(FakeGateway(meanwhile), originals_dir="a")
    (result,) = one.run_jobs(job(request()))
    assert [[name.rpartition(".")[2] for name in names] for names in left] == [
        ["intent"],
        ["answer", "intent"],
    ]
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
        _with(version=3),
    ],
)
def test_malformed_intent_does_not_end_the_build(bench, change):
    made = bench()
    key = answered(made)
    path = made.stores.journal.folder / f"{key}.intent"
    original = json.loads(path.read_text())
    change(original)
    path.write_text(json.dumps(original))
    recover_all(made.stores)
    same, other = made.run_jobs(job(request()), job(request(1)))
    assert same.error is None or isinstance(same.error, NewerVersionError)
    assert other.error is None


@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), MemoryError("unforeseen")])
def test_response_stays_when_storing_fails_unexpectedly(bench, monkeypatch, error):
    def fails(*_):
        raise error

    made = bench()
    answered(made)
    monkeypatch.setattr(recovery, "store_response", fails)
    recover_all(made.stores)
    assert made.said == ["the response to an earlier build stays in the journal: unforeseen"]
    assert bodies(made) == [BODY]


def test_linked_image_is_fetched_and_not_generated_again(bench):
    made = bench(gateway={"url": "https://x.example/v1", "accept_urls": True})
    answered(made, LINK)
    recover_all(made.stores)
    assert len(made.journal) == 2
    (result,) = made.run_jobs(job(request()))
    assert (made.client.opened, made.client.asked) == ([LINK], [])
    assert result.original is not None
    assert made.journal == []


@pytest.mark.parametrize("body", [LINK, BODY])
def test_response_in_another_originals_folder_is_not_generated_again(bench, body):
    gateway = {"url": "https://x.example/v1", "accept_urls": True}
    earlier = bench(gateway=gateway)  # in the default folder
    answered(earlier, body)
    made = bench(gateway=gateway, originals_dir="b")
    (result,) = made.run_jobs(job(request()))
    assert (result.error, made.client.asked, earlier.journal) == (None, [], [])
    assert result.original.folder.parent == made.settings.originals_path


def test_request_waits_for_a_build_that_uses_another_originals_folder(bench, monkeypatch):
    earlier, made, waited = bench(), bench(originals_dir="b"), []
    answered(earlier)
    with earlier.stores.claims.claim(request().key):
        monkeypatch.setattr(Scheduler, "_log_claim", lambda _: waited.append(True))
        made.scheduler.start(job(request()))
        wait_until(lambda: waited)
    (result,) = made.run_jobs(job(request()))
    assert (result.error, made.client.asked, earlier.journal) == (None, [], [])


@pytest.mark.parametrize("is_recovered_first", [True, False])
def test_image_of_an_interrupted_regeneration_is_not_generated_again(bench, is_recovered_first):
    bench().run_jobs(job(request()))
    made = bench()
    sent = replace(intent(request()), replaces=True)
    made.stores.journal.begin(sent)
    made.stores.journal.save_response(sent, body_of(png("blue")))
    made.run.ledger.again = frozenset([request().key])
    if is_recovered_first:
        recover_all(made.stores)
    (result,) = made.run_jobs(job(request()))
    assert (result.error, made.client.asked, made.journal) == (None, [], [])
    assert made.stores.originals.read(result.original)[1] == png("blue")


@pytest.mark.parametrize(("created", "is_shown"), [("2026-11-22", False), ("2026-11-24", True)])
@pytest.mark.parametrize("version", [0, 1], ids=["this version", "version 0.1"])
def test_file_imported_after_an_interrupted_regeneration_stays(bench, created, is_shown, version):
    made = bench()
    asked = replace(request(), model_options='{"openai":{"style":"plain"}}')
    sent = replace(intent(asked), replaces=True)
    made.stores.journal.begin(sent)
    made.stores.journal.save_response(sent, BODY)
    facts = {"key": asked.subject_keys[version], "answered_by": IMPORT, "model": IMPORT}
    content = png("green")
    record = request_record(sent.request, content, created=f"{created}T17:00:00+00:00", **facts)
    made.stores.originals.replace(record, content)
    recover_all(made.stores)
    assert made.stores.originals.find_exact(asked, "").record.is_import is is_shown
    assert (made.journal, read_original(made.stores.originals, asked.key) is None) == (
        [],
        False,
    )


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
        recover_all(made.stores)
        (result,) = made.run_jobs(job(request()))
        return made, result

    monkeypatch.setattr(anyio, "getaddrinfo", look_up)
    return linked


def test_unreachable_link_is_retried_on_next_build(linked):
    host = Linking()
    for _ in range(2):
        made, result = linked(host)
        assert "status 503; the next build fetches it again; to generate another" in str(
            result.error
        )
        assert str(result.error).endswith(".answer")
        assert len(made.journal) == 2
        assert not made.stores.originals.quarantine.exists()
    host.answer = HttpResponse(200, {}, PNG)
    made, result = linked(host)
    assert (result.error, made.journal, host.emulator.bill.images) == (None, [], 1)
    assert made.stores.originals.read(result.original) == (result.original, PNG)


def test_response_with_dead_link_goes_to_quarantine(linked):
    host = Linking()
    linked(host)
    host.answer = HttpResponse(404, {}, b"")
    made, result = linked(host)
    assert "status 404; the response is in " in str(result.error)
    assert (made.journal, host.emulator.bill.images) == ([], 1)
    assert b"sketch.png" in next(made.stores.originals.quarantine.iterdir()).read_bytes()


def test_damaged_image_behind_a_link_ends_the_request(linked):
    host = Linking()
    linked(host)
    host.answer = HttpResponse(200, {}, PNG[:40])
    made, result = linked(host)
    assert "charged and is damaged" in str(result.error)
    assert made.journal == []
    assert [path.read_bytes() for path in made.stores.originals.quarantine.iterdir()] == [PNG[:40]]


def test_response_with_link_goes_to_quarantine_when_not_journaled(linked, monkeypatch):
    monkeypatch.setattr(Journal, "save_response", lambda *_: False)
    made, result = linked(Linking())
    assert "status 503; the response is in " in str(result.error)
    assert len(list(made.stores.originals.quarantine.iterdir())) == 1


def test_record_of_newer_version_does_not_stop_other_requests(bench):
    made = bench()
    made.run_jobs(job(request()))
    record = record_file(made.stores.originals.find(request().key))
    record.write_text(json.dumps(json.loads(record.read_text()) | {"version": 3}))
    originals = made.stores.originals
    newly_opened = OriginalStore(originals.folder, inspect_image)
    assert newly_opened.find_by_subject(request(1)) is None


def test_response_with_link_stays_when_links_are_not_accepted(linked, bench):
    linked(Linking())
    deaf = bench(gateway={"url": "https://x.example/v1", "auth": "none"})
    recover_all(deaf.stores)
    assert len(bodies(deaf)) == 1
    assert "links to its image; set `gateway.accept_urls" in deaf.said[-1]
    assert not deaf.stores.originals.quarantine.exists()
    (result,) = deaf.run_jobs(job(request()))
    assert "links to its image" in str(result.error)
    assert len(bodies(deaf)) == 1


def test_request_of_a_killed_build_is_noted_as_an_attempt_that_does_not_count(bench):
    made = bench()
    made.stores.journal.begin(intent(request()))
    recover_all(made.stores)
    (attempt,) = made.stores.attempts.find(request().key)
    assert (attempt.billing, attempt.counts, made.journal) == ("unknown", False, [])
    path = made.stores.attempts.path(request().key)
    assert made.said[-1].endswith(f"may have been charged (listed in {path})")
    (result,) = made.run_jobs(job(request()))
    assert result.error is None


def test_build_killed_between_image_and_record_keeps_the_cost(bench):
    made = bench()
    key = answered(made)
    recover_all(made.stores)
    before = made.stores.originals.find(key).record
    record_file(made.stores.originals.find(key)).unlink()
    answered(made)
    recover_all(made.stores)
    after = made.stores.originals.find(key).record
    assert (after.is_rebuilt, after.cost_usd) == (False, before.cost_usd)


def test_intent_of_a_build_killed_after_the_image_is_recovered_by_a_waiting_build(bench):
    """`recover_all` leaves a cache key that another build has claimed."""
    made = bench()
    key = answered(made)
    recover_all(made.stores)
    record_file(made.stores.originals.find(key)).unlink()
    answered(made)
    (result,) = made.run_jobs(job(request()))
    assert (result.original.record.is_rebuilt, made.journal, made.client.asked) == (False, [], [])


def test_every_response_of_a_key_is_stored(bench):
    """A build was killed, and so was the next one, which generated the image again."""
    made = bench()
    key = answered(made)
    answered(made, BODY.replace(b"created", b"Created"))
    recover_all(made.stores)
    assert (made.journal, made.stored()) == ([], ["prompt 0"])
    assert made.stores.originals.find(key) is not None


def test_valid_response_is_stored_after_one_without_an_image(bench):
    for bodies_in_order in ((GARBAGE, BODY), (BODY, GARBAGE)):
        made = bench(originals_dir=str(len(bodies_in_order[0])))
        for body in bodies_in_order:
            answered(made, body)
        recover_all(made.stores)
        assert (made.journal, made.stored()) == ([], ["prompt 0"])
        (attempt,) = made.stores.attempts.find(request().key)
        assert (attempt.billing, attempt.counts) == ("billed", True)


def test_responses_of_earlier_versions_are_stored(bench):
    """With its intent at the start of a build; without it, as soon as a page shows the image."""
    made = bench()
    old = made.settings.cache_path / "journal"
    old.mkdir(parents=True)
    made.stores.journal.begin(intent(request()))
    made.stores.journal.folder.joinpath(f"{request().key}.intent").rename(
        old / f"{request().key}.intent"
    )
    (old / f"{request().key}.answer").write_bytes(BODY)
    (old / f"{request(1).key}.answer").write_bytes(BODY)
    made = bench()
    recover_all(made.stores)
    assert made.stored() == ["prompt 0"]
    (result,) = made.run_jobs(job(request(1)))
    assert (result.error, made.client.asked) == (None, [])
    assert (made.stored(), list(old.iterdir())) == (["prompt 0", "prompt 1"], [])
