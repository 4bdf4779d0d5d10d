#include "exec/local/output_log.h"

#include "base/errno_status.h"
#include "base/str_cat.h"

#include <absl/strings/numbers.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace brume::exec {

std::vector<std::string> LineCutter::Add(std::string_view bytes) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const size_t room = kMaxLine - waiting_.size();
    const size_t end = std::min({newline, bytes.size(), room});
    waiting_.append(bytes.substr(0, end));
    bytes.remove_prefix(end);
    const bool ended = !bytes.empty() && bytes.front() == '\n';
    if (ended) bytes.remove_prefix(1);
    if (ended || waiting_.size() == kMaxLine) {
      lines.push_back(std::exchange(waiting_, {}));
    }
  }
  return lines;
}

std::string LineCutter::Rest() { return std::exchange(waiting_, {}); }

bool LogWriter::Write(std::string_view records) {
  struct stat before = {};
  if (fstat(fd_.get(), &before) != 0) return false;
  while (!records.empty()) {
    const ssize_t put = write(fd_.get(), records.data(), records.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      // Half a record would spoil the next.
      (void)!ftruncate(fd_.get(), before.st_size);
      return false;
    }
    records.remove_prefix(static_cast<size_t>(put));
  }
  needs_sync_ = true;
  return true;
}

void LogWriter::Append(absl::Time time, bool is_stderr,
                       const std::vector<std::string>& lines) {
  const int64_t micros = absl::ToUnixMicros(time);
  if (lost_lines_ > 0 &&
      Write(base::StrCat(micros, " e brume: ", lost_lines_,
                         " lines were lost: the disk was full\n"))) {
    lost_lines_ = 0;
  }
  std::string records;
  for (const std::string& line : lines) {
    base::StrAppend(&records, micros, is_stderr ? " e " : " o ", line, "\n");
  }
  if (!Write(records)) lost_lines_ += lines.size();
}

absl::Status LogWriter::Sync() {
  if (!needs_sync_) return absl::OkStatus();
  if (fdatasync(fd_.get()) != 0) {
    return base::ErrnoToStatus(errno, "sync the task's log");
  }
  needs_sync_ = false;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<OutputLine>> ReadLog(int fd, uint64_t* position,
                                                size_t limit) {
  // One record must always fit.
  std::string buffer(std::max(limit, kMaxLine + 64), '\0');
  size_t have = 0;
  while (have < buffer.size()) {
    const ssize_t got = pread(fd, buffer.data() + have, buffer.size() - have,
                              static_cast<off_t>(*position + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::ErrnoToStatus(errno, "read the task's log");
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  std::string_view rest(buffer.data(), have);
  std::vector<OutputLine> out;
  while (true) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view record = rest.substr(0, end);
    const size_t space = record.find(' ');
    int64_t micros = 0;
    if (space == std::string_view::npos || space + 2 >= record.size() ||
        !absl::SimpleAtoi(base::ToAbsl(record.substr(0, space)), &micros)) {
      // Torn by a power cut: passed over.
      *position += end + 1;
      rest.remove_prefix(end + 1);
      continue;
    }
    OutputLine line;
    line.time = absl::FromUnixMicros(micros);
    line.is_stderr = record[space + 1] == 'e';
    line.text = std::string(record.substr(space + 3));
    out.push_back(std::move(line));
    *position += end + 1;
    rest.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace brume::exec
