"""A client of a cluster, from connecting or starting to the end of both."""

from __future__ import annotations

import contextlib
import logging
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Final

from lowlat.errors import UsageError
from lowlat.fleet.place import ClusterPlace
from lowlat.fleet.ssh import workers_by_ssh
from lowlat.fleet.worker_facts import RefusedWorker
from lowlat.text import printable

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S: Final = 10.0
"""How long a scheduler may take to answer."""
CLOSE_S: Final = 10.0
_ABORT_S: Final = 1.0
_LOUD: Final = ("distributed", "tornado", "asyncio", "asyncssh", "bokeh")
_OWN_CONFIG: Final = {
    "distributed.scheduler.http.routes": [],  # Dask opens this port without a dashboard too: nothing is served there
    "distributed.worker.http.routes": [],
    "distributed.scheduler.allowed-failures": 0,  # a task whose worker is lost fails; who submitted it may try again
    "distributed.worker.profile.enabled": False,  # it would look into the worker's threads every 10 ms
    # Each event loop would look how late it is every 20 ms, and at its memory every 100 ms, beside what is measured.
    "distributed.admin.tick.interval": "1s",
    "distributed.worker.memory.monitor-interval": "1s",
    # No threshold of malloc, by which it gives memory back at once: a block of a file would fault its pages in anew.
    "distributed.nanny.pre-spawn-environ": {"OPENBLAS_NUM_THREADS": 1},
}


@contextmanager
def connected_client(place: ClusterPlace) -> Iterator[tuple[Client, tuple[RefusedWorker, ...]]]:
    """A client of the cluster, for a `with` block, and the hosts that SSH started no worker on. A cluster that was
    started for it ends with it.

    Raises `UsageError` if Dask is not installed, or the cluster cannot be reached or started.
    """
    check_available(place)
    import dask

    with ExitStack() as ends, dask.config.set(_OWN_CONFIG if place.scheduler is None else {}):
        address: Any = place.scheduler
        unreached: tuple[RefusedWorker, ...] = ()
        if place.local is not None:
            address = ends.enter_context(_local(place.local))
        elif place.hosts is not None:
            address = ends.enter_context(_local(0))
            unreached = ends.enter_context(workers_by_ssh(address, place.names, _OWN_CONFIG))
        client = _client(address, place)
        try:
            yield client, unreached
        finally:
            client.close(CLOSE_S)


def check_available(place: ClusterPlace) -> None:
    """Load Dask, and keep its log off the terminal. Raises `UsageError` if it is not installed."""
    try:
        import distributed  # noqa: F401

        if place.hosts is not None:
            import asyncssh  # noqa: F401
    except ImportError as error:
        name = "dask.distributed" if error.name in {"distributed", "dask"} else error.name
        raise UsageError(f"a cluster needs {name}: pip install 'lowlat[cluster]'") from error
    silence()


def silence() -> None:
    """Send what Dask logs nowhere: what went wrong is said in our own words, and progress is drawn on the terminal."""
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _LOUD]
    for name in {*known, *_LOUD}:
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False


def _client(address: Any, place: ClusterPlace) -> Client:
    from distributed import Client

    class OwnClient(Client):  # type: ignore[misc]
        def start(self, **options: Any) -> None:
            """Leave nothing behind that would be closed when the process ends, if there is no connection."""
            try:
                super().start(callback_timeout=CONNECT_S + _ABORT_S, **options)  # Dask waits for a silent one
            except BaseException:
                with contextlib.suppress(Exception):
                    self.close(_ABORT_S)
                raise

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other versions: workers with other versions are refused by name
            return OwnClient(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise UsageError(f"no scheduler answers at {place} within {CONNECT_S:g} s; is it running there?") from error
    except MemoryError as error:  # the first bytes of another protocol, taken for a length
        raise UsageError(f"what answers at {place} is no Dask scheduler; name another port") from error
    except (TypeError, ValueError, RuntimeError) as error:  # of TLS without certificates, for one
        raise UsageError(
            f"cannot connect to {place}: {first_line(str(error) or type(error).__name__)}; see Dask's configuration"
        ) from error


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    """A cluster of processes on this host, which listens on the loopback interface only."""
    import dask
    from distributed import LocalCluster

    with tempfile.TemporaryDirectory(prefix="lowlat-") as scratch, dask.config.set({"temporary-directory": scratch}):
        with _spared_interruptions():
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address=None,
                silence_logs=logging.CRITICAL + 1,
                local_directory=scratch,
            )
        with cluster:
            yield cluster


@contextmanager
def _spared_interruptions() -> Iterator[None]:
    """Start threads and processes that never get Ctrl-C: this process alone decides how they end."""
    resource_tracker.ensure_running()  # which would unblock it in the thread that first starts a process
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def first_line(text: str) -> str:
    """The first line of a text that another program made, safe to print."""
    return printable(next(iter(text.strip().splitlines()), ""))
