"""The command `verify`: a check of every original, byte by byte."""

from __future__ import annotations

import click

from mkdocs_imagegen.cli.site import as_json, config_file
from mkdocs_imagegen.cli.terminal import print_json, print_line, print_table
from mkdocs_imagegen.hosts.mkdocs.look import settings_of
from mkdocs_imagegen.originals.audit import Defect, DefectKind, audit
from mkdocs_imagegen.report import plural


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen verify
  mkdocs-imagegen verify --json | jq -r '.faults[].file'
"""
)
@config_file
@as_json
def verify(*, config_file: str | None, as_json: bool) -> None:
    """Check originals for corruption.

    An original is an image as the server returned it; its record is the JSON file next to it.
    Reads every original, and changes no file. The exit code is the sum of: 1 if an image or record
    is corrupt, 2 if an image has no record or a record no image, 4 if a file cannot be read. For
    example, 5 is a corrupt image and a file that cannot be read.
    """
    count, defects = audit(settings_of(config_file).originals_path)
    if as_json:
        print_json({"originals": count, "faults": [_as_dict(each) for each in defects]})
    else:
        print_table(("File", "Fault"), [(str(each.path), each.text) for each in defects])
        more = f", {plural(len(defects), 'fault')}" if defects else ""
        print_line(f"{plural(count, 'intact original')}{more}")
    kinds = {each.kind for each in defects}
    raise SystemExit(sum(kind.value for kind in DefectKind if kind in kinds))


def _as_dict(defect: Defect) -> dict[str, str]:
    return {"file": str(defect.path), "kind": defect.kind.name.lower(), "text": defect.text}
