#pragma once

#include "api/oauth/oauth_surface.h"
#include "api/oauth/request.h"

namespace brume::api::oauth {

// POST /token.
Response Token(const Services& services, const Request& request);
// POST /revoke.
Response Revoke(const Services& services, const Request& request);
// The pages of signing in by a browser, which is not served: the owner is
// signed in wherever `brume run` is.
Response SignIn(const Services& services, const Request& request);

}  // namespace brume::api::oauth
