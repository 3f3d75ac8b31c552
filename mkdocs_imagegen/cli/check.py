"""The command `check`: an exit code that tells if any image is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from mkdocs_imagegen.cli.site import as_json, config_file, locked, log_model_change, with_lock
from mkdocs_imagegen.cli.terminal import print_causes, print_json, print_line, print_rows
from mkdocs_imagegen.hosts.look import HOSTS, SiteView, globs_of, look
from mkdocs_imagegen.report import deduplicate, plural
from mkdocs_imagegen.settings.folders import matches_any

_CONFIG_FILES = {name for host in HOSTS for name in host.config_files}


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen check
  mkdocs-imagegen check docs/guide.md 'blog/**'
  mkdocs-imagegen check --json | jq .lacking
"""
)
@click.argument("files", nargs=-1, metavar="[PAGE | FILE]...")
@config_file
@locked
@as_json
def check(files: tuple[str, ...], config_file: str | None, *, locked: bool, as_json: bool) -> None:
    """Fail if any image is missing.

    Exits with 1 if an image is missing, or an image block or inline image is invalid. Sketches are
    counted, and are not missing. Needs no network and no API key.

    With --locked, an image is also missing if its record is not the one in git, or if its file does
    not have the recorded SHA-256.

    A PAGE is a path, or a path or glob in the docs folder; a folder stands for all of its pages. By
    default, the whole site. The configuration file and the file of named prompts also stand for the
    whole site. Any other FILE is ignored, so that pre-commit can pass the names of all changed
    files.
    """
    change = with_lock if locked else None
    site = _selected(look(config_file, change=change), files, config_file)
    log_model_change(site)
    images = deduplicate(site.rows)
    sketches = sum(row.is_sketch and not row.is_lacking for row in images)
    if as_json:
        lacking = [row.as_dict() for row in site.lacking]
        print_json({"ok": not lacking, "lacking": lacking, "sketches": sketches})
    else:
        print_rows(site.lacking)
        print_causes(row for row in site.lacking if row.state.is_missing)
        if sketches:
            print_line(f"{sketches} of {plural(len(images), 'image')} drawn as sketches")
        if files and not images:
            print_line("the named files show no images")
        else:
            print_line(_verdict(sum(row.is_lacking for row in images), len(images)))
    raise SystemExit(1 if site.lacking else 0)


def _selected(site: SiteView, files: Sequence[str], config_file: str | None) -> SiteView:
    """Return the images that a change of the files can affect; all without files."""
    docs, settings = site.context.docs, site.context.settings
    root = settings.root.absolute()
    configs = [Path(config_file)] if config_file else [root / name for name in _CONFIG_FILES]
    paths = {settings.prompts_path, *(path.absolute() for path in configs)}
    if not files or not paths.isdisjoint(Path(file).absolute() for file in files):
        return site
    globs = [glob for file in files for glob in _globs(file, docs, root)]
    return replace(site, entries=[each for each in site.entries if matches_any(globs, each.uri)])


def _globs(file: str, docs: Path, root: Path) -> tuple[str, ...]:
    """Return the globs of a page; none for a file outside the docs folder."""
    globs = globs_of([file], docs, root)
    path = Path(file)
    is_elsewhere = path.is_file() and path.resolve() != (docs / globs[0]).resolve()
    return () if is_elsewhere else globs


def _verdict(lacking: int, total: int) -> str:
    if not lacking:
        return "no images are missing"
    be = "is" if lacking == 1 else "are"
    return f"{lacking} of {plural(total, 'image')} {be} missing or invalid"
