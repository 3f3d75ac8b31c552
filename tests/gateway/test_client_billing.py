"""Billing class of every outcome of a request, and the bill of the emulator beside it."""

import inspect
import json
import ssl

import anyio
import httpx
import pytest

from mkdocs_imagegen.emulator import protocol
from mkdocs_imagegen.emulator.faults import FAULTS
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.errors import Billing, GatewayError
from mkdocs_imagegen.gateway.client import Gateway, transport_error
from mkdocs_imagegen.gateway.failures import read_error
from mkdocs_imagegen.gateway.wire import decode_response
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings
from tests.emulator.switchboard import Switchboard, drawn_once

PATIENT_S = 60.0
SHORT_S = 2.0
ENDLESS = {"silence", "stall", "endless", "endless-head"}
IMAGE = "an image"

PERMANENT, REFUSED, UNBILLED = Billing.PERMANENT, Billing.REFUSED, Billing.UNBILLED
UNKNOWN, BILLED = Billing.UNKNOWN, Billing.BILLED

CLASSES = {
    "CredentialError": PERMANENT,
    "AuthenticationError": PERMANENT,
    "InsufficientFundsError": PERMANENT,
    "ForbiddenError": PERMANENT,
    "ModelUnavailableError": PERMANENT,
    "ModelForbiddenError": PERMANENT,
    "ModelShutDownError": PERMANENT,
    "RejectedRequestError": REFUSED,
    "ModerationError": REFUSED,
    "UnreachableError": UNBILLED,
    "RateLimitedError": UNBILLED,
    "ServerBusyError": UNBILLED,
    "OutcomeUnknownError": UNKNOWN,
    "InvalidResponseError": BILLED,
    "DownloadError": BILLED,
}

HTTPX = {
    "ConnectError": UNBILLED,
    "ConnectTimeout": UNBILLED,
    "PoolTimeout": UNBILLED,
    "ProxyError": UNBILLED,
    "InvalidURL": REFUSED,
    "UnsupportedProtocol": REFUSED,
    "CloseError": UNKNOWN,
    "CookieConflict": UNKNOWN,
    "DecodingError": UNKNOWN,
    "HTTPError": UNKNOWN,
    "HTTPStatusError": UNKNOWN,
    "LocalProtocolError": UNKNOWN,
    "NetworkError": UNKNOWN,
    "ProtocolError": UNKNOWN,
    "ReadError": UNKNOWN,
    "ReadTimeout": UNKNOWN,
    "RemoteProtocolError": UNKNOWN,
    "RequestError": UNKNOWN,
    "RequestNotRead": UNKNOWN,
    "ResponseNotRead": UNKNOWN,
    "StreamClosed": UNKNOWN,
    "StreamConsumed": UNKNOWN,
    "StreamError": UNKNOWN,
    "TimeoutException": UNKNOWN,
    "TooManyRedirects": UNKNOWN,
    "TransportError": UNKNOWN,
    "WriteError": UNKNOWN,
    "WriteTimeout": UNKNOWN,
}

