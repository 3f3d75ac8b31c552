"""Images that follow others: what they ask for is known once those are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mkdocs_imagegen.directives.directive import Directive, InvalidDirective, ParsedDirective
from mkdocs_imagegen.directives.references import (
    FileReference,
    ImageReference,
    PromptReference,
    Reference,
)
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.errors import (
    DirectiveError,
    ImagegenError,
    NotGeneratedError,
    NotSelectedError,
    OptionError,
    PendingError,
)
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.options import did_you_mean
from mkdocs_imagegen.pipeline.context import Run
from mkdocs_imagegen.pipeline.lookup import Lookup


class _NotYetError(Exception):
    """What is followed is being made, or has not been read."""


class References:
    """Completes the directives of one build that follow images.

    Those that follow files alone are looked up at once. The others wait until all pages are read,
    and are looked up in turn: first those whose references are there, then those that follow them.

    Args:
        registry: the directives that were found.
        lookup: looks them up.
        run: has the images that are followed.
        docs: the docs folder.
    """

    def __init__(self, registry: Registry, lookup: Lookup, run: Run, docs: Path) -> None:
        self._registry = registry
        self._lookup = lookup
        self._run = run
        self._docs = docs
        self._completed: dict[str, Directive] = {}
        self._faults: dict[str, ImagegenError] = {}
        self._waiting: dict[str, str | None] = {}
        self._has_read_all = False

    def found(self, token: str) -> ParsedDirective | None:
        """What stands behind a token, with what it follows where that is known."""
        return self._completed.get(token) or self._registry.get(token)

    def fault_of(self, token: str) -> tuple[Result, ...] | None:
        """What became of a directive that cannot be looked up; None if it can."""
        found, error = self._registry.get(token), self._faults.get(token)
        if error is None or not isinstance(found, Directive):
            return None
        return tuple(Result(error=error) for _ in found.requests)

    def unseen(self, token: str) -> list[str]:
        """The named prompts that a directive follows, and those that they follow themselves.

        A page need not show them.
        """
        seen, left = [token], [token]
        while left:
            for reference, leaf in self._leaves(left.pop()):
                is_asked = isinstance(self._registry.get(leaf), Directive)
                if is_asked and isinstance(reference, PromptReference) and leaf not in seen:
                    seen.append(leaf)
                    left.append(leaf)
        return seen[1:]

    def look_up(self, token: str, uri: str | None) -> None:
        """Look up a directive if everything is known that it follows; else it waits.

        Args:
            token: which.
            uri: the page's source; None for one that was looked up before.
        """
        if token in self._faults:
            return
        if token in self._completed:
            self._lookup.look_up(self._completed[token], uri)
        elif not self._is_settled(token, uri):
            self._wait(token, uri)

    def join(self) -> None:
        """Look up what waits, in turn; wait for what is followed."""
        self._has_read_all = True
        while self._waiting:
            self._lookup.settle()
            before = dict(self._waiting)
            for token, uri in before.items():
                if self._is_settled(token, uri):
                    del self._waiting[token]
            if len(self._waiting) == len(before):
                self._refuse_rings()

    def _wait(self, token: str, uri: str | None) -> None:
        if self._has_read_all:
            late = "it came into a page after the build had made its images"
            self._faults[token] = NotGeneratedError(late)
        else:
            self._waiting[token] = uri or self._waiting.get(token)

    def _is_settled(self, token: str, uri: str | None) -> bool:
        found = self._registry.get(token)
        assert isinstance(found, Directive)  # noqa: S101 - nothing else follows anything
        try:
            directive = self._complete(found)
        except _NotYetError:
            return False
        except ImagegenError as error:
            self._faults[token] = error
            return True
        self._completed[token] = directive
        self._lookup.look_up(directive, uri)
        return True

    def _complete(self, directive: Directive) -> Directive:
        hashes = tuple(self._hash(each, directive) for each in directive.references)
        mask = (
            self._run.reference_files.add_file(directive.mask, self._docs) if directive.mask else ""
        )
        dark = directive.dark
        return replace(
            directive,
            request=replace(directive.request, references=hashes, mask=mask),
            dark=replace(dark, references=hashes, mask=mask) if dark else None,
        )

    def _hash(self, reference: Reference, directive: Directive) -> str:
        if isinstance(reference, FileReference):
            return self._run.reference_files.add_file(reference, self._docs)
        token = self._token_of(reference, directive)
        leaf = self.found(token) if token else None
        if token is None or leaf is None:
            raise self._unknown(reference)
        if isinstance(leaf, InvalidDirective):
            raise OptionError(f'it follows "{reference}": {leaf.text}')
        if token in self._faults:
            raise _missing(reference, self._faults[token])
        if leaf.references and token in self._waiting:
            raise _NotYetError
        return self._hash_of(leaf, reference)

    def _hash_of(self, leaf: Directive, reference: Reference) -> str:
        results = self._lookup.results(leaf)
        if results is None:
            if not self._has_read_all:
                raise _NotYetError
            raise OptionError(f'it follows "{reference}", which no page shows')
        if results[0].original is not None:
            return self._run.reference_files.add_original(results[0].original)
        left_out = isinstance(results[0].error, NotSelectedError)
        if left_out and not self._has_read_all:
            raise _NotYetError  # another page may ask for it
        if results[0].error is not None:
            raise _missing(reference, results[0].error)
        raise _NotYetError

    def _unknown(self, reference: Reference) -> Exception:
        if not self._has_read_all:
            return _NotYetError()
        page = getattr(reference, "page", None)
        ids = [f"/{page}#{name}" if page else f"#{name}" for name in self._registry.ids_of(page)]
        return OptionError(
            f'it follows "{reference}", and there is no such image',
            accepted=f"images with an id there: {', '.join(ids) or 'none'}",
            hint=did_you_mean(str(reference), ids) or "give that image an `id`",
        )

    def _refuse_rings(self) -> None:
        """What still waits, though nothing is being made, waits for itself."""
        for token in self._waiting:
            self._faults[token] = DirectiveError(
                f"images follow each other in a ring: {' -> '.join(self._ring(token))}",
                hint="remove one of these references",
            )
        self._waiting.clear()

    def _ring(self, token: str) -> list[str]:
        """The references along a ring, the last one also at its beginning."""
        tokens: list[str] = []
        names: list[str] = []
        while token not in tokens:
            tokens.append(token)
            leaves = (each for each in self._leaves(token) if each[1] in self._waiting)
            reference, token = next(leaves)
            names.append(str(reference))
        return [names[-1], *names[tokens.index(token) :]]

    def _leaves(self, token: str) -> Iterator[tuple[Reference, str]]:
        """The images that a directive follows, each with its token; ``""`` for none."""
        found = self._registry.get(token)
        for each in found.references if isinstance(found, Directive) else ():
            if isinstance(found, Directive) and not isinstance(each, FileReference):
                yield each, self._token_of(each, found) or ""

    def _token_of(
        self, reference: ImageReference | PromptReference, directive: Directive
    ) -> str | None:
        token = self._registry.token_of(reference, directive.source)
        if token is None and self._has_read_all and isinstance(reference, ImageReference):
            return self._registry.find_translated(reference)
        return token


def _missing(reference: Reference, error: ImagegenError) -> NotGeneratedError:
    if isinstance(error, PendingError):
        return PendingError("waiting for an image that it follows", hint=error.hint)
    return NotGeneratedError(f'it follows "{reference}", which is not there: {error.fault}')
