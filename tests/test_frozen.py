"""Records that behave like the standard library's frozen dataclasses."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import Any, Generic, TypeVar

import pytest

from mkdocs_imagegen import frozen

T = TypeVar("T")


@frozen.dataclass(frozen=True, slots=True)
class One:
    a: int


@frozen.dataclass(frozen=True, slots=True)
class Ours(Generic[T]):
    """Some text."""

    a: int
    b: T
    c: str = "x"
    d: Mapping[str, int] = field(default_factory=dict, metadata={"about": "d"})
    e: tuple[One, ...] = field(default=(), compare=True)

    @property
    def sum(self) -> int:
        return self.a + len(self.c)


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs(Generic[T]):
    """Some text."""

    a: int
    b: T
    c: str = "x"
    d: Mapping[str, int] = field(default_factory=dict, metadata={"about": "d"})
    e: tuple[One, ...] = field(default=(), compare=True)


@frozen.dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    a: int = 3
    b: str


@frozen.dataclass(slots=True)
class Open:
    a: int


@frozen.dataclass(frozen=True, slots=True)
class Discreet:
    name: str
    private: str = field(repr=False)
    note: str = field(default="", compare=False)


@frozen.dataclass(frozen=True, slots=True)
class Mute:
    private: str = field(repr=False, compare=False)


PLAIN = (1, None)


def both(*args: Any, **more: Any) -> tuple[Any, Any]:
    return Ours(*args, **more), Theirs(*args, **more)


@pytest.mark.parametrize("more", [{}, {"c": "y"}, {"d": {"k": 1}, "e": (One(3),)}])
def test_objects_are_created_and_shown_alike(more) -> None:
    ours, theirs = both(*PLAIN, **more)
    assert repr(ours).replace("Ours", "Theirs") == repr(theirs)
    assert asdict(ours) == asdict(theirs)
    assert [each.name for each in fields(ours)] == [each.name for each in fields(theirs)]
    assert fields(ours)[3].metadata == {"about": "d"}


@pytest.mark.parametrize(
    ("args", "more"), [((), {}), ((1,), {}), (PLAIN, {"z": 1}), (range(6), {})]
)
def test_wrong_arguments_are_rejected_alike(args, more) -> None:
    messages = []
    for kind in (Ours, Theirs):
        with pytest.raises(TypeError) as caught:
            kind(*args, **more)
        messages.append(str(caught.value).rpartition(".")[2])
    assert messages[0] == messages[1]


def test_equal_objects_are_equal_and_have_one_hash() -> None:
    assert Ours(1, "b", d={}) == Ours(1, "b")
    assert Ours(1, "b") != Ours(1, "c")
    assert Ours(1, "b") != Theirs(1, "b")
    assert One(1) == One(1) != One(2)
    assert One(1) != 1
    assert hash(One(1)) == hash(One(1))
    assert len({Named(b="x"), Named(a=3, b="x"), Named(a=4, b="x")}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours(1, 2))


def test_fields_can_be_hidden_or_not_compared() -> None:
    one = Discreet("a", "canary", "x")
    assert repr(one) == "Discreet(name='a', note='x')"
    assert one == Discreet("a", "canary", "y") != Discreet("a", "other")
    assert hash(one) == hash(Discreet("a", "canary", "y"))
    assert replace(one, name="b").private == copy.copy(one).private == "canary"
    assert (repr(Mute("canary")), Mute("canary") == Mute("other")) == ("Mute()", True)


def test_objects_cannot_be_changed() -> None:
    for change in (
        lambda each: setattr(each, "a", 2),
        lambda each: setattr(each, "z", 2),
        lambda each: delattr(each, "a"),
    ):
        with pytest.raises(FrozenInstanceError):
            change(One(1))
    assert not hasattr(One(1), "__dict__")


def test_objects_are_copied_replaced_and_pickled() -> None:
    one = Ours(1, None, d={"k": [1]})
    assert replace(one, a=5) == Ours(5, None, d={"k": [1]})
    assert copy.deepcopy(one) == one == copy.copy(one)
    assert pickle.loads(pickle.dumps(One(7))) == One(7)  # noqa: S301 - our own
    assert one.sum == 2


def test_keyword_only_class_takes_names_only() -> None:
    assert Named(b="x").a == 3
    with pytest.raises(TypeError):
        Named(1, "x")


def test_class_that_is_not_frozen_is_a_standard_one() -> None:
    each = Open(1)
    each.a = 2
    assert each == Open(2)


def test_each_object_has_its_own_default() -> None:
    assert Ours(1, 2).d is not Ours(1, 2).d


def test_init_is_compiled_for_the_first_object() -> None:
    @frozen.dataclass(frozen=True, slots=True)
    class Late:
        a: int = 1

    before = Late.__init__
    assert Late().a == 1
    assert Late.__init__ is not before
    assert Late(2).a == 2
