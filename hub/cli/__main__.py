"""``python -m hub.cli``: the command where its script is not installed."""

from __future__ import annotations

import sys

from hub.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
