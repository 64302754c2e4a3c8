"""`python -m gategrad` is the `gategrad` command."""

import sys

from gategrad.cli import main

if __name__ == "__main__":
    sys.exit(main())
