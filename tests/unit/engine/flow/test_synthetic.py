"""Synthetic flow is the workload of every published figure: it is the same on every machine and matches its profile."""

from functools import cache

import msgspec
import numpy as np
import pytest

from lowlat.engine.flow.arrivals import BRANCHING, DECAY_SPACINGS
from lowlat.engine.flow.order_flow import digest_commands
from lowlat.engine.flow.profile import ArrivalProcess, Arrivals, Mix, Profile, load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, CommandType, ExecType
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import InputError, UsageError

# SHA-256 of 5,000 commands with seed 7. They change only if a profile or the generator changes on purpose; earlier
# figures then belong to another workload. The same on every machine and compiler, since only integers are involved.
HASHES = {
    "all-kinds": "28dfe2b76169552065580757d431a3a4786a6c0635f94b68d26fcf3d8d338db1",
    "burst": "d3821e1b7aeb34913138e5406cdf3f947ee8e9d665b4d96c16ef073ad1565956",  # steady's: its arrivals differ
    "cancel-storm": "bffefc0be82747560e47589962f690b791ccf9d51dd5d250740c167a9dcecf25",
    "day": "76bea3c4f26d22f8b101702a106a6b26934c7c693e917dc59f3d3d312c048c5b",
    "deep": "2c4f70160693eae2efa71911f1701044cd322b5dba3d741afc9588e3074bd9df",
    "equity": "8aa325d8a53171bfdc7fe96b60a5b7838bab134841edcde49872f687aeff7ff6",
    "flash-crash": "52a92237cc62ad602ecf7589b1e68e7ec2ad75e8e3114488c31d5022e27bdf5e",
    "futures": "70c113a9c6455e2d428ccc29141eb72a85b508d565387ec4b8a1201784f199b6",
    "many-symbols": "14762dea12ba3cac20398fbdfe8443ef564f90dde360cc77a2233ba2dd18360d",
    "steady": "d3821e1b7aeb34913138e5406cdf3f947ee8e9d665b4d96c16ef073ad1565956",
    "sweep": "ca5aef496720f7e54e54425756783e7f57fd09f93b3d4ccbca80a2b3619e4865",
}


COSTLY = ("day",)  # takes seconds to generate
ALL = [pytest.param(name, marks=[pytest.mark.slow] * (name in COSTLY)) for name in sorted(HASHES)]


@cache
def small(name, commands=20_000, seed=7):
    return synthetic_flow(load_profile(name), commands, seed)


@pytest.mark.parametrize("name", ALL)
def test_same_seed_same_bytes_on_every_machine(name):
    longer = small(name)
    assert digest_commands(longer.seeded, longer.commands[: longer.seeded + 5_000]) == HASHES[name]


def test_every_builtin_profile_is_pinned():
    assert profile_names() == sorted(HASHES)


def test_a_flow_has_the_digest_of_its_commands():
    assert small("steady", 5_000).hash == HASHES["steady"]


def test_another_seed_gives_another_flood_and_a_longer_one_starts_the_same():
    short, long, other = small("steady", 1_000), small("steady", 3_000), small("steady", 1_000, seed=8)
    assert np.array_equal(long.commands[: len(short.commands)], short.commands)
    assert short.hash != other.hash


@pytest.mark.parametrize("name", ALL)
def test_no_command_is_refused_but_fill_or_kill(name):
    """The generator changes only live orders; only FOK may be rejected, if the book is too thin."""
    made = small(name)
    events = Engine(made.instruments, orders=made.orders).process(made.commands)
    rejected = events[events["kind"] == ExecType.REJECTED]
    reasons = set(rejected["reason"].tolist())
    assert reasons <= {17}
    assert len(rejected) <= made.mix["fok"]


