#pragma once

#include "api/oauth/oauth_surface.h"
#include "api/oauth/request.h"

namespace brume::api::oauth {

// Whose a token is: of an access token or an identity token (v3 also by its
// newer name, oauth2.googleapis.com/tokeninfo).
Response TokenInfoV1(const Services& services, const Request& request);
Response TokenInfoV3(const Services& services, const Request& request);
// Who the bearer is.
Response UserInfoV2(const Services& services, const Request& request);
Response UserInfoV3(const Services& services, const Request& request);

}  // namespace brume::api::oauth
