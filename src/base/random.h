#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace brume::base {

// Bytes from the kernel's generator (getrandom); for secrets and names.
// Thread-safe; aborts when the kernel has none, which does not happen.
std::string RandomBytes(size_t count);
// `count` random decimal digits, the first of them not 0.
std::string RandomDigits(size_t count);
// `count` random lower-case hexadecimal digits.
std::string RandomHex(size_t count);
// A random UUID (RFC 4122, version 4), lower case.
std::string RandomUuid();

}  // namespace brume::base