@pytest.mark.parametrize("name", ALL)
def test_composition_is_that_of_the_commands(name):
    made = small(name)
    kinds = made.measured["kind"]
    assert sum(made.mix.values()) == len(made.measured)
    for act, kind in (("cancel", CommandType.CANCEL), ("reduce", CommandType.REDUCE), ("replace", CommandType.REPLACE)):
        assert made.mix[act] == np.count_nonzero(kinds == kind)
    engine = Engine(made.instruments, orders=made.orders)
    engine.process(made.commands[: made.seeded])
    events = engine.process(made.measured)
    assert made.trades == np.count_nonzero(events["kind"] == ExecType.TRADE)
    profile = load_profile(name)
    assert made.live_orders.peak <= profile.live_orders * (5 / 4 if profile.lifetime else 17 / 16) + 2


def test_seeding_commands_build_the_book_and_do_not_trade():
    made = small("deep", 10)
    engine = Engine(made.instruments, orders=made.orders)
    events = engine.process(made.commands[: made.seeded])
    assert set(events["kind"].tolist()) == {ExecType.ACCEPTED}
    assert engine.counters.live_orders == made.seeded == 100_000


def test_steady_holds_its_stated_shape():
    made = small("steady", 200_000)
    share = {act: count / 200_000 for act, count in made.mix.items()}
    assert share["add"] == pytest.approx(0.5, abs=0.01)
    assert share["cancel"] == pytest.approx(0.4, abs=0.01)
    assert share["take"] == pytest.approx(0.1, abs=0.01)
    assert 9_000 < made.live_orders.mean < 11_000
    assert made.depth_touched.peak <= 3


def test_flash_crash_travels_tens_of_thousands_of_ticks():
    made = small("flash-crash", 400_000)
    prices = made.measured["price"][made.measured["kind"] == CommandType.LIMIT]
    assert prices.max() - prices.min() > 30_000


def test_many_symbols_follow_zipf():
    made = small("many-symbols", 100_000)
    counts = np.bincount(made.measured["symbol"], minlength=1_000)
    # Weight 1/rank over 1,000 books: the first gets 1/7.485 of the orders, the second half as many.
    assert counts[0] / 100_000 == pytest.approx(1 / 7.485, rel=0.05)
    assert counts[0] / counts[1] == pytest.approx(2, rel=0.1)


def test_records_start_on_cache_lines():
    made = small("steady", 100)
    assert made.commands.dtype == COMMAND
    assert made.commands.ctypes.data % 64 == 0


PROFILE = """
live_orders = 100
[mix]
add = 5
cancel = 4
replace = 2
reduce = 1
post_only = 1
take = 1
"""


def test_own_profile_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE)
    profile = load_profile(str(path))
    assert (profile.name, profile.mix) == ("mine", Mix(add=5, cancel=4, replace=2, reduce=1, post_only=1, take=1))
    made = synthetic_flow(profile, 10_000, 1)
    events = Engine(made.instruments).process(made.commands)
    assert not np.count_nonzero(events["kind"] == ExecType.REJECTED)


def test_burst_is_an_open_loop_and_the_others_are_closed_ones():
    due = {name: load_profile(name).arrivals for name in profile_names()}
    assert due.pop("burst") == ArrivalProcess(
        process="burst", rate=1_000_000, branching=BRANCHING, decay_spacings=DECAY_SPACINGS
    )
    assert set(due.values()) == {None}


def test_arrivals_of_an_own_profile(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE + '[arrivals]\nprocess = "poisson"\nrate = 250_000\n')
    assert load_profile(str(path)).arrivals == ArrivalProcess(process="poisson", rate=250_000)


