#pragma once

#include "api/oauth/oauth_surface.h"
#include "api/oauth/request.h"

namespace brume::api::oauth {

// The keys with which identity tokens are signed: {"KID": "PEM"}, or a JSON
// Web Key Set (RFC 7517).
Response GoogleX509(const Services& services, const Request& request);
Response GoogleJwk(const Services& services, const Request& request);
// The same of a service account's keys; the e-mail is Request::rest.
Response AccountX509(const Services& services, const Request& request);
Response AccountJwk(const Services& services, const Request& request);
// accounts.google.com's OpenID Connect discovery document.
Response Discovery(const Services& services, const Request& request);

}  // namespace brume::api::oauth
