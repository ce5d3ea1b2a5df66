// The same kernels, compiled without vector instructions (cmake/python_modules.cmake turns off those that the compiler
// would find by itself). Everything has another name here, so that the linker does not take one for the other.
#define LOWLAT_WITHOUT_VECTORS
#undef LOWLAT_CHECKED
#define lowlat lowlat_without_vectors

#include "engine/native/ablation/compiled_vectors.hpp"
#include "engine/native/analytics/vwap.cpp"  // NOLINT(bugprone-suspicious-include): the same code, compiled otherwise

namespace lowlat {
namespace {

/// Four numbers that are treated one by one.
struct ScalarLanes {
    std::uint64_t lanes[4];

    std::uint64_t operator[](std::size_t lane) const { return lanes[lane]; }
    friend ScalarLanes operator+(const ScalarLanes& a, const ScalarLanes& b) {
        return {a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]};
    }
    friend ScalarLanes operator-(const ScalarLanes& a, const ScalarLanes& b) {
        return {a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]};
    }
    friend ScalarLanes operator&(const ScalarLanes& a, const ScalarLanes& b) {
        return {a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]};
    }
    friend ScalarLanes operator|(const ScalarLanes& a, const ScalarLanes& b) {
        return {a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]};
    }
    ScalarLanes& operator|=(const ScalarLanes& other) { return *this = *this | other; }
};

}  // namespace
}  // namespace lowlat

const lowlat_vectors::Kernels lowlat_vectors::without_vectors{lowlat::compiled_sums,
                                                              lowlat::compiled_updates<lowlat::ScalarLanes>};
