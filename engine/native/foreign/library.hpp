// A shared library with an engine: loaded, its interface checked.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include "engine/native/foreign/call_watch.hpp"
#include "engine/native/foreign/lowlat_engine.h"
#include "engine/native/matching/records.hpp"

namespace lowlat {

static_assert(sizeof(lowlat_command) == sizeof(Command));
static_assert(sizeof(lowlat_extended_command) == sizeof(ExtendedCommand));
static_assert(sizeof(lowlat_event) == sizeof(Event));
static_assert(sizeof(lowlat_symbol_rules) == sizeof(SymbolRules));

/// The library cannot be used. Becomes PlugInError in Python.
class LibraryError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The engine breaks its contract. Becomes NotValidError in Python.
class ContractError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Stays loaded until the process ends: nothing guards against threads and handlers that a library leaves behind.
class EngineLibrary {
  public:
    /// Throws LibraryError. `stall_limit`: how long a call may take without an event.
    EngineLibrary(const std::string& path, std::chrono::milliseconds stall_limit) : file_(path) {
        try {
            CallWatch::begin(path, stall_limit);
        } catch (const std::system_error& error) {
            throw LibraryError(path + " cannot be loaded without a thread that watches it: " + error.what());
        }
        const ForeignCall call("dlopen");
        void* const opened = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (opened == nullptr) {
            throw LibraryError("cannot be loaded: " + std::string(dlerror()) +
                               "; build it as a shared library for this host, and name the folders of those that "
                               "it needs in LD_LIBRARY_PATH");
        }
        void* const found = dlsym(opened, "lowlat_get_engine_interface");
        if (found == nullptr) {
            throw LibraryError(path +
                               " has no function lowlat_get_engine_interface; implement lowlat_engine.h, and export it "
                               "with C linkage");
        }
        interface_ = reinterpret_cast<const lowlat_engine_interface* (*)()>(found)();
        check();
    }

    /// One of ours, in this module.
    explicit EngineLibrary(const lowlat_engine_interface& own) : file_("lowlat"), interface_(&own) {}

    const lowlat_engine_interface& interface() const { return *interface_; }
    bool calls_back() const { return interface_->execute != nullptr; }
    std::string name() const { return text(interface_->name); }
    std::string version() const { return text(interface_->engine_version); }

  private:
    void check() const {
        if (interface_ == nullptr) throw LibraryError(file_ + ": lowlat_get_engine_interface returned NULL");
        if (interface_->version != LOWLAT_ENGINE_INTERFACE_VERSION) {
            throw LibraryError(file_ + " implements version " + std::to_string(interface_->version) +
                               " of the engine interface, this lowlat takes version " +
                               std::to_string(LOWLAT_ENGINE_INTERFACE_VERSION) +
                               "; build it with this version's lowlat_engine.h");
        }
        if (interface_->size < sizeof(lowlat_engine_interface)) {
            throw LibraryError(file_ + ": its interface has " + std::to_string(interface_->size) +
                               " bytes, fewer than " + std::to_string(sizeof(lowlat_engine_interface)) +
                               "; set `size` to sizeof(lowlat_engine_interface)");
        }
        const bool buffers = interface_->process != nullptr && interface_->drain != nullptr;
        if (interface_->create == nullptr || interface_->destroy == nullptr || interface_->reset == nullptr ||
            (interface_->execute == nullptr && !buffers)) {
            throw LibraryError(file_ +
                               ": its interface lacks a function; it needs create, destroy, reset, and either execute "
                               "or both process and drain");
        }
    }

    /// A bounded copy: the library owns the text, and may not have ended it.
    std::string text(const char* from) const {
        constexpr std::size_t longest = 100;
        const ForeignCall call("lowlat_get_engine_interface");
        return from == nullptr ? std::string() : std::string(from, strnlen(from, longest));
    }

    std::string file_;
    const lowlat_engine_interface* interface_ = nullptr;
};

}  // namespace lowlat
