"""Put an image into a page.

- ``markup``: the final HTML of an image; pure.
- ``contact_sheet``: a page that holds every image; its style and script beside it; pure.
"""
