#include "store/image/tar_reader.h"

#include "store/image/tar_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace brume::store::image
