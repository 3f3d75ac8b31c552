"""Options that a directive inherits from its site, its folders and its page; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, replace

from mkdocs_imagegen.directives.layers import (
    NO_PRESET,
    Layer,
    Level,
    Origin,
    Presets,
    find_preset,
    insert_preset,
    merge_layers,
)
from mkdocs_imagegen.directives.options import (
    NOT_IN_PRESETS,
    PRESET_OPTIONS,
    DirectiveOptions,
    PageOptions,
)
from mkdocs_imagegen.errors import ImagegenError, OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    SKETCH_MODEL,
    OptionsError,
    Size,
    UnknownOptionError,
    collect_errors,
    quote_value,
    read_options,
)
from mkdocs_imagegen.request import pixel_options
from mkdocs_imagegen.settings import InheritedOptions, Settings
from mkdocs_imagegen.settings.folders import matches, matches_any
from mkdocs_imagegen.settings.prompts import PROMPTS

_Errors = list[tuple[str, ImagegenError]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Options that apply to a directive that does not set them.

    Attributes:
        model: Model of the site, like size, quality, background and style.
        page: Source path of the page in the docs folder; None if it is not known.
        allowed_models: Patterns of the models that may be set; None for all models.
        model_options: Provider options that change pixels (see :func:`pixel_options`).
        note: Notice below each image that it is AI-generated; ``""`` if none.
        presets: Presets by name.
        folders: Layer of each folder pattern, in the order of the configuration.
        layers: Layers of the page and its folders, nearest first.
        prompts: Named prompts, with their options.
        preview: Preview of the page (see :data:`PREVIEW`); None if not set.
        preview_position: ``top`` or ``none``.
        config_name: Name of the configuration file.
    """

    model: str
    size: Size
    quality: str
    background: str
    style: str
    page: str | None = None
    allowed_models: tuple[str, ...] | None = None
    model_options: str = ""
    note: str = ""
    presets: Presets = field(default_factory=dict)
    folders: tuple[Layer, ...] = ()
    layers: tuple[Layer, ...] = ()
    prompts: Mapping[str, Layer] = field(default_factory=dict)
    preview: Mapping[str, object] | bool | None = None
    preview_position: str = "none"
    config_name: str

    @property
    def page_size(self) -> Size:
        """Size of an image on the page that sets no size."""
        layers = insert_preset(self.layers, self.presets, self.config_name)
        return (merge_layers(layers).size if layers else None) or self.size


def site_defaults(settings: Settings) -> Defaults:
    """Return the defaults of a site.

    Raises:
        OptionsError: If a preset, a folder or a named prompt is not accepted.
    """
    errors: _Errors = []
    presets = _read_presets(settings.presets, errors)
    names = _Names(presets, _allowed_models(settings), settings.config_name)
    prompts = _read_site_prompts(settings, names, errors)
    for glob, options in settings.folders.items():
        names.check(options, f"folders.{glob}.", errors)
    for name, preset in presets.items():
        names.check(preset, f"presets.{name}.", errors)
    if errors:
        raise OptionsError(errors)
    return Defaults(
        model=settings.effective_model,
        size=settings.size,
        quality=settings.quality,
        background=settings.background,
        style=style_text(settings.style),
        allowed_models=names.models,
        model_options=pixel_options(settings.gateway.provider_options),
        note=settings.disclosure_text if settings.disclosure == "caption" else "",
        presets=presets,
        folders=tuple(_layer(Level.FOLDER, each, glob) for glob, each in settings.folders.items()),
        prompts=prompts,
        preview_position=settings.previews.position,
        config_name=settings.config_name,
    )


def folder_defaults(site: Defaults, uri: str) -> Defaults:
    """Return the defaults of a page without front matter.

    Args:
        site: Defaults of the site.
        uri: Source path of the page in the docs folder.
    """
    matching = [layer for layer in site.folders if matches(layer.origin.name, uri)]
    return replace(site, page=uri, layers=tuple(reversed(matching)))


