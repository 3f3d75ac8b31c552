"""The look of commands at a site of Zensical, and the files that `generate` publishes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

from click import ClickException

from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.errors import SiteError
from mkdocs_imagegen.hosts.gateway import permission_here
from mkdocs_imagegen.hosts.look import BRIDGES, Change, SiteView, globs_of
from mkdocs_imagegen.hosts.zensical import (
    FILE,
    card_files,
    context_of_build,
    context_with,
    read_page,
    render_page,
)
from mkdocs_imagegen.hosts.zensical_site import ZensicalSite
from mkdocs_imagegen.log import log, run_filter
from mkdocs_imagegen.pipeline.build import Pipeline
from mkdocs_imagegen.pipeline.context import BuildContext, BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.settings import DEFAULT_ORIGINALS_DIR, Settings

_MISSING_WATCH = "Watch path does not exist: "
_NOT_WATCHED = (
    "Zensical shows pages from its cache after images were generated; add `watch: [%s]` to its "
    "configuration, so that it renders them again"
)


def look(
    config_file: Path, mode: BuildMode, change: Change | None, pages: Sequence[str]
) -> SiteView:
    """Render all pages and return their images; stdout stays empty.

    A look that generates images publishes them in the docs folder.

    Args:
        config_file: Configuration file of the site.
        mode: Work of the build.
        change: Changes the settings as the command's options require.
        pages: Paths or globs of the pages to generate images for; empty for all.

    Raises:
        SiteError: If the site does not list the extension.
        ClickException: If the configuration is invalid.
    """
    run_filter.begin_run()
    with contextlib.redirect_stdout(sys.stderr):
        site = open_site(config_file, creates_watched=mode.generate)
        settings = change(site.settings) if change is not None else site.settings
        mode = replace(mode, pages=globs_of(pages, site.docs, site.root))
        permission = permission_here(settings, is_serving=False)
        context = context_with(settings, mode, permission, site, None)
        with contextlib.closing(Pipeline(context)) as pipeline:
            rendered = _read_all(site, site.uris, pipeline)
            entries = pipeline.entries()
        if mode.generate:
            _publish_and_advise(site, pipeline.registry, rendered)
    return SiteView(context, entries, partial(_read_again, site))


def _read_all(site: ZensicalSite, uris: Iterable[str], pipeline: Pipeline) -> dict[str, str]:
    """Look up the images of pages, and return the HTML of each page."""
    rendered = dict[str, str]()
    for uri in uris:
        rendered[uri] = render_page(site, uri, pipeline)
        read_page(site, uri, pipeline, rendered[uri])
    pipeline.join(site.pages)
    return rendered


def _read_again(site: ZensicalSite, context: BuildContext, texts: Mapping[str, str]) -> list[Entry]:
    site = site.with_texts(texts)
    with contextlib.redirect_stdout(sys.stderr), contextlib.closing(Pipeline(context)) as pipeline:
        _read_all(site, texts, pipeline)
        return pipeline.entries()


def settings_of(config_file: Path) -> Settings:
    """Return the settings of a site without building it.

    Raises:
        SiteError: If the site does not list the extension.
        ClickException: If the configuration is invalid.
    """
    return open_site(config_file).settings


def _publish_and_advise(
    site: ZensicalSite, registry: Registry, rendered: Mapping[str, str]
) -> None:
    originals = site.settings.originals_path
    watched = [(site.root / each).resolve() for each in site.config["watch"]]
    is_watched = any(originals.resolve().is_relative_to(each) for each in watched)
    if not is_watched and not site.settings.gateway.is_sketch:
        folder = site.settings.originals_dir or DEFAULT_ORIGINALS_DIR
        log.warning(_NOT_WATCHED, folder)
    try:
        _publish(site, registry, rendered)
    except OSError as error:
        log.warning("cannot write the images to %s: %s", site.folder.path, error.strerror)


def _publish(site: ZensicalSite, registry: Registry, rendered: Mapping[str, str]) -> None:
    """Write the files of all images into the docs folder, and remove those that no page uses."""
    site.folder.open()
    used: set[str] = set()
    log.disabled = True  # the look has told everything
    try:
        with contextlib.closing(Pipeline(context_of_build(site), registry)) as pipeline:
            contents = {uri: read_page(site, uri, pipeline, each) for uri, each in rendered.items()}
            pipeline.join(site.pages)
            for uri, content in contents.items():
                used.update(FILE.findall(pipeline.fill_page(content, uri, is_linked=False)))
                used.update(card_files(pipeline, uri))
    finally:
        log.disabled = False
    site.folder.remove_unused(used)


def open_site(config_file: Path, *, creates_watched: bool = False) -> ZensicalSite:
    """Return the site of a configuration file.

    Args:
        config_file: Configuration file.
        creates_watched: True to create an originals folder that is watched and missing, without
            which Zensical does not build the site.

    Raises:
        SiteError: If the file cannot be read, or does not list the extension.
        ClickException: If the configuration is invalid.
    """
    try:
        return _read_site(config_file)
    except ClickException as error:
        _, is_missing, name = error.message.partition(_MISSING_WATCH)
        if not is_missing:
            raise
        # Zensical reads no configuration that watches a missing folder.
        folder = Path(os.path.normpath(config_file.absolute().parent / name))
        with contextlib.ExitStack() as stack:
            for each in (*reversed(folder.parents), folder):
                if not each.exists():
                    stack.callback(_remove_empty, each)
                    with contextlib.suppress(OSError):
                        each.mkdir()
            site = _read_site(config_file)
            if not site.settings.originals_path.is_relative_to(folder):
                raise
            if creates_watched:
                stack.pop_all()
            return site


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _read_site(config_file: Path) -> ZensicalSite:
    file = config_file.absolute()
    config = import_module("zensical.config")
    try:
        site = ZensicalSite(config.parse_config(str(file)), file)
    except (ValueError, OSError) as error:  # TOML's errors are a ValueError
        text = " ".join(str(error).split())
        raise SiteError(f"{config_file} cannot be read: {text}") from None
    if not any(name in site.config["markdown_extensions"] for name in BRIDGES):
        is_toml = config_file.suffix == ".toml"  # where a dot in a name needs quotes
        table = f'the table `[project.markdown_extensions."{BRIDGES[0]}"]`'
        entry = table if is_toml else f"`{BRIDGES[0]}` to `markdown_extensions`"
        hint = f"add {entry}, with the options under it"
        raise SiteError(f"{config_file} does not list the extension", hint=hint)
    return site