FAULT_CLASSES = {
    "missing-parameter": REFUSED,
    "invalid-request": REFUSED,
    "zero-data-retention": REFUSED,
    "authentication": PERMANENT,
    "insufficient-funds": PERMANENT,
    "budget-exceeded": PERMANENT,
    "budget-exceeded-403": PERMANENT,
    "budget-exceeded-429": PERMANENT,
    "customer-verification": PERMANENT,
    "restricted-model": PERMANENT,
    "restricted-provider": PERMANENT,
    "restricted-provider-nested": PERMANENT,
    "forbidden": PERMANENT,
    "plan-lacks-zdr": PERMANENT,
    "model-not-found": PERMANENT,
    "model-not-found-400": PERMANENT,
    "shut-down-404-deprecated": PERMANENT,
    "shut-down-404-missing": PERMANENT,
    "shut-down-400-deprecated": PERMANENT,
    "shut-down-410": PERMANENT,
    "shut-down-410-gone": PERMANENT,
    "shut-down-400-code": PERMANENT,
    "shut-down-400-value": PERMANENT,
    "shut-down-403": PERMANENT,
    "shut-down-404-provider": PERMANENT,
    "shut-down-400-provider": PERMANENT,
    "shut-down-502": PERMANENT,
    "shut-down-500": PERMANENT,
    "shut-down-503": PERMANENT,
    "not-found": REFUSED,
    "method-not-allowed": REFUSED,
    "conflict": UNKNOWN,
    "unprocessable": REFUSED,
    "failed-dependency": REFUSED,
    "rate-limit": UNBILLED,
    "internal-error": UNKNOWN,
    "unavailable": UNKNOWN,
    "request-timeout": UNKNOWN,
    "too-large": REFUSED,
    "gateway-timeout": UNKNOWN,
    "retry-after": UNBILLED,
    "retry-after-503": UNBILLED,
    "retry-after-date": UNBILLED,
    "retry-after-ms": UNBILLED,
    "retry-after-hour": UNBILLED,
    "retry-after-hostile": UNBILLED,
    "retry-after-year-9999": UNBILLED,
    "retry-after-past": UNBILLED,
    "retry-after-negative": UNBILLED,
    "retry-after-503-nan": UNKNOWN,
    "retry-after-nan": UNBILLED,
    "moderation-blocked": REFUSED,
    "moderation-wrapped": REFUSED,
    "content-policy": REFUSED,
    "invalid-value": REFUSED,
    "unknown-parameter": REFUSED,
    "invalid-image": REFUSED,
    "response-format-refused": REFUSED,
    "provider-key": PERMANENT,
    "provider-rate-limit": UNBILLED,
    "insufficient-quota": PERMANENT,
    "billing-hard-limit": PERMANENT,
    "organization-spend-limit": PERMANENT,
    "project-spend-limit": PERMANENT,
    "server-error": UNKNOWN,
    "image-server-error": UNKNOWN,
    "wrapped-error": UNKNOWN,
    "html": UNKNOWN,
    "html-503": UNKNOWN,
    "empty-502": UNKNOWN,
    "html-429": UNBILLED,
    "client-closed": UNKNOWN,
    "huge-error": UNKNOWN,
    "nested-error": UNKNOWN,
    "bomb-error": UNKNOWN,
    "redirect": REFUSED,
    "redirect-307": REFUSED,
    "camel-case-metadata": IMAGE,
    "no-metadata": IMAGE,
    "numeric-cost": IMAGE,
    "odd-cost": IMAGE,
    "empty-data": BILLED,
    "empty-picture": BILLED,
    "bad-base64": BILLED,
    "not-an-image": BILLED,
    "svg": BILLED,
    "half-image": IMAGE,
    "data-prefix": IMAGE,
    "url": BILLED,
    "data-url": IMAGE,
    "wrong-format": IMAGE,
    "wrong-size": IMAGE,
    "truncated-json": BILLED,
    "html-200": BILLED,
    "empty-body": BILLED,
    "null-200": BILLED,
    "list-200": BILLED,
    "odd-data": BILLED,
    "odd-picture": BILLED,
    "error-200": BILLED,
    "accepted": BILLED,
    "no-content": BILLED,
    "nan": BILLED,
    "infinite-cost": IMAGE,
    "giant-number": BILLED,
    "nested-json": BILLED,
    "wide-json": BILLED,
    "gzip": IMAGE,
    "cut-gzip": BILLED,
    "broken-gzip": BILLED,
    "brotli": BILLED,
    "bomb": BILLED,
    "late-error": UNKNOWN,
    "late-bad-gateway": UNKNOWN,
    "late-timeout": UNKNOWN,
    "reset": UNKNOWN,
    "closed": UNKNOWN,
    "lost": UNKNOWN,
    "hung-up": UNKNOWN,
    "silence": UNKNOWN,
    "slow": IMAGE,
    "drip-head": IMAGE,
    "endless-head": UNKNOWN,
    "cut-head": UNKNOWN,
    "huge-header": UNKNOWN,
    "garbage-status": UNKNOWN,
    "informing": IMAGE,
    "drip": IMAGE,
    "stall": UNKNOWN,
    "endless": UNKNOWN,
    "cut": UNKNOWN,
    "short-length": BILLED,
    "long-length": UNKNOWN,
    "two-lengths": UNKNOWN,
    "no-length": IMAGE,
    "chunked": IMAGE,
    "cut-chunks": UNKNOWN,
    "broken-chunks": UNKNOWN,
}
"""Outcome of each emulator fault for the client on a socket."""

GAVE_UP = {303, 408, 409, 460, 499}
BODIES = [b"", b"{}", b"[", b"<html>busy</html>", b'{"error":"x"}', b'{"error":{"type":"y"}}']


def test_gateway_error_has_a_billing_class():
    assert {kind.__name__: kind.billing for kind in _below(GatewayError)} == CLASSES


def test_httpx_exception_has_a_billing_class():
    every = {kind.__name__: kind for kind in vars(httpx).values() if _is_error(kind)}
    assert {name: transport_error(kind, name).billing for name, kind in every.items()} == HTTPX


@pytest.mark.parametrize("kind", [OSError, ssl.SSLError, UnicodeError, RuntimeError, MemoryError])
def test_other_exception_counts_as_sent_unless_the_connection_was_being_established(kind):
    assert transport_error(kind, "x").billing is UNKNOWN
    assert transport_error(kind, "x", is_connecting=True).billing is UNBILLED


def test_request_to_an_unknown_host_is_not_charged(tools):
    settings = GatewaySettings(url=f"http://{'x' * 64}.example/v1", auth="none")
    with pytest.raises(GatewayError) as caught:
        tools.generate(settings)
    assert caught.value.billing in {UNBILLED, REFUSED}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("headers", [{}, {"retry-after": "1"}])
