"""``python -m mkdocs_imagegen`` is the command ``mkdocs-imagegen``."""

from mkdocs_imagegen.cli.main import main

if __name__ == "__main__":
    main(prog_name="mkdocs-imagegen")
