"""What an author says at an image, completed to a directive; pure."""

from __future__ import annotations

from dataclasses import replace

from mkdocs_imagegen.directives.defaults import Defaults, named_model, plain_style
from mkdocs_imagegen.directives.directive import Directive, SourceExcerpt
from mkdocs_imagegen.directives.layers import Layer, Level, Origin, is_meant, merged, with_preset
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.references import (
    FileReference,
    Reference,
    read_mask,
    read_references,
)
from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.layout import CENTER, Layout, cut
from mkdocs_imagegen.options import did_you_mean, quote_value
from mkdocs_imagegen.request import ImageRequest, final_prompt

MAX_PROMPT = 32_000
"""Characters of a final prompt (fact sheet "gateway protocol", section 7.1)."""

AT_THE_IMAGE = Origin(Level.IMAGE)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said at an image itself.

    Attributes:
        options: those of ours.
        html: HTML attributes that pass through, in order.
        origin: who says it: the image, or the site for the previews of its pages.
    """

    options: DirectiveOptions
    html: tuple[tuple[str, str], ...] = ()
    origin: Origin = AT_THE_IMAGE


def completed(said: Said, defaults: Defaults, source: SourceExcerpt) -> Directive:
    """The directive, with everything that the image does not say itself.

    Args:
        said: at the image.
        defaults: what the page and the site say.
        source: how to find the line.

    Raises:
        DirectiveError: there is no prompt, or a name that is not known.
    """
    layers = layers_of(said, defaults)
    options = merged(layers)
    references = read_references(options.reference or (), defaults.page)
    mask = read_mask(options.mask, references, defaults.page)
    request = _following(_request(options, defaults), references, mask)
    dark = (
        replace(request, prompt=_final(options, defaults, options.dark)) if options.dark else None
    )
    # Where no page shows the preview itself, nothing shows it in dark surroundings.
    shows_dark = source.kind != "preview" or defaults.preview_position == "top"
    layout = Layout(cut(request.size, options.ratio), options.widths, options.focus or CENTER)
    alt = " ".join((options.prompt or "").split()) if options.alt is None else options.alt.strip()
    return Directive(
        request=request,
        dark=dark if shows_dark else None,
        is_exact=is_meant(layers),
        alt=alt,
        caption=(options.caption or "").strip(),
        note=defaults.note,
        layout=layout,
        width_px=options.width,
        sizes=options.sizes or "",
        attributes=(*_own_attributes(options), *said.html),
        source=source,
        references=references,
        mask=mask,
    )


def _following(
    request: ImageRequest, references: tuple[Reference, ...], mask: FileReference | None
) -> ImageRequest:
    """The request with the names of what it follows, which are not known by their hashes yet."""
    if not references and mask is None:
        return request
    return replace(request, references=tuple(map(str, references)), mask=str(mask or ""))


def layers_of(said: Said, defaults: Defaults) -> tuple[Layer, ...]:
    """Everything that is said for an image but the site's own settings, the nearest first.

    Raises:
        DirectiveError: a named prompt or a preset that is not known, or two prompts.
    """
    own = Layer(said.origin, said.options)
    named = () if said.options.name is None else (_named(said.options, defaults),)
    return with_preset((own, *named, *defaults.layers), defaults.presets)


def _named(options: DirectiveOptions, defaults: Defaults) -> Layer:
    named = defaults.prompts.get(options.name or "")
    if named is None:
        raise DirectiveError(
            f"there is no prompt named {quote_value(options.name)}",
            accepted=f"named prompts: {', '.join(sorted(defaults.prompts)) or 'none'}",
            hint=did_you_mean(options.name or "", defaults.prompts)
            or "define it below `prompts:` in mkdocs.yml or in the page's front matter",
        )
    if options.prompt is not None and named.options.prompt is not None:
        raise DirectiveError(
            f"there are two prompts: one here, and one named {quote_value(options.name)}",
            hint="remove one of the two",
        )
    return named


def _request(options: DirectiveOptions, defaults: Defaults) -> ImageRequest:
    if not (options.prompt or "").strip():
        raise DirectiveError("there is no prompt", hint="write what the image shows")
    return ImageRequest(
        model=named_model(options.model, defaults.model),
        prompt=_final(options, defaults),
        size=options.size or defaults.size,
        quality=options.quality or defaults.quality,
        background=options.background or defaults.background,
        take=options.take or 1,
        model_options=defaults.model_options,
    )


def _final(options: DirectiveOptions, defaults: Defaults, more: str = "") -> str:
    style = defaults.style if options.style is None else plain_style(options.style)
    prompt = final_prompt(options.prompt or "", style, more)
    if len(prompt) > MAX_PROMPT:
        raise DirectiveError(
            f"the prompt has {len(prompt)} characters", accepted=f"up to {MAX_PROMPT}"
        )
    return prompt


def _own_attributes(options: DirectiveOptions) -> list[tuple[str, str]]:
    classes = " ".join(options.class_ or ())
    pairs = [("title", options.title), ("id", options.id_), ("class", classes)]
    return [(name, value) for name, value in pairs if value]
