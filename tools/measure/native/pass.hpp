// What the programs that measure a pass over recorded commands have in common.
#pragma once

#include <cstdint>
#include <ctime>
#include <fstream>
#include <vector>

namespace lowlat {

/// CPU time of this thread.
inline double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// All records of a file.
template <typename Record>
std::vector<Record> records_in(const char* file) {
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    std::vector<Record> records(static_cast<std::size_t>(in.tellg()) / sizeof(Record));
    in.seekg(0);
    in.read(reinterpret_cast<char*>(records.data()), static_cast<std::streamsize>(records.size() * sizeof(Record)));
    return records;
}

}  // namespace lowlat
