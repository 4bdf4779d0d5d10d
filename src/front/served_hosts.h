#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brume::front {

// Suffixes for which Brume's CA may vouch: those served now or later. They are
// the permitted subtrees of its critical name constraints (RFC 5280, 4.2.1.10).
const std::vector<std::string>& PermittedSuffixes();

// Whether Brume answers for `host` (lower case, no port): *.googleapis.com,
// *.pkg.dev, gcr.io, *.gcr.io, accounts.google.com and the metadata names. All
// others (dl.google.com and packages.cloud.google.com too) are tunnelled.
bool IsServedHost(std::string_view host);

// metadata.google.internal, its short form and 169.254.169.254.
bool IsMetadataHost(std::string_view host);

// localhost, 127.0.0.0/8 or ::1.
bool IsLoopbackHost(std::string_view host);

// Whether these may be a host's name or address: letters, digits, and "-._:".
// What is not does not reach a resolver, another proxy or a log.
bool IsHostText(std::string_view host);

// Lower-cases, drops the port, brackets and a trailing dot.
std::string CanonicalHost(std::string_view authority);

}  // namespace brume::front