def test_status_has_a_billing_class(headers, body):
    for status in (*range(100, 200), *range(300, 700)):
        expected = _class_of_status(status, told_when=bool(headers))
        assert read_error(status, headers, body, 0.0).billing is expected, status


def _class_of_status(status, *, told_when):
    if status in GAVE_UP:
        return UNKNOWN
    if status in {401, 402, 403, 410}:
        return PERMANENT
    if status == 429 or (status == 503 and told_when):
        return UNBILLED
    return REFUSED if 300 <= status < 500 else UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"null",
        b"true",
        b"0",
        b'""',
        b"[]",
        b"{}",
        b"{" * 100_000,
        b'{"a":' * 100_000,
        b'{"data":[' + b"[]," * 300_000 + b"[]]}",
        b'{"data":NaN}',
        b'{"data":Infinity}',
        b'{"data":1e999}',
        b'{"data":' + b"9" * 10_000 + b"}",
        b'{"data":null}',
        b'{"data":"b64"}',
        b'{"data":[null]}',
        b'{"data":[[]]}',
        b'{"data":["x"]}',
        b'{"data":[{}]}',
        b'{"data":[{"b64_json":null}]}',
        b'{"data":[{"b64_json":[]}]}',
        b'{"data":[{"b64_json":true}]}',
        b'{"data":[{"b64_json":"\\ud800"}]}',
        b'{"data":[{"b64_json":"AAAA"}]}',
        b'{"data":[{"b64_json":"data:image/png;base64,"}]}',
        b'{"data":[{"url":"file:///etc/passwd"}]}',
        b'{"data":[{"url":"data:,"}]}',
        b'{"data":[{"url":7}]}',
        json.dumps({"data": [{"b64_json": "iVBORw0KGgo="}]}, indent=1).encode("utf-16") + b"\x00",
    ],
    ids=range(32),
)
def test_unusable_body_of_a_success_is_billed_and_kept(tools, body):
    with pytest.raises(GatewayError) as caught:
        decode_response(body, tools.REQUEST, GatewaySettings())
    assert caught.value.billing is BILLED
    assert caught.value.body == body


@pytest.fixture(scope="module")
def board():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "_draw_images", drawn_once)
        yield Switchboard({name: [name] for name in FAULTS})


@pytest.fixture(scope="module")
def outcomes(board):
    """Outcome of every fault over a socket, all of them at once."""
    found = {}

    async def one(gateway, name, limiter):
        async with limiter:
            found[name] = await _outcome(gateway, name)

    async def some(url, names, timeout_s):
        settings = GatewaySettings(
            url=url, auth="none", timeout=timeout_s, send_response_format="true"
        )
        gateway, limiter = Gateway(settings, None), anyio.CapacityLimiter(12)
        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(one, gateway, name, limiter)
        await gateway.aclose()

    async def every(url):
        late, timeout_s = ENDLESS, SHORT_S
        while late:  # a loaded machine may not connect in a short time
            await some(url, late, timeout_s)
            late, timeout_s = {name for name in late if found[name] is UNBILLED}, 2 * timeout_s
        await some(url, set(FAULTS) - ENDLESS, PATIENT_S)

    with EmulatorServer(board, slow_s=0.4) as server:
        anyio.run(every, server.url)
    return found


async def _outcome(gateway, name):
    try:
        await gateway.generate(
            ImageRequest("openai/gpt-image-1-mini", name, Size(1024, 1024), "low")
        )
    except GatewayError as error:
        return error.billing
    return IMAGE


def test_emulator_fault_has_a_billing_class(outcomes):
    assert outcomes == FAULT_CLASSES


@pytest.mark.parametrize("name", FAULTS)
def test_emulator_charges_as_the_billing_class_says(outcomes, board, name):
    emulator = board.emulators[name]
    asked, billed = len(emulator.log), emulator.bill.images
    assert asked == 1
    if outcomes[name] in {BILLED, IMAGE}:
        assert billed == 1
    elif outcomes[name] is not UNKNOWN:
        assert billed == 0
    assert billed == FAULTS[name].is_charged


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize("name", FAULTS)
def test_emulator_fault_has_the_same_billing_class_without_a_socket(name):
    settings = GatewaySettings(url="sketch:", send_response_format="true")
    handler = Switchboard({name: [name]})

    async def once():
        return await _outcome(Gateway(settings, None, handler.handle), name)

    spoils_only_the_socket = FAULTS[name].transport is not None
    expected = IMAGE if spoils_only_the_socket else FAULT_CLASSES[name]
    assert anyio.run(once) == expected


def _is_error(kind):
    return inspect.isclass(kind) and issubclass(kind, Exception)


def _below(kind):
    return {each for child in kind.__subclasses__() for each in {child} | _below(child)}
