#pragma once

#include <absl/time/time.h>
#include <google/protobuf/timestamp.pb.h>

namespace brume::services::aiplatform {

// Microseconds, as Vertex AI's times are.
inline google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp out;
  const int64_t micros = absl::ToUnixMicros(time);
  out.set_seconds(micros / 1'000'000);
  out.set_nanos(static_cast<int32_t>(micros % 1'000'000) * 1000);
  return out;
}

}  // namespace brume::services::aiplatform
