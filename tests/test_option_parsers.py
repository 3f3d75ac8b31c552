"""Option values as read, and the errors of unsupported ones."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import ImagegenError, OptionError, escape_unseen
from mkdocs_imagegen.option_parsers import (
    BOOLEAN,
    CLASSES,
    ID,
    SIZE,
    TEXT,
    OptionsError,
    Size,
    did_you_mean,
    is_yes,
    nested,
    number,
    one_line,
    option,
    option_names,
    optional,
    quote_value,
    read_options,
    shared_option,
    whole_number,
    words,
)

WHOLE = whole_number(1, 64)
NUMBER = number(1, 3600)
WORD = words("auto", "true", "false")
LINE = one_line("a folder")
NAME = one_line("a name", is_name=True)
PARSERS = [TEXT, BOOLEAN, SIZE, CLASSES, ID, WHOLE, NUMBER, WORD, LINE, optional(WHOLE)]


@pytest.mark.parametrize(
    ("parser", "value", "read"),
    [
        (SIZE, "1536x1024", Size(1536, 1024)),
        (SIZE, " 1X1 ", Size(1, 1)),
        (SIZE, "8192 \u00d7 6103", Size(8192, 6103)),
        (BOOLEAN, True, True),
        (BOOLEAN, "true", True),
        (BOOLEAN, " Yes ", True),
        (BOOLEAN, "on", True),
        (BOOLEAN, 1, True),
        (BOOLEAN, "1", True),
        (BOOLEAN, False, False),
        (BOOLEAN, "FALSE", False),
        (BOOLEAN, "no", False),
        (BOOLEAN, "off", False),
        (BOOLEAN, 0, False),
        (WHOLE, 5, 5),
        (WHOLE, "5", 5),
        (WHOLE, " 64 ", 64),
        (WHOLE, "1", 1),
        (NUMBER, 300, 300.0),
        (NUMBER, "300", 300.0),
        (NUMBER, 1.5, 1.5),
        (NUMBER, "1.50", 1.5),
        (NUMBER, 3600, 3600.0),
        (WORD, "Auto", "auto"),
        (WORD, True, "true"),
        (WORD, False, "false"),
        (TEXT, "", ""),
        (TEXT, "a\r\nb\tc", "a\nb\tc"),
        (TEXT, "a\x00b\x1bc\x7fd\x9fe\ud800f", "abcdef"),
        (LINE, " a\n b ", "a b"),
        (LINE, "a\u202eb", "a\u202eb"),
        (NAME, "a/b:c 1", "a/b:c 1"),
        (CLASSES, " a  b-c:d/e ", ("a", "b-c:d/e")),
        (CLASSES, "", ()),
        (ID, " über-1 ", "über-1"),
        (optional(WHOLE), None, None),
        (optional(WHOLE), "5", 5),
    ],
)
def test_value_is_read(parser, value, read):
    @dataclass(frozen=True)
    class Options:
        it: object = option(None, parser, "")

    result = read_options(Options, {"it": value}).it
    assert result == read
    assert type(result) is type(read)


@pytest.mark.parametrize(
    ("parser", "value", "fault"),
    [
        (
            SIZE,
            "big",
            'unsupported value "big" (supported: WIDTHxHEIGHT, like 1536x1024, up to 8192 per',
        ),
        (SIZE, "8192x6104", 'unsupported value "8192x6104"'),
        (SIZE, "8193x1", 'unsupported value "8193x1"'),
        (SIZE, "0x5", "unsupported value"),
        (SIZE, "01x5", "unsupported value"),
        (SIZE, "-1x5", "unsupported value"),
        (SIZE, "1x5x5", "unsupported value"),
        (SIZE, "\u0661x\u0662", "unsupported value"),
        (SIZE, 1024, 'YAML read "1024" as a number, not as text; put it in quotes'),
        (SIZE, None, 'YAML read "None" as null, not as text; put it in quotes'),
        (SIZE, [1, 2], 'YAML read "[1, 2]" as a list, not as text; put it in quotes'),
        (BOOLEAN, "maybe", 'unsupported value "maybe" (supported: true or false)'),
        (BOOLEAN, "", 'unsupported value ""'),
        (BOOLEAN, None, "unsupported value"),
        (BOOLEAN, 2, "unsupported value"),
        (WHOLE, 0, 'unsupported value "0" (supported: a whole number from 1 to 64)'),
        (WHOLE, 65, "unsupported value"),
        (WHOLE, True, 'unsupported value "True"'),
        (WHOLE, 1.0, "unsupported value"),
        (WHOLE, "1e1", "unsupported value"),
        (WHOLE, "٣", "unsupported value"),
        (WHOLE, "9" * 5000, "unsupported value"),
        (NUMBER, 0.99, 'unsupported value "0.99" (supported: a number from 1 to 3600)'),
        (NUMBER, 3600.1, "unsupported value"),
        (NUMBER, float("nan"), 'unsupported value "nan"'),
        (NUMBER, float("inf"), 'unsupported value "inf"'),
        (NUMBER, "-5", "unsupported value"),
        (NUMBER, True, "unsupported value"),
        (WORD, "other", 'unsupported value "other" (supported: auto | true | false)'),
        (WORD, None, 'unsupported value "None"'),
        (WORD, "ture", 'unsupported value "ture"; did you mean "true"?'),
        (TEXT, True, 'YAML read "True" as true or false, not as text; put it in quotes'),
        (TEXT, 16.9, 'YAML read "16.9" as a number, not as text; put it in quotes'),
        (TEXT, ["a"], "YAML read \"['a']\" as a list, not as text; put it in quotes"),
        (TEXT, {"a": 1}, "not as text; put it in quotes"),
        (LINE, " \n ", 'unsupported value "" (supported: a folder)'),
        (NAME, "a\u202eb", 'unsupported value "'),
        (LINE, 5, 'YAML read "5" as a number, not as text; put it in quotes'),
        (CLASSES, 'a"b', 'unsupported value "a"b" (supported: class names separated by spaces)'),
        (CLASSES, True, 'YAML read "True" as true or false'),
        (ID, "a b", 'unsupported value "a b" (supported: one ID, without spaces or quotes)'),
        (ID, "", "unsupported value"),
        (ID, 7, 'YAML read "7" as a number'),
        (optional(WHOLE), "x", "(supported: a whole number from 1 to 64)"),
    ],
)
def test_unsupported_value_is_rejected(parser, value, fault):
    with pytest.raises(OptionError) as caught:
        parser(value)
    assert fault in str(caught.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)


@given(st.sampled_from(PARSERS), ANYTHING)
def test_any_value_is_read_or_rejected(parser, value):
    try:
        parser(value)
    except OptionError as error:
        text = str(error)
        assert "\n" not in text
        text.encode()


@given(st.text())
def test_text_has_no_control_characters(text):
    read = TEXT(text)
    read.encode()
    assert not set(read) & {chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127)}


@given(ANYTHING)
def test_quoted_value_is_one_short_line(value):
    text = quote_value(value)
    assert "\n" not in text
    assert len(text) <= 63
    text.encode()


def test_long_value_is_shortened():
    assert quote_value("x" * 100) == '"' + "x" * 60 + '…"'
    assert quote_value("x" * 60) == '"' + "x" * 60 + '"'


@pytest.mark.parametrize("value", ["1", "true", "YES", " on ", "anything"])
def test_environment_variable_is_switched_on(value):
    assert is_yes(value)


@pytest.mark.parametrize("value", ["", " ", "0", "false", "No", "OFF "])
def test_environment_variable_is_switched_off(value):
    assert not is_yes(value)


def test_only_a_close_name_is_suggested():
    assert did_you_mean("widht", ["width", "weight"]) == 'did you mean "width"?'
    assert did_you_mean("xyz", ["width"]) is None
    assert did_you_mean("", []) is None


@dataclass(frozen=True)
class Inner:
    size: Size = option(Size(1, 1), SIZE, "")


@dataclass(frozen=True)
class Options:
    width: int = option(1, WHOLE, "")
    class_: tuple[str, ...] = option((), CLASSES, "")
    inner: object = option(None, optional(one_line()), "")
    hidden: int = 5


def test_option_names_have_no_underscore_at_the_end():
    assert option_names(Options) == ["width", "class", "inner"]


def test_option_that_is_not_set_keeps_its_default():
    assert read_options(Options, {"class": "a b"}) == Options(class_=("a", "b"))


def test_all_errors_come_together():
    with pytest.raises(OptionsError) as caught:
        read_options(Options, {"widht": 1, "width": 0, "class_": "a", "hidden": 6, 5: 5})
    assert [name for name, _ in caught.value.errors] == ["widht", "width", "class_", "hidden", "5"]
    assert str(caught.value) == (
        'unknown options "widht" and "class_"; did you mean "width" and "class"?; `width`: '
        'unsupported value "0" (supported: a whole number from 1 to 64); unknown options "hidden" '
        'and "5" (supported: class, inner, width)'
    )


def test_unknown_options_of_one_mapping_come_in_one_message():
    @dataclass(frozen=True)
    class Outer:
        group: Options = option(Options(), nested(Options, "x: 1"), "")

    with pytest.raises(OptionsError) as caught:
        read_options(Outer, {"gruop": {}, "group": {"widht": 1, "clas": "a"}})
    assert str(caught.value) == (
        'unknown option "gruop"; did you mean "group"?; '
        '`group`: unknown options "widht" and "clas"; did you mean "width" and "class"?'
    )


def test_shared_option_has_its_own_default():
    @dataclass(frozen=True)
    class Site:
        width: int = shared_option(Options, "width", 5)

    assert read_options(Site, {}).width == 5
    with pytest.raises(OptionsError, match="a whole number from 1 to 64"):
        read_options(Site, {"width": 0})


def test_error_text_is_fault_accepted_and_hint():
    assert str(ImagegenError("fault")) == "fault"
    assert str(ImagegenError("fault", accepted="a", hint="h")) == "fault (a); h"


@pytest.mark.parametrize(
    "value",
    [
        "vck_canary4f1c9e",
        {"key": "sk-canary4f1c9e"},
        "x\nvck_canary4f1c9e",
        "Bearer canary4f1c9e",
        "https://canary4f1c9e@example.org",
        "https://me:canary4f1c9e@example.org",
    ],
)
def test_quoted_value_contains_no_credential(value):
    assert "canary" not in quote_value(value)


def test_quoted_value_is_otherwise_unchanged():
    for text in ("risk-management", "https://example.org/@me", "sk-SK", "A task_list"):
        assert quote_value(text) == f'"{text}"'


def test_control_and_direction_characters_are_escaped():
    text = "a\x1b[2Jb\x07c\x9bd\u202ee\u2066f\u200fg\nh\ti\u2028"
    escaped = escape_unseen(text)
    assert escaped == (r"a\u001b[2Jb\u0007c\u009bd\u202ee\u2066f\u200fg" + "\nh\ti" + r"\u2028")
    assert escape_unseen("Ü שלום 🎈 naïve") == "Ü שלום 🎈 naïve"
    assert json.loads(escape_unseen(json.dumps(text, ensure_ascii=False))) == text
