"""The environment of a process that a worker of a cluster starts: that of its host, as without a cluster."""

from __future__ import annotations

import os
import sys

from lowlat.child_process import own_environment


def environment_of_host() -> dict[str, str]:
    """Ours, without what Dask sets for its workers: there malloc gives memory back at once, which makes a replay slower
    by a seventh, and OpenMP has one thread. Where Dask is not loaded, nothing is left out.
    """
    dask = sys.modules.get("dask")
    given = {} if dask is None else dask.config.get("distributed.nanny.pre-spawn-environ", {})
    return own_environment({name for name, value in given.items() if os.environ.get(name) == str(value)})
