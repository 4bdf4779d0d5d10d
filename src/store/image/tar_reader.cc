#include "store/image/tar_reader.h"

#include "base/status_macros.h"
#include "base/str_cat.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

constexpr size_t kBlock = 512;
// Longest pax or GNU header read into memory. Linux paths end at 4 KiB;
// extended attributes at 64 KiB each.
constexpr uint64_t kMaxExtension = 1024 * 1024;
// No file is larger; keeps sums of sizes far from overflow.
constexpr uint64_t kMaxSize = 1ULL << 56;

// Field offsets and lengths of POSIX.1-1988 ustar.
struct Field {
  size_t at;
  size_t length;
  std::string_view Of(std::string_view block) const {
    return block.substr(at, length);
  }
};
constexpr Field kName = {0, 100};
constexpr Field kMode = {100, 8};
constexpr Field kUid = {108, 8};
constexpr Field kGid = {116, 8};
constexpr Field kSize = {124, 12};
constexpr Field kMtime = {136, 12};
constexpr Field kChecksum = {148, 8};
constexpr size_t kType = 156;
constexpr Field kLink = {157, 100};
constexpr Field kMagic = {257, 6};
constexpr Field kPrefix = {345, 155};

std::string UntilNul(std::string_view field) {
  return std::string(field.substr(0, field.find('\0')));
}

// The checksum counts its own field as spaces; old programs summed signed
// characters.
bool ChecksumMatches(std::string_view block, uint64_t expected) {
  uint64_t sum = 0;
  int64_t signed_sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.length;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
    signed_sum += own ? ' ' : static_cast<signed char>(block[i]);
  }
  return sum == expected || signed_sum == static_cast<int64_t>(expected);
}

std::optional<TarEntry::Type> TypeOf(char flag) {
  switch (flag) {
    case '\0':
    case '0':
    case '7':
      return TarEntry::Type::kFile;
    case '1':
      return TarEntry::Type::kHardLink;
    case '2':
      return TarEntry::Type::kSymlink;
    case '3':
      return TarEntry::Type::kCharDevice;
    case '4':
      return TarEntry::Type::kBlockDevice;
    case '5':
      return TarEntry::Type::kDirectory;
    case '6':
      return TarEntry::Type::kFifo;
    default:
      return std::nullopt;
  }
}

template <typename T>
bool ToNumber(std::string_view text, T* out) {
  return absl::SimpleAtoi(base::ToAbsl(text), out);
}

uint64_t PaddingOf(uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

}  // namespace

struct TarReader::Extended {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<uint64_t> size;
  std::optional<uint64_t> uid;
  std::optional<uint64_t> gid;
  std::optional<int64_t> mtime;
  std::map<std::string, std::string> xattrs;
};

absl::Status TarReader::Bad(std::string_view cause) const {
  return absl::InvalidArgumentError(
      base::StrCat("read tar at byte ", offset_, ": ", cause));
}

absl::StatusOr<bool> TarReader::ReadBlock(char* data) {
  size_t have = 0;
  while (have < kBlock) {
    ASSIGN_OR_RETURN(const size_t got,
                     source_->Read(data + have, kBlock - have));
    if (got == 0 && have == 0) return false;
    if (got == 0) return Bad("the archive is cut short");
    have += got;
    offset_ += got;
  }
  return true;
}

absl::StatusOr<std::string> TarReader::ReadSmall(uint64_t size) {
  if (size > kMaxExtension) return Bad("an extended header is over 1 MiB");
  std::string out(size, '\0');
  data_left_ = size;
  padding_left_ = PaddingOf(size);
  size_t have = 0;
  while (have < size) {
    ASSIGN_OR_RETURN(const size_t got,
                     ReadData(out.data() + have, size - have));
    have += got;
  }
  RETURN_IF_ERROR(SkipData());
  return out;
}

