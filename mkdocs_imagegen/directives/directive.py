"""Directives: as written, and completed with the options that they inherit; pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from mkdocs_imagegen.directives.defaults import Defaults, choose_model, style_text
from mkdocs_imagegen.directives.layers import (
    Layer,
    Level,
    Origin,
    exact_options,
    insert_preset,
    merge_layers,
)
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.references import (
    FileReference,
    Reference,
    read_mask,
    read_references,
)
from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size, did_you_mean, quote_value
from mkdocs_imagegen.page_layout import CENTER, Layout, fit, scale_to_width
from mkdocs_imagegen.request import PART_BREAK, ImageRequest, final_prompt

WIDTH_CLASS = "imagegen-w"
"""Class of an image with a width in percent, which follows it; the style sheet has a rule each."""

MAX_PROMPT = 32_000
"""Maximum length of a final prompt, in characters.

See https://developers.openai.com/api/reference/resources/images/methods/generate.
"""

FROM_IMAGE = Origin(Level.IMAGE)


@dataclass(frozen=True, slots=True)
class SourceExcerpt:
    """Excerpt of a source file, by which the line of a directive is found.

    Attributes:
        kind: ``fence``, ``inline image``, or ``preview`` for the front matter.
        first_words: First line of a block's body, text of an image, or prompt of a preview.
        target: Target of an image as written; ``""`` for a block.
        title: Title of an image; ``""`` if none.
        body: All words of a block's body, which tell apart blocks with the same first line.
    """

    kind: str
    first_words: str
    target: str = ""
    title: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class WrittenDirective:
    """Directive as written, without inherited options.

    Attributes:
        options: Options of this package.
        html: HTML attributes that pass through, in order.
        origin: Place of the options: the image, or the site for the previews of its pages.
    """

    options: DirectiveOptions
    html: tuple[tuple[str, str], ...] = ()
    origin: Origin = FROM_IMAGE


@dataclass(frozen=True, slots=True)
class Directive:
    """One image that an author requested.

    Attributes:
        request: Request for the image.
        dark: Request for the dark-mode image; None if there is one image for both schemes.
        exact_options: Those of ``model`` and ``quality`` that the image, its named prompt or its
            page sets, so that only an original of that model and quality is used.
        alt: Alt text; ``""`` for a decorative image.
        caption: Caption below the image; ``""`` if none.
        note: Notice below the image that it is AI-generated; ``""`` if none.
        layout: Layout on the page.
        width_px: Width on the page; None for that of the layout.
        sizes: HTML ``sizes`` attribute; ``""`` to derive it from the width and the column.
        attributes: HTML attributes that pass through, in order.
        source: Excerpt by which the line is found.
        references: Reference images; the requests contain their names until the hashes are known.
        mask: Mask of the first reference; None if the whole image may change.
        own_model: Model that the image, its page or its folder sets, also if the request is for a
            sketch; None for the model of the site.
        percent: Width in percent of the column; 0 for an image without such a width.
    """

    request: ImageRequest
    dark: ImageRequest | None
    exact_options: frozenset[str]
    alt: str
    caption: str
    note: str
    layout: Layout
    width_px: int | None
    sizes: str
    attributes: tuple[tuple[str, str], ...]
    source: SourceExcerpt
    references: tuple[Reference, ...] = ()
    mask: FileReference | None = None
    own_model: str | None = None
    percent: int = 0

    @property
    def is_exact(self) -> bool:
        """True if only an original of the requested model and quality is used."""
        return bool(self.exact_options)

    @property
    def layout_size(self) -> Size:
        """Width and height of the image on the page, in CSS pixels."""
        size = self.layout.size
        return size if self.width_px is None else scale_to_width(size, self.width_px)

    @property
    def requests(self) -> tuple[ImageRequest, ...]:
        """Request for the image, followed by that for the dark-mode image if there is one."""
        return (self.request,) if self.dark is None else (self.request, self.dark)

    @property
    def titles(self) -> tuple[str, ...]:
        """Prompt of each request without the style, which all images of a site share."""
        subject = self.request.prompt.partition(PART_BREAK)[0]
        if self.dark is None:
            return (subject,)
        return subject, f"{subject} {self.dark.prompt.rpartition(PART_BREAK)[2]}"

    @property
    def is_complete(self) -> bool:
        """True if the hashes of all reference images are known."""
        return not self.references or self.request.references != tuple(map(str, self.references))


@dataclass(frozen=True, slots=True)
class InvalidDirective:
    """Directive with an error, which the page shows in a placeholder."""

    text: str
    layout_size: Size
    source: SourceExcerpt


ParsedDirective = Directive | InvalidDirective


def build_token(parsed: object) -> str:
    """Return the address that stands for an image or a list until its own content is known.

    It is a pure function of what is written, so the number and order of renderings do not matter.
    It looks like a URL with a scheme, so other plugins do not rewrite it.
    """
    return f"imagegen:t{hashlib.sha256(repr(parsed).encode('utf-8', 'replace')).hexdigest()[:40]}"


def complete(written: WrittenDirective, defaults: Defaults, source: SourceExcerpt) -> Directive:
    """Return a directive, completed with the options that it inherits.

    Args:
        written: Directive as written.
        defaults: Options of the page and the site.
        source: Excerpt by which the line is found.

    Raises:
        DirectiveError: If there is no prompt, or a name or preset does not exist.
        OptionError: If the model is not allowed.
    """
    layers = collect_layers(written, defaults, source)
    options = merge_layers(layers)
    references = read_references(options.reference or (), defaults.page)
    mask = read_mask(options.mask, references, defaults.page)
    # The names of the references stand for their hashes, which are not known yet.
    request = replace(
        _request(options, defaults),
        references=tuple(map(str, references)),
        mask=str(mask or ""),
    )
    dark = (
        replace(request, prompt=_final_prompt(options, defaults, options.dark))
        if options.dark
        else None
    )
    # A preview that no page shows is only in a social card, which has no dark mode.
    shows_dark = source.kind != "preview" or defaults.preview_position == "top"
    html = dict(written.html)
    shown = fit(request.size, options.ratio, options.width, options.height, html.get("style", ""))
    alt = " ".join((options.prompt or "").split()) if options.alt is None else options.alt.strip()
    return Directive(
        request=request,
        dark=dark if shows_dark else None,
        exact_options=exact_options(layers),
        alt=alt,
        caption=(options.caption or "").strip(),
        note=defaults.note,
        layout=Layout(shown.size, options.widths, options.focus or CENTER),
        width_px=shown.width_px,
        sizes=options.sizes or "",
        attributes=(*_own_attributes(options), *html.items()),
        source=source,
        references=references,
        mask=mask,
        own_model=options.model,
        percent=shown.percent,
    )


def collect_layers(
    written: WrittenDirective, defaults: Defaults, source: SourceExcerpt
) -> tuple[Layer, ...]:
    """Return the layers that apply to an image, nearest first, without the site's settings.

    Args:
        written: Directive as written.
        defaults: Options of the page and the site.
        source: Excerpt of the directive.

    Raises:
        DirectiveError: If a named prompt or a preset does not exist, or there are two prompts.
    """
    own = Layer(written.origin, written.options)
    is_named = written.options.name is not None
    named = (_named_prompt(written.options, defaults, source),) if is_named else ()
    return insert_preset((own, *named, *defaults.layers), defaults.presets, defaults.config_name)


def _named_prompt(options: DirectiveOptions, defaults: Defaults, source: SourceExcerpt) -> Layer:
    name, prompts = options.name or "", defaults.prompts
    if name not in prompts:
        raise _unknown_name(name, defaults, source)
    if options.prompt is not None and prompts[name].options.prompt is not None:
        raise DirectiveError(
            f"two prompts: one on the image, and one named {quote_value(name)}",
            hint="remove one of them",
        )
    return prompts[name]


def _unknown_name(name: str, defaults: Defaults, source: SourceExcerpt) -> DirectiveError:
    prompts = defaults.prompts
    close, fault = did_you_mean(name, prompts), f"unknown prompt name {quote_value(name)}"
    if close:
        return DirectiveError(fault, hint=close)
    if " " in name and source.target:
        text = source.first_words.replace('"', "'")
        alt = f'{{ alt="{text}" }}' if text and text != name else ""
        hint = f"the prompt is the text between the brackets: ![{name}](imagegen:){alt}"
        return DirectiveError(fault, hint=hint)
    return DirectiveError(
        fault,
        accepted=f"named prompts: {', '.join(sorted(prompts)) or 'none'}",
        hint=f"define it under `prompts:` in {defaults.config_name} or in the page's front matter",
    )


def _request(options: DirectiveOptions, defaults: Defaults) -> ImageRequest:
    if not (options.prompt or "").strip():
        raise DirectiveError("no prompt", hint="describe the image")
    return ImageRequest(
        model=choose_model(options.model, defaults),
        prompt=_final_prompt(options, defaults),
        size=options.size or defaults.size,
        quality=options.quality or defaults.quality,
        background=options.background or defaults.background,
        take=options.take or 1,
        model_options=defaults.model_options,
    )


def _final_prompt(options: DirectiveOptions, defaults: Defaults, addition: str = "") -> str:
    style = defaults.style if options.style is None else style_text(options.style)
    prompt = final_prompt(options.prompt or "", style, addition)
    if len(prompt) > MAX_PROMPT:
        raise DirectiveError(
            f"the prompt has {len(prompt)} characters", accepted=f"supported: up to {MAX_PROMPT}"
        )
    return prompt


def _own_attributes(options: DirectiveOptions) -> list[tuple[str, str]]:
    width = (f"{WIDTH_CLASS}{options.width[:-1]}",) if isinstance(options.width, str) else ()
    classes = " ".join((*width, *(options.class_ or ())))
    pairs = [
        ("title", options.title),
        ("id", options.id_),
        ("class", classes),
        ("loading", options.loading),
    ]
    return [(name, value) for name, value in pairs if value]
