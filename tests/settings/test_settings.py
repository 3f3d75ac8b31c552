"""What a site may set, and the manual that is made of it."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, fields, is_dataclass
from datetime import date
from pathlib import Path

import pytest
import yaml

from mkdocs_imagegen.directives.defaults import PageOptions
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.options import SKETCH_MODEL, OptionsError, option_names
from mkdocs_imagegen.settings import (
    FormatQualities,
    GatewaySettings,
    Settings,
    VariantSettings,
    read_settings,
)
from mkdocs_imagegen.settings.reference import reference

ROOT = Path("/site")


def groups_of(kind):
    """The kind, and the kinds of all groups of options inside it."""
    inside = [type(each.default) for each in fields(kind) if is_dataclass(each.default)]
    return [kind, *(each for group in inside for each in groups_of(group))]


def faults_of(written):
    with pytest.raises(OptionsError) as caught:
        read_settings(written, ROOT)
    return str(caught.value)


def test_a_site_that_says_nothing_has_the_defaults():
    assert read_settings({}, Path()) == Settings()


def test_defaults_are_those_of_the_manual():
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
    assert settings.originals_path == Path("/site/.cache/plugin/imagegen/originals")


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (group, each.name)
        for group in groups_of(Settings)
        for each in fields(group)
        if "parser" in each.metadata and not is_dataclass(each.default)
    ],
)
def test_every_default_is_accepted_as_the_manual_shows_it(group, name):
    (row,) = (each for each in reference(group) if each.name == name)
    default = next(each for each in fields(group) if each.name == name)
    value = default.default_factory() if default.default is MISSING else default.default
    read = default.metadata["parser"](yaml.safe_load(row.default))
    assert value is None or read == value


def test_the_manual_lists_every_option_once_and_those_inside_after_their_group():
    names = [row.name for row in reference(Settings)]
    assert len(names) == len(set(names))
    assert names == [*all_names(Settings)]
    assert {"gateway", "gateway.timeout", "variants.quality.avif"} < {*names}


def all_names(kind, prefix=""):
    for name in option_names(kind):
        yield prefix + name
        default = getattr(kind(), name, None)
        if is_dataclass(default):
            yield from all_names(type(default), f"{prefix}{name}.")


@pytest.mark.parametrize("kind", [Settings, DirectiveOptions, PageOptions])
def test_the_manual_says_something_of_every_option(kind):
    for row in reference(kind):
        assert row.about.strip(), row.name
        assert row.accepts.strip(), row.name


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"modle": "x"}, 'unknown option "modle"'),
        ({"modle": "x"}, 'did you mean "model"?'),
        ({"root": "/"}, 'unknown option "root"'),
        ({"gateway": {"urll": "x"}}, 'unknown option "urll"'),
        ({"gateway": {"timeout": 0}}, 'option "gateway.timeout": "0" is not accepted'),
        ({"gateway": "x"}, 'option "gateway": "x" is not accepted (accepted: a mapping of the'),
        ({"gateway": {"key_env": "X"}}, 'option "gateway.key_env": is for servers other than'),
        ({"concurrency": 65}, "(accepted: a whole number from 1 to 64)"),
        ({"generate": "maybe"}, "(accepted: auto | true | false)"),
        ({"prompts": ["a"]}, "(accepted: a mapping of names to prompts, or the path of a"),
        ({"style": 5}, 'YAML read "5" as a number, not as text; put it in quotes'),
        ({"cache_dir": " "}, '"" is not accepted (accepted: a folder)'),
        ({"originals_dir": 5}, 'option "originals_dir": YAML read "5"'),
    ],
)
def test_a_mistake_is_told_with_its_name(written, fault):
    assert fault in faults_of(written)


def test_every_mistake_is_told_at_once():
    told = faults_of({"size": "big", "modle": "x", "gateway": {"timeout": 0, "auth": "x"}})
    for part in ('"size"', '"modle"', '"gateway.timeout"', '"gateway.auth"'):
        assert part in told


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
def test_an_address_is_accepted(url):
    assert read_settings({"gateway": {"url": url}}, ROOT).gateway.url == url


def test_an_address_loses_its_last_slash():
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
def test_an_address_is_refused(url):
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
def test_provider_options_that_cannot_be_sent_are_refused(options):
    assert "what JSON knows" in faults_of({"gateway": {"provider_options": options}})


def test_provider_options_are_kept_as_they_are():
    options = {"gateway": {"order": ["azure"]}, "openai": {"style": "vivid", "n": 1.5, "x": None}}
    written = {"gateway": {"provider_options": options}}
    assert read_settings(written, ROOT).gateway.provider_options == options


@pytest.mark.parametrize("said", [True, "true", "True", "1", "yes"])
def test_what_the_environment_gives_as_text_is_read_as_true(said):
    settings = read_settings({"enabled": said, "gateway": {"accept_urls": said}}, ROOT)
    assert settings.enabled is True
    assert settings.gateway.accept_urls is True


def test_what_the_environment_gives_as_text_is_read_as_numbers():
    settings = read_settings({"concurrency": "5", "gateway": {"timeout": "2.5"}}, ROOT)
    assert (settings.concurrency, settings.gateway.timeout) == (5, 2.5)


@pytest.mark.parametrize("said", [True, "true", "on"])
def test_generate_knows_yamls_words(said):
    if said == "on":  # YAML itself reads a bare `on` as true; in quotes it is another word
        assert "auto | true | false" in faults_of({"generate": said})
    else:
        assert read_settings({"generate": said}, ROOT).generate == "true"


@pytest.mark.parametrize(
    ("written", "cache", "originals"),
    [
        ({}, "/site/.cache/plugin/imagegen", "/site/.cache/plugin/imagegen/originals"),
        ({"cache_dir": "../c"}, "/c", "/c/originals"),
        ({"cache_dir": "/c"}, "/c", "/c/originals"),
        ({"originals_dir": "images/./x"}, "/site/.cache/plugin/imagegen", "/site/images/x"),
        ({"originals_dir": None}, "/site/.cache/plugin/imagegen", None),
    ],
)
def test_folders_are_relative_to_the_sites_file(written, cache, originals):
    settings = read_settings(written, ROOT)
    assert settings.cache_path == Path(cache)
    assert settings.originals_path == Path(originals or f"{cache}/originals")


def test_folders_do_not_follow_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    settings = read_settings({"report": "r.json"}, tmp_path)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert settings.cache_path == tmp_path / ".cache/plugin/imagegen"
    assert settings.report_path == tmp_path / "r.json"


def test_no_report_is_written_unless_asked_for():
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
def test_the_address_says_who_draws(url, is_vercel, is_sketch, model):
    settings = read_settings({"model": "a/b", "gateway": {"url": url}}, ROOT)
    assert (settings.gateway.is_vercel, settings.gateway.is_sketch) == (is_vercel, is_sketch)
    assert settings.effective_model == model


def test_another_servers_key_has_a_name():
    written = {"gateway": {"url": "https://example.org/v1", "key_env": "MY_KEY"}}
    assert read_settings(written, ROOT).gateway.key_env == "MY_KEY"


def test_settings_do_not_change():
    for kind in (Settings, GatewaySettings, VariantSettings, FormatQualities):
        with pytest.raises(FrozenInstanceError):
            setattr(kind(), kind.__slots__[0], None)
