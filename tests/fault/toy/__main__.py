"""See cli.py."""

import sys

from fault.toy.cli import main

if __name__ == "__main__":
    sys.exit(main())
