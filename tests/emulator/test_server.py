"""The HTTP server of the emulator, with real clients."""

import base64
import contextlib
import http.client
import io
import json
import time
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import MAX_REQUEST_BYTES, EmulatorServer
from tests.emulator.support import MODEL, REQUEST


@pytest.fixture
def client(server, openai):
    with openai.OpenAI(base_url=server.url, api_key="any-word", max_retries=0) as official:
        yield official


def test_openai_client_generates_an_image(client):
    response = client.images.generate(
        model=MODEL,
        prompt="A red balloon",
        size="1024x1536",
        quality="low",
        background="transparent",
        output_format="webp",
        extra_body={"providerOptions": {"gateway": {"order": ["openai"]}}},
    )
    image = Image.open(io.BytesIO(base64.b64decode(response.data[0].b64_json)))
    assert (image.format, image.size, image.mode) == ("WEBP", (1024, 1536), "RGBA")
    assert response.usage.output_tokens == 408
    assert response.provider_metadata["gateway"]["cost"] == "0.006"
    assert response._request_id == "req_000000000001"


def test_openai_client_lists_the_models(client):
    assert MODEL in [model.id for model in client.models.list()]


def test_openai_client_reads_one_model(client):
    assert client.models.retrieve(MODEL).owned_by == "openai"


def test_openai_client_sends_the_complexity(client, openai):
    request = REQUEST | {"model": "openai/gpt-image-2.6-flare"}
    assert client.images.generate(**request, extra_body={"complexity": "low"}).data
    with pytest.raises(openai.BadRequestError, match="complexity"):
        client.images.generate(**REQUEST, extra_body={"complexity": "low"})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("authentication", "AuthenticationError"),
        ("model-not-found", "NotFoundError"),
        ("retry-after", "RateLimitError"),
        ("forbidden", "PermissionDeniedError"),
        ("moderation-blocked", "BadRequestError"),
        ("unavailable", "InternalServerError"),
        ("reset", "APIConnectionError"),
    ],
)
def test_openai_client_raises_its_own_errors(client, openai, fault, error):
    with pytest.raises(getattr(openai, error)):
        client.images.generate(**REQUEST, extra_headers={"x-imagegen-fault": fault})


def test_openai_client_reads_type_and_param_of_an_error(client, openai):
    with pytest.raises(openai.NotFoundError) as caught:
        client.images.generate(model="no/such", prompt="x")
    assert caught.value.type == "model_not_found"
    assert caught.value.param == {"modelId": "no/such"}


def test_openai_client_retries_after_a_rate_limit(openai):
    emulator = Emulator(plan=["retry-after-ms"])
    with (
        EmulatorServer(emulator) as server,
        openai.OpenAI(base_url=server.url, api_key="any-word", max_retries=1) as official,
    ):
        assert official.images.generate(**REQUEST).data
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


def test_small_response_is_sent_without_delay(server):
    with httpx.Client() as client:
        client.get(f"{server.url}/models")
        start = time.perf_counter()
        for _ in range(10):
            client.get(f"{server.url}/models")
    assert time.perf_counter() - start < 0.3


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({"content-length": str(MAX_REQUEST_BYTES + 1)}, b""),
        ({"content-length": "-1"}, b""),
        ({}, iter([b"{}"])),
    ],
)
def test_body_that_is_too_large_or_of_unknown_length_is_refused(server, headers, content):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    with contextlib.suppress(BrokenPipeError):  # it need not listen to the end
        connection.request("POST", "/v1/images/generations", content or None, headers)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["type"] == "invalid_request_error"
    connection.close()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_answered(server, method):
    assert httpx.request(method, f"{server.url}/models").status_code == 405


def test_log_file_has_a_line_per_request_and_no_credential(tmp_path):
    path = tmp_path / "requests.jsonl"
    with EmulatorServer(Emulator(), log=path) as server:
        headers = {"authorization": "Bearer my-secret-word"}
        httpx.get(f"{server.url}/credits", headers=headers)
        httpx.post(f"{server.url}/images/generations", json=REQUEST, headers=headers)
        httpx.get(f"{server.url}/credits", headers={"authorization": "Bearer vck_secret"})
    text = path.read_text(encoding="utf-8")
    assert [json.loads(line)["status"] for line in text.splitlines()] == [200, 200, 401]
    assert json.loads(text.splitlines()[1])["prompt"] == "A red balloon"
    assert "secret" not in text


def test_closing_ends_idle_connections(server):
    idle = http.client.HTTPConnection(urlsplit(server.url).netloc)
    idle.request("GET", "/v1/models")
    idle.getresponse().read()
    start = time.perf_counter()
    server.close()
    assert time.perf_counter() - start < 1
    idle.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/models")


def test_url_has_an_ipv6_address_in_brackets():
    try:
        server = EmulatorServer(Emulator(), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(f"{server.url}/models").status_code == 200
