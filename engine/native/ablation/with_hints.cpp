// The engine as it is, for comparison with without_hints.cpp.
#include "engine/native/ablation/compiled_match_path.hpp"

std::unique_ptr<lowlat_match_path::MatchPath> lowlat_match_path::with_hints(const Sizes& sizes) {
    return std::make_unique<lowlat::CompiledMatchPath>(sizes);
}
