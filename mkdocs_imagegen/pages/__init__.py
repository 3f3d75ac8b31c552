"""Put a picture into a page.

- ``markup``: the final HTML of a picture; pure.
- ``contact_sheet``: a page that holds every picture; its style and script beside it; pure.
- ``address``: the address of a file as seen from a page; pure.
"""
