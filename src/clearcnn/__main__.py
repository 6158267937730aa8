"""`python -m clearcnn`, the same as `clearcnn`."""

import sys

from clearcnn.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
