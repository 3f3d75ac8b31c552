"""Frozen dataclasses that cost little to import; in all else what the standard library makes.

``dataclasses`` compiles six methods for each class, half a millisecond, and a build imports a
hundred classes of which it uses a third. Here comparison, hash and text are functions that all
classes share, and ``__init__`` is compiled when the first object is made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so that its users get types
else:

    def dataclass(*, frozen: bool = False, slots: bool, kw_only: bool = False):  # noqa: ANN201, D103 - see above
        return _decorator(kw_only) if frozen else dataclasses.dataclass(slots=slots)


def _decorator(kw_only: bool) -> Callable[[type[Any]], type[Any]]:  # noqa: FBT001 - as above
    def decorate(cls: type[Any]) -> type[Any]:
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(
            cls
        )
        for name, method in _methods(made).items():
            if name not in vars(cls):
                setattr(made, name, method)
        return made

    return decorate


def _methods(cls: type[Any]) -> dict[str, Callable[..., Any]]:
    fields = dataclasses.fields(cls)
    names = tuple(each.name for each in fields)
    values, state = _getter(each.name for each in fields if each.compare), _getter(names)
    shown = tuple(each.name for each in fields if each.repr)
    told = _getter(shown)
    text = f"{cls.__qualname__}({', '.join(f'{name}=%r' for name in shown)})"

    def init(self: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401 - the class's own
        cls.__init__ = _compiled_init(cls)  # for all that follow
        cls.__init__(self, *args, **more)

    def equals(self: Any, other: object) -> bool:  # noqa: ANN401 - any record
        return values(self) == values(other) if other.__class__ is cls else NotImplemented

    return {
        "__init__": init,
        "__eq__": equals,
        "__hash__": lambda self: hash(values(self)),
        "__repr__": lambda self: text % told(self),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": lambda self: state(self),  # noqa: PLW0108 - what gets attributes is no method
        "__setstate__": lambda self, values: _restore(self, names, values),
    }


def _getter(names: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Gets the values of some fields."""
    wanted = tuple(names)
    if len(wanted) > 1:
        return attrgetter(*wanted)
    return lambda record: tuple(getattr(record, name) for name in wanted)


def _compiled_init(cls: type[Any]) -> Callable[..., None]:
    around: dict[str, Any] = {"set_": object.__setattr__, "UNSET": object()}
    parameters, lines = ["self"], []
    for each in dataclasses.fields(cls):
        name, default = each.name, f"default_{each.name}"
        if each.kw_only and "*" not in parameters:
            parameters.append("*")
        if each.default is not dataclasses.MISSING:
            around[default] = each.default
            parameters.append(f"{name}={default}")
        elif each.default_factory is not dataclasses.MISSING:
            around[default] = each.default_factory
            parameters.append(f"{name}=UNSET")
            lines.append(f"{name} = {default}() if {name} is UNSET else {name}")
        else:
            parameters.append(name)
        lines.append(f"set_(self, {name!r}, {name})")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), around)  # noqa: S102 - of our own names
    around["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
    made: Callable[..., None] = around["__init__"]
    return made


def _refuse(_: object, name: str, *_value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot change field {name!r}")


def _restore(record: object, names: tuple[str, ...], state: tuple[object, ...]) -> None:
    for name, value in zip(names, state, strict=True):
        object.__setattr__(record, name, value)
