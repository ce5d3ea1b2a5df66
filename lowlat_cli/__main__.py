"""`python -m lowlat_cli`: the command line with this interpreter, also where no script `lowlat` is on the path."""

import sys

from lowlat_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
