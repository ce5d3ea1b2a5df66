# liblowlat, the engine for C, and lowlat.hpp, the engine for C++ in one header.
include(GNUInstallDirs)
set(LOWLAT_HPP "${CMAKE_BINARY_DIR}/include/lowlat.hpp")
file(GLOB headers CONFIGURE_DEPENDS engine/native/c_api/*.hpp engine/native/matching/*.hpp
     engine/native/platform/*.hpp)
add_custom_command(OUTPUT "${LOWLAT_HPP}"
                   COMMAND "${CMAKE_COMMAND}" -DROOT=${CMAKE_SOURCE_DIR} -DINPUT=engine/native/c_api/lowlat.hpp
                           -DOUTPUT=${LOWLAT_HPP} -P "${CMAKE_SOURCE_DIR}/cmake/amalgamate.cmake"
                   DEPENDS ${headers} cmake/amalgamate.cmake VERBATIM)
add_custom_target(lowlat_hpp ALL DEPENDS "${LOWLAT_HPP}")
add_library(lowlat SHARED engine/native/c_api/lowlat.cpp engine/native/matching/invariants.cpp)
# The interface's own version: a function more is a minor one, a caller that breaks a major one.
set_target_properties(lowlat PROPERTIES VERSION 1.0 SOVERSION 1 CXX_VISIBILITY_PRESET hidden
                      VISIBILITY_INLINES_HIDDEN ON PUBLIC_HEADER "engine/native/c_api/lowlat.h;${LOWLAT_HPP}"
                      LINK_DEPENDS "${CMAKE_SOURCE_DIR}/engine/native/c_api/lowlat.map")
target_compile_definitions(lowlat PRIVATE LOWLAT_BUILDS_LIBRARY)
target_compile_options(lowlat PRIVATE ${LOWLAT_GUARD_MATCHING})
target_link_libraries(lowlat PRIVATE lowlat_flags)
if(NOT APPLE)
  target_link_options(lowlat PRIVATE "LINKER:--version-script=${CMAKE_SOURCE_DIR}/engine/native/c_api/lowlat.map"
                      LINKER:--no-undefined)
endif()
install(TARGETS lowlat)
