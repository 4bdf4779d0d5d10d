#include "store/image/tar_writer.h"

#include "base/str_cat.h"

#include <absl/strings/str_format.h>

#include <utility>

namespace brume::store::image {
namespace {

constexpr size_t kBlock = 512;

void Pad(std::string& out) {
  out.append((kBlock - out.size() % kBlock) % kBlock, '\0');
}

std::string PaxRecord(std::string_view key, std::string_view value) {
  // The length counts its own digits.
  size_t length = key.size() + value.size() + 3;
  std::string digits = base::StrCat(length + 1);
  while (base::StrCat(length + digits.size()).size() != digits.size()) {
    digits = base::StrCat(length + digits.size());
  }
  return base::StrCat(length + digits.size(), " ", key, "=", value, "\n");
}

char TypeFlag(TarEntry::Type type) {
  switch (type) {
    case TarEntry::Type::kFile:
      return '0';
    case TarEntry::Type::kHardLink:
      return '1';
    case TarEntry::Type::kSymlink:
      return '2';
    case TarEntry::Type::kCharDevice:
      return '3';
    case TarEntry::Type::kBlockDevice:
      return '4';
    case TarEntry::Type::kDirectory:
      return '5';
    case TarEntry::Type::kFifo:
      return '6';
  }
  return '0';
}

void AppendHeader(std::string& out, const TarEntry& entry, char type) {
  std::string block(kBlock, '\0');
  const auto put = [&block](size_t at, std::string_view text) {
    block.replace(at, text.size(), text);
  };
  put(0, std::string_view(entry.path).substr(0, 100));
  put(100, absl::StrFormat("%07o", entry.mode));
  put(108, absl::StrFormat("%07o", entry.uid & 07777777));
  put(116, absl::StrFormat("%07o", entry.gid & 07777777));
  put(124, absl::StrFormat("%011o", entry.size & 077777777777));
  put(136, absl::StrFormat("%011o", entry.mtime & 077777777777));
  put(148, "        ");
  block[156] = type;
  put(157, std::string_view(entry.link).substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, absl::StrFormat("%06o", sum));
  block[154] = '\0';
  out += block;
}

}  // namespace

void TarWriter::Add(TarEntry entry, std::string_view data) {
  entry.size = data.size();
  std::string pax;
  if (entry.path.size() > 100) pax += PaxRecord("path", entry.path);
  if (entry.link.size() > 100) pax += PaxRecord("linkpath", entry.link);
  if (entry.uid > 07777777) pax += PaxRecord("uid", base::StrCat(entry.uid));
  if (entry.gid > 07777777) pax += PaxRecord("gid", base::StrCat(entry.gid));
  for (const auto& [name, value] : entry.xattrs) {
    pax += PaxRecord(base::StrCat("SCHILY.xattr.", name), value);
  }
  if (!pax.empty()) {
    TarEntry extended;
    extended.path = "pax";
    extended.size = pax.size();
    AppendHeader(out_, extended, 'x');
    out_ += pax;
    Pad(out_);
  }
  AppendHeader(out_, entry, TypeFlag(entry.type));
  out_ += data;
  Pad(out_);
}

std::string TarWriter::Finish() {
  out_.append(2 * kBlock, '\0');
  return std::exchange(out_, {});
}

}  // namespace brume::store::image
