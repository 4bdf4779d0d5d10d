#pragma once

#include "exec/executor.h"

#include <memory>
#include <string>

namespace brume::exec {

// An engine with two images that it finds by name:
//   "test/shell"  a busybox: /bin/sh and its tools; no ENTRYPOINT, no CMD
//   "test/app"    the same with ENTRYPOINT ["/bin/echo","entry"], CMD ["cmd"],
//                 USER app (1000:1000, home /home/app), WORKDIR /made/here,
//                 ENV FROM_IMAGE=image; its second layer removes /removed
class ExecutorWorld {
 public:
  virtual ~ExecutorWorld() = default;
  virtual Executor& executor() = 0;
  // Destroys the engine's object and makes it again over the same data.
  virtual void Restart() = 0;
  // Why this machine cannot run it; empty when it can.
  virtual std::string Unable() { return ""; }
};
using ExecutorWorldFactory = std::unique_ptr<ExecutorWorld> (*)();

}  // namespace brume::exec
