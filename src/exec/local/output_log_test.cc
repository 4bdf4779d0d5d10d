#include "exec/local/output_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace brume::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(LineCutterTest, LinesComeWithTheirNewline) {
  LineCutter cutter;

  EXPECT_THAT(cutter.Add("a\nb"), ElementsAre("a"));
  EXPECT_THAT(cutter.Add("c"), IsEmpty());
  EXPECT_THAT(cutter.Add("\n\nd"), ElementsAre("bc", ""));
  EXPECT_EQ(cutter.Rest(), "d");
  EXPECT_EQ(cutter.Rest(), "");
}

TEST(LineCutterTest, LongLinesComeInPieces) {
  LineCutter cutter;

  const auto lines = cutter.Add(std::string(kMaxLine + 10, 'x') + "\n");

  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), kMaxLine);
  EXPECT_EQ(lines[1].size(), 10u);
}

class OutputLogTest : public ::testing::Test {
 protected:
  OutputLogTest() : fd_(memfd_create("log", MFD_CLOEXEC)) {}
  base::UniqueFd Writer() {
    return base::UniqueFd(
        open(("/proc/self/fd/" + std::to_string(fd_.get())).c_str(),
             O_WRONLY | O_APPEND | O_CLOEXEC));
  }
  base::UniqueFd fd_;
};

TEST_F(OutputLogTest, WrittenLinesAreRead) {
  LogWriter writer(Writer());
  const absl::Time first = absl::FromUnixMicros(1'700'000'000'123'456);
  writer.Append(first, false, {"a b", ""});
  writer.Append(first + absl::Seconds(1), true, {"\xff o"});
  uint64_t position = 0;

  const auto lines = ReadLog(fd_.get(), &position, 1000);

  ASSERT_TRUE(lines.ok()) << lines.status();
  ASSERT_EQ(lines->size(), 3u);
  EXPECT_EQ((*lines)[0].text, "a b");
  EXPECT_EQ((*lines)[0].time, first);
  EXPECT_FALSE((*lines)[0].is_stderr);
  EXPECT_EQ((*lines)[1].text, "");
  EXPECT_EQ((*lines)[2].text, "\xff o");
  EXPECT_TRUE((*lines)[2].is_stderr);
  EXPECT_TRUE(ReadLog(fd_.get(), &position, 1000)->empty());
}

TEST_F(OutputLogTest, HalfARecordWaits) {
  ASSERT_EQ(write(fd_.get(), "1 o a\n2 o b", 11), 11);
  uint64_t position = 0;

  EXPECT_EQ(ReadLog(fd_.get(), &position, 1000)->size(), 1u);
  EXPECT_EQ(position, 6u);
  ASSERT_EQ(write(fd_.get(), "c\n", 2), 2);
  EXPECT_EQ(ReadLog(fd_.get(), &position, 1000)->at(0).text, "bc");
}

TEST_F(OutputLogTest, TornRecordsArePassedOver) {
  ASSERT_EQ(write(fd_.get(), "1\nx o a\n3 e c\n", 14), 14);
  uint64_t position = 0;

  const auto lines = ReadLog(fd_.get(), &position, 1000);

  ASSERT_EQ(lines->size(), 1u);
  EXPECT_EQ(lines->at(0).text, "c");
}

TEST_F(OutputLogTest, LinesLostToAFullDiskAreCounted) {
  // A file that may not grow stands for a full disk.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {20, before.rlim_max};
  LogWriter writer(Writer());
  setrlimit(RLIMIT_FSIZE, &small);
  writer.Append(absl::FromUnixMicros(1), false, {"fits"});
  writer.Append(absl::FromUnixMicros(2), false, {"does not fit", "nor this"});
  setrlimit(RLIMIT_FSIZE, &before);
  writer.Append(absl::FromUnixMicros(3), false, {"again"});
  uint64_t position = 0;

  const auto lines = ReadLog(fd_.get(), &position, 1000);

  ASSERT_EQ(lines->size(), 3u);
  EXPECT_EQ(lines->at(0).text, "fits");
  EXPECT_THAT(lines->at(1).text, HasSubstr("2 lines were lost"));
  EXPECT_EQ(lines->at(2).text, "again");
}

}  // namespace
}  // namespace brume::exec
