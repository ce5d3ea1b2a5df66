// The counter's frequency relative to an operating-system clock: bracketed reads, and a line through the best.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <vector>

#include "probes/native/clock.hpp"

namespace lowlat {

// One clock read between two counter reads. The clock was read within [ticks - width/2, ticks + width/2].
struct Bracket {
    std::uint64_t ticks = 0;  // the middle
    std::int64_t clock_ns = 0;
    std::uint64_t width_ticks = 0;
};

inline std::int64_t read_clock_ns(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline Bracket take_bracket(clockid_t clock) noexcept {
    Bracket bracket;
    const std::uint64_t before = ticks_begin();
    bracket.clock_ns = read_clock_ns(clock);
    const std::uint64_t after = ticks_end();
    bracket.width_ticks = after - before;
    bracket.ticks = before + bracket.width_ticks / 2;
    return bracket;
}

struct FrequencyFit {
    double frequency_hz = 0.0;
    double standard_error_ppm = 0.0;      // of the slope, from the residuals
    double halves_difference_ppm = 0.0;   // slope of the second half of the window minus that of the first
    std::uint64_t points_kept = 0;        // points used for the line
    std::uint64_t narrowest_ticks = 0;    // the best bracket seen
    std::uint64_t widest_kept_ticks = 0;  // the widest bracket used for the line
    double step_ns = 0.0;                 // the one step of the clock that explains the residuals best
    double step_explains = 0.0;           // share of the residuals' squares that this step explains, 0 to 1
};

namespace detail {

struct Line {
    double slope = 0.0;  // ticks per ns
    double standard_error = 0.0;
};

template <typename Of>
double mean(const Bracket* first, const Bracket* last, Of of) noexcept {
    double sum = 0.0;
    for (const Bracket* b = first; b != last; ++b) sum += of(*b) / static_cast<double>(last - first);
    return sum;
}

// Least squares of ticks over ns, on offsets from the first point so that doubles stay exact (below 2^53).
inline Line fit_line(const Bracket* first, const Bracket* last, const Bracket& origin) noexcept {
    const auto n = static_cast<double>(last - first);
    const auto x_of = [&](const Bracket& b) { return static_cast<double>(b.clock_ns - origin.clock_ns); };
    const auto y_of = [&](const Bracket& b) {
        return static_cast<double>(static_cast<std::int64_t>(b.ticks - origin.ticks));
    };
    const double x_mean = mean(first, last, x_of);
    const double y_mean = mean(first, last, y_of);
    double sxx = 0.0;
    double sxy = 0.0;
    for (const Bracket* b = first; b != last; ++b) {
        sxx += (x_of(*b) - x_mean) * (x_of(*b) - x_mean);
        sxy += (x_of(*b) - x_mean) * (y_of(*b) - y_mean);
    }
    if (n < 3.0 || sxx <= 0.0) return {};
    const double slope = sxy / sxx;
    double residual = 0.0;
    for (const Bracket* b = first; b != last; ++b) {
        const double error = (y_of(*b) - y_mean) - slope * (x_of(*b) - x_mean);
        residual += error * error;
    }
    return {slope, std::sqrt(residual / (n - 2.0) / sxx)};
}

struct ClockStep {
    double ticks = 0.0;     // how far the points after the step are from where the line expects them
    double explains = 0.0;  // share of the residuals' squares
};

// Finds the one step that explains the residuals of a line best: least squares with a jump, tried before each point.
// A step in mid-window tilts the line, so slope and step are fitted together; the indicator of the points after a jump,
// less its own line, has the squares below (Frisch and Waugh), and both sums need only the points that follow.
inline ClockStep find_step(const Bracket* first, const Bracket* last, const Bracket& origin, double slope) noexcept {
    const auto n = static_cast<double>(last - first);
    const auto x_of = [&](const Bracket& b) { return static_cast<double>(b.clock_ns - origin.clock_ns); };
    const auto y_of = [&](const Bracket& b) {
        return static_cast<double>(static_cast<std::int64_t>(b.ticks - origin.ticks)) - slope * x_of(b);
    };
    const double x_mean = mean(first, last, x_of);
    const double y_mean = mean(first, last, y_of);
    double sxx = 0.0;
    double residual = 0.0;
    for (const Bracket* b = first; b != last; ++b) {
        sxx += (x_of(*b) - x_mean) * (x_of(*b) - x_mean);
        residual += (y_of(*b) - y_mean) * (y_of(*b) - y_mean);
    }
    ClockStep best;
    double after = 0.0;
    double x_after = 0.0;
    double y_after = 0.0;
    for (const Bracket* b = last - 1; b != first && residual > 0.0; --b) {
        after += 1.0;
        x_after += x_of(*b) - x_mean;
        y_after += y_of(*b) - y_mean;
        const double squares = after - after * after / n - x_after * x_after / sxx;
        // Nearly nothing is left of the indicator at either end of the window.
        if (squares < 0.01) continue;
        const double explains = y_after * y_after / squares / residual;
        if (explains > best.explains) best = {y_after / squares, explains};
    }
    return best;
}

}  // namespace detail

// The line through the narrowest tenth of the brackets, including ties: if the counter steps by many ticks, there are
// few distinct widths, and many points share the narrowest one.
inline FrequencyFit fit_frequency(std::vector<Bracket> points) {
    FrequencyFit fit;
    if (points.size() < 80) return fit;
    const Bracket origin = points.front();
    std::vector<std::uint64_t> widths;
    widths.reserve(points.size());
    for (const Bracket& b : points) widths.push_back(b.width_ticks);
    const auto tenth = widths.begin() + static_cast<std::ptrdiff_t>(widths.size() / 10);
    std::nth_element(widths.begin(), tenth, widths.end());
    fit.widest_kept_ticks = *tenth;
    fit.narrowest_ticks = *std::min_element(widths.begin(), tenth + 1);
    std::erase_if(points, [&](const Bracket& b) { return b.width_ticks > fit.widest_kept_ticks; });

    const Bracket* first = points.data();
    const Bracket* last = first + points.size();
    const Bracket* half = first + points.size() / 2;
    const detail::Line whole = detail::fit_line(first, last, origin);
    const detail::Line early = detail::fit_line(first, half, origin);
    const detail::Line late = detail::fit_line(half, last, origin);
    fit.points_kept = points.size();
    fit.frequency_hz = whole.slope * 1e9;
    fit.standard_error_ppm = whole.standard_error / whole.slope * 1e6;
    fit.halves_difference_ppm = (late.slope - early.slope) / whole.slope * 1e6;
    const detail::ClockStep step = detail::find_step(first, last, origin, whole.slope);
    // More ticks than the clock tells: the clock fell behind.
    fit.step_ns = -step.ticks / whole.slope;
    fit.step_explains = step.explains;
    return fit;
}

struct FrequencyMeasurement {
    FrequencyFit raw;        // against the clock that NTP does not touch
    FrequencyFit monotonic;  // against the clock that NTP slews
    std::uint64_t brackets = 0;
    std::uint64_t window_ns = 0;
};

// Spins for `duration_ns` on the calling thread. The window is divided into `slots` parts; the narrowest bracket of
// each part becomes a point. A preempted part also gets a point; wide brackets are discarded later. Calls `between`
// after every part with the part's number; it may throw to end the measurement.
template <typename Between>
FrequencyMeasurement measure_frequency(std::uint64_t duration_ns, std::uint64_t slots, Between between) {
    FrequencyMeasurement result;
    std::vector<Bracket> raw(slots);
    std::vector<Bracket> monotonic(slots);
    take_bracket(CLOCK_MONOTONIC_RAW);  // the first call faults the clock's page in
    const std::int64_t start_ns = read_clock_ns(CLOCK_MONOTONIC_RAW);
    for (std::uint64_t slot = 0; slot < slots; ++slot) {
        const std::int64_t end_ns = start_ns + static_cast<std::int64_t>(duration_ns * (slot + 1) / slots);
        raw[slot].width_ticks = std::numeric_limits<std::uint64_t>::max();
        monotonic[slot].width_ticks = std::numeric_limits<std::uint64_t>::max();
        Bracket latest;
        do {
            latest = take_bracket(CLOCK_MONOTONIC_RAW);
            if (latest.width_ticks < raw[slot].width_ticks) raw[slot] = latest;
            const Bracket slewed = take_bracket(CLOCK_MONOTONIC);
            if (slewed.width_ticks < monotonic[slot].width_ticks) monotonic[slot] = slewed;
            ++result.brackets;
        } while (latest.clock_ns < end_ns);
        between(slot);
    }
    result.window_ns = static_cast<std::uint64_t>(read_clock_ns(CLOCK_MONOTONIC_RAW) - start_ns);
    result.raw = fit_frequency(std::move(raw));
    result.monotonic = fit_frequency(std::move(monotonic));
    return result;
}

}  // namespace lowlat
