#include "front/dns_message.h"

#include <gtest/gtest.h>

#include <string>

namespace brume::front {
namespace {

using namespace std::string_literals;

std::string Name(const std::string& name) {
  std::string out;
  size_t at = 0;
  while (at < name.size()) {
    const size_t dot = std::min(name.find('.', at), name.size());
    out.push_back(static_cast<char>(dot - at));
    out.append(name, at, dot - at);
    at = dot + 1;
  }
  out.push_back('\0');
  return out;
}

std::string Query(const std::string& name, char type) {
  return "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"s + Name(name) +
         "\x00"s + type + "\x00\x01"s;
}

int Rcode(const std::string& answer) { return answer[3] & 0x0f; }

TEST(DnsMessageTest, EveryNameIsThisMachine) {
  const std::string answer = AnswerDns(Query("storage.googleapis.com", 1));
  EXPECT_EQ(answer.substr(0, 12),
            "\x12\x34\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00"s);
  EXPECT_EQ(
      answer.substr(answer.size() - 16),
      "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01"s);
}

TEST(DnsMessageTest, TheMetadataServerHasItsOwnAddress) {
  for (const char* name :
       {"metadata.google.internal", "Metadata.Google.Internal", "metadata"}) {
    const std::string answer = AnswerDns(Query(name, 1));
    EXPECT_EQ(answer.substr(answer.size() - 4), "\xa9\xfe\xa9\xfe") << name;
  }
}

TEST(DnsMessageTest, OtherTypesAreEmpty) {
  // AAAA, HTTPS and PTR.
  for (char type : {28, 65, 12}) {
    const std::string query = Query("storage.googleapis.com", type);
    const std::string answer = AnswerDns(query);
    EXPECT_EQ(Rcode(answer), 0);
    EXPECT_EQ(answer.substr(6, 2), "\0\0"s);
    EXPECT_EQ(answer.substr(12), query.substr(12));
  }
}

TEST(DnsMessageTest, MalformedQueriesAreRefused) {
  const std::string good = Query("a.example", 1);
  EXPECT_EQ(AnswerDns("short"), "");
  // An answer is not answered, or two servers could talk for ever.
  std::string answer = good;
  answer[2] = '\x81';
  EXPECT_EQ(AnswerDns(answer), "");
  std::string update = good;
  update[2] = '\x28';
  EXPECT_EQ(Rcode(AnswerDns(update)), 4);
  for (size_t cut = 12; cut < good.size(); ++cut) {
    EXPECT_EQ(Rcode(AnswerDns(good.substr(0, cut))), 1) << cut;
  }
  std::string pointer = good;
  pointer[12] = '\xc0';
  EXPECT_EQ(Rcode(AnswerDns(pointer)), 1);
  std::string two = good;
  two[5] = 2;
  EXPECT_EQ(Rcode(AnswerDns(two)), 1);
  std::string long_name;
  for (int i = 0; i < 60; ++i) long_name += "abcde.";
  EXPECT_EQ(Rcode(AnswerDns(Query(long_name + "x", 1))), 1);
}

}  // namespace
}  // namespace brume::front
