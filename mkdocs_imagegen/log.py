"""The logger of the package, and the one filter through which its records pass.

MkDocs counts the warnings of every logger under ``mkdocs`` for ``--strict``. The name is that which
``mkdocs.plugins.get_plugin_logger`` would give; it is an ordinary logger, so no host is needed.
"""

from __future__ import annotations

import logging

from mkdocs_imagegen.errors import escape_unseen

log = logging.getLogger("mkdocs.plugins.imagegen")

ONCE: dict[str, object] = {"imagegen_once": True}
"""``extra`` of a message that is logged once per run, however many images it affects.

Text in place of True names a message whose wording differs between images.
"""

NOT_STRICT: dict[str, object] = {"imagegen_not_strict": True}
"""``extra`` of a warning that is logged as INFO under ``--strict``, so that it fails no build."""


class RunFilter(logging.Filter):
    """Filter of one run's messages: adds the prefix, drops repetitions, respects ``--strict``.

    Attributes:
        is_strict: True if warnings fail the build.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_strict = False
        self._logged: set[str] = set()

    def begin_run(self) -> None:
        """Forget the messages of the run before."""
        self._logged.clear()

    def filter(self, record: logging.LogRecord) -> bool:
        """Prefix a record; return False if it repeats a message that is logged once per run."""
        text = record.getMessage()
        if once := getattr(record, "imagegen_once", False):
            name = text if once is True else once
            if name in self._logged:
                return False
            self._logged.add(name)
        if self.is_strict and getattr(record, "imagegen_not_strict", False):
            record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args = f"imagegen: {escape_unseen(text)}", ()
        return True


run_filter = RunFilter()
log.addFilter(run_filter)
