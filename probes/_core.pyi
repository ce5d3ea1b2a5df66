"""Native half of `probes`."""

from collections.abc import Callable, Sequence


CAN_FLUSH_LINES: bool = True

def line_bytes_of_register() -> int:
    """CTR_EL0.DminLine in bytes; 0 on other processors."""

def line_bytes_of_libc() -> int | None:
    """sysconf(_SC_LEVEL1_DCACHE_LINESIZE), or None."""

class FlushTimes:
    @property
    def distances(self) -> list[int]: ...

    @property
    def median_ticks(self) -> list[int]: ...

    @property
    def hit_ticks(self) -> int: ...

    @property
    def miss_ticks(self) -> int: ...

def measure_flush_times(samples: int) -> FlushTimes:
    """
    Time to load at a distance from a flushed line; `samples` for each distance.
    """

class PrefetchRates:
    @property
    def lower_half_previous(self) -> float: ...

    @property
    def lower_half_next(self) -> float: ...

    @property
    def upper_half_previous(self) -> float: ...

    @property
    def upper_half_next(self) -> float: ...

def measure_prefetch_rates(line_bytes: int, limit_ticks: int, samples: int) -> PrefetchRates:
    """
    How often the neighbors of a touched line load in less than `limit_ticks`.
    """

class SharingCosts:
    @property
    def distances(self) -> list[int]: ...

    @property
    def ticks_per_write(self) -> list[float]: ...

    @property
    def slices_kept(self) -> int: ...

    @property
    def slices_dropped(self) -> int: ...

    @property
    def error(self) -> int: ...

def measure_sharing_costs(first_cpu: int, second_cpu: int, slice_ticks: int, limit_ns: int) -> SharingCosts:
    """
    Cost of a write by two pinned threads, by the distance between their words.
    """

CLOCK_SOURCE: str = 'rdtsc'

CLOCK_IS_HARDWARE: bool = True

def ticks() -> int:
    """The counter now, in ticks; not ordered against other instructions."""

def counter_frequency_register() -> float:
    """0: this processor has no register for it."""

def ns_of_ticks(frequency_hz: float) -> tuple[int, int]:
    """
    Multiplier and shift from ticks to ns, for a frequency of 1 kHz to 1 THz.
    """

def ticks_of_ns(frequency_hz: float) -> tuple[int, int]:
    """
    Multiplier and shift from ns to ticks, for a frequency of 1 kHz to 1 THz.
    """

def apply_scale(value: int, multiplier: int, shift: int) -> int:
    """(value * multiplier) >> shift on 128 bits, as native code does it."""

class FrequencyFit:
    @property
    def frequency_hz(self) -> float: ...

    @property
    def standard_error_ppm(self) -> float: ...

    @property
    def halves_difference_ppm(self) -> float: ...

    @property
    def points_kept(self) -> int: ...

    @property
    def narrowest_ticks(self) -> int: ...

    @property
    def widest_kept_ticks(self) -> int: ...

    @property
    def step_ns(self) -> float: ...

    @property
    def step_explains(self) -> float: ...

def fit_frequency(points: Sequence[tuple[int, int, int]]) -> FrequencyFit:
    """
    The line through given brackets, each as ticks in its middle, clock in ns, and width in ticks.
    """

class FrequencyMeasurement:
    @property
    def raw(self) -> FrequencyFit: ...

    @property
    def monotonic(self) -> FrequencyFit: ...

    @property
    def brackets(self) -> int: ...

    @property
    def window_ns(self) -> int: ...

def measure_frequency(duration_ns: int, slots: int) -> FrequencyMeasurement:
    """
    Spin for the duration and fit the counter against both monotonic clocks.
    """

class ReadCosts:
    @property
    def plain_ns(self) -> float: ...

    @property
    def fenced_ns(self) -> float: ...

    @property
    def ordered_end_ns(self) -> float: ...

    @property
    def library_ns(self) -> float: ...

    @property
    def system_call_ns(self) -> float: ...

def measure_read_costs() -> ReadCosts:
    """Cost of one read of each clock, in ns."""

class CounterStep:
    @property
    def step_ticks(self) -> float: ...

    @property
    def concentration(self) -> float: ...

    @property
    def smallest_difference(self) -> int: ...

    @property
    def repeats(self) -> int: ...

    @property
    def backward(self) -> int: ...

def measure_counter_step(reads: int) -> CounterStep:
    """The step by which the counter counts, from irregularly spaced reads."""

class CoreSpeed:
    @property
    def cycles_per_tick(self) -> float: ...

    @property
    def slices(self) -> int: ...

def measure_core_speed(duration_ns: int) -> CoreSpeed:
    """Cycles per tick of the counter, on the CPU of the calling thread."""

class CounterSkew:
    @property
    def offset_ticks(self) -> int: ...

    @property
    def bound_ticks(self) -> int: ...

    @property
    def rounds(self) -> int: ...

    @property
    def warps(self) -> int: ...

    @property
    def error(self) -> int: ...

def measure_counter_skew(first_cpu: int, second_cpu: int, duration_ns: int, limit_ns: int) -> CounterSkew:
    """
    Ping-pong between two CPUs: offset of their counters, its bound, and warps.
    """

def cpuid(leaf: int, subleaf: int = 0) -> tuple[int, int, int, int] | None:
    """
    EAX, EBX, ECX, EDX of a leaf, or None where it is not defined here or this is no x86-64.
    """

class CpuThreadErrors:
    @property
    def error(self) -> int: ...

    @property
    def priority(self) -> int: ...

