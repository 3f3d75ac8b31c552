#!/bin/sh
# Previews are all branches but main. They show placeholders for images
# that are not committed.
set -eu
case "${CF_PAGES_BRANCH:-main}" in
  main) IMAGEGEN_ON_MISSING=error ;;
  *) IMAGEGEN_ON_MISSING=placeholder ;;
esac
export IMAGEGEN_ON_MISSING

pip install -r requirements.txt
mkdocs build --strict
