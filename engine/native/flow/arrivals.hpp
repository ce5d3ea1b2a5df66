// Planned arrival times of an open-loop run, in picoseconds from its start, ascending. Integers only, so that a seed
// means the same schedule on every machine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <span>
#include <vector>

#include "engine/native/flow/random.hpp"

namespace lowlat {

inline constexpr std::uint64_t picoseconds = 1'000'000'000'000;     // per second
inline constexpr std::uint64_t own_stream = 0x6172'7269'7661'6C73;  // separates the draws from a flow of the same seed
inline constexpr unsigned fraction_bits = 32;                       // of exponential variates and their scale factors

/// An exponential variate of mean one, in units of 2^-32, by von Neumann's comparisons ("Various techniques used in
/// connection with random digits", 1951): a run of falling uniform draws has odd length with probability e^-first; then
/// the first is the variate's fraction below one. An even length adds one and starts again.
inline std::uint64_t exponential(Random& random) {
    for (std::uint64_t whole = 0;; ++whole) {
        const std::uint64_t first = random.next();
        bool odd = true;
        for (std::uint64_t last = first, drawn = random.next(); drawn < last; drawn = random.next()) {
            last = drawn;
            odd = !odd;
        }
        if (odd) return whole << fraction_bits | first >> (64 - fraction_bits);
    }
}

__extension__ using Product = unsigned __int128;

/// A factor in units of 2^-32 applied to a variate.
inline std::uint64_t scaled(std::uint64_t variate, std::uint64_t factor) {
    return static_cast<std::uint64_t>(static_cast<Product>(variate) * factor >> fraction_bits);
}

/// A Poisson process with one arrival per unit of time, on average; times are in 2^-32 units.
class PoissonArrivals {
  public:
    explicit PoissonArrivals(std::uint64_t seed) : random_(seed ^ own_stream) {}

    std::uint64_t next() { return now_ += exponential(random_); }

  private:
    Random random_;
    std::uint64_t now_ = 0;
};

/// Self-excitation, in units of 2^-32; validated and documented in Python (engine/flow/arrivals.py).
struct Excitation {
    std::uint64_t branching;  // children of an arrival on average; over all excitations below 1
    std::uint64_t decay;      // mean delay of a child, in mean spacings
};

/// A Hawkes process with one arrival per unit of time, whose kernel is a sum of exponentials, built from its clusters
/// (A. G. Hawkes and D. Oakes, "A cluster process representation of a self-exciting process", 1974): immigrants form a
/// Poisson process, and for each exponential every arrival has a Poisson number of children, each after an exponential
/// delay. It takes time in proportion to arrivals times exponentials.
class HawkesArrivals {
  public:
    HawkesArrivals(std::uint64_t seed, std::span<const Excitation> excitations)
        : random_(seed ^ own_stream), excitations_(excitations.begin(), excitations.end()) {
        std::uint64_t branching = 0;
        std::uint64_t longest = 0;
        for (const Excitation& excitation : excitations) {
            branching += excitation.branching;
            longest = std::max(longest, excitation.decay);
        }
        immigrant_spacing_ = ~std::uint64_t{0} / (one - branching);
        immigrant_ = scaled(exponential(random_), immigrant_spacing_);
        // The process starts without excitation. The effect of that fades as e^(-t (1 - branching) / decay) or faster,
        // where `decay` is the longest one: after 32 time constants it is below 1e-13, and the process is stationary.
        start_ = 32 * scaled(longest, immigrant_spacing_);
        while (upcoming() < start_) arrive();
    }

    std::uint64_t next() { return arrive() - start_; }

  private:
    static constexpr std::uint64_t one = std::uint64_t{1} << fraction_bits;

    std::uint64_t upcoming() const {
        return children_.empty() || immigrant_ < children_.top() ? immigrant_ : children_.top();
    }

    std::uint64_t arrive() {
        const std::uint64_t now = upcoming();
        if (now == immigrant_)
            immigrant_ += scaled(exponential(random_), immigrant_spacing_);
        else
            children_.pop();
        for (const Excitation& excitation : excitations_) {
            // The number of arrivals of a Poisson process of rate one in a time of `branching`.
            for (std::uint64_t at = exponential(random_); at < excitation.branching; at += exponential(random_))
                children_.push(now + scaled(exponential(random_), excitation.decay));
        }
        return now;
    }

    Random random_;
    std::vector<Excitation> excitations_;
    std::uint64_t immigrant_spacing_ = 0;
    std::uint64_t immigrant_ = 0;  // time of the next one
    std::uint64_t start_ = 0;
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> children_;  // pending
};

/// Arrivals of a process, stretched so that the one after the last falls on `span_ps`.
template <typename Process>
void fill_arrivals(Process process, std::uint64_t span_ps, std::span<std::uint64_t> times_ps) {
    for (std::uint64_t& time : times_ps) time = process.next();
    const std::uint64_t end = process.next();
    for (std::uint64_t& time : times_ps) time = static_cast<std::uint64_t>(static_cast<Product>(time) * span_ps / end);
}

/// Arrival i at i / rate seconds, rounded down. The remainder is carried, so rounding errors do not accumulate.
inline void fill_constant(std::uint64_t rate_per_s, std::span<std::uint64_t> times_ps) {
    std::uint64_t now = 0;
    std::uint64_t remainder = 0;
    for (std::uint64_t& time : times_ps) {
        time = now;
        now += picoseconds / rate_per_s;
        remainder += picoseconds % rate_per_s;
        if (remainder >= rate_per_s) {
            remainder -= rate_per_s;
            ++now;
        }
    }
}

}  // namespace lowlat
