#pragma once

#include <cstdint>
#include <string>

// Etags as Cloud Storage makes them: base64 of a small message, whose fields 1
// and 2 are the numbers that a change raises ("CAE=").
namespace brume::services::storage {

std::string EtagOf(int64_t number);
std::string EtagOf(int64_t generation, int64_t metageneration);

}  // namespace brume::services::storage
