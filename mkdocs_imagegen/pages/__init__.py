"""HTML: the markup of images in pages, and pages of the plugin's own; pure.

- ``markup``: the final HTML of an image.
- ``social``: social tags in the head of a page.
- ``cards``: a list of pages as a grid of cards.
- ``contact_sheet``: a page with many images.
- ``style_sheets``: the style sheet of the site, and style and script of a contact sheet.
"""
