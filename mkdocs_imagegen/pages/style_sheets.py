"""The style sheet of a site's pages, and the style and script of a contact sheet; pure.

A content security policy may forbid styles in HTML: https://www.w3.org/TR/CSP3/#directive-style-src
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable

from mkdocs_imagegen.directives.directive import WIDTH_CLASS
from mkdocs_imagegen.imaging.image import SITE_FOLDER, PageImage

_NAME = "imagegen"
_OWN = f"{_NAME}-"
_OWN_CLASS = re.compile(r"(?:blur|crop)-[0-9a-f]{8}\b")
# Minifiers leave out the quotes.
_CLASS = re.compile(rf"class=[\"']?[^\"'<>]*\b{_NAME}\b")


class PageStyles:
    """The style sheets of the pages of a build.

    Args:
        add_file: Function that writes a file, by its path below the root of the site.
    """

    def __init__(self, add_file: Callable[[str, bytes], None]) -> None:
        self._add_file = add_file
        self._rules: dict[str, str] = {}

    def add_image(self, image: PageImage) -> None:
        """Note the blurred preview and the crop of an image that a page shows."""
        if image.blur:
            # Without the padding: MkDocs' built-in theme puts a frame around images.
            style = f"background:url({image.blur}) center/cover content-box"
            self._rules[blur_class(image.blur)] = style
        if image.crop:
            self._rules[crop_class(image.crop)] = image.crop

    def links(self, page: str, url_of: Callable[[str], str]) -> str:
        """Return the links to the style sheets that a page needs and lacks; ``""`` for others.

        Args:
            page: HTML of the page.
            url_of: Function from a path in the site to the URL relative to the page.
        """
        link = f'<link rel="stylesheet" href="{html.escape(url_of(SHEET_NAME))}">\n'
        if not _is_styled(page) or link in page:
            return ""
        self._add_file(SHEET_NAME, SHEET)
        if rules := self._rules_of(page):
            self._add_file(_sheet_name(rules), rules)
            link += f'<link rel="stylesheet" href="{html.escape(url_of(_sheet_name(rules)))}">\n'
        return link

    def _rules_of(self, page: str) -> bytes:
        # A policy that allows data: images allows them in a style sheet, and not in an attribute.
        # A search with an expression takes many times as long.
        found = map(_OWN_CLASS.match, page.split(_OWN)[1:])
        names = sorted({f"{_OWN}{match[0]}" for match in found if match} & self._rules.keys())
        return "".join(f".{each}{{{self._rules[each]}}}\n" for each in names).encode()


def _is_styled(page: str) -> bool:
    """Return True if a tag has a class of the style sheet."""
    # One search of the page with the expression takes twenty times as long.
    end = 0
    while (found := page.find(_NAME, end)) >= 0:
        end = found + len(_NAME)
        start = page.rfind("<", 0, found)
        # One character more, for the end of the word.
        if start > page.rfind(">", 0, found) and _CLASS.search(page, start, end + 1):
            return True
    return False


def blur_class(blur: str) -> str:
    """Return the class of the images with a blurred preview; ``""`` without one.

    Args:
        blur: Its ``data:`` URL.
    """
    return _own_class("blur", blur)


def crop_class(crop: str) -> str:
    """Return the class of the images with a crop by CSS; ``""`` without one.

    Args:
        crop: Its CSS declarations.
    """
    return _own_class("crop", crop)


def _own_class(kind: str, text: str) -> str:
    return f"{_OWN}{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}" if text else ""


def _sheet_name(content: bytes) -> str:
    # Backstage TechDocs removes style sheets with other names than ``main.HASH.min.css``:
    # https://github.com/backstage/backstage/blob/master/plugins/techdocs/src/reader/transformers/html/hooks/links.ts
    return f"{SITE_FOLDER}/main.{hashlib.sha256(content).hexdigest()[:8]}.min.css"


# MkDocs' built-in theme distorts an image without the height, and moves a label with its margin.
_IMAGES = """\
.imagegen{max-width:100%;height:auto}
.imagegen-badge{display:inline-block;position:relative;max-width:100%}
.imagegen-badge>small{position:absolute;right:.5em;bottom:.75em;padding:.1em .5em;\
border-radius:.3em;background:rgba(0,0,0,.6);color:#fff;font-size:.7em;line-height:1.6}
.imagegen-badge .imagegen{margin:0}
.imagegen-badge[class*=imagegen-w] .imagegen{width:100%}
"""

_WIDTHS = "".join(f".{WIDTH_CLASS}{each}{{width:{each}%}}\n" for each in range(1, 101))

_CARDS = """\
ul.imagegen-cards[role=list]{display:grid;gap:var(--imagegen-cards-gap,1.2em);\
grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--imagegen-cards-width,13em)),1fr));\
margin:1.5em 0;padding:0;list-style:none}
ul.imagegen-cards[role=list]>li{position:relative;display:flex;flex-direction:column;margin:0;\
padding:0 0 .8em;overflow:hidden;overflow-wrap:anywhere;\
border-radius:var(--imagegen-cards-radius,.4em);\
border:1px solid var(--imagegen-cards-border,rgba(128,128,128,.35));\
background:var(--imagegen-cards-background,transparent)}
ul.imagegen-cards[role=list]>li:hover,ul.imagegen-cards[role=list]>li:focus-within{\
border-color:var(--imagegen-cards-accent,currentColor)}
ul.imagegen-cards[role=list]>li>.imagegen-cards-picture{display:block;margin:0 0 .7em;\
overflow:hidden;aspect-ratio:var(--imagegen-cards-ratio,16/9);\
background:var(--imagegen-cards-tile,rgba(128,128,128,.16))}
.imagegen-cards-picture>*{height:100%}
ul.imagegen-cards .imagegen-cards-picture img{display:block;width:100%;height:100%;\
margin:0;padding:0;border:0;border-radius:0;box-shadow:none;object-fit:cover}
ul.imagegen-cards[role=list]>li>a{margin:0 .9em;font-weight:600;text-decoration:none;\
color:var(--imagegen-cards-title,inherit)}
ul.imagegen-cards>li>a::after{content:"";position:absolute;inset:0}
ul.imagegen-cards[role=list]>li>.imagegen-cards-text{margin:.25em 1em 0;font-size:.9em;\
color:var(--imagegen-cards-text,inherit)}
"""

SHEET = f"{_IMAGES}{_WIDTHS}{_CARDS}".encode()
"""Content of the style sheet; sites change the variables ``--imagegen-cards-…`` of its cards."""

SHEET_NAME = _sheet_name(SHEET)
"""Path of the style sheet below the root of the site."""

STYLE = """
:root{--paper:#f7f5f1;--card:#fff;--ink:#1d1b18;--soft:#5c5750;--line:#d9d4cb;--mark:#0b6b64;\
--tile:#ece8e0;--new:#d3efdf;--old:#fadfda;--w:min(18.75rem,calc(100vw - 3.5rem))}
@media (prefers-color-scheme:dark){:root{--paper:#161514;--card:#201f1d;--ink:#eeeae3;\
--soft:#b0aaa0;--line:#3a3733;--mark:#6fd0c5;--tile:#2b2926;--new:#14432f;--old:#5a251d}}
*{box-sizing:border-box;margin:0}
body{background:var(--paper);color:var(--ink);font:1rem/1.4 system-ui,sans-serif}
header{padding:1.2rem 1rem .8rem;max-width:90rem;margin:auto}
h1{font-size:1.4rem;margin-bottom:.3rem}
.tools{display:flex;flex-wrap:wrap;gap:.6rem 1.4rem;align-items:center;margin-top:.8rem}
input,select,dialog button{font:inherit;color:inherit;background:var(--card);padding:.45rem .6rem;\
border:1px solid var(--soft);border-radius:.35rem;max-width:100%}
output{color:var(--soft)}
#groups{display:grid;gap:1rem;list-style:none;padding:.5rem 1rem 4rem;\
grid-template-columns:repeat(auto-fill,calc(var(--w) + 1.5rem + 2px));max-width:90rem;margin:auto}
@media (max-width:44rem){#groups{justify-content:center}}
#groups>li{background:var(--card);border:1px solid var(--line);border-radius:.6rem;\
padding:.75rem}
#groups>li.several{grid-column:1/-1}
#groups>li[hidden]{display:none}
h2{font-size:1rem;height:2.8rem;overflow:hidden;display:-webkit-box;-webkit-box-orient:vertical;\
-webkit-line-clamp:2}
.several h2{height:auto;margin-bottom:.2rem}
.locations,.take,.facts{height:1.625rem;line-height:1.625rem;overflow:hidden;white-space:nowrap;\
text-overflow:ellipsis;color:var(--soft);font-size:.9rem}
.take{color:var(--ink)}
.takes{list-style:none;padding:.3rem 0 0;display:grid;gap:.75rem 1rem;\
grid-template-columns:repeat(auto-fill,var(--w))}
.takes>li{content-visibility:auto;\
contain-intrinsic-size:var(--w) calc(var(--w)*.65 + 4.875rem)}
.image{display:block;width:100%;height:calc(var(--w)*.65);padding:0;border:0;cursor:zoom-in;\
border-radius:.35rem;background:var(--tile)}
.image img{display:block;width:100%;height:100%;object-fit:contain}
.take code{font-weight:600}
.copy{font:inherit;padding:0 .2rem;border:0;background:none;color:var(--mark);cursor:copy}
.large{--w:30rem}
.large label{display:none}
.large header,.large #groups{max-width:120rem}
.large #groups{grid-template-columns:minmax(0,1fr)}
.large h2{height:auto;-webkit-line-clamp:4}
.large .takes{grid-template-columns:repeat(auto-fill,minmax(min(var(--w),100%),1fr))}
.large .takes>li{content-visibility:visible}
.large .image{height:auto}
.large .image img{height:auto;max-height:85vh}
.review header,.review #groups{max-width:78rem}
.review #groups{grid-template-columns:minmax(0,1fr)}
.review h2{text-transform:capitalize}
.review .locations,.review .take,.review .facts{height:auto;white-space:normal;\
overflow-wrap:anywhere}
.prompt,.note{padding:.3rem 0;overflow-wrap:anywhere}
ins{background:var(--new)}
del{background:var(--old)}
.review .takes{grid-template-columns:repeat(2,minmax(0,1fr))}
@media (max-width:44rem){.review .takes{grid-template-columns:minmax(0,1fr)}}
.review .after{grid-column:-2}
.review .takes>li{content-visibility:visible}
.review .image{height:auto}
.review .image img{height:auto;max-height:60vh}
code{font-family:ui-monospace,monospace}
:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
.takes :focus-visible{outline-offset:-3px}
dialog{margin:auto;width:60rem;max-width:calc(100vw - 1rem);max-height:calc(100vh - 1rem);\
padding:1rem;border:1px solid var(--line);border-radius:.6rem;background:var(--card);\
color:var(--ink);overflow:auto}
dialog img{display:block;width:100%;height:auto;max-height:70vh;\
object-fit:contain;background:var(--tile)}
dialog p{margin-top:.6rem;overflow-wrap:anywhere}
dialog a,nav a{color:var(--mark);margin-right:1rem}
dialog::backdrop{background:rgba(0,0,0,.6)}
"""

SCRIPT = """
"use strict";
const byId = id => document.getElementById(id);
const groups = [...byId("groups").children];
const large = byId("large");
const isReview = document.body.className === "review";

function filter() {
  const words = byId("filter").value.toLowerCase().split(/\\s+/);
  let count = 0;
  for (const group of groups) {
    group.hidden = !words.every(word => group.dataset.words.includes(word));
    if (!group.hidden) count += isReview ? 1 : group.querySelectorAll(".image").length;
  }
  byId("count").textContent = `${count} ${isReview ? "change" : "image"}${count === 1 ? "" : "s"}`;
}

function sort() {
  const byTime = byId("order").value === "time";
  const number = group => Number(group.dataset.number);
  const newer = (a, b) => b.dataset.created.localeCompare(a.dataset.created);
  groups.sort((a, b) => (byTime && newer(a, b)) || number(a) - number(b));
  byId("groups").append(...groups);
}

function open(button) {
  const img = button.querySelector("img"), card = button.parentElement;
  byId("large-image").src = img.src;
  byId("large-image").width = img.naturalWidth;
  byId("large-image").height = img.naturalHeight;
  byId("large-image").alt = img.alt;
  const group = card.closest("#groups > li");
  byId("large-words").textContent = button.dataset.prompt;
  const facts = [group.querySelector(".locations").textContent];
  for (const line of card.querySelectorAll(".take span, .facts span")) facts.push(line.textContent);
  byId("large-facts").textContent = [...facts, card.querySelector(".key").dataset.copy].join(" · ");
  byId("large-file").href = button.dataset.file;
  byId("large-file").hidden = !button.dataset.file;
  large.showModal();
  if (!button.dataset.file) return;
  // A copy of the page in another folder keeps the small image.
  const original = new Image();
  original.onload = () => {
    if (byId("large-image").src === img.src) byId("large-image").src = original.src;
  };
  original.src = button.dataset.file;
}

async function copy(button) {
  const code = button.parentElement.querySelector("code"), text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    byId("count").textContent = "copied " + text;
  } catch {
    code.textContent = text;
    getSelection().selectAllChildren(code);
  }
}

// The nearest image in a direction; to the side, an image of the same row comes first.
function nearest(from, across, down) {
  const here = from.getBoundingClientRect();
  let best = null, least = Infinity;
  for (const other of document.querySelectorAll("#groups > li:not([hidden]) .image")) {
    const there = other.getBoundingClientRect();
    const x = there.left - here.left, y = there.top - here.top;
    const along = across ? x * across : y * down, aside = Math.abs(across ? y : x);
    if (along < 2) continue;
    const far = along + 20 * aside;
    if (far < least) [best, least] = [other, far];
  }
  return best;
}

function step(from, way) {
  const all = [...document.querySelectorAll("#groups > li:not([hidden]) .image")];
  return all[all.indexOf(from) + way];
}

const MOVES = {
  ArrowRight: from => step(from, 1), ArrowLeft: from => step(from, -1),
  ArrowDown: from => nearest(from, 0, 1), ArrowUp: from => nearest(from, 0, -1),
};

byId("filter").addEventListener("input", filter);
byId("order").addEventListener("change", sort);
byId("close").addEventListener("click", () => large.close());
large.addEventListener("click", event => event.target === large && large.close());
byId("groups").addEventListener("click", event => {
  const button = event.target.closest("button");
  if (button) button.matches(".copy") ? copy(button) : open(button);
});
byId("groups").addEventListener("keydown", event => {
  const to = event.target.matches(".image") && MOVES[event.key]?.(event.target);
  if (!to) return;
  event.preventDefault();
  to.focus({preventScroll: true});
  to.scrollIntoView({block: "nearest"});
});
"""
