"""Directives: image prompts in pages, and the options that apply to them.

- ``options``: options of images, presets and pages; pure.
- ``grammar``: text of an image block or inline image, read as options and prompt; pure.
- ``layers``: levels at which options are set, and their precedence; pure.
- ``defaults``: options that a directive inherits from its site, folders and page; pure.
- ``directive``: a directive as written, and completed with the inherited options; pure.
- ``references``: reference images and masks; pure.
- ``registry``: directives of a build, by their tokens.
- ``extension``: Python-Markdown extension, with ``fences`` for blocks and ``tree`` for images.
- ``marker``: the ``img`` element that stands for an image while a page is rendered; pure.
- ``page_list``: lists of pages that are shown as cards; pure.
- ``source_lines``: line of a source file on which a directive is written; pure.
- ``explain``: origin of each option of a directive; pure.
"""
