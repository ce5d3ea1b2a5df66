"""`python -m lowlat` is `python -m lowlat_cli`, which nothing in this package may import."""

import runpy

if __name__ == "__main__":
    runpy.run_module("lowlat_cli", run_name="__main__", alter_sys=True)
