"""Ask a server for an image.

- ``catalogue``: what known models can draw and what it costs; pure.
- ``offers``: what a server says it offers, and at what price; pure.
- ``public``: what a server tells of its models' health and of credits; pure.
- ``wire``: bytes to the server, and an answer from its bytes; pure.
- ``edits``: a request as it is posted, with the images that it follows; pure.
- ``answer``: what an image's answer holds.
- ``replies``: the body of a success, or an error.
- ``failures``: an error from a server's refusal; pure.
- ``bodies``: a body's bytes, bounded, and its JSON, strict; pure.
- ``quoting``: a server's text made fit for a message; pure.
- ``links``: which addresses an image may be fetched from; pure.
- ``policy``: which errors are asked again, and when; pure.
- ``addresses``: fetching a link from the public addresses of its host.
- ``credentials``: where the key comes from.
- ``calls``: one HTTP call and its reply, as plain records.
- ``client``: the only module that speaks HTTP.
"""
