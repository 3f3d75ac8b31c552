"""What the author wrote.

- ``directive``: the record of one directive, and of one with a mistake.
- ``grammar``: options and prompts as written, read; pure.
- ``layers``: who says what for an image, and who wins; pure.
- ``references``: what an image may follow; pure.
- ``naming``: presets and named prompts; pure.
- ``defaults``: what a directive inherits from its page, its folders and its site; pure.
- ``completing``: what is read, completed to a directive; pure.
- ``explain``: why a directive asks for what it asks for; pure.
- ``registry``: the directives that were found, by their tokens.
- ``extension``: the Python-Markdown extension that finds them, through ``fences`` and ``tree``;
  ``blocks`` are what stands in fences.
- ``marker``: the image that stands in a page until the real one is known; pure.
- ``locate``: the line of a source file on which a directive stands; pure.
"""
