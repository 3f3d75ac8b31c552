"""Presets and named prompts, as they are written below their names; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mkdocs_imagegen.directives.layers import NO_PRESET, Layer, Origin, Presets, find_preset
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.errors import DirectiveError, OptionError
from mkdocs_imagegen.options import OptionsError, UnknownOptionError, option_names, read_options

Errors = list[tuple[str, OptionError]]

ONLY_AT_IMAGES = ("prompt", "name", "preset", "alt", "id", "take")
"""Options that say which image, and not how images look; no preset has them."""

_OF_PRESETS = [name for name in option_names(DirectiveOptions) if name not in ONLY_AT_IMAGES]


def read_presets(written: Mapping[str, object], errors: Errors) -> Presets:
    """The presets of a site; what is not accepted goes to ``errors``."""
    presets: dict[str, DirectiveOptions] = {}
    for name, value in written.items():
        try:
            presets[name] = _read_preset(name, value)
        except OptionsError as error:
            errors += [(f"presets.{name}.{option}", each) for option, each in error.errors]
        except OptionError as error:
            errors.append((f"presets.{name}", error))
    return presets


def _read_preset(name: str, value: object) -> DirectiveOptions:
    if name == NO_PRESET:
        raise OptionError("means no preset", hint="choose another name")
    if not isinstance(value, Mapping):
        raise OptionError("is no mapping", hint="write options below it, like `quality: high`")
    faults = [(str(each), _fault(str(each))) for each in value if each not in _OF_PRESETS]
    if faults:
        raise OptionsError(faults)
    return read_options(DirectiveOptions, value)


def _fault(option: str) -> OptionError:
    if option in ONLY_AT_IMAGES:
        return OptionError("no preset has it", hint="write it at each image")
    return UnknownOptionError(option, _OF_PRESETS)


def read_prompts(
    written: Mapping[str, object], origin: Origin, presets: Presets, errors: Errors
) -> Mapping[str, Layer]:
    """Named prompts; what is not accepted goes to ``errors``.

    Args:
        written: by name, a prompt or a mapping of options.
        origin: where they stand.
        presets: those that they may name.
        errors: takes each error with its entry's name.
    """
    prompts: dict[str, Layer] = {}
    for name, value in written.items():
        options = value if isinstance(value, Mapping) else {"prompt": value}
        try:
            read = read_options(DirectiveOptions, options)
        except OptionsError as error:
            errors += [(f"prompts.{name}.{option}", each) for option, each in error.errors]
            continue
        refuse_unknown(read.preset, presets, f"prompts.{name}.preset", errors)
        prompts[name] = Layer(replace(origin, name=name), read)
    return prompts


def refuse_unknown(preset: str | None, presets: Presets, where: str, errors: Errors) -> None:
    """Note an error where a preset is named that does not exist."""
    try:
        find_preset(preset, presets)
    except DirectiveError as error:
        errors.append((where, OptionError(error.fault, accepted=error.accepted, hint=error.hint)))
