#pragma once

#include "exec/executor.h"

#include <absl/time/time.h>
#include <brume/aiplatform/job_record.pb.h>
#include <google/logging/v2/log_entry.pb.h>

#include <cstdint>
#include <string_view>

namespace brume::services::aiplatform {

// The log entries Vertex AI makes of a job: its program's lines
// ("workerpool0-0") and the service's own ("service"). Ids follow from the job
// and the number, so that writing one again makes no second.
google::logging::v2::LogEntry OutputEntry(const JobRecord& record,
                                          const exec::OutputLine& line,
                                          uint64_t number);
google::logging::v2::LogEntry ServiceEntry(const JobRecord& record,
                                           std::string_view message, bool error,
                                           absl::Time time,
                                           std::string_view id);

}  // namespace brume::services::aiplatform
