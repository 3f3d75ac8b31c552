"""Emulated AI gateway on this machine, which answers image requests with sketches.

- ``protocol``: ``Emulator``, the routes: one HTTP request in, one response out.
- ``server``: the HTTP server of an emulator.
- ``faults``: every fault by name; ``fault_bodies`` and ``fault_transports`` implement them.
- ``request_bodies``, ``validation``: decode and validate image requests.
- ``responses``: bodies of successes and errors.
- ``models``: models on offer, with limits, prices and the model list.
- ``state``: balance, fault plan and request log.
- ``wire_types``: types that travel between these modules.
- ``sketches``: draws; the only part that uses Pillow.

A sketch is never taken for an image of a real model: it has a visible tag, its file contains
``request.SKETCH_MARK``, and the metadata of the response contains ``imagegen: {"sketch": true}``.
"""
