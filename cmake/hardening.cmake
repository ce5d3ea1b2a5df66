# What ends the process at a memory error instead of letting it be used. For release builds: sanitizers find more.
#
# The stack protector differs by target. `-strong` also guards functions without an array, if the address of a local
# variable is taken. Extended orders pass many such functions: in the profile all-kinds it adds 2.0% of instructions per
# command in batches and 3.0% one at a time, and finds nothing there that could overflow. In all other profiles, and
# with plain `-fstack-protector`, which guards arrays of bytes, no count changes (`make instructions`).
set(LOWLAT_HARDENING "")
set(LOWLAT_GUARD_MATCHING "")
set(LOWLAT_GUARD "")
if(NOT LOWLAT_SANITIZE AND NOT LOWLAT_FUZZ AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(LOWLAT_HARDENING -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)  # some compilers define a lower one
  set(LOWLAT_GUARD_MATCHING -fstack-protector)
  set(LOWLAT_GUARD -fstack-protector-strong)
  add_compile_options(${LOWLAT_HARDENING})
  add_link_options(LINKER:-z,relro,-z,now,-z,noexecstack)
endif()
