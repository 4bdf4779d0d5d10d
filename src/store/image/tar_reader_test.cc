#include "store/image/tar_reader.h"

#include "store/image/tar_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace brume::store::image {
namespace {

using ::testing::HasSubstr;

TarEntry Entry(TarEntry::Type type, std::string path, std::string link = "") {
  TarEntry entry;
  entry.type = type;
  entry.path = std::move(path);
  entry.link = std::move(link);
  entry.mode = 0644;
  return entry;
}

std::string ReadAllOf(TarReader& tar) {
  std::string out;
  char buffer[100];
  while (true) {
    auto got = tar.ReadData(buffer, sizeof(buffer));
    if (!got.ok() || *got == 0) return out;
    out.append(buffer, *got);
  }
}

// "path=data" of each entry, or the error.
std::vector<std::string> List(std::string archive) {
  TarReader tar(StringSource(std::move(archive)));
  std::vector<std::string> out;
  while (true) {
    auto entry = tar.Next();
    if (!entry.ok()) {
      out.emplace_back(entry.status().message());
      return out;
    }
    if (!entry->has_value()) return out;
    out.push_back((*entry)->path + "=" + ReadAllOf(tar));
  }
}

TEST(TarReaderTest, EntriesComeWithTheirData) {
  TarWriter writer;
  writer.Add(Entry(TarEntry::Type::kDirectory, "d/"));
  writer.Add(Entry(TarEntry::Type::kFile, "d/a"), "hello");
  writer.Add(Entry(TarEntry::Type::kSymlink, "d/l", "a"));
  writer.Add(Entry(TarEntry::Type::kFile, "d/big"), std::string(1000, 'x'));

  EXPECT_THAT(List(writer.Finish()),
              testing::ElementsAre("d/=", "d/a=hello",
                                   "d/l=", "d/big=" + std::string(1000, 'x')));
}

TEST(TarReaderTest, UnreadDataAreSkipped) {
  TarWriter writer;
  writer.Add(Entry(TarEntry::Type::kFile, "a"), std::string(1300, 'x'));
  writer.Add(Entry(TarEntry::Type::kFile, "b"), "b");
  TarReader tar(StringSource(writer.Finish()));

  ASSERT_TRUE(tar.Next().ok());
  auto second = tar.Next();

  ASSERT_TRUE(second.ok() && second->has_value());
  EXPECT_EQ((*second)->path, "b");
}

TEST(TarReaderTest, LongNamesLinksAndAttributesComeFromPax) {
  TarWriter writer;
  TarEntry entry = Entry(TarEntry::Type::kHardLink, std::string(300, 'p'),
                         std::string(250, 'l'));
  entry.uid = 3000000000;
  entry.xattrs["user.k"] = "v\nw";
  writer.Add(entry);
  TarReader tar(StringSource(writer.Finish()));

  auto got = tar.Next();

  ASSERT_TRUE(got.ok() && got->has_value());
  EXPECT_EQ((*got)->path, entry.path);
  EXPECT_EQ((*got)->link, entry.link);
  EXPECT_EQ((*got)->uid, entry.uid);
  EXPECT_EQ((*got)->xattrs, entry.xattrs);
}

TEST(TarReaderTest, ADamagedHeaderIsNamedByItsByte) {
  TarWriter writer;
  writer.Add(Entry(TarEntry::Type::kFile, "a"), "x");
  writer.Add(Entry(TarEntry::Type::kFile, "b"), "y");
  std::string archive = writer.Finish();
  archive[1024] = '?';

  EXPECT_THAT(List(archive).back(),
              HasSubstr("at byte 1536: the header's checksum is wrong"));
}

TEST(TarReaderTest, ACutArchiveIsRefused) {
  TarWriter writer;
  writer.Add(Entry(TarEntry::Type::kFile, "a"), std::string(2000, 'x'));
  TarReader tar(StringSource(writer.Finish().substr(0, 1500)));
  ASSERT_TRUE(tar.Next().ok());

  const auto next = tar.Next();

  EXPECT_THAT(std::string(next.status().message()), HasSubstr("cut short"));
}

TEST(TarReaderTest, AnEmptyStreamIsAnEmptyArchive) {
  EXPECT_TRUE(List("").empty());
  EXPECT_TRUE(List(std::string(1024, '\0')).empty());
}

// A ustar header as GNU tar writes it: name, 12-byte size field, type.
std::string RawHeader(std::string_view name, std::string_view size, char type) {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  block.replace(100, 8, "0000644\0", 8);
  block.replace(124, size.size(), size);
  block.replace(136, 12, "00000000001\0", 12);
  block.replace(148, 8, "        ");
  block[156] = type;
  block.replace(257, 8, "ustar  \0", 8);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  char digits[8];
  std::snprintf(digits, sizeof(digits), "%06o", sum);
  block.replace(148, 7, std::string(digits, 7));
  return block;
}

std::string Padded(std::string data) {
  data.resize((data.size() + 511) / 512 * 512, '\0');
  return data;
}

constexpr std::string_view kFiveBytes("00000000005\0", 12);

TEST(TarReaderTest, GnuLongNamesAndLinksAreRead) {
  const std::string name = "folder/" + std::string(300, 'n');
  const std::string link(250, 'l');
  const std::string archive =
      RawHeader("././@LongLink", "00000000464", 'L') + Padded(name) +
      RawHeader("folder/nnn", kFiveBytes, '0') + Padded("hello") +
      RawHeader("././@LongLink", "00000000373", 'K') + Padded(link) +
      RawHeader("s", "00000000000", '2') + std::string(1024, '\0');
  TarReader tar(StringSource(archive));

  auto entry = tar.Next();
  ASSERT_TRUE(entry.ok() && entry->has_value()) << entry.status();
  EXPECT_EQ((*entry)->path, name);
  EXPECT_EQ(ReadAllOf(tar), "hello");
  entry = tar.Next();
  ASSERT_TRUE(entry.ok() && entry->has_value()) << entry.status();
  EXPECT_EQ((*entry)->path, "s");
  EXPECT_EQ((*entry)->link, link);
}

TEST(TarReaderTest, Base256SizesAreRead) {
  std::string size(12, '\0');
  size[0] = '\x80';
  size[11] = 5;
  const std::string archive = RawHeader("big", size, '0') + Padded("hello") +
                              RawHeader("next", "00000000000", '0') +
                              std::string(1024, '\0');
  TarReader tar(StringSource(archive));

  auto entry = tar.Next();
  ASSERT_TRUE(entry.ok() && entry->has_value()) << entry.status();
  EXPECT_EQ((*entry)->size, 5u);
  EXPECT_EQ(ReadAllOf(tar), "hello");
  entry = tar.Next();
  ASSERT_TRUE(entry.ok() && entry->has_value()) << entry.status();
  EXPECT_EQ((*entry)->path, "next");
}

TEST(TarReaderTest, ImpossibleBase256SizesAreRefused) {
  const std::string negative(12, '\xff');
  std::string huge(12, '\x7f');
  huge[0] = '\x80';
  for (const std::string& size : {negative, huge}) {
    TarReader tar(StringSource(RawHeader("f", size, '0')));
    EXPECT_FALSE(tar.Next().ok());
  }
}

TEST(TarReaderTest, CompressedArchivesAreReadAfterDecompress) {
  const std::string plain = RawHeader("f", kFiveBytes, '0') + Padded("hello") +
                            std::string(1024, '\0');
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(),
                              plain.size(), 1));
  auto source = Decompress(StringSource(packed));
  ASSERT_TRUE(source.ok()) << source.status();
  TarReader tar(*std::move(source));

  const auto entry = tar.Next();

  ASSERT_TRUE(entry.ok() && entry->has_value()) << entry.status();
  EXPECT_EQ((*entry)->path, "f");
  EXPECT_EQ(ReadAllOf(tar), "hello");
}

}  // namespace
}  // namespace brume::store::image