absl::StatusOr<size_t> TarReader::ReadData(char* data, size_t size) {
  size = std::min<uint64_t>(size, data_left_);
  if (size == 0) return 0;
  ASSIGN_OR_RETURN(const size_t got, source_->Read(data, size));
  if (got == 0) return Bad("the archive is cut short");
  offset_ += got;
  data_left_ -= got;
  return got;
}

absl::Status TarReader::SkipData() {
  std::array<char, 16 * 1024> buffer;
  data_left_ += std::exchange(padding_left_, 0);
  while (data_left_ > 0) {
    RETURN_IF_ERROR(ReadData(buffer.data(), buffer.size()).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> TarReader::Number(std::string_view field) const {
  const auto first = static_cast<unsigned char>(field.front());
  if ((first & 0x80) != 0) {  // GNU: big-endian binary
    uint64_t value = first & 0x7f;
    if (value == 0x7f) return Bad("a number is negative");
    for (const char c : field.substr(1)) {
      if (value > std::numeric_limits<uint64_t>::max() >> 8) {
        return Bad("a number is too large");
      }
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  uint64_t value = 0;
  bool ended = false;
  bool begun = false;
  for (const char c : field) {
    if (c == '\0' || c == ' ') {
      ended = begun;
      continue;
    }
    if (c < '0' || c > '7' || ended) return Bad("a number is not octal");
    begun = true;
    value = value * 8 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

absl::Status TarReader::SetPax(std::string_view key, std::string_view value,
                               Extended& extended) {
  constexpr std::string_view kXattr = "SCHILY.xattr.";
  if (key.starts_with("GNU.sparse.")) {
    return Bad("sparse files are not supported");
  }
  if (key.starts_with(kXattr)) {
    extended.xattrs[std::string(key.substr(kXattr.size()))] =
        std::string(value);
    return absl::OkStatus();
  }
  if (key == "path") extended.path = std::string(value);
  if (key == "linkpath") extended.link = std::string(value);
  if (key == "mtime") {
    int64_t seconds = 0;
    if (!ToNumber(value.substr(0, value.find('.')), &seconds)) {
      return Bad("pax mtime is not a number");
    }
    extended.mtime = seconds;
  }
  if (key == "size" || key == "uid" || key == "gid") {
    uint64_t number = 0;
    if (!ToNumber(value, &number)) {
      return Bad(base::StrCat("pax ", key, " is not a number"));
    }
    (key == "size"  ? extended.size
     : key == "uid" ? extended.uid
                    : extended.gid) = number;
  }
  return absl::OkStatus();
}

// Records are "<length> <key>=<value>\n"; the length counts the whole record.
absl::Status TarReader::ParsePax(std::string_view records, Extended& extended) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    uint64_t length = 0;
    if (space == std::string_view::npos || space > 19 ||
        !ToNumber(records.substr(0, space), &length) ||
        length > records.size() || length < space + 3 ||
        records[length - 1] != '\n') {
      return Bad("a pax header is malformed");
    }
    const std::string_view record =
        records.substr(space + 1, length - space - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) {
      return Bad("a pax header has no '='");
    }
    RETURN_IF_ERROR(
        SetPax(record.substr(0, equals), record.substr(equals + 1), extended));
    records.remove_prefix(length);
  }
  return absl::OkStatus();
}

absl::Status TarReader::ReadExtension(char type, uint64_t size,
                                      Extended& extended) {
  ASSIGN_OR_RETURN(const std::string data, ReadSmall(size));
  switch (type) {
    case 'L':
      extended.path = UntilNul(data);
      return absl::OkStatus();
    case 'K':
      extended.link = UntilNul(data);
      return absl::OkStatus();
    case 'x':
      return ParsePax(data, extended);
    default:  // 'g': defaults for all entries; docker and buildkit write only
              // comments there
      return absl::OkStatus();
  }
}

absl::StatusOr<TarEntry> TarReader::Build(std::string_view block,
                                          Extended extended) {
  const std::optional<TarEntry::Type> type = TypeOf(block[kType]);
  if (!type.has_value()) {
    return Bad(base::StrCat("entry type ", static_cast<int>(block[kType]),
                            " is not supported"));
  }
  TarEntry entry;
  entry.type = *type;
  entry.path = UntilNul(kName.Of(block));
  const std::string prefix = UntilNul(kPrefix.Of(block));
  // GNU uses the prefix for other things and says so by "ustar " as magic.
  if (kMagic.Of(block) == std::string_view("ustar\0", 6) && !prefix.empty()) {
    entry.path = base::StrCat(prefix, "/", entry.path);
  }
  entry.link = UntilNul(kLink.Of(block));
  ASSIGN_OR_RETURN(const uint64_t mode, Number(kMode.Of(block)));
  entry.mode = static_cast<uint32_t>(mode & 07777);
  ASSIGN_OR_RETURN(entry.uid, Number(kUid.Of(block)));
  ASSIGN_OR_RETURN(entry.gid, Number(kGid.Of(block)));
  ASSIGN_OR_RETURN(entry.size, Number(kSize.Of(block)));
  // Some writers put times before 1970 here; they matter to nobody.
  entry.mtime = static_cast<int64_t>(
      std::min<uint64_t>(Number(kMtime.Of(block)).value_or(0), kMaxSize));
  if (extended.path.has_value()) entry.path = *std::move(extended.path);
  if (extended.link.has_value()) entry.link = *std::move(extended.link);
  entry.size = extended.size.value_or(entry.size);
  entry.uid = extended.uid.value_or(entry.uid);
  entry.gid = extended.gid.value_or(entry.gid);
  entry.mtime = extended.mtime.value_or(entry.mtime);
  entry.xattrs = std::move(extended.xattrs);
  if (entry.size > kMaxSize) return Bad("an entry's size is impossible");
  // v7 had no type for directories but a slash.
  if (entry.type == TarEntry::Type::kFile && entry.path.ends_with("/")) {
    entry.type = TarEntry::Type::kDirectory;
  }
  if (entry.path.empty()) return Bad("an entry has no name");
  if (entry.path.find('\0') != std::string::npos ||
      entry.link.find('\0') != std::string::npos) {
    return Bad("a name holds a NUL byte");
  }
  if (entry.type == TarEntry::Type::kFile) {
    data_left_ = entry.size;
    padding_left_ = PaddingOf(entry.size);
  } else {
    // Only regular files are followed by data; some writers give hard links
    // and directories the size of what they stand for.
    entry.size = 0;
  }
  return entry;
}

absl::StatusOr<std::optional<TarEntry>> TarReader::Next() {
  RETURN_IF_ERROR(SkipData());
  Extended extended;
  std::array<char, kBlock> buffer;
  const std::string_view block(buffer.data(), buffer.size());
  while (true) {
    ASSIGN_OR_RETURN(const bool more, ReadBlock(buffer.data()));
    // The end is two blocks of zeros; one, or none, is accepted.
    if (!more || block.find_first_not_of('\0') == std::string_view::npos) {
      return std::nullopt;
    }
    ASSIGN_OR_RETURN(const uint64_t checksum, Number(kChecksum.Of(block)));
    if (!ChecksumMatches(block, checksum)) {
      return Bad("the header's checksum is wrong");
    }
    const char type = block[kType];
    if (type == 'L' || type == 'K' || type == 'x' || type == 'g') {
      ASSIGN_OR_RETURN(const uint64_t size, Number(kSize.Of(block)));
      RETURN_IF_ERROR(ReadExtension(type, size, extended));
      continue;
    }
    if (type == 'S') return Bad("sparse files are not supported");
    ASSIGN_OR_RETURN(TarEntry entry, Build(block, std::move(extended)));
    return entry;
  }
}

}  // namespace brume::store::image
