"""python -m flatpipe."""

from flatpipe.cli import main

if __name__ == "__main__":
    main()