def page_defaults(site: Defaults, front_matter: object) -> Defaults:
    """Return the defaults of a page with front matter.

    Args:
        site: Defaults from the site and the page's folders.
        front_matter: Entry ``imagegen:`` of the front matter.

    Raises:
        OptionsError: If an option or a named prompt of the page is not accepted; it contains each
            of them.
    """
    if not isinstance(front_matter, Mapping):
        hint = "write options under it, like `size: 1024x1024`"
        raise OptionsError([("imagegen", OptionError("not a mapping", hint=hint))])
    written = {str(name): value for name, value in front_matter.items()}
    page, errors = PageOptions(), _Errors()
    try:
        page = read_options(PageOptions, written)
    except OptionsError as rejected:
        errors += rejected.errors
    origin = Origin(Level.PROMPT, file="the page's front matter")
    names = _Names(site.presets, site.allowed_models, site.config_name)
    named = PROMPTS.convert(written.get("prompts")) or {}
    prompts = _read_prompts(named, origin, names, errors)
    preset, model = _text(written.get("preset")), _text(written.get("model"))
    names.check(InheritedOptions(preset=preset, model=model), "", errors)
    preview = written.get("preview")
    if errors and isinstance(preview, Mapping):
        with collect_errors(errors, "preview"):
            read_options(DirectiveOptions, preview)
    if errors:
        raise OptionsError(errors)
    return replace(
        site,
        layers=(_layer(Level.PAGE, page), *site.layers),
        prompts={**site.prompts, **prompts},
        preview=page.preview,
        preview_position=page.preview_position or site.preview_position,
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """Presets and models that options may name; None for all models."""

    presets: Presets
    models: tuple[str, ...] | None
    config_name: str

    def check(self, options: InheritedOptions, path: str, errors: _Errors) -> None:
        """Add an error for a preset that does not exist, and for a model that is not allowed."""
        with collect_errors(errors, f"{path}preset"):
            find_preset(options.preset, self.presets, self.config_name)
        with collect_errors(errors, f"{path}model"):
            _check_model(options.model, self.models)


def _check_model(model: str | None, allowed: tuple[str, ...] | None) -> None:
    if model is None or allowed is None or matches_any(allowed, model):
        return
    raise OptionError(
        f"model {quote_value(model)} is not in `allowed_models`",
        accepted=f"supported: {', '.join(allowed)}",
    )


def _text(written: object) -> str | None:
    return written.strip() if isinstance(written, str) else None


_INHERITED = tuple(each.name for each in fields(InheritedOptions))


def _layer(level: Level, options: InheritedOptions, name: str = "") -> Layer:
    inherited = {each: getattr(options, each) for each in _INHERITED}
    return Layer(Origin(level, name), DirectiveOptions(**inherited))


def style_text(style: str) -> str:
    """Return the text to append to prompts; ``""`` for the word ``none``."""
    return "" if style.strip().lower() == "none" else style


def choose_model(own: str | None, defaults: Defaults) -> str:
    """Return the model of an image; always the sketch model if the emulator draws.

    Raises:
        OptionError: If the model is not allowed.
    """
    _check_model(own, defaults.allowed_models)
    return defaults.model if own is None or defaults.model == SKETCH_MODEL else own


def _read_presets(written: Mapping[str, object], errors: _Errors) -> Presets:
    presets: dict[str, DirectiveOptions] = {}
    for name, value in written.items():
        with collect_errors(errors, f"presets.{name}"):
            presets[name] = _read_preset(name, value)
    return presets


def _read_preset(name: str, value: object) -> DirectiveOptions:
    if name == NO_PRESET:
        raise OptionError("reserved for no preset", hint="choose another name")
    if not isinstance(value, Mapping):
        hint = "write options under it, like `quality: high`"
        raise OptionError("not a mapping", hint=hint)
    rejected = [str(option) for option in value if option not in PRESET_OPTIONS]
    if rejected:
        raise OptionsError([(option, _not_in_preset(option)) for option in rejected])
    return read_options(DirectiveOptions, value)


def _not_in_preset(option: str) -> OptionError:
    if option in NOT_IN_PRESETS:
        return OptionError("not supported in a preset", hint="set it on each image")
    return UnknownOptionError([option], PRESET_OPTIONS)


def _read_site_prompts(settings: Settings, names: _Names, errors: _Errors) -> Mapping[str, Layer]:
    path = settings.prompts_path
    origin = Origin(Level.PROMPT, file=path.name if path else settings.config_name)
    found: _Errors = []
    prompts = _read_prompts(settings.prompts, origin, names, found)
    for name, error in found:
        if path is None:
            errors.append((name, error))
        else:
            in_file = OptionsError([(name.removeprefix("prompts."), error)])
            errors.append(("prompts", OptionError(f"{path.name}: {in_file}")))
    return prompts


def _read_prompts(
    written: Mapping[str, object], origin: Origin, names: _Names, errors: _Errors
) -> Mapping[str, Layer]:
    """Return named prompts with their options.

    Args:
        written: Prompt or mapping of options, by name.
        origin: Place of the prompts.
        names: Presets and models that they can use.
        errors: List to which errors are added.
    """
    prompts: dict[str, Layer] = {}
    for name, value in written.items():
        options = value if isinstance(value, Mapping) else {"prompt": value}
        with collect_errors(errors, f"prompts.{name}"):
            read = read_options(DirectiveOptions, options)
            prompts[name] = Layer(replace(origin, name=name), read)
            names.check(read, f"prompts.{name}.", errors)
    return prompts


def _allowed_models(settings: Settings) -> tuple[str, ...] | None:
    if settings.allowed_models is None:
        return None
    own = (settings.model, settings.draft.model or settings.model)
    return tuple(dict.fromkeys((*settings.allowed_models, *own)))
