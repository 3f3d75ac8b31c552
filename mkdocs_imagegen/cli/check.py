"""The command `check`: an exit code that tells if any image is missing."""

from __future__ import annotations

import click

from mkdocs_imagegen.cli.site import as_json, config_file, log_model_change
from mkdocs_imagegen.cli.terminal import print_causes, print_json, print_line, print_rows
from mkdocs_imagegen.hosts.look import look
from mkdocs_imagegen.report import deduplicate, plural


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen check
  mkdocs-imagegen check && mkdocs build --strict
"""
)
@config_file
@as_json
def check(*, config_file: str | None, as_json: bool) -> None:
    """Fail if any image is missing.

    Exits with 1 if an image is missing, or an image block or inline image is invalid. Sketches are
    counted, and are not missing. Needs no network and no API key.
    """
    site = look(config_file)
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
        print_line(_verdict(sum(row.is_lacking for row in images), len(images)))
    raise SystemExit(1 if site.lacking else 0)


def _verdict(lacking: int, total: int) -> str:
    if not lacking:
        return "no images are missing"
    be = "is" if lacking == 1 else "are"
    return f"{lacking} of {plural(total, 'image')} {be} missing or invalid"
