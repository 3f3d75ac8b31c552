"""Connections that misbehave, with a real HTTP client."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.emulator.support import KEY, REQUEST


def test_reset_before_drawing_costs_nothing(server, post):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        post("reset")
    assert server.emulator.bill.images == 0


def test_reset_after_drawing_is_charged(server, post):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        post("lost")
    assert server.emulator.bill.images == 1


def test_cut_body_is_charged_and_incomplete(server, post):
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        post("cut")
    assert server.emulator.bill.images == 1


def test_late_headers_exceed_a_short_timeout(server, post):
    with pytest.raises(httpx.ReadTimeout):
        post("slow", timeout=0.2)
    assert post("slow").status_code == 200
    assert server.emulator.bill.images == 2


def test_dripped_body_arrives_late_and_complete(post):
    post("ok")
    start = time.perf_counter()
    response = post("drip")
    assert time.perf_counter() - start > 0.35
    assert response.json()["data"][0]["b64_json"]


@pytest.mark.parametrize("fault", ["silence", "stall", "endless"])
def test_endless_response_ends_when_the_client_leaves(server, post, fault):
    with pytest.raises(httpx.ReadTimeout):
        _listen_for_a_while(server.url, fault)
    assert _within(5.0, lambda: not server._listener._open)
    assert post("ok").status_code == 200


def _listen_for_a_while(url, fault):
    headers, until = {"x-imagegen-fault": fault}, time.monotonic() + 0.3
    to = f"{url}/images/generations"
    with httpx.stream("POST", to, json=REQUEST, headers=headers | KEY, timeout=0.3) as response:
        for _ in response.iter_raw():
            if time.monotonic() > until:
                raise httpx.ReadTimeout("enough")


def _within(seconds, is_so):
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def test_closing_the_server_ends_an_endless_response(server):
    with ThreadPoolExecutor(1) as pool:
        headers = KEY | {"x-imagegen-fault": "silence"}
        url = f"{server.url}/images/generations"
        pending = pool.submit(httpx.post, url, json=REQUEST, headers=headers, timeout=20.0)
        assert _within(10.0, lambda: server.emulator.bill.images == 1)
        server.close()
        with pytest.raises(httpx.HTTPError):
            pending.result(timeout=5.0)


def test_client_works_after_a_fault(post):
    with pytest.raises(httpx.HTTPError):
        post("cut")
    assert post("ok").status_code == 200
