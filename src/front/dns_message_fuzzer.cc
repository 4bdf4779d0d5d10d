#include "front/dns_message.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// A DNS query. The answer is one, and hardly longer than its question: a
// responder that multiplies bytes is a weapon.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  const std::string answer = brume::front::AnswerDns(query);
  if (answer.empty()) return 0;
  if (answer.size() < 12 || answer.size() > size + 16) abort();
  if (answer.substr(0, 2) != query.substr(0, 2)) abort();
  if ((answer[2] & 0x80) == 0) abort();
  // It is itself no query.
  if (!brume::front::AnswerDns(answer).empty()) abort();
  return 0;
}
