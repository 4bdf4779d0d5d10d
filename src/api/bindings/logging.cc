#include "api/bindings/logging.h"

namespace brume::api {

namespace v2 = google::logging::v2;

void AddLoggingRows(MethodTable& table, services::logging::LogStore& logs) {
  table.Add(Row<v2::WriteLogEntriesRequest, v2::WriteLogEntriesResponse>(
      "google.logging.v2.LoggingServiceV2.WriteLogEntries",
      Access::Permission("logging.logEntries.create", "log_name"),
      [&logs](const Call&, const v2::WriteLogEntriesRequest& request) {
        return logs.Write(request);
      }));
  table.Add(Row<v2::ListLogEntriesRequest, v2::ListLogEntriesResponse>(
      "google.logging.v2.LoggingServiceV2.ListLogEntries",
      Access::Permission("logging.logEntries.list", "resource_names"),
      [&logs](const Call&, const v2::ListLogEntriesRequest& request) {
        return logs.List(request);
      }));
  table.Add(Row<v2::ListLogsRequest, v2::ListLogsResponse>(
      "google.logging.v2.LoggingServiceV2.ListLogs",
      Access::Permission("logging.logs.list", "parent"),
      [&logs](const Call&, const v2::ListLogsRequest& request) {
        return logs.ListLogs(request);
      }));
}

}  // namespace brume::api
