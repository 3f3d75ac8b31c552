"""A gateway on this machine: the same wire protocol, and sketches instead of images.

- ``protocol``: the class ``Emulator``, one request in, one answer out.
- ``asking``: reads and refuses what is asked for, with ``forms``; ``answers``: writes a success
  down.
- ``account``: money, ids and the log; ``catalogue``: the models on offer.
- ``faults``: everything that can go wrong, by name: ``refusals``, ``spoiled`` answers (``spoils``
  and ``bombs`` say how) and ``transports``, what a socket does wrong.
- ``sketch``: draws, with ``scenes`` (``landscapes``, ``patterns``) made of ``shapes``, and
  ``lettering``, and with ``insets`` of the images that it follows; these two use Pillow.
- ``server``: the emulator on a socket.
- ``records`` and ``bodies``: what travels between these.

A sketch is never taken for an image: the word stands on it, ``request.SKETCH_MARK`` in its
file, and ``imagegen: {"sketch": true}`` in the answer's metadata.
"""
