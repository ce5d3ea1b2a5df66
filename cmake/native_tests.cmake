# The C++ tests.
file(GLOB sources CONFIGURE_DEPENDS "tests/native/main.cpp" "tests/native/test_*.cpp")
# With the module's own count of allocations, which these tests rely on.
add_executable(lowlat_native_tests ${sources} engine/native/platform/allocations.cpp engine/native/matching/invariants.cpp)
target_link_libraries(lowlat_native_tests PRIVATE lowlat_flags)
# Their headers are compiled once for many files, in half of the CPU time; so each file has a namespace of its own.
set_target_properties(lowlat_native_tests PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
