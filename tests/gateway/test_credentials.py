"""Credentials from the environment, and their redaction."""

import base64
import copy
import json
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import Billing, CredentialError
from mkdocs_imagegen.gateway.credentials import find_credential, missing_credential, token_expiry
from mkdocs_imagegen.settings import GatewaySettings

NOW = 1_800_000_000.0
VERCEL = GatewaySettings()
OTHER = GatewaySettings(url="https://images.example/v1", key_env="IMAGES_KEY")


def token(**claims: object) -> str:
    parts = ({"alg": "RS256"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts)
    return ".".join(part.rstrip("=") for part in (*encoded, "c2ln"))


FRESH = token(exp=NOW + 3600)
OWN = {"AI_GATEWAY_API_KEY": "vck_own", "VERCEL_OIDC_TOKEN": FRESH}


@pytest.mark.parametrize(
    ("environ", "name", "kind"),
    [
        (OWN, "AI_GATEWAY_API_KEY", "api key"),
        (OWN | {"AI_GATEWAY_API_KEY": " \n"}, "VERCEL_OIDC_TOKEN", "oidc token"),
        ({"VERCEL_OIDC_TOKEN": FRESH}, "VERCEL_OIDC_TOKEN", "oidc token"),
        ({"VERCEL_OIDC_TOKEN": "opaque"}, "VERCEL_OIDC_TOKEN", "oidc token"),
    ],
)
def test_api_key_comes_before_the_token(environ, name, kind):
    found = find_credential(environ, VERCEL, NOW)
    assert (found.name, found.kind) == (name, kind)
    assert found.read() == environ[name].strip()


@pytest.mark.parametrize("environ", [{}, {"AI_GATEWAY_API_KEY": ""}, {"IMAGES_KEY": "k"}])
def test_credential_is_missing_when_its_variable_is_not_set(environ):
    assert find_credential(environ, VERCEL, NOW) is None


def test_token_does_not_replace_an_invalid_api_key():
    with pytest.raises(CredentialError, match="AI_GATEWAY_API_KEY has characters"):
        find_credential(OWN | {"AI_GATEWAY_API_KEY": "vck a"}, VERCEL, NOW)


def test_other_server_gets_the_named_variable_only():
    assert find_credential(OWN, OTHER, NOW) is None
    assert find_credential(OWN | {"IMAGES_KEY": " k\n"}, OTHER, NOW).read() == "k"
    nameless = GatewaySettings(url="https://images.example/v1")
    assert find_credential(OWN, nameless, NOW) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://ai-gateway.vercel.sh.evil.example/v1",
        "https://evil.example/ai-gateway.vercel.sh",
        "https://xai-gateway.vercel.sh/v1",
    ],
)
def test_server_with_a_similar_name_gets_no_credential(url):
    assert find_credential(OWN, GatewaySettings(url=url), NOW) is None


def test_credential_is_not_looked_up_when_the_server_needs_none():
    assert find_credential(OWN, GatewaySettings(auth="none"), NOW) is None
    assert find_credential(OWN, GatewaySettings(url="sketch:"), NOW) is None


def test_expired_token_is_reported_with_the_way_to_renew_it():
    with pytest.raises(CredentialError) as caught:
        find_credential({"VERCEL_OIDC_TOKEN": token(exp=NOW - 1)}, VERCEL, NOW)
    assert caught.value.billing is Billing.PERMANENT
    assert "expired on 2027-01-15 at 07:59 UTC" in str(caught.value)
    assert "vercel env pull" in str(caught.value)


@pytest.mark.parametrize(
    "claims", [{}, {"exp": None}, {"exp": "soon"}, {"exp": 1e300}, {"exp": [1]}]
)
def test_token_is_sent_when_its_expiry_is_unknown(claims):
    assert token_expiry(token(**claims)) is None
    assert find_credential({"VERCEL_OIDC_TOKEN": token(**claims)}, VERCEL, NOW)


@given(st.text(max_size=60) | st.binary(max_size=30).map(lambda raw: f"a.{raw.hex()}.b"))
def test_token_expiry_raises_nothing_for_any_text(text):
    assert token_expiry(text) is None or token_expiry(text) >= 0


def test_value_is_read_at_each_request():
    environ = {"AI_GATEWAY_API_KEY": "vck_first"}
    found = find_credential(environ, VERCEL, NOW)
    environ["AI_GATEWAY_API_KEY"] = "vck_second"
    assert found.read() == "vck_second"
    del environ["AI_GATEWAY_API_KEY"]
    with pytest.raises(CredentialError, match="empty"):
        found.read()


def test_credential_does_not_show_its_value(tools):
    found = find_credential({"AI_GATEWAY_API_KEY": tools.CANARY}, VERCEL, NOW)
    assert tools.CANARY not in f"{found!r}{found}{found:}"
    assert not hasattr(found, "__dict__")
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(found)


def with_locals(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(told.format())


@pytest.mark.parametrize("value", [token(exp=1), "vck_canary with a space", "vck_canäry"])
def test_credential_error_does_not_show_the_value_in_local_variables(value):
    name = "VERCEL_OIDC_TOKEN" if value.startswith("ey") else "AI_GATEWAY_API_KEY"
    told = ""
    try:
        find_credential({name: value}, VERCEL, NOW)
    except CredentialError as error:
        told = with_locals(error.with_traceback(error.__traceback__.tb_next))
    assert "find_credential" in told
    assert value not in told
    assert value[:10] not in told


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (VERCEL, "AI_GATEWAY_API_KEY is not set; set it"),
        (OTHER, "IMAGES_KEY is not set; set it"),
        (GatewaySettings(url="https://images.example/v1"), "gateway.key_env"),
    ],
)
def test_missing_credential_names_the_variable(settings, hint):
    assert hint in str(missing_credential(settings))


def test_repeated_value_is_redacted():
    found = find_credential({"IMAGES_KEY": "k3y-without-a-pattern"}, OTHER, NOW)
    assert found.redact(b"bad k3y-without-a-pattern!") == b"bad [redacted]!"
    short = find_credential({"IMAGES_KEY": "abc"}, OTHER, NOW)
    assert short.redact(b"abcdef") == b"abcdef"
