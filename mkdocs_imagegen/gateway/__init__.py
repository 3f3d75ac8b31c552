"""Ask a server for a picture.

- ``catalogue``: what known models can draw and what it costs; pure.
- ``wire``: bytes to and from the server; pure.
- ``policy``: what an error means for the bill, and when to ask again; pure.
- ``credentials``: where the key comes from.
- ``client``: the only module that speaks HTTP.
"""
