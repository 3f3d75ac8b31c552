"""Image requests, and the fields that change their cache keys."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import (
    SCHEME,
    SKETCH_MODEL,
    ImageRequest,
    final_prompt,
    pixel_options,
)

BALLOON = ImageRequest(
    "openai/gpt-image-1-mini", "A red balloon on a wooden table.", Size(1536, 1024)
)
EVERYTHING = ImageRequest(
    model="openai/gpt-image-2",
    prompt=final_prompt("Café 气球 🎈", "flat colours"),
    size=Size(1024, 1024),
    quality="high",
    background="transparent",
    take=7,
    model_options=pixel_options({"openai": {"style": "vivid"}}),
)
HASH = hashlib.sha256(b"a picture").hexdigest()
FOLLOWING = replace(EVERYTHING, references=(HASH, "b" * 64), mask="c" * 64)
GOLDEN = [
    (
        BALLOON,
        "918aba2be3a5d086bc3fa3eb54a21b88542a02da1e3abc6b9ed12aa8f5329393",
        "69739c58608ffda229925dfbf5a5ac5e606f43103f13912dfab8cceace90f5be",
    ),
    (
        EVERYTHING,
        "8f929ec6bd03ed0748d6aee413583c4d3d8f840aabe0361767205be8dd5c9a30",
        "710021f456cd4b3db01f1f7d53663535b204423fe47af68b73a7b6265a7207f1",
    ),
    (
        BALLOON.as_sketch,
        "b2094b35685648d014bcc84791d3b514012a76027862c7f18dd71daa407e0580",
        "69739c58608ffda229925dfbf5a5ac5e606f43103f13912dfab8cceace90f5be",
    ),
    (
        FOLLOWING,
        "f4b3f67093107be6c77d32cff1a6ea3acc46e5d3fc36b8697f9465d47d695f12",
        "0ccd283b607a051b9601eccb4a3ea0f6622d2db15def4585168da892f8f3fadd",
    ),
]
HASHES = st.sampled_from("0123456789abcdef").map(lambda digit: digit * 64)
WORDS = st.text(min_size=1, max_size=20).filter(str.strip)
PROMPTS = st.builds(final_prompt, WORDS, st.text(max_size=20))
REQUESTS = st.builds(
    ImageRequest,
    model=WORDS,
    prompt=PROMPTS,
    size=st.builds(Size, st.integers(1, 8192), st.integers(1, 8192)),
    quality=st.sampled_from(["low", "medium", "high"]),
    background=st.sampled_from(["auto", "opaque", "transparent"]),
    take=st.integers(1, 9999),
    model_options=st.just("") | WORDS,
    references=st.lists(HASHES, max_size=3).map(tuple),
    mask=st.just("") | HASHES,
)
OTHERS = {
    "model": "another",
    "prompt": "Another",
    "size": Size(7, 7),
    "quality": "another",
    "background": "another",
    "take": 10_000,
    "model_options": "another",
    "is_draft": True,
    "references": (HASH, HASH),
    "mask": HASH,
}


@pytest.mark.parametrize(("request_", "key", "subject"), GOLDEN)
def test_keys_never_change(request_, key, subject):
    """A changed key regenerates every image: raise SCHEME and also look up older keys."""
    assert (request_.key, request_.subject_keys[-1]) == (key, subject)


def test_subject_keys_never_change():
    """Those of versions up to 0.1, which had the model options in them, are looked up too."""
    assert BALLOON.subject_keys == (BALLOON.subject_key,)
    assert EVERYTHING.subject_keys == (EVERYTHING.subject_key, GOLDEN[1][2])
    assert EVERYTHING.subject_key == (
        "0cbaeee83ef013877b416ae90f0b0a11f7257c0b66cb4c7f5fb2dd08a63f9407"
    )


def test_scheme_is_unchanged():
    assert SCHEME == 1


def test_key_is_a_hash_of_plain_json():
    fields_ = {
        "model": "openai/gpt-image-1-mini",
        "prompt": "A red balloon on a wooden table.",
        "quality": "medium",
        "scheme": 1,
        "size": "1536x1024",
    }
    text = json.dumps(fields_, separators=(",", ":"), sort_keys=True)
    assert BALLOON.key == hashlib.sha256(text.encode()).hexdigest()


@given(REQUESTS, REQUESTS)
def test_different_requests_have_different_keys(one, other):
    assert (one.key == other.key) == (one == other)


@given(REQUESTS, st.sampled_from(sorted(OTHERS)))
def test_every_field_is_in_the_key(request_, name):
    assert replace(request_, **{name: OTHERS[name]}).key != request_.key


def test_all_fields_are_tested():
    assert sorted(OTHERS) == sorted(each.name for each in fields(ImageRequest))


@given(REQUESTS, st.sampled_from(sorted(OTHERS)))
def test_subject_is_everything_but_model_quality_and_model_options(request_, name):
    other = replace(request_, **{name: OTHERS[name]})
    same = name in ("model", "quality", "model_options")
    assert (other.subject_key == request_.subject_key) is same


def test_order_of_references_changes_the_key():
    """A mask belongs to the first reference."""
    turned = replace(FOLLOWING, references=FOLLOWING.references[::-1])
    assert turned.key != FOLLOWING.key


@given(REQUESTS)
def test_sketch_has_the_subject_and_a_key_of_its_own(request_):
    assert request_.as_sketch.subject_key == request_.subject_key
    assert request_.as_sketch.model == SKETCH_MODEL
    assert request_.as_sketch.key != request_.key


@given(REQUESTS)
def test_keys_are_64_hex_digits(request_):
    for key in (request_.key, request_.subject_key):
        assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert request_.key != request_.subject_key


@given(st.lists(WORDS.filter(lambda word: not word.isspace()), min_size=1), st.data())
def test_wrapped_lines_do_not_change_the_prompt(words, data):
    spaces = st.text(" \n\t\r\u00a0\u3000", min_size=1, max_size=3)
    wrapped = "".join(word + data.draw(spaces) for word in words)
    assert final_prompt(f"\n {wrapped}", "") == final_prompt(" ".join(words), "")


@given(st.text(), st.text())
def test_composed_and_decomposed_characters_are_the_same(prompt, style):
    for form in ("NFC", "NFD"):
        prompt_, style_ = (unicodedata.normalize(form, text) for text in (prompt, style))
        assert final_prompt(prompt_, style_) == final_prompt(prompt, style)


@given(st.text())
def test_final_prompt_is_idempotent(prompt):
    once = final_prompt(prompt, "")
    assert final_prompt(once, "") == once


@pytest.mark.parametrize(
    ("prompt", "style", "final"),
    [
        (" A  red\nballoon ", "", "A red balloon"),
        ("A", "flat\n colours ", "A\n\nflat colours"),
        ("A", " \n", "A"),
        ("", "flat", "flat"),
        ("A\n\nflat", "", "A flat"),
        ("ﬁ ²", "", "ﬁ ²"),
    ],
)
def test_style_follows_the_prompt(prompt, style, final):
    assert final_prompt(prompt, style) == final


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gateway": {"order": ["azure", "openai"], "models": ["a"], "user": "u", "tags": ["x"]}},
        {"openai": {}},
        {"openai": {"moderation": "low", "outputFormat": "png", "output_compression": 50}},
        {"openai": {"user": "u", "safety_identifier": "s", "safetyIdentifier": "s"}},
        {"openai": "text"},
    ],
)
def test_options_that_keep_the_pixels_are_not_in_the_key(options):
    assert pixel_options(options) == ""


def test_options_that_change_pixels_are_in_the_key_in_any_order():
    one = {"b": {"y": 1, "x": [1, "é"]}, "openai": {"style": "vivid", "moderation": "low"}}
    other = {"openai": {"moderation": "auto", "style": "vivid"}, "b": {"x": [1, "é"], "y": 1}}
    assert pixel_options(one) == pixel_options(other)
    assert pixel_options(one) == '{"b":{"x":[1,"é"],"y":1},"openai":{"style":"vivid"}}'


def test_lone_surrogate_has_a_key():
    assert len(replace(BALLOON, prompt="\ud800").key) == 64
