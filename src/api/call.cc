#include "api/call.h"

namespace brume::api {

std::string Principal::Member() const {
  switch (kind) {
    case Kind::kAnonymous:
      return "allUsers";
    case Kind::kUser:
      return "user:" + email;
    case Kind::kServiceAccount:
      return "serviceAccount:" + email;
  }
  return "allUsers";
}

}  // namespace brume::api
