"""How values are read, and what is said of those that are not accepted."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import ImagegenError, OptionError
from mkdocs_imagegen.options import (
    BOOLEAN,
    CLASSES,
    ID,
    SIZE,
    TEXT,
    OptionsError,
    Size,
    did_you_mean,
    is_yes,
    number,
    one_line,
    option,
    option_names,
    optional,
    quote_value,
    read_options,
    whole_number,
    words,
)

WHOLE = whole_number(1, 64)
NUMBER = number(1, 3600)
WORD = words("auto", "true", "false")
LINE = one_line("a folder")
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
        (CLASSES, " a  b-c:d/e ", ("a", "b-c:d/e")),
        (CLASSES, "", ()),
        (ID, " über-1 ", "über-1"),
        (optional(WHOLE), None, None),
        (optional(WHOLE), "5", 5),
    ],
)
def test_a_value_is_read(parser, value, read):
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
            '"big" is not accepted (accepted: WIDTHxHEIGHT, up to 8192 a side and 50000000 pixels',
        ),
        (SIZE, "8192x6104", '"8192x6104" is not accepted'),
        (SIZE, "8193x1", '"8193x1" is not accepted'),
        (SIZE, "0x5", "is not accepted"),
        (SIZE, "01x5", "is not accepted"),
        (SIZE, "-1x5", "is not accepted"),
        (SIZE, "1x5x5", "is not accepted"),
        (SIZE, "\u0661x\u0662", "is not accepted"),
        (SIZE, 1024, 'YAML read "1024" as a number, not as text; put it in quotes'),
        (SIZE, None, 'YAML read "None" as nothing, not as text; put it in quotes'),
        (SIZE, [1, 2], 'YAML read "[1, 2]" as a list, not as text; put it in quotes'),
        (BOOLEAN, "maybe", '"maybe" is not accepted (accepted: true or false)'),
        (BOOLEAN, "", '"" is not accepted'),
        (BOOLEAN, None, "is not accepted"),
        (BOOLEAN, 2, "is not accepted"),
        (WHOLE, 0, '"0" is not accepted (accepted: a whole number from 1 to 64)'),
        (WHOLE, 65, "is not accepted"),
        (WHOLE, True, '"True" is not accepted'),
        (WHOLE, 1.0, "is not accepted"),
        (WHOLE, "1e1", "is not accepted"),
        (WHOLE, "٣", "is not accepted"),
        (WHOLE, "9" * 5000, "is not accepted"),
        (NUMBER, 0.99, '"0.99" is not accepted (accepted: a number from 1 to 3600)'),
        (NUMBER, 3600.1, "is not accepted"),
        (NUMBER, float("nan"), '"nan" is not accepted'),
        (NUMBER, float("inf"), '"inf" is not accepted'),
        (NUMBER, "-5", "is not accepted"),
        (NUMBER, True, "is not accepted"),
        (WORD, "other", '"other" is not accepted (accepted: auto | true | false)'),
        (WORD, None, '"None" is not accepted'),
        (TEXT, True, 'YAML read "True" as true or false, not as text; put it in quotes'),
        (TEXT, 16.9, 'YAML read "16.9" as a number, not as text; put it in quotes'),
        (TEXT, ["a"], "YAML read \"['a']\" as a list, not as text; put it in quotes"),
        (TEXT, {"a": 1}, "not as text; put it in quotes"),
        (LINE, " \n ", '"" is not accepted (accepted: a folder)'),
        (LINE, 5, 'YAML read "5" as a number, not as text; put it in quotes'),
        (CLASSES, 'a"b', "is not accepted (accepted: class names separated by spaces)"),
        (CLASSES, True, 'YAML read "True" as true or false'),
        (ID, "a b", '"a b" is not accepted (accepted: one id, without spaces or quotes)'),
        (ID, "", "is not accepted"),
        (ID, 7, 'YAML read "7" as a number'),
        (optional(WHOLE), "x", "(accepted: a whole number from 1 to 64)"),
    ],
)
def test_a_value_is_refused_with_what_is_accepted(parser, value, fault):
    with pytest.raises(OptionError) as caught:
        parser(value)
    assert fault in str(caught.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)


@given(st.sampled_from(PARSERS), ANYTHING)
def test_anything_is_read_or_refused_in_words(parser, value):
    try:
        parser(value)
    except OptionError as error:
        text = str(error)
        assert "\n" not in text
        text.encode()


@given(st.text())
def test_text_holds_nothing_that_cannot_be_written(text):
    read = TEXT(text)
    read.encode()
    assert not set(read) & {chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127)}


@given(ANYTHING)
def test_a_value_is_quoted_on_one_short_line(value):
    text = quote_value(value)
    assert "\n" not in text
    assert len(text) <= 63
    text.encode()


def test_a_long_value_is_cut():
    assert quote_value("x" * 100) == '"' + "x" * 60 + '…"'
    assert quote_value("x" * 60) == '"' + "x" * 60 + '"'


@pytest.mark.parametrize("value", ["1", "true", "YES", " on ", "anything"])
def test_an_environment_says_yes(value):
    assert is_yes(value)


@pytest.mark.parametrize("value", ["", " ", "0", "false", "No", "OFF "])
def test_an_environment_says_no(value):
    assert not is_yes(value)


def test_a_close_word_is_suggested_and_no_far_one():
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


def test_options_have_the_names_that_authors_write():
    assert option_names(Options) == ["width", "class", "inner"]


def test_what_is_not_written_keeps_its_default():
    assert read_options(Options, {"class": "a b"}) == Options(class_=("a", "b"))


def test_every_fault_is_told_with_its_name():
    with pytest.raises(OptionsError) as caught:
        read_options(Options, {"widht": 1, "width": 0, "class_": "a", "hidden": 6, 5: 5})
    assert [name for name, _ in caught.value.errors] == ["widht", "width", "class_", "hidden", "5"]
    assert str(caught.value).startswith(
        'unknown option "widht" (known: class, inner, width); did you mean "width"?; '
        'option "width": "0" is not accepted (accepted: a whole number from 1 to 64); '
        'unknown option "class_" (known: class, inner, width); did you mean "class"?'
    )


def test_an_error_is_fault_accepted_hint():
    assert str(ImagegenError("fault")) == "fault"
    assert str(ImagegenError("fault", accepted="a", hint="h")) == "fault (a); h"
