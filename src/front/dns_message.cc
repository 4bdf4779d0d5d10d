#include "front/dns_message.h"

#include "front/served_hosts.h"

#include <absl/strings/ascii.h>

#include <cstdint>
#include <optional>

namespace brume::front {
namespace {

constexpr size_t kHeader = 12;
constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeAny = 255;
constexpr uint16_t kClassIn = 1;
constexpr uint16_t kFormErr = 1;
constexpr uint16_t kNotImp = 4;
constexpr uint32_t kTtl = 60;

uint16_t Word(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

void Put16(std::string* out, uint32_t value) {
  out->push_back(static_cast<char>(value >> 8 & 0xff));
  out->push_back(static_cast<char>(value & 0xff));
}

struct Question {
  std::string name;  // lower case, without the last dot
  uint16_t type = 0;
  uint16_t klass = 0;
  size_t end = 0;  // in the message
};

std::optional<Question> ReadQuestion(std::string_view query) {
  Question question;
  size_t at = kHeader;
  for (;;) {
    if (at >= query.size()) return std::nullopt;
    const size_t length = static_cast<uint8_t>(query[at]);
    ++at;
    if (length == 0) break;
    // Pointers have no place in a question, there is nothing before it.
    if (length > 63 || query.size() - at < length ||
        question.name.size() + length > 254) {
      return std::nullopt;
    }
    if (!question.name.empty()) question.name.push_back('.');
    for (char c : query.substr(at, length)) {
      question.name.push_back(
          absl::ascii_tolower(static_cast<unsigned char>(c)));
    }
    at += length;
  }
  if (query.size() - at < 4) return std::nullopt;
  question.type = Word(query, at);
  question.klass = Word(query, at + 2);
  question.end = at + 4;
  return question;
}

// The query's id and flags, made an answer's.
std::string Header(std::string_view query, uint16_t rcode, uint16_t questions,
                   uint16_t answers) {
  const uint16_t flags = Word(query, 2);
  std::string out(query.substr(0, 2));
  // QR, AA and RA; opcode and RD as asked.
  Put16(&out, 0x8480u | (flags & 0x7900u) | rcode);
  Put16(&out, questions);
  Put16(&out, answers);
  Put16(&out, 0);
  Put16(&out, 0);
  return out;
}

}  // namespace

std::string AnswerDns(std::string_view query) {
  if (query.size() < kHeader) return "";
  const uint16_t flags = Word(query, 2);
  if ((flags & 0x8000) != 0) return "";
  if ((flags & 0x7800) != 0) return Header(query, kNotImp, 0, 0);
  if (query.size() > kMaxDnsQuery || Word(query, 4) != 1) {
    return Header(query, kFormErr, 0, 0);
  }
  const std::optional<Question> question = ReadQuestion(query);
  if (!question) return Header(query, kFormErr, 0, 0);

  const bool has_address =
      (question->klass == kClassIn || question->klass == kTypeAny) &&
      (question->type == kTypeA || question->type == kTypeAny) &&
      !question->name.empty();
  std::string out = Header(query, 0, 1, has_address ? 1 : 0);
  out.append(query.substr(kHeader, question->end - kHeader));
  if (!has_address) return out;
  Put16(&out, 0xc000u | kHeader);  // the question's name
  Put16(&out, kTypeA);
  Put16(&out, kClassIn);
  Put16(&out, kTtl >> 16);
  Put16(&out, kTtl & 0xffff);
  Put16(&out, 4);
  out.append(IsMetadataHost(question->name)
                 ? std::string_view("\xa9\xfe\xa9\xfe", 4)
                 : std::string_view("\x7f\x00\x00\x01", 4));
  return out;
}

}  // namespace brume::front
