"""Settings of a site."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from datetime import date
from pathlib import Path

import pytest

from mkdocs_imagegen.option_parsers import SKETCH_MODEL, OptionsError
from mkdocs_imagegen.settings import (
    GatewaySettings,
    InheritedOptions,
    Settings,
    VariantSettings,
    read_settings,
)
from mkdocs_imagegen.settings.prompts import line_of_option
from mkdocs_imagegen.settings.variants import FormatQualities

ROOT = Path("/site")


def faults_of(written):
    with pytest.raises(OptionsError) as caught:
        read_settings(written, ROOT)
    return str(caught.value)


def test_auto_is_the_default_of_widths_and_sizes():
    written = {"variants": {"widths": "auto", "sizes": "auto"}}
    assert read_settings(written, ROOT).variants == read_settings({}, ROOT).variants
    assert "auto, or widths in pixels" in faults_of({"variants": {"widths": "automatic"}})


def test_site_without_options_has_the_defaults():
    assert read_settings({}, Path()) == Settings()


def test_defaults():
    settings = read_settings({}, ROOT)
    assert settings.model == "openai/gpt-image-1-mini"
    assert (str(settings.size), settings.quality, settings.background) == (
        "1536x1024",
        "medium",
        "auto",
    )
    assert (settings.generate, settings.on_missing) == ("auto", "warn")
    assert settings.gateway.url == "https://ai-gateway.vercel.sh/v1"
    assert settings.cache_path == Path("/site/.cache/plugin/imagegen")
    assert settings.originals_path == Path("/site/imagegen-originals")
    assert settings.work_path == Path("/site/imagegen-originals/work")
    assert settings.sketches_path == Path("/site/.cache/plugin/imagegen/sketches")


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"modle": "x"}, 'unknown option "modle"'),
        ({"modle": "x"}, 'did you mean "model"?'),
        ({"root": "/"}, 'unknown option "root"'),
        ({"gateway": {"urll": "x"}}, 'unknown option "urll"'),
        ({"gateway": {"timeout": 0}}, '`gateway.timeout`: unsupported value "0"'),
        (
            {"gateway": "x"},
            '`gateway`: unsupported value "x" (supported: a mapping such as {url: "sketch:"})',
        ),
        (
            {"budget": 1},
            "(supported: a mapping such as {images: 100, usd: 5.00})",
        ),
        ({"gateway": {"key_env": "X"}}, "`gateway.key_env`: not supported with Vercel's AI"),
        (
            {"gateway": {"url": "https://example.org/v1", "key_env": "AI_GATEWAY_API_KEY"}},
            "`gateway.key_env`: AI_GATEWAY_API_KEY is sent to Vercel's AI Gateway only; put the",
        ),
        (
            {"gateway": {"url": "http://127.0.0.1:1/v1", "key_env": "vercel_oidc_token"}},
            "`gateway.key_env`: vercel_oidc_token is sent to Vercel's AI Gateway only; put the",
        ),
        ({"report": "mkdocs.yml"}, "(supported: a path that ends in .json)"),
        ({"report": ".git/config"}, "(supported: a path that ends in .json)"),
        ({"concurrency": 65}, "(supported: a whole number from 1 to 64)"),
        ({"generate": "maybe"}, "(supported: auto | true | false)"),
        ({"prompts": ["a"]}, "(supported: a mapping of names to prompts, or the path of a"),
        ({"style": 5}, 'YAML read "5" as a number, not as text; put it in quotes'),
        ({"cache_dir": " "}, 'unsupported value "" (supported: a folder)'),
        ({"originals_dir": 5}, '`originals_dir`: YAML read "5"'),
    ],
)
def test_error_names_the_option(written, fault):
    assert fault in faults_of(written)


def test_all_errors_come_together():
    message = faults_of({"size": "big", "modle": "x", "gateway": {"timeout": 0, "auth": "x"}})
    for part in ("`size`", '"modle"', "`gateway.timeout`", "`gateway.auth`"):
        assert part in message


@pytest.mark.parametrize(
    "url",
    [
        "sketch:",
        "https://example.org/v1",
        "https://example.org:8443",
        "http://localhost:8787/v1",
        "http://127.0.0.1/v1",
        "http://[::1]:80/v1",
    ],
)
def test_url_is_accepted(url):
    assert read_settings({"gateway": {"url": url}}, ROOT).gateway.url == url


def test_url_loses_its_last_slash():
    assert read_settings({"gateway": {"url": "https://a/v1/"}}, ROOT).gateway.url == "https://a/v1"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/v1",
        "http://localhost.example.org",
        "https://user@example.org",
        "https://:secret@example.org",
        "https://example.org/v1?key=secret",
        "https://",
        "https://[oops",
        "https://example.org:99999",
        "https://example.org:port",
        "ftp://example.org",
        "example.org",
        "sketch",
        "",
        5,
        None,
    ],
)
def test_url_is_rejected(url):
    assert "https://…, http:// on this machine" in faults_of({"gateway": {"url": url}})


@pytest.mark.parametrize(
    "options",
    [
        {"openai": {1: "a", "b": "c"}},
        {"openai": {"day": date(2026, 1, 1)}},
        {"openai": {"x": float("nan")}},
        ["openai"],
        "openai",
    ],
)
def test_provider_options_that_json_cannot_express_are_rejected(options):
    assert "a mapping of names to JSON values" in faults_of(
        {"gateway": {"provider_options": options}}
    )


def test_provider_options_are_unchanged():
    options = {"gateway": {"order": ["azure"]}, "openai": {"style": "vivid", "n": 1.5, "x": None}}
    written = {"gateway": {"provider_options": options}}
    assert read_settings(written, ROOT).gateway.provider_options == options


@pytest.mark.parametrize("value", [True, "true", "True", "1", "yes"])
def test_text_from_the_environment_is_read_as_true(value):
    settings = read_settings({"enabled": value, "gateway": {"accept_urls": value}}, ROOT)
    assert settings.enabled is True
    assert settings.gateway.accept_urls is True


def test_text_from_the_environment_is_read_as_numbers():
    settings = read_settings({"concurrency": "5", "gateway": {"timeout": "2.5"}}, ROOT)
    assert (settings.concurrency, settings.gateway.timeout) == (5, 2.5)


@pytest.mark.parametrize("value", [True, "true", "on"])
def test_generate_accepts_yaml_booleans(value):
    if value == "on":  # YAML reads a bare `on` as true, but not in quotes
        assert "auto | true | false" in faults_of({"generate": value})
    else:
        assert read_settings({"generate": value}, ROOT).generate == "true"


@pytest.mark.parametrize(
    ("written", "cache", "originals"),
    [
        ({}, "/site/.cache/plugin/imagegen", "/site/imagegen-originals"),
        ({"cache_dir": "../c"}, "/c", "/site/imagegen-originals"),
        ({"cache_dir": "/c"}, "/c", "/site/imagegen-originals"),
        ({"originals_dir": "images/./x"}, "/site/.cache/plugin/imagegen", "/site/images/x"),
        ({"originals_dir": None}, "/site/.cache/plugin/imagegen", "/site/imagegen-originals"),
    ],
)
def test_folders_are_relative_to_the_configuration_file(written, cache, originals):
    settings = read_settings(written, ROOT)
    assert settings.cache_path == Path(cache)
    assert settings.originals_path == Path(originals)


def test_folders_are_independent_of_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    settings = read_settings({"report": "r.json"}, tmp_path)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert settings.cache_path == tmp_path / ".cache/plugin/imagegen"
    assert settings.report_path == tmp_path / "r.json"


def test_report_path_is_none_by_default():
    assert read_settings({}, ROOT).report_path is None


@pytest.mark.parametrize(
    ("url", "is_vercel", "is_sketch", "model"),
    [
        ("https://ai-gateway.vercel.sh/v1", True, False, "a/b"),
        ("https://AI-Gateway.Vercel.sh/v1", True, False, "a/b"),
        ("https://ai-gateway.vercel.sh.example.org/v1", False, False, "a/b"),
        ("http://localhost:1/v1", False, False, "a/b"),
        ("sketch:", False, True, SKETCH_MODEL),
    ],
)
def test_url_determines_the_server(url, is_vercel, is_sketch, model):
    settings = read_settings({"model": "a/b", "gateway": {"url": url}}, ROOT)
    assert (settings.gateway.is_vercel, settings.gateway.is_sketch) == (is_vercel, is_sketch)
    assert settings.effective_model == model


@pytest.mark.parametrize("name", ["size", "quality", "background", "model", "style"])
def test_inherited_options_are_stated_once(name):
    own, inherited = (
        next(each for each in fields(kind) if each.name == name)
        for kind in (Settings, InheritedOptions)
    )
    assert own.metadata == inherited.metadata
    assert inherited.default is None


def test_key_env_is_accepted_for_another_server():
    written = {"gateway": {"url": "https://example.org/v1", "key_env": "MY_KEY"}}
    assert read_settings(written, ROOT).gateway.key_env == "MY_KEY"


def test_settings_are_frozen():
    for kind in (Settings, GatewaySettings, VariantSettings, FormatQualities):
        with pytest.raises(FrozenInstanceError):
            setattr(kind(), kind.__slots__[0], None)


@pytest.mark.parametrize("group", [None, "gateway"])
@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "api-key", "key", "token", "secret", "AI_GATEWAY_API_KEY"]
)
def test_api_key_in_the_file_is_an_error_that_names_the_variable(group, name):
    written = {name: "canary-4f1c9e"}
    message = faults_of({group: written} if group else written)
    assert message == (
        f"`{f'{group}.' if group else ''}{name}`: an API key is read only from the environment "
        "variable AI_GATEWAY_API_KEY; remove it from the file, and revoke it if the file was "
        "committed"
    )


def test_api_key_of_another_server_is_named_by_key_env():
    url = "https://example.org/v1"
    message = faults_of({"gateway": {"url": url, "key": "canary-4f1c9e"}, "modle": "a/b"})
    assert "only from the environment variable that `gateway.key_env` names; remove" in message
    assert 'did you mean "model"?' in message
    assert "canary" not in message


@pytest.mark.parametrize(
    "value",
    ["vck_canary4f1c9e", "sk_canary4f1c9e", "canary-4f1c9e", "canary 4f1c9e", "canary" * 6, ""],
)
def test_key_env_with_an_api_key_is_an_error_without_the_value(value):
    message = faults_of({"gateway": {"url": "https://example.org/v1", "key_env": value}})
    assert message.startswith("`gateway.key_env`: not the name of an environment variable")
    assert "canary" not in message


@pytest.mark.parametrize("name", ["MY_KEY", "key", "_K2", "A_" * 20])
def test_key_env_is_the_name_of_a_variable(name):
    written = {"gateway": {"url": "https://example.org/v1", "key_env": name}}
    assert read_settings(written, ROOT).gateway.key_env == name


PAGE = """---
title: A page
imagegen:
  quality: low
  prompts:
    a.b: {widht: 3}
    hero:
      prompt: A hero
      'size': big
---
# Page

imagegen: text
"""


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (PAGE, "imagegen", 3),
        (PAGE, "imagegen.imagegen", 3),
        (PAGE, "imagegen.quality", 4),
        (PAGE, "imagegen.prompts.a.b.widht", 6),
        (PAGE, "imagegen.prompts.hero.size", 9),
        (PAGE, "imagegen.prompts.hero.unknown", 7),
        (PAGE, "imagegen.prompts.her", 5),
        (PAGE, "image", None),
        (PAGE.replace("quality: low", "quality: [low"), "imagegen.quality", None),
        ("imagegen: {a: 1,\n b: !ENV [X]}\n", "imagegen.b", 2),
        ("", "imagegen", None),
        ("- a\n", "imagegen", None),
    ],
)
def test_line_of_an_option(text, path, line):
    assert line_of_option(text, path) == line
