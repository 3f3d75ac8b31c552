"""What the author wrote.

- ``directive``: the record of one directive, and of one with a mistake.
- ``grammar``: options and prompts as written, to a directive; pure.
- ``defaults``: what a directive inherits from its page and its site; pure.
- ``registry``: the directives that were found, by their tokens.
- ``extension``: the Python-Markdown extension that finds them.
- ``marker``: the picture that stands in a page until the real one is known; pure.
- ``locate``: the line of a source file on which a directive stands; pure.
"""
