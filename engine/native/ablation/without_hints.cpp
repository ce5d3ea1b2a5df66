// The engine without likely() and unlikely(), and without rare paths out of line. Everything of it has another name, so
// that the linker does not take a function from here for the one of the same name that has hints.
#define LOWLAT_WITHOUT_LIKELY
#define LOWLAT_WITHOUT_COLD
#undef LOWLAT_CHECKED  // its checks are in a file of their own, under the usual name
#define lowlat lowlat_without_hints

#include "engine/native/ablation/compiled_match_path.hpp"

std::unique_ptr<lowlat_match_path::MatchPath> lowlat_match_path::without_hints(const Sizes& sizes) {
    return std::make_unique<lowlat::CompiledMatchPath>(sizes);
}
