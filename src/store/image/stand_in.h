#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace brume::store::image {

// A small training image made of Debian 12's packages with mmdebstrap: Python,
// pip, numpy and scikit-learn, without the marker that keeps pip from
// installing (EXTERNALLY-MANAGED), without recommended packages and
// documentation. It stands in for an image that cannot be had offline; the
// label kStandInLabel says so.
struct StandInOptions {
  // Where finished images are kept, by the digest of their recipe: another
  // request for the same takes no time. Made when missing.
  std::string cache;
  // Debian's archive; empty: mmdebstrap's own choice.
  std::string mirror;
  // Make it anew even if there is one.
  bool fresh = false;
  // Called now and then, from the calling thread: what is being done and the
  // bytes of the image so far.
  std::function<void(std::string_view step, uint64_t bytes)> progress;
};

// Returns a folder in the form that OpenArchive reads (docker-archive without a
// tag). Takes about 45 s and needs Debian's archive when there is none yet.
// FAILED_PRECONDITION when mmdebstrap is not installed or its last words.
// For root, or an ordinary user with subordinate ids.
absl::StatusOr<std::string> MakeStandIn(const StandInOptions& options);

}  // namespace brume::store::image
