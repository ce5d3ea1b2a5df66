# The C++ tests.
file(GLOB sources CONFIGURE_DEPENDS "tests/native/main.cpp" "tests/native/test_*.cpp")
# With the module's own count of allocations, which these tests rely on.
add_executable(lowlat_native_tests ${sources} engine/native/platform/allocations.cpp engine/native/matching/invariants.cpp)
target_link_libraries(lowlat_native_tests PRIVATE lowlat_flags)
