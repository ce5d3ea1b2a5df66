// CRC-32C (Castagnoli), as in iSCSI, ext4 and Btrfs: detects every flipped bit and every burst of up to 32 bits.
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

#include "engine/native/platform/compiler.hpp"

namespace lowlat {

/// Add one byte by table, for processors without the instruction. The register is kept inverted, as in all of these.
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

/// The effect of `bytes` zeros after a message on its register: a linear map, as a table for each of its four bytes.
template <std::size_t bytes>
class Crc32cZeros {
  public:
    constexpr Crc32cZeros() {
        for (std::uint32_t bit = 0; bit < 32; ++bit) {
            std::uint32_t image = std::uint32_t{1} << bit;
            for (std::size_t zeros = 0; zeros < bytes; ++zeros) image = crc32c_table.step(image, 0);
            for (std::uint32_t value = 0; value < 256; ++value)
                if ((value >> bit % 8 & 1) != 0) of_[bit / 8][value] ^= image;
        }
    }
    constexpr std::uint32_t operator()(std::uint32_t crc) const {
        return of_[0][crc & 0xFF] ^ of_[1][crc >> 8 & 0xFF] ^ of_[2][crc >> 16 & 0xFF] ^ of_[3][crc >> 24];
    }

  private:
    std::array<std::array<std::uint32_t, 256>, 4> of_{};
};

/// Each step depends on the previous one, with a latency of three cycles for the instruction. So three runs of this
/// many bytes are processed in parallel and then combined: the register is linear in itself and in the bytes.
inline constexpr std::size_t crc32c_stretch = 1024;
inline constexpr Crc32cZeros<crc32c_stretch> crc32c_after_stretch{};

inline std::uint64_t word_at(const std::uint8_t* at) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// Checksum of `bytes` bytes that follow data with checksum `before`.
inline std::uint32_t crc32c_after(std::uint32_t before, const void* data, std::size_t bytes) {
    constexpr std::size_t word = sizeof(std::uint64_t);
    const auto* at = static_cast<const std::uint8_t*>(data);
    std::uint32_t crc = ~before;
    for (; bytes >= 3 * crc32c_stretch; bytes -= 3 * crc32c_stretch, at += 3 * crc32c_stretch) {
        std::uint32_t second = 0;
        std::uint32_t third = 0;
        for (std::size_t in = 0; in < crc32c_stretch; in += word) {
            crc = crc32c_step(crc, word_at(at + in));
            second = crc32c_step(second, word_at(at + crc32c_stretch + in));
            third = crc32c_step(third, word_at(at + 2 * crc32c_stretch + in));
        }
        crc = crc32c_after_stretch(crc32c_after_stretch(crc) ^ second) ^ third;
    }
    for (; bytes >= word; bytes -= word, at += word) crc = crc32c_step(crc, word_at(at));
    for (; bytes > 0; --bytes, ++at) crc = crc32c_step(crc, *at);
    return ~crc;
}

inline std::uint32_t crc32c(const void* data, std::size_t bytes) {
    return crc32c_after(0, data, bytes);
}

}  // namespace lowlat
