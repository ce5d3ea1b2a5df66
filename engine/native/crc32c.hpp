// CRC-32C (Castagnoli), as in iSCSI, ext4 and Btrfs: every flipped bit, and every burst of up to 32, is found.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

#include "engine/native/hints.hpp"

namespace lowlat {

/// One byte more, by table, for processors without an instruction. The register is kept inverted, as all of these do.
class Crc32cTable {
  public:
    constexpr Crc32cTable() {
        for (std::uint32_t byte = 0; byte < 256; ++byte) {
            std::uint32_t crc = byte;
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? reflected_polynomial : 0);
            of_[byte] = crc;
        }
    }
    constexpr std::uint32_t step(std::uint32_t crc, std::uint8_t byte) const {
        return of_[(crc ^ byte) & 0xFF] ^ (crc >> 8);
    }

  private:
    static constexpr std::uint32_t reflected_polynomial = 0x82F6'3B78;
    std::array<std::uint32_t, 256> of_{};
};
inline constexpr Crc32cTable crc32c_table{};

LOWLAT_INLINE std::uint32_t crc32c_step(std::uint32_t crc, std::uint8_t byte) {
#if defined(__SSE4_2__)
    return _mm_crc32_u8(crc, byte);
#elif defined(__ARM_FEATURE_CRC32)
    return __crc32cb(crc, byte);
#else
    return crc32c_table.step(crc, byte);
#endif
}

LOWLAT_INLINE std::uint32_t crc32c_step(std::uint32_t crc, std::uint64_t word) {
#if defined(__SSE4_2__)
    return static_cast<std::uint32_t>(_mm_crc32_u64(crc, word));
#elif defined(__ARM_FEATURE_CRC32)
    return __crc32cd(crc, word);
#else
    for (int byte = 0; byte < 8; ++byte, word >>= 8) crc = crc32c_table.step(crc, static_cast<std::uint8_t>(word));
    return crc;
#endif
}

/// Of `bytes` bytes; `before`: the checksum of what came before them, to go on from.
inline std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t before = 0) {
    const auto* at = static_cast<const std::uint8_t*>(data);
    std::uint32_t crc = ~before;
    for (; bytes >= sizeof(std::uint64_t); bytes -= sizeof(std::uint64_t), at += sizeof(std::uint64_t)) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        crc = crc32c_step(crc, word);
    }
    for (; bytes > 0; --bytes, ++at) crc = crc32c_step(crc, *at);
    return ~crc;
}

}  // namespace lowlat
