"""Client of an image API: Vercel's AI Gateway, or any OpenAI-compatible server.

- ``client``: requests over HTTP with timeout and redaction; the only user of httpx.
- ``wire``: image requests encoded, image responses decoded.
- ``failures``: errors from HTTP responses.
- ``models``: accepted values, prices, shutdown dates and replacements of known models.
- ``pricing``: the price of an image.
- ``offers``: models on offer with prices and health, and the credit of the account.
- ``credentials``: API keys and tokens from the environment.
- ``links``: links to an image, fetched only from public addresses.
- ``untrusted``: text and values from a server, made safe.
- ``exchange``: one HTTP request and its response, as plain records.
"""
