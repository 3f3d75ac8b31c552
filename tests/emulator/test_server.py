"""The emulator on a socket, with real clients."""

import base64
import contextlib
import http.client
import io
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import openai
import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import LARGEST_BODY, serve, serving

MODEL = "openai/gpt-image-1-mini"
KEY = {"authorization": "Bearer word"}
ASKED = {"model": MODEL, "prompt": "A red balloon", "quality": "low", "output_format": "jpeg"}


@pytest.fixture
def server():
    with serving(Emulator(), slow_s=0.4) as running:
        yield running


@pytest.fixture
def post(server):
    """Posts to the server over one connection, with a fault."""
    with httpx.Client(base_url=server.url, headers={"authorization": "Bearer word"}) as client:

        def send(fault="ok", timeout=5.0):
            headers = {"x-imagegen-fault": fault}
            return client.post("/images/generations", json=ASKED, headers=headers, timeout=timeout)

        yield send


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=server.url, api_key="any-word", max_retries=0) as official:
        yield official


def test_the_official_client_makes_a_image(client):
    answer = client.images.generate(
        model=MODEL,
        prompt="A red balloon",
        size="1024x1536",
        quality="low",
        background="transparent",
        output_format="webp",
        extra_body={"providerOptions": {"gateway": {"order": ["openai"]}}},
    )
    image = Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json)))
    assert (image.format, image.size, image.mode) == ("WEBP", (1024, 1536), "RGBA")
    assert answer.usage.output_tokens == 408
    assert answer.provider_metadata["gateway"]["cost"] == "0.006"
    assert answer._request_id == "req_000000000001"


def test_the_official_client_lists_the_models(client):
    assert MODEL in [model.id for model in client.models.list()]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("authentication", openai.AuthenticationError),
        ("model-not-found", openai.NotFoundError),
        ("retry-after", openai.RateLimitError),
        ("forbidden", openai.PermissionDeniedError),
        ("moderation-blocked", openai.BadRequestError),
        ("unavailable", openai.InternalServerError),
        ("reset", openai.APIConnectionError),
    ],
)
def test_the_official_client_raises_its_own_errors(client, fault, error):
    with pytest.raises(error):
        client.images.generate(**ASKED, extra_headers={"x-imagegen-fault": fault})


def test_the_official_client_reads_what_was_wrong(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.images.generate(model="no/such", prompt="x")
    assert caught.value.type == "model_not_found"
    assert caught.value.param == {"modelId": "no/such"}


def test_the_official_client_tries_again_after_a_limit():
    emulator = Emulator(plan=["retry-after-ms"])
    with (
        serving(emulator) as server,
        openai.OpenAI(base_url=server.url, api_key="any-word", max_retries=1) as official,
    ):
        assert official.images.generate(**ASKED).data
    assert [seen.status for seen in emulator.log] == [429, 200]


def test_one_connection_serves_many_requests(server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    for _ in range(3):
        connection.request("GET", "/v1/models")
        response = connection.getresponse()
        assert response.version == 11
        json.loads(response.read())
        kept = connection.sock
        assert kept is not None
    connection.close()


def test_a_small_answer_comes_at_once(server):
    with httpx.Client() as client:
        client.get(f"{server.url}/models")
        start = time.perf_counter()
        for _ in range(10):
            client.get(f"{server.url}/models")
    assert time.perf_counter() - start < 0.3


def test_a_reset_before_drawing_costs_nothing(server, post):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        post("reset")
    assert server.emulator.bill.images == 0


def test_a_reset_after_drawing_is_billed(server, post):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        post("lost")
    assert server.emulator.bill.images == 1


def test_a_cut_body_is_billed_and_seen_as_incomplete(server, post):
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        post("cut")
    assert server.emulator.bill.images == 1


def test_slow_headers_time_a_short_patience_out(server, post):
    with pytest.raises(httpx.ReadTimeout):
        post("slow", timeout=0.2)
    assert post("slow").status_code == 200
    assert server.emulator.bill.images == 2


def test_a_dripping_body_arrives_whole_though_late(post):
    post("ok")
    start = time.perf_counter()
    response = post("drip")
    assert time.perf_counter() - start > 0.35
    assert response.json()["data"][0]["b64_json"]


@pytest.mark.parametrize("fault", ["silence", "stall", "endless"])
def test_what_never_ends_ends_when_the_client_leaves(server, post, fault):
    with pytest.raises(httpx.ReadTimeout):
        _listen_for_a_while(server.url, fault)
    assert _within(5.0, lambda: not server._listening._open)
    assert post("ok").status_code == 200


def _listen_for_a_while(url, fault):
    headers, until = {"x-imagegen-fault": fault}, time.monotonic() + 0.3
    to = f"{url}/images/generations"
    with httpx.stream("POST", to, json=ASKED, headers=headers | KEY, timeout=0.3) as response:
        for _ in response.iter_raw():
            if time.monotonic() > until:
                raise httpx.ReadTimeout("enough")


def _within(seconds, is_so):
    until = time.monotonic() + seconds
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def test_closing_ends_what_never_ends(server):
    with ThreadPoolExecutor(1) as pool:
        headers = KEY | {"x-imagegen-fault": "silence"}
        url = f"{server.url}/images/generations"
        asked = pool.submit(httpx.post, url, json=ASKED, headers=headers, timeout=20.0)
        assert _within(10.0, lambda: server.emulator.bill.images == 1)
        server.close()
        with pytest.raises(httpx.HTTPError):
            asked.result(timeout=5.0)


def test_the_connection_works_again_after_a_fault(post):
    with pytest.raises(httpx.HTTPError):
        post("cut")
    assert post("ok").status_code == 200


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({"content-length": str(LARGEST_BODY + 1)}, b""),
        ({"content-length": "-1"}, b""),
        ({}, iter([b"{}"])),
    ],
)
def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(server, headers, content):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    with contextlib.suppress(BrokenPipeError):  # it need not listen to the end
        connection.request("POST", "/v1/images/generations", content or None, headers)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["type"] == "invalid_request_error"
    connection.close()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_answered_too(server, method):
    assert httpx.request(method, f"{server.url}/models").status_code == 405


def test_the_log_file_has_a_line_for_each_request_and_no_credential(tmp_path):
    path = tmp_path / "requests.jsonl"
    with serve(Emulator(), log=path) as server:
        headers = {"authorization": "Bearer my-secret-word"}
        httpx.get(f"{server.url}/credits", headers=headers)
        httpx.post(f"{server.url}/images/generations", json=ASKED, headers=headers)
        httpx.get(f"{server.url}/credits", headers={"authorization": "Bearer vck_secret"})
    text = path.read_text(encoding="utf-8")
    assert [json.loads(line)["status"] for line in text.splitlines()] == [200, 200, 401]
    assert json.loads(text.splitlines()[1])["prompt"] == "A red balloon"
    assert "secret" not in text


def test_closing_ends_idle_connections_and_slow_answers_at_once(server):
    idle = http.client.HTTPConnection(urlsplit(server.url).netloc)
    idle.request("GET", "/v1/models")
    idle.getresponse().read()
    start = time.perf_counter()
    server.close()
    assert time.perf_counter() - start < 1
    idle.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/models")


def test_ipv6_addresses_are_shown_in_brackets():
    try:
        server = serve(Emulator(), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(f"{server.url}/models").status_code == 200


def test_running_for_ever_ends_with_an_interrupt():
    code = (
        "from mkdocs_imagegen.emulator.protocol import Emulator\n"
        "from mkdocs_imagegen.emulator.server import run_forever\n"
        "run_forever(Emulator(), started=lambda url: print(url, flush=True))\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/models").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
