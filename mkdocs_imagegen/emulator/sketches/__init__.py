"""Sketches: labeled drawings that stand in for generated images.

- ``drawing``: draws one sketch and encodes it; uses Pillow.
- ``reference_images``: validates uploaded images and shows them in a sketch; uses Pillow.
- ``composition``: places a motif, a disc, bands of ground and the label.
- ``motifs``: silhouettes, from the file ``motifs.txt``.
- ``palettes``: colors, and their choice by words.
"""
