"""Everything with pixels.

- ``image``: an image as a page shows it; pure.
- ``variants``: the sizes and formats in which a page shows an original; pure.
- ``decode``: the only place where foreign bytes become an image.
- ``encode``: image files from pixels: variants, blur, thumbnails.
- ``derive``: the files of an image, from the variant cache or encoded, in the site.
- ``placeholder``: the SVG that a page shows while an image is missing; pure.
"""
