#pragma once

#include <boost/json/object.hpp>

namespace brume::exec {

// The "seccomp" object of config.json: everything is allowed but what Docker's
// default profile keeps from a container without privileges, by the reasons its
// documentation gives: kernel administration, keys (not namespaced), tracing,
// new namespaces and mounts, handles, io_uring, sockets into the virtual
// machine's host. A list of what is refused rather than of what is allowed
// does not go stale with every new system call; capabilities and no new
// privileges stand behind it.
boost::json::object SeccompFilter();

}  // namespace brume::exec
