# What every folder of the house shares: warnings, sanitizers, ccache, and the two functions
# that turn a folder into a library or a test program.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Lets ccache see which precompiled header a file was compiled with.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

# mold links a sanitized test program in a second where ld needs ten.
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_library(holdfast_options INTERFACE)
target_include_directories(holdfast_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(holdfast_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees uses of uninitialised members in inlined coroutine frames and std::variant that are not there.
  # It also takes Asio's frame allocator, inlined, for a mismatched pair of new and delete.
  target_compile_options(holdfast_options INTERFACE -Wno-maybe-uninitialized -Wno-sign-conversion
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete>)
endif()
if(HOLDFAST_SANITIZE)
  target_compile_options(holdfast_options INTERFACE
    -fsanitize=${HOLDFAST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # What ASan or the processor would catch anyway, and what doubles the time of a build.
  target_compile_options(holdfast_options INTERFACE -fno-sanitize=vptr,null,alignment)
  target_link_options(holdfast_options INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
endif()
if(HOLDFAST_FAULT_POINTS)
  target_compile_definitions(holdfast_options INTERFACE HOLDFAST_FAULT_POINTS=1)
endif()

# What nearly every file includes, compiled once for each library: a third of the time of a build. Only headers of others
# belong here: a header of ours would rebuild everything.
set(HOLDFAST_STANDARD_HEADERS <algorithm> <array> <cstdint> <functional> <map> <memory> <optional> <set> <span> <string>
  <string_view> <unordered_map> <utility> <variant> <vector>)
set(HOLDFAST_TASK_HEADERS <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/post.hpp> <boost/asio/this_coro.hpp> <boost/asio/use_awaitable.hpp>)
function(holdfast_precompile name kind)
  set(headers ${HOLDFAST_STANDARD_HEADERS})
  if(kind MATCHES "TASK")
    list(APPEND headers ${HOLDFAST_TASK_HEADERS})
  endif()
  if(kind MATCHES "TEST")
    list(APPEND headers <gtest/gtest.h>)
  endif()
  target_precompile_headers(${name} PRIVATE ${headers})
endfunction()

# holdfast_library(name [SOURCES files...] [DEPS libraries...] [PRECOMPILE STANDARD|TASK])
# One static library per folder; without SOURCES every .cc of the folder and below belongs to it.
function(holdfast_library name)
  cmake_parse_arguments(ARG "" "PRECOMPILE" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB_RECURSE ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  endif()
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC holdfast_options ${ARG_DEPS})
    if(ARG_PRECOMPILE)
      holdfast_precompile(${name} ${ARG_PRECOMPILE})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE holdfast_options ${ARG_DEPS})
  endif()
endfunction()

# holdfast_test(name [SOURCES files...] [DEPS libraries...] [PRECOMPILE TEST|TEST_TASK])
# One GoogleTest program of the *_test.cc of the folder (not below); ctest runs it whole.
function(holdfast_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PRECOMPILE" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(ARG_SOURCES)
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE holdfast_options ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
    if(ARG_PRECOMPILE)
      holdfast_precompile(${name} ${ARG_PRECOMPILE})
    endif()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  endif()
endfunction()

# holdfast_protobuf(target file.proto): its .pb.h is included by its path from the root, as other headers are.
function(holdfast_protobuf target proto)
  get_filename_component(source ${CMAKE_CURRENT_SOURCE_DIR}/${proto} ABSOLUTE)
  file(RELATIVE_PATH relative ${PROJECT_SOURCE_DIR} ${source})
  string(REGEX REPLACE "\\.proto$" "" stem ${PROJECT_BINARY_DIR}/generated/${relative})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/generated)
  add_custom_command(OUTPUT ${stem}.pb.h ${stem}.pb.cc
    COMMAND protobuf::protoc --proto_path=${PROJECT_SOURCE_DIR} --cpp_out=${PROJECT_BINARY_DIR}/generated
            ${source}
    DEPENDS ${source} VERBATIM)
  set_source_files_properties(${stem}.pb.cc PROPERTIES COMPILE_OPTIONS "-w")
  target_sources(${target} PRIVATE ${stem}.pb.cc ${stem}.pb.h)
  target_include_directories(${target} SYSTEM PUBLIC ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
endfunction()
