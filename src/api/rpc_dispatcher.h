#pragma once

#include "api/admission.h"
#include "api/method.h"
#include "api/wire.h"

namespace brume::api {

// The gRPC side of the API: unary calls of the method table's rows. An unknown
// method and one that is not served are UNIMPLEMENTED. Thread-safe; what it is
// given must outlive it.
class RpcDispatcher final : public RpcService {
 public:
  RpcDispatcher(const MethodTable& table, const Admission& admission)
      : table_(table), admission_(admission) {}

  RpcOutcome Call(RpcHead head, std::string request) override;

 private:
  const MethodTable& table_;
  const Admission& admission_;
};

}  // namespace brume::api
