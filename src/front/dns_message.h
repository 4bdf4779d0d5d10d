#pragma once

#include <string>
#include <string_view>

namespace brume::front {

// Longest query that is answered; a longer one is malformed to us. Names are at
// most 255 bytes (RFC 1035, 2.3.4), options (EDNS) small.
inline constexpr size_t kMaxDnsQuery = 4096;

// The answer of a sealed namespace's name server to one query (RFC 1035, 4):
// every name's A record is 127.0.0.1, the metadata server's 169.254.169.254;
// other types exist and are empty, so that clients do not look further. FORMERR
// for what cannot be read, NOTIMP for other operations than a query. Empty:
// nothing is to be answered (too short, or itself an answer).
std::string AnswerDns(std::string_view query);

}  // namespace brume::front