class GapRecording:
    @property
    def gaps(self) -> bytes: ...

    @property
    def moves(self) -> bytes: ...

    @property
    def counters(self) -> list[tuple[int, str, str]]:
        """Kind, label and description of each counter."""

    @property
    def threshold_ticks(self) -> int: ...

    @property
    def typical_ticks(self) -> int: ...

    @property
    def reads(self) -> int: ...

    @property
    def watched_ticks(self) -> int: ...

    @property
    def errors(self) -> CpuThreadErrors: ...

    @property
    def interrupts_error(self) -> int: ...

    @property
    def softirqs_error(self) -> int: ...

    @property
    def steal_error(self) -> int: ...

def watch_gaps(cpus: Sequence[int], fifo: int, duration_ticks: int, threshold_ticks: int, default_factor: int, gaps_max: int, waiting: Callable[[], None]) -> tuple[list[GapRecording], bool]:
    """
    Spin on each CPU, and whether Ctrl-C ended it; without a threshold, gaps are those of `default_factor` times the typical time between two reads. A `fifo` of 0 is normal priority; `waiting()` is called now and then.
    """

class PerfClock:
    @property
    def multiplier(self) -> int: ...

    @property
    def shift(self) -> int: ...

    @property
    def error(self) -> int: ...

def read_perf_clock() -> PerfClock:
    """The kernel's own scale of the counter; `error` is an errno or 0."""

class Slew:
    @property
    def frequency_ppm(self) -> float: ...

    @property
    def tick_us(self) -> int: ...

    @property
    def max_error_us(self) -> int: ...

    @property
    def synchronized(self) -> bool: ...

    @property
    def error(self) -> int: ...

def read_slew() -> Slew:
    """What adjtimex says of NTP; `error` is an errno or 0."""

class PathSamples:
    @property
    def ticks(self) -> list[int]: ...

    @property
    def awake(self) -> int: ...

    @property
    def backward(self) -> int: ...

    @property
    def error(self) -> int: ...

    @property
    def call(self) -> str: ...

class PathPlan:
    def __init__(self, samples: int, warm_up: int, pause_ns: int, limit_ns: int, sender_cpu: int | None, receiver_cpu: int | None) -> None: ...

def measure_system_call(plan: PathPlan) -> PathSamples:
    """Ticks of a system call, on the receiver's CPU."""

def measure_wake_up(plan: PathPlan) -> PathSamples:
    """Ticks from before FUTEX_WAKE to the woken thread."""

def measure_loopback_udp(plan: PathPlan) -> PathSamples:
    """Ticks of 64 bytes over UDP, send to receive."""

def measure_loopback_tcp(plan: PathPlan) -> PathSamples:
    """Ticks of 64 bytes over TCP, send to receive."""

def measure_stamp_ticks() -> int:
    """Ticks between two ordered timestamps back to back, median."""

class LineTransfer:
    @property
    def one_way_ticks(self) -> list[float]: ...

    @property
    def error(self) -> int: ...

def measure_line_transfer(first_cpu: int, second_cpu: int, preheat_ns: int, limit_ns: int, blocks: int, rounds: int) -> LineTransfer:
    """
    Ping-pong on two cache lines between two CPUs: ticks of a one-way transfer, block by block.
    """

class MemoryRegion:
    def __init__(self, bytes: int, pages: int, huge_bytes: int) -> None:
        """mmap of memory on base (0), transparent (1) or reserved (2) pages."""

    @property
    def error(self) -> int: ...

    @property
    def address(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    def populate(self, offset: int, bytes: int) -> int:
        """Have the kernel give memory to a part; 0 or an errno."""

class PointerChase:
    def __init__(self, region: MemoryRegion, line_bytes: int) -> None: ...

    @property
    def bytes(self) -> int: ...

    def extend(self, bytes: int) -> None:
        """Grow the random cycle to this size, within populated memory."""

    def measure(self, duration_ns: int, samples_min: int, samples_max: int) -> list[float]:
        """Ticks of a load, sample by sample."""

class ThreadBandwidth:
    @property
    def ns_of_mebibyte(self) -> list[float]: ...

    @property
    def errors(self) -> CpuThreadErrors: ...

def measure_bandwidth(memory: Sequence[tuple[int, int, int]], work: int, duration_ns: int) -> list[ThreadBandwidth]:
    """
    Threads that read (0), write (1) or copy (2), at once, each (CPU, address, bytes): the time of each block.
    """

def set_thread_memory_policy(policy: int, nodes: Sequence[int]) -> int:
    """set_mempolicy for the calling thread; 0 or an errno."""

def get_thread_memory_policy() -> tuple[int, int, list[int]]:
    """
    get_mempolicy of the calling thread: 0 or an errno, the policy, its nodes.
    """

def bind_memory(address: int, bytes: int, policy: int, node: int) -> int:
    """mbind with moving; 0 or an errno."""

def query_page_nodes(address: int, bytes: int) -> tuple[int, list[int]]:
    """
    move_pages as a question: 0 or an errno, and each page's node or minus an errno.
    """

class ThreadUsage:
    @property
    def voluntary_switches(self) -> int: ...

    @property
    def involuntary_switches(self) -> int: ...

    @property
    def minor_faults(self) -> int: ...

    @property
    def major_faults(self) -> int: ...

    @property
    def error(self) -> int: ...

def read_thread_usage() -> ThreadUsage:
    """Switches and page faults of the calling thread so far."""

class Wakeups:
    @property
    def late_ns(self) -> bytes: ...

    @property
    def missed(self) -> int: ...

    @property
    def errors(self) -> CpuThreadErrors: ...

def measure_wakeups(cpus: Sequence[int], fifo: int, interval_ns: int, count: int, waiting: Callable[[], None]) -> tuple[list[Wakeups], bool]:
    """
    Sleep on each CPU until moments an interval apart; how late each sleep ended, and whether Ctrl-C ended it.
    """
