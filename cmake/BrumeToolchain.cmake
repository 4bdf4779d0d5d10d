# ccache and a fast linker, when the machine has them.
find_program(BRUME_CCACHE ccache)
if(BRUME_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Relative paths, so that every build folder of a checkout shares its cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_BASEDIR=${CMAKE_SOURCE_DIR};CCACHE_NOHASHDIR=1;${BRUME_CCACHE}")
endif()

find_program(BRUME_MOLD mold)
find_program(BRUME_LLD NAMES ld.lld-19 ld.lld)
if(BRUME_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(BRUME_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
endif()

# Flags of our own code live on this target; dependencies never see them.
add_library(brume_flags INTERFACE)
target_compile_options(brume_flags INTERFACE -Wall -Wextra
  -Wno-missing-field-initializers)
if(BRUME_WARNINGS_AS_ERRORS)
  target_compile_options(brume_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives from inlined std::string and std::variant,
  # and from coroutine frames.
  target_compile_options(brume_flags INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
    -Wno-array-bounds -Wno-stringop-overread -Wno-dangling-pointer
    -Wno-mismatched-new-delete)
else()
  target_compile_options(brume_flags INTERFACE -Wthread-safety)
endif()
if(BRUME_SANITIZE)
  target_compile_options(brume_flags INTERFACE
    -fsanitize=${BRUME_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(brume_flags INTERFACE -fsanitize=${BRUME_SANITIZE})
  if(BRUME_SANITIZE MATCHES "thread")
    # Asio's fences, which ThreadSanitizer does not see (it may then report more,
    # not less).
    target_compile_options(brume_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
  if(BRUME_SANITIZE MATCHES "undefined")
    target_compile_options(brume_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()
