// What the thread that called from Python does while native threads work: it tells how long they do, and hears Ctrl-C.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>

namespace lowlat {

/// Calls `told()` with the GIL, from a thread that does not hold it. After an exception, Ctrl-C among them, `look()`
/// returns false; `rethrow()` raises it once the threads have ended.
class Looking {
  public:
    explicit Looking(nanobind::callable told) : told_(std::move(told)) {}

    bool look() {
        if (failed_) return false;
        const nanobind::gil_scoped_acquire locked;
        try {
            if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
            told_();
        } catch (nanobind::python_error& error) {
            failed_.emplace(std::move(error));
        }
        return !failed_;
    }

    /// With the GIL. Returns whether it was Ctrl-C; raises anything else.
    bool interrupted() {
        if (!failed_) return false;
        if (!failed_->matches(PyExc_KeyboardInterrupt)) throw nanobind::python_error(*failed_);
        return true;
    }

  private:
    nanobind::callable told_;
    std::optional<nanobind::python_error> failed_;
};

}  // namespace lowlat
