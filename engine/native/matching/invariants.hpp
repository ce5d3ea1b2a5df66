// The invariants of a store, which hold between any two commands or events.
#pragma once

#include <cstdint>

namespace lowlat {

class OrderStore;

/// Whether bids may reach asks: where the rules of matching let them, or always.
enum class Crossing : std::uint8_t { by_rules, always };

/// The first invariant that does not hold, nullptr if all do.
const char* find_violation(const OrderStore& store, Crossing crossing = Crossing::by_rules);
/// Check all invariants and abort on the first violation.
void check_invariants(const OrderStore& store, Crossing crossing = Crossing::by_rules);

}  // namespace lowlat
