"""The credential is in one header of the request and in no error, log line or object."""

import logging
import traceback

import anyio
import pytest

from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.gateway.credentials import find_credential
from mkdocs_imagegen.gateway.exchange import ClientResponse
from mkdocs_imagegen.settings import GatewaySettings

PLAIN_KEY = "plain-canary-0123456789"
ENVIRON = {"KEY": PLAIN_KEY}


def _in_package(trace):
    """Return the traceback from the package's first frame on: a test's frames have the value."""
    while trace and "mkdocs_imagegen" not in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return trace


def _told(error: BaseException) -> str:
    """Return a crash report of an error with the local variables of every frame."""
    parts, pending = [], [error]
    while pending:
        each = pending.pop()
        trace = _in_package(each.__traceback__)
        report = traceback.TracebackException(type(each), each, trace, capture_locals=True)
        parts += [*report.format(), repr(each), str(each), repr(vars(each))]
        pending += filter(None, (each.__context__, each.__cause__))
    return "".join(parts)


def _chain_modules(error: BaseException) -> set[str]:
    modules = {type(error).__module__}
    for each in (error.__context__, error.__cause__):
        modules |= _chain_modules(each) if each else set()
    return modules


def _repeat_key(tools, status):
    def script(connection, _stopped):
        said = tools.error_body("x", text=f"the key {PLAIN_KEY} is bad")
        connection.sendall(tools.http(said, f"{status} No", x_request_id=PLAIN_KEY[:5]))

    return script


FAULTS = {
    "refused": lambda tools: _repeat_key(tools, 401),
    "broken": lambda tools: _repeat_key(tools, 500),
    "rejected": lambda tools: _repeat_key(tools, 400),
    "gone": lambda tools: _repeat_key(tools, 404),
    "reset": lambda tools: lambda connection, _stopped: tools.reset(connection),
    "garbage": lambda _tools: lambda connection, _stopped: connection.sendall(b"hello\r\n\r\n"),
    "silence": lambda _tools: lambda _connection, stopped: stopped.wait(5),
    "empty": lambda tools: lambda connection, _stopped: connection.sendall(tools.http(b"{}")),
}


@pytest.mark.parametrize("auth", ["bearer", "api-key"])
@pytest.mark.parametrize("fault", FAULTS)
def test_errors_and_log_do_not_show_the_credential(tools, caplog, fault, auth):
    caplog.set_level(logging.DEBUG)
    with tools.serving(FAULTS[fault](tools)) as server:
        settings = GatewaySettings(url=server.url, auth=auth, key_env="KEY", timeout=1.0)
        credential = find_credential(ENVIRON, settings, 0)
        with pytest.raises(GatewayError) as caught:
            tools.generate(settings, credential)
    assert PLAIN_KEY.encode() in server.asked[0]
    assert "httpcore" in {record.name.partition(".")[0] for record in caplog.records}
    quote_value = _told(caught.value) + caplog.text
    assert "generate" in quote_value
    assert PLAIN_KEY not in quote_value
    assert _chain_modules(caught.value) == {"mkdocs_imagegen.errors"}


def test_error_does_not_show_the_credential_when_a_broken_response_repeats_it(tools):
    def script(connection, _stopped):
        connection.sendall(f"HTTP/1.1 {PLAIN_KEY}\r\n\r\n".encode())

    with tools.serving(script) as server:
        settings = GatewaySettings(url=server.url, key_env="KEY")
        with pytest.raises(GatewayError, match="redacted") as caught:
            tools.generate(settings, find_credential(ENVIRON, settings, 0))
    assert PLAIN_KEY not in _told(caught.value)


def test_error_does_not_show_the_credential_when_the_port_is_closed(tools):
    settings = GatewaySettings(url=tools.closed_url(), key_env="KEY")
    credential = find_credential(ENVIRON, settings, 0)
    with pytest.raises(GatewayError) as caught:
        tools.generate(settings, credential)
    assert PLAIN_KEY not in _told(caught.value)
    assert _chain_modules(caught.value) == {"mkdocs_imagegen.errors"}


def test_error_has_no_request_when_the_credential_became_invalid(tools):
    environ = dict(ENVIRON)
    settings = GatewaySettings(url=tools.closed_url(), key_env="KEY")
    credential = find_credential(environ, settings, 0)
    environ["KEY"] = f"{PLAIN_KEY} broken"
    with pytest.raises(GatewayError, match="KEY has characters") as caught:
        tools.generate(settings, credential)
    told = _told(caught.value)
    assert PLAIN_KEY not in told
    assert "httpx" not in "".join(traceback.format_tb(caught.value.__traceback__))


def test_client_does_not_show_the_credential():
    settings = GatewaySettings(url="http://127.0.0.1:9/v1", key_env="KEY")
    credential = find_credential(ENVIRON, settings, 0)
    gateway = Gateway(settings, credential)
    quote_value = repr(gateway) + str(gateway) + repr(vars(gateway)) + repr(vars(gateway._http))
    quote_value += repr(vars(gateway._auth))
    assert PLAIN_KEY not in quote_value
    anyio.run(gateway.aclose)


def test_response_does_not_show_its_body():
    assert PLAIN_KEY not in repr(ClientResponse(200, {}, PLAIN_KEY.encode()))


def test_credential_of_ai_gateway_is_not_sent_to_another_server(tools):
    def script(connection, _stopped):
        connection.sendall(tools.http(tools.answer_body()))

    environ = {"AI_GATEWAY_API_KEY": tools.CANARY, "VERCEL_OIDC_TOKEN": tools.CANARY}
    with tools.serving(script) as server:
        settings = GatewaySettings(url=server.url, output_format="png", auth="none")
        tools.generate(settings, find_credential(environ, settings, 0))
    assert tools.CANARY.encode() not in server.asked[0]
    assert b"authorization" not in server.asked[0].lower()
