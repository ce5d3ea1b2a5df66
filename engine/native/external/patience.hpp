// How long to wait for another process, and whether it still runs.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

namespace lowlat {

/// Of a process that this one started. Looks at the clock when asked, which need not be often.
class Patience {
  public:
    Patience(pid_t process, std::chrono::milliseconds limit) : process_(process), limit_(limit) {}

    /// There was something: the wait is over.
    void progress() { waits_ = false; }

    enum class Verdict { wait, ended, hangs };

    /// Whether to wait on. A process is looked up once it has given nothing for a millisecond: a system call.
    Verdict look() {
        const auto now = std::chrono::steady_clock::now();
        if (!waits_) {
            waits_ = true;
            since_ = looked_ = now;
            return Verdict::wait;
        }
        if (now - since_ < spinning) return Verdict::wait;
        std::this_thread::sleep_for(pause);
        if (now - looked_ < std::chrono::milliseconds(1)) return Verdict::wait;
        looked_ = now;
        if (ended()) return Verdict::ended;
        return now - since_ < limit_ ? Verdict::wait : Verdict::hangs;
    }

  private:
    /// Whether it has ended. It is not reaped: whoever started it asks how.
    bool ended() const {
        siginfo_t found{};
        return waitid(P_PID, static_cast<id_t>(process_), &found, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               found.si_pid != 0;
    }

    // A process that has a CPU answers before: it may need this one.
    static constexpr std::chrono::microseconds spinning{200};
    static constexpr std::chrono::microseconds pause{20};

    pid_t process_;
    std::chrono::milliseconds limit_;
    bool waits_ = false;
    std::chrono::steady_clock::time_point since_;
    std::chrono::steady_clock::time_point looked_;
};

}  // namespace lowlat
