"""Who may spend, how much, and when a run has paid for nothing too often; pure.

- ``permission``: whether a build may make missing images at all.
- ``account``: the budget of a run, and the breaker that ends a run which pays for nothing.
"""
