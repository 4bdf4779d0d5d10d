#pragma once

#include "api/method.h"
#include "services/resourcemanager/projects.h"
#include "services/resourcemanager/projects_v1.h"

namespace brume::api {

// google.cloud.resourcemanager.v3.Projects and v1's Projects. What is given
// must outlive the table.
void AddResourceManagerRows(MethodTable& table,
                            services::resourcemanager::Projects& v3_projects,
                            services::resourcemanager::ProjectsV1& v1_projects);

}  // namespace brume::api
