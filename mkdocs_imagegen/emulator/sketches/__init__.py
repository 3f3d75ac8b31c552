"""Sketches: labeled drawings that stand in for generated images.

- ``drawing``: draws one sketch and encodes it; uses Pillow.
- ``reference_images``: validates uploaded images and shows them in a sketch; uses Pillow.
- ``text_layout``: positions of the prompt, the image size and the tag.
- ``landscapes``, ``patterns``: families of scenes, built from ``primitives``.
- ``primitives``: shapes, colors, palettes and the seeded random numbers.
"""
