#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace brume::base {

// RFC 4648 base64, padded, standard alphabet.
std::string Base64Encode(std::string_view bytes);
// RFC 4648 base64url without padding, as JWTs use it (RFC 7515).
std::string Base64UrlEncode(std::string_view bytes);
// Reads either alphabet, padded or not; nullopt for anything else.
std::optional<std::string> Base64Decode(std::string_view text);

// Lower-case hexadecimal.
std::string HexEncode(std::string_view bytes);

// Percent-encoding (RFC 3986): everything but unreserved characters and those
// in `keep` is encoded.
std::string PercentEncode(std::string_view text, std::string_view keep = "");
// nullopt on a malformed escape. With `plus_is_space`, as forms and queries.
std::optional<std::string> PercentDecode(std::string_view text,
                                         bool plus_is_space = false);

}  // namespace brume::base
