// Reads latencies from text, one decimal number a line, into a histogram of nanoseconds.
//
// A line is `12345`, `12.345`, `.5`, `1.2e-05`, with spaces, tabs or a carriage return around it; an empty one is
// skipped. Digits without an exponent are exact; what is finer than a nanosecond is rounded, halves up.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "reports/native/histogram.hpp"

namespace lowlat {

// The power of ten that makes nanoseconds of a unit: 0, 3, 6 or 9.
enum class NanosecondsPower : std::uint8_t { nanoseconds = 0, microseconds = 3, milliseconds = 6, seconds = 9 };

inline constexpr std::array<std::uint64_t, 10> powers_of_ten{
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

[[nodiscard]] constexpr bool is_digit(char character) noexcept {
    return character >= '0' && character <= '9';
}

[[nodiscard]] constexpr std::string_view trimmed(std::string_view line) noexcept {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = line.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view{}
                                           : line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

// A number with an exponent: as a double, whose 53 bits hold every nanosecond of the histogram's range.
[[nodiscard]] inline std::optional<std::uint64_t> rounded_ns(std::string_view number, NanosecondsPower power) noexcept {
    double value = 0;
    const char* const end = number.data() + number.size();
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): its end is given, too.
    const auto [parsed, error] = std::from_chars(number.data(), end, value);
    if (error != std::errc{} || parsed != end) return std::nullopt;
    const double scaled = std::floor(value * static_cast<double>(powers_of_ten[static_cast<std::size_t>(power)]) + 0.5);
    if (!(scaled >= 0 && scaled <= static_cast<double>(Histogram::highest_ns))) return std::nullopt;
    return static_cast<std::uint64_t>(scaled);
}

// The nanoseconds of digits with or without a decimal point; nothing for other text, and above the histogram's range.
[[nodiscard]] inline std::optional<std::uint64_t> exact_ns(std::string_view number, NanosecondsPower power) noexcept {
    const std::uint64_t scale = powers_of_ten[static_cast<std::size_t>(power)];
    std::uint64_t value = 0;
    std::size_t at = 0;
    for (; at < number.size() && is_digit(number[at]); ++at) {
        value = value * 10 + static_cast<std::uint64_t>(number[at] - '0');
        if (value > Histogram::highest_ns / scale) return std::nullopt;
    }
    value *= scale;
    bool digits = at > 0;
    if (at < number.size() && number[at] == '.') {
        bool up = false;
        std::uint64_t place = scale;
        const std::size_t first = ++at;
        for (; at < number.size() && is_digit(number[at]); ++at) {
            const auto digit = static_cast<std::uint64_t>(number[at] - '0');
            if (place > 1) {
                place /= 10;
                value += digit * place;
            } else if (at - first == static_cast<std::size_t>(power)) {
                up = digit >= 5;
            }
        }
        digits = digits || at > first;
        value += up ? 1 : 0;
    }
    return digits && at == number.size() && value <= Histogram::highest_ns ? std::optional{value} : std::nullopt;
}

// The nanoseconds of a number; nothing if it is none, is negative or above the histogram's range.
[[nodiscard]] inline std::optional<std::uint64_t> nanoseconds_of(std::string_view number,
                                                                 NanosecondsPower power) noexcept {
    if (const std::optional<std::uint64_t> exact = exact_ns(number, power)) return exact;
    const bool begins = !number.empty() && (is_digit(number.front()) || number.front() == '.');
    return begins && number.find_first_of("eE") != std::string_view::npos ? rounded_ns(number, power) : std::nullopt;
}

// What was read of a block of lines.
struct LinesRead {
    std::size_t end = 0;      // offset of the first line that was not read
    std::size_t lines = 0;    // read, empty ones included
    std::size_t skipped = 0;  // latencies that were not recorded
};

// Reads whole lines from `start` until the first that holds no latency; the first `skip` latencies are not recorded.
// What follows the last line feed is left.
[[nodiscard]] inline LinesRead record_lines(Histogram& histogram, std::string_view text, std::size_t start,
                                            NanosecondsPower power, std::size_t skip) noexcept {
    LinesRead read{.end = start};
    while (read.end < text.size()) {
        const std::size_t feed = text.find('\n', read.end);
        if (feed == std::string_view::npos) break;
        const std::string_view number = trimmed(text.substr(read.end, feed - read.end));
        if (!number.empty()) {
            const std::optional<std::uint64_t> latency_ns = nanoseconds_of(number, power);
            if (!latency_ns) break;
            if (read.skipped < skip) {
                ++read.skipped;
            } else {
                histogram.record(*latency_ns);
            }
        }
        ++read.lines;
        read.end = feed + 1;
    }
    return read;
}

}  // namespace lowlat
