#include "cli/progress_line.h"

#include "base/str_cat.h"

#include <absl/strings/str_format.h>
#include <absl/time/clock.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace brume::cli {
namespace {

constexpr absl::Duration kEvery = absl::Milliseconds(100);
constexpr int kBar = 24;

}  // namespace

std::string HumanBytes(uint64_t bytes) {
  if (bytes < 1024) return base::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  const char* const* unit = nullptr;
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  unit = kUnits;
  while (value >= 1024 && unit != &kUnits[3]) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, *unit);
}

ProgressLine::ProgressLine(std::string_view verb, size_t items, uint64_t bytes)
    : verb_(verb),
      items_(items),
      bytes_(bytes),
      visible_(::isatty(STDERR_FILENO) == 1),
      begun_(absl::Now()) {}

void ProgressLine::Add(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  done_bytes_ += bytes;
  Draw();
}

void ProgressLine::Done() {
  absl::MutexLock lock(&mutex_);
  ++done_items_;
  Draw();
}

void ProgressLine::Draw() {
  const absl::Time now = absl::Now();
  if (!visible_ || now - drawn_ < kEvery) return;
  drawn_ = now;
  const double part = bytes_ == 0
                          ? 1
                          : std::clamp(static_cast<double>(done_bytes_) /
                                           static_cast<double>(bytes_),
                                       0.0, 1.0);
  const int full = static_cast<int>(part * kBar);
  std::fprintf(stderr, "\r\033[K[%s%s] %s", std::string(full, '#').c_str(),
               std::string(kBar - full, ' ').c_str(), Text(now).c_str());
  std::fflush(stderr);
}

std::string ProgressLine::Text(absl::Time now) {
  const double seconds = std::max(0.001, absl::ToDoubleSeconds(now - begun_));
  const auto bytes = static_cast<uint64_t>(std::max<int64_t>(0, done_bytes_));
  return base::StrCat(
      verb_, " ", done_items_, " of ", items_, ", ", HumanBytes(bytes), ", ",
      HumanBytes(static_cast<uint64_t>(static_cast<double>(bytes) / seconds)),
      "/s");
}

void ProgressLine::Finish() {
  absl::MutexLock lock(&mutex_);
  if (!visible_) return;
  std::fprintf(stderr, "\r\033[K%s\n", Text(absl::Now()).c_str());
  std::fflush(stderr);
}

}  // namespace brume::cli