def test_arrivals_without_a_rate_leave_it_to_the_run(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE + '[arrivals]\nprocess = "burst"\nbranching = 0.5\n')
    process = load_profile(str(path)).arrivals
    assert (process.rate, process.at(5)) == (None, Arrivals(process="burst", rate=5, branching=0.5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROFILE.replace("reduce", "redcue"), "redcue"),
        (PROFILE.replace("add = 5", "add = -5"), "mix.add"),
        (PROFILE.replace("= 5", '= "5"'), "mix.add"),
        (PROFILE.replace("live_orders = 100", "live_orders = 0"), "live_orders"),
        (PROFILE.replace("live_orders = 100", "live_orders = 10\nsymbols = 11"), "11 symbols"),
        ("[mix]\nadd = 0", "every weight"),
        ("live_orders = 5", "mix"),
        (PROFILE + "[arrivals]\nrate = 5", "arrivals.process: this key is missing"),
        (PROFILE + '[arrivals]\nprocess = "bursts"\nrate = 5', "arrivals.process"),
        (PROFILE + '[arrivals]\nprocess = "burst"\nrate = 0', "arrivals.rate"),
        (PROFILE + '[arrivals]\nprocess = "burst"\nrate = 5\nbranching = 1.0', "arrivals.branching"),
        (PROFILE + '[arrivals]\nprocess = "burst"\nrate = 5\ndecay = 1', "decay"),
        (PROFILE + '[arrivals]\nprocess = "poisson"\nrate = 5\nbranching = 0.5', 'process "burst", not'),
        ("[mix", "mine.toml"),
    ],
)
def test_a_wrong_profile_says_which_key(text, said, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        load_profile(str(path))


PLACEMENT = """
[placement]
spread_ticks = 5
improve = 0.2
join = 0.3
improve_ticks = [[1, 0.5], [3, 1]]
behind_ticks = [[1, 0.5], [9, 1]]
"""
LIFETIME = """
[[lifetime]]
within_ticks = 0
commands = [[10, 0.5], [100, 0.9]]
[[lifetime]]
commands = [[20, 0.5]]
"""
AGGRESSIVE = """
[aggressive]
clear = 0.5
sweep = 0.1
sweep_levels = [[2, 0.9], [4, 1]]
"""
MARKET = PROFILE + PLACEMENT + LIFETIME + AGGRESSIVE
LONG_MEMORY = '[arrivals]\nprocess = "long-memory"\nrate = 5\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MARKET + "[price]\ndistance_ticks = 3", "price.distance_ticks has no meaning beside placement"),
        (MARKET + "[price]\ntravel_ticks = 3", "price.travel_ticks has no meaning beside placement"),
        (MARKET + "[price]\nthrough_ticks = 3", "price.through_ticks has no meaning beside aggressive"),
        (
            MARKET + "[quantity]\nresting_max = 3\nresting = [[5, 1]]",
            "resting_max has no meaning beside quantity.resting",
        ),
        (MARKET + "[quantity]\naggressive_max = 3\naggressive = [[5, 1]]", "aggressive_max has no meaning beside"),
        (MARKET + "[quantity]\nresting = [[5, 0.9]]", r"quantity.resting: the last share is 0.9; it must be 1"),
        (
            MARKET + "[quantity]\nresting = [[5, 0.9], [4, 1]]",
            r"quantity.resting\[1\]: 4 follows 5; values must ascend",
        ),
        (MARKET + "[quantity]\nresting = [[5, 0.9], [6, 0.5]]", r"quantity.resting\[1\]: a share of 0.5 follows 0.9"),
        (MARKET + "[quantity]\nresting = [[0, 1]]", r"quantity.resting\[0\]: 0 is outside 1..1000000"),
        (MARKET + "[quantity]\nresting = []", "quantity.resting"),
        (MARKET + "[quantity]\nresting = [[5, 1.5]]", "quantity.resting"),
        (
            MARKET.replace("[[1, 0.5], [9, 1]]", "[[1, 0.5], [2_000_000, 1]]"),
            r"placement.behind_ticks\[1\]: 2000000 is out",
        ),
        (MARKET.replace("improve = 0.2", "improve = 1.2"), "placement.improve"),
        (MARKET.replace("join = 0.3\n", ""), "join"),
        (MARKET.replace("[100, 0.9]", "[2_000_000_000, 0.9]"), r"lifetime\[0\].commands\[1\]: 2000000000 is outside"),
        (MARKET.replace("within_ticks = 0\n", ""), r"lifetime\[0\].within_ticks: every band but the last needs one"),
        (
            PROFILE + LIFETIME.replace("commands = [[20", "within_ticks = 5\ncommands = [[20"),
            r"lifetime\[1\].within_ticks",
        ),
        (PROFILE + LIFETIME[: LIFETIME.index("[[lifetime]]\ncommands")] + LIFETIME[1:], r"lifetime\[1\]..*0 follows 0"),
        (PROFILE + "[[lifetime]]\ncommands = [[9000, 1]]", "1,929 live orders or more, but live_orders is 100"),
        (
            MARKET.replace("add = 5", "add = 0").replace("post_only = 1", ""),
            "lifetime: no weight of an order that rests",
        ),
        (
            MARKET.replace("clear = 0.5", "clear = 0.95"),
            r"aggressive.clear and aggressive.sweep: 0.95 \+ 0.1 is above 1",
        ),
        (MARKET.replace("[[2, 0.9], [4, 1]]", "[[1, 0.9], [4, 1]]"), r"aggressive.sweep_levels\[0\]: 1 is outside 2"),
        (PROFILE + LONG_MEMORY + "branching = 0.5", 'branching .* are for process "burst"'),
        (
            PROFILE + LONG_MEMORY.replace("long-memory", "poisson") + "kernels = [[0.5, 1.0]]",
            'kernels is for process "long',
        ),
        (PROFILE + LONG_MEMORY + "kernels = [[0.5, 1.0], [0.5, 9.0]]", "triggers 1 others in total"),
        (PROFILE + LONG_MEMORY + "kernels = [[0.5, 1_000_000.0]]", "arrivals.kernels"),
        (PROFILE.replace("live_orders", "zipf_exponent = -1\nlive_orders"), "zipf_exponent"),
    ],
)
def test_a_wrong_table_says_which_key(text, said, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        load_profile(str(path))


def test_a_profile_may_combine_the_tables_with_every_order_kind(tmp_path):
    """Stops, icebergs and auctions among orders with lifetimes: only FOK may be rejected, and both engines agree."""
    path = tmp_path / "mine.toml"
    extended = (
        "iceberg = 2\nall_or_none = 1\nstop = 2\nstop_limit = 1\ntrailing_stop = 1\nday = 1\ngtd = 1\nslide = 1\n"
    )
    path.write_text(MARKET.replace("take = 1\n", f"take = 1\nfok = 1\nmarket = 1\n{extended}clock = 1\nauction = 1\n"))
    made = synthetic_flow(load_profile(str(path)), 10_000, 1)
    events = Engine(made.instruments, orders=made.orders).process(made.commands)
    expected = ReferenceEngine(made.instruments, orders=made.orders).process(made.commands)
    assert np.array_equal(events, expected)
    assert set(events["reason"][events["kind"] == ExecType.REJECTED].tolist()) <= {17}


def test_an_unknown_profile_lists_those_there_are():
    with pytest.raises(InputError, match=r"did you mean steady\?.*cancel-storm.*sweep"):
        load_profile("stedy")


def test_where_only_stops_are_left_one_is_canceled_instead_of_replaced():
    """A waiting stop cannot be replaced: the search for another order ends, and the mix counts what was generated."""
    profile = Profile(live_orders=10, mix=Mix(add=1, take=3, stop=5, replace=5))
    made = synthetic_flow(profile, 5_000, 7)
    for act, kind in (("cancel", CommandType.CANCEL), ("replace", CommandType.REPLACE)):
        assert made.mix[act] == np.count_nonzero(made.measured["kind"] == kind) > 0
    events = Engine(made.instruments, orders=made.orders).process(made.commands)
    assert ExecType.REJECTED not in events["kind"]


@pytest.mark.parametrize(("commands", "seed"), [(0, 1), (-1, 1), (1 << 31, 1), (10, -1), (10, 1 << 64)])
def test_count_and_seed_out_of_range(commands, seed):
    with pytest.raises(UsageError, match=r"(commands|seed): -?\d+ is not an integer from \d to \d+$"):
        synthetic_flow(load_profile("steady"), commands, seed)


def test_profile_documents_every_key():
    """The module's docstring is the manual: users would not find a key without a line there."""
    import lowlat.engine.flow.profile as module

    structs = (module.Profile, module.Mix, module.Price, module.Quantity, module.ArrivalProcess)
    for struct in (*structs, module.OrderPlacement, module.Lifetime, module.Aggressive):
        for field in msgspec.structs.fields(struct):
            assert field.name == "name" or field.name in module.__doc__
