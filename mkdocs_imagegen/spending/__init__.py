"""Everything that can cost money.

- `permission`: if a build may generate images at all.
- `budget`: the money of a run, and the circuit breaker.
- `ledger`: requests that must not be repeated, in this run and in later builds.
- `claims`: the exclusive right to generate one cache key.
- `journal`: the write-ahead log of paid requests.
- `purchase`: one image, generated and charged once.
- `prices`: the current prices of the server.
- `storing`: responses become originals.
- `recovery`: paid responses that a killed build left behind.
"""
