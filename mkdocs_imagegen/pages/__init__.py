"""Put a picture into a page.

- ``markup``: the final HTML of a picture; pure.
- ``address``: the address of a file as seen from a page; pure.
"""
