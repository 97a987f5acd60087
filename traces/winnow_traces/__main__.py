"""Entry point of `python -m winnow_traces` (and of `winnow capture`)."""

import sys

from winnow_traces.cli import main

if __name__ == "__main__":
    sys.exit(main())
