# The native modules of the Python packages.
find_package(Python 3.11 COMPONENTS Interpreter Development.Module OPTIONAL_COMPONENTS NumPy)
if(NOT Python_FOUND)
  message(FATAL_ERROR "lowlat: Python.h is missing. Install it: apt install python3-dev")
endif()
if(NOT Python_NumPy_FOUND OR Python_NumPy_VERSION VERSION_LESS 2)
  message(FATAL_ERROR "lowlat: the headers of numpy 2 or later are missing; what they build runs with numpy 1 too. "
                      "Install them: python -m pip install 'numpy>=2'")
endif()
execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
                OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE nanobind_ROOT)
find_package(nanobind CONFIG REQUIRED)
include(cmake/bill_of_materials.cmake)

# What the report says about the build. Not where these sources merely lie inside another project's repository.
if(EXISTS "${CMAKE_SOURCE_DIR}/.git")
  execute_process(COMMAND git describe --always --dirty --tags WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
                  OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE LOWLAT_GIT ERROR_QUIET)
endif()
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
list(JOIN LOWLAT_GUARD_MATCHING " " guard)
list(JOIN LOWLAT_HARDENING " " hardening)
set(LOWLAT_FLAGS "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}} ${guard} ${hardening}")
if(LOWLAT_PLANTED_SPIN)
  string(APPEND LOWLAT_FLAGS " -DLOWLAT_PLANTED_SPIN")  # so that no report passes for one of a release
endif()
string(STRIP "${LOWLAT_FLAGS}" LOWLAT_FLAGS)

function(lowlat_module package guard)
  set(target ${package}_core)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${package}/native/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/c_api/")  # a library of its own: c_library.cmake
  # NOMINSIZE: the default optimizes these modules for size, which costs the hot path. PROTECT_STACK: the default
  # removes the stack protector.
  nanobind_add_module(${target} NB_STATIC NOMINSIZE PROTECT_STACK NB_DOMAIN lowlat ${sources})
  target_compile_options(${target} PRIVATE ${guard})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME _core
                        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/${package}")
  target_link_libraries(${target} PRIVATE lowlat_flags)
  install(TARGETS ${target} LIBRARY DESTINATION lowlat/${package})
endfunction()

lowlat_module(reports "${LOWLAT_GUARD}")
lowlat_module(probes "${LOWLAT_GUARD}")
lowlat_module(engine "${LOWLAT_GUARD_MATCHING}")
target_link_libraries(engine_core PRIVATE Python::NumPy)  # its headers

# Where `lowlat ablate` takes the same code without vector instructions from.
set_source_files_properties(engine/native/ablation/without_vectors.cpp PROPERTIES COMPILE_OPTIONS
  "-fno-tree-vectorize;-fno-tree-slp-vectorize")

# The interface of a foreign engine, for `lowlat init-engine`.
install(FILES engine/native/foreign/lowlat_engine.h DESTINATION lowlat/engine/foreign)

# For one file only, so that a commit does not recompile the rest.
set_source_files_properties(engine/native/bindings/build.cpp PROPERTIES COMPILE_DEFINITIONS
  "LOWLAT_BUILD_GIT=\"${LOWLAT_GIT}\";LOWLAT_BUILD_FLAGS=\"${LOWLAT_FLAGS}\";LOWLAT_BUILD_ISA=\"${LOWLAT_ISA}\";LOWLAT_BUILD_SANITIZE=\"${sanitizers}\"")
