// Two threads that work together until one of them ends the work.
#pragma once

#include <system_error>
#include <thread>

namespace lowlat {

// Runs both to their end. Returns 0, or the errno with which the system refused a thread; `stop` then ends the one that
// already runs.
template <typename First, typename Second, typename Stop>
int run_both(const First& first, const Second& second, const Stop& stop) {
    std::thread one, other;
    int refused = 0;
    try {
        one = std::thread(first);
        other = std::thread(second);
    } catch (const std::system_error& error) {
        refused = error.code().value();
        stop();
    }
    if (other.joinable()) other.join();
    if (one.joinable()) one.join();
    return refused;
}

}  // namespace lowlat
