// Which symbol a stock locate code is of: ITCH names symbols in a few messages only, and numbers them in all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace lowlat {

/// Eight characters, padded with spaces, as they are in a message.
using StockName = std::uint64_t;

inline StockName stock_name(const std::byte* from) noexcept {
    StockName name;
    std::memcpy(&name, from, sizeof name);
    return name;
}

/// Printable ASCII, with spaces at the end alone.
inline bool is_stock_name(const std::byte* from) noexcept {
    bool ended = false;
    for (std::size_t n = 0; n < sizeof(StockName); ++n) {
        const auto character = static_cast<unsigned char>(from[n]);
        if (character < ' ' || character > '~' || (ended && character != ' ')) return false;
        ended = character == ' ';
    }
    return from[0] != std::byte{' '};
}

inline std::string text_of(StockName name) {
    std::string text(sizeof name, ' ');
    std::memcpy(text.data(), &name, sizeof name);
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

/// Symbols are numbered from 0 as they are first needed. A code may have a number before any message names it, as in a
/// recording that begins at noon; it is then below 0, so that each message with a name is looked at.
class ItchSymbols {
  public:
    static constexpr std::int32_t unknown = -1;
    static constexpr std::int32_t excluded = -2;
    static constexpr std::size_t most = 1 << 16;  // as many as locate codes

    /// `wanted`: only these, by name; none: all.
    explicit ItchSymbols(std::unordered_set<std::string> wanted)
        : wanted_(std::move(wanted)), numbers_(most, unknown) {}

    /// The number of the symbol with this code; below 0 if it has no name yet, or is excluded.
    std::int32_t number(std::uint16_t locate) const noexcept { return numbers_[locate]; }

    /// The code is of the symbol with this name from now on. Returns its number, or `excluded`.
    std::int32_t name(std::uint16_t locate, const std::byte* stock) {
        const StockName name = stock_name(stock);
        std::int32_t& number = numbers_[locate];
        const auto known = by_name_.find(name);
        if (known != by_name_.end() && known->second == number) return number;
        const bool nameless = number < excluded;
        if (number != unknown && (!nameless || known != by_name_.end())) ++renamed_;
        if (known != by_name_.end()) return number = known->second;
        std::string text = text_of(name);
        if (nameless) {
            number = nameless_number(number);
            names_[static_cast<std::size_t>(number)] = std::move(text);
        } else {
            number = wanted_.empty() || wanted_.contains(text) ? enter(std::move(text)) : excluded;
        }
        return by_name_[name] = number;
    }

    /// The number of a code that no message has named: excluded if only some symbols are wanted.
    std::int32_t without_name(std::uint16_t locate) {
        if (!wanted_.empty()) return excluded;
        std::int32_t& number = numbers_[locate];
        if (number == unknown) number = nameless_number(enter("locate " + std::to_string(locate)));
        return nameless_number(number);
    }

    bool full() const noexcept { return by_name_.size() >= most || names_.size() >= most; }
    const std::vector<std::string>& names() const noexcept { return names_; }
    /// How many names were read, those of excluded symbols among them.
    std::size_t named() const noexcept { return by_name_.size(); }
    /// How often a code was given to another symbol.
    std::uint64_t renamed() const noexcept { return renamed_; }

  private:
    /// To what the code of a symbol without a name is set, and back.
    static constexpr std::int32_t nameless_number(std::int32_t number) noexcept { return excluded - 1 - number; }

    std::int32_t enter(std::string name) {
        names_.push_back(std::move(name));
        return static_cast<std::int32_t>(names_.size() - 1);
    }

    std::unordered_set<std::string> wanted_;
    std::vector<std::int32_t> numbers_;
    std::vector<std::string> names_;
    std::unordered_map<StockName, std::int32_t> by_name_;
    std::uint64_t renamed_ = 0;
};

}  // namespace lowlat
