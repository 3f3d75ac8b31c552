"""Directives with references: looked up once the images that they refer to are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

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
from mkdocs_imagegen.option_parsers import did_you_mean
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.lookup import TOO_LATE, Lookup


class _UnresolvedError(Exception):
    """A reference to an image that is being generated, or that no page has shown yet."""


class References:
    """The references of one build's directives.

    A directive with references to files alone is looked up at once. The others wait until all
    pages are read, and are looked up in turn: each after the images that it refers to.

    Args:
        registry: Directives of the build.
        lookup: Images of the build.
        context: Context of the build.
    """

    def __init__(self, registry: Registry, lookup: Lookup, context: BuildContext) -> None:
        self._registry = registry
        self._lookup = lookup
        self._run = context.run
        self._docs = context.docs
        self._completed: dict[str, Directive] = {}
        self._errors: dict[str, ImagegenError] = {}
        self._waiting: dict[str, tuple[Directive, str | None]] = {}
        self._has_read_all = False

    def get(self, token: str) -> ParsedDirective | None:
        """Return the directive of a token, with the hashes of its references if they are known."""
        return self._completed.get(token) or self._registry.get(token)

    def failed_results(self, token: str) -> tuple[Result, ...] | None:
        """Return results with the error of a directive's references; None if they have no error."""
        found, error = self._registry.get(token), self._errors.get(token)
        if error is None or not isinstance(found, Directive):
            return None
        return tuple(Result(error=error) for _ in found.requests)

    def prompts_of(self, token: str) -> list[str]:
        """Return the tokens of the named prompts that a directive refers to, also indirectly.

        No page needs to show them.
        """
        seen, left = [token], [token]
        while left:
            for reference, leaf in self._image_references(left.pop()):
                is_valid = isinstance(self._registry.get(leaf), Directive)
                if is_valid and isinstance(reference, PromptReference) and leaf not in seen:
                    seen.append(leaf)
                    left.append(leaf)
        return seen[1:]

    def look_up(self, token: str, directive: Directive, uri: str | None) -> None:
        """Look up a directive, or let it wait for the images that it refers to.

        Args:
            token: Token of the directive.
            directive: The directive.
            uri: Source of the page; None for a directive that was looked up before.
        """
        if token in self._errors:
            return
        if token in self._completed:
            self._lookup.look_up(self._completed[token], uri)
        elif not self._try_look_up(token, directive, uri):
            self._wait(token, directive, uri)

    def join(self) -> None:
        """Look up the waiting directives in turn, each after the images that it refers to."""
        self._has_read_all = True
        while self._waiting:
            self._lookup.settle()
            before = dict(self._waiting)
            for token, (directive, uri) in before.items():
                if self._try_look_up(token, directive, uri):
                    del self._waiting[token]
            if len(self._waiting) == len(before):
                self._fail_cycles()

    def _wait(self, token: str, directive: Directive, uri: str | None) -> None:
        if self._has_read_all:
            self._errors[token] = NotGeneratedError(TOO_LATE)
        else:
            _, earlier_uri = self._waiting.get(token, (directive, None))
            self._waiting[token] = directive, uri or earlier_uri

    def _try_look_up(self, token: str, directive: Directive, uri: str | None) -> bool:
        """Return True if the directive was looked up, or if its references cannot be used."""
        try:
            completed = self._complete(directive)
        except _UnresolvedError:
            return False
        except ImagegenError as error:
            self._errors[token] = error
            return True
        self._completed[token] = completed
        self._lookup.look_up(completed, uri)
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
        leaf = self.get(token) if token else None
        if token is None or leaf is None:
            raise self._unknown(reference)
        if isinstance(leaf, InvalidDirective):
            raise OptionError(f'reference "{reference}" has an error: {leaf.text}')
        if token in self._errors:
            raise _missing(reference, self._errors[token])
        if leaf.references and token in self._waiting:
            raise _UnresolvedError
        return self._hash_of(leaf, reference)

    def _hash_of(self, leaf: Directive, reference: Reference) -> str:
        results = self._lookup.results(leaf)
        if results is None:
            if not self._has_read_all:
                raise _UnresolvedError
            raise OptionError(f'no page shows the reference image "{reference}"')
        if results[0].original is not None:
            return self._run.reference_files.add_original(results[0].original)
        is_left_out = isinstance(results[0].error, NotSelectedError)
        if is_left_out and not self._has_read_all:
            raise _UnresolvedError  # another page may select it
        if results[0].error is not None:
            raise _missing(reference, results[0].error)
        raise _UnresolvedError

    def _unknown(self, reference: Reference) -> Exception:
        if not self._has_read_all:
            return _UnresolvedError()
        page = getattr(reference, "page", None)
        ids = [f"/{page}#{name}" if page else f"#{name}" for name in self._registry.ids_of(page)]
        return OptionError(
            f'reference image "{reference}" does not exist',
            accepted=f"images with an id on that page: {', '.join(ids) or 'none'}",
            hint=did_you_mean(str(reference), ids) or "give that image an `id`",
        )

    def _fail_cycles(self) -> None:
        """Fail the waiting directives: no job is running, so their references form a cycle."""
        for token in self._waiting:
            self._errors[token] = DirectiveError(
                f"references form a cycle: {' -> '.join(self._cycle(token))}",
                hint="remove one of these references",
            )
        self._waiting.clear()

    def _cycle(self, token: str) -> list[str]:
        """Return the references of a cycle, with the last one also at the beginning."""
        tokens: list[str] = []
        names: list[str] = []
        while token not in tokens:
            tokens.append(token)
            leaves = (each for each in self._image_references(token) if each[1] in self._waiting)
            reference, token = next(leaves)
            names.append(str(reference))
        return [names[-1], *names[tokens.index(token) :]]

    def _image_references(self, token: str) -> Iterator[tuple[Reference, str]]:
        """Yield each reference to an image, and the token of that image, or ``""``."""
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
        return PendingError("waiting for a reference image", hint=error.hint)
    return NotGeneratedError(
        f'reference image "{reference}" is missing: {error.fault}', cause=error
    )
