#include "services/serviceusage/catalogue.h"

#include <algorithm>
#include <iterator>

namespace brume::services::serviceusage {
namespace {

constexpr CatalogueEntry kCatalogue[] = {
    {"aiplatform.googleapis.com", "Vertex AI API", false, ""},
    {"analyticshub.googleapis.com", "Analytics Hub API", true, ""},
    {"apikeys.googleapis.com", "API Keys API", false, ""},
    {"artifactregistry.googleapis.com", "Artifact Registry API", false, ""},
    {"autoscaling.googleapis.com", "Cloud Autoscaling API", false, ""},
    {"bigquery.googleapis.com", "BigQuery API", true, ""},
    {"bigqueryconnection.googleapis.com", "BigQuery Connection API", true, ""},
    {"bigquerydatapolicy.googleapis.com", "BigQuery Data Policy API", true, ""},
    {"bigquerydatatransfer.googleapis.com", "BigQuery Data Transfer API", true,
     ""},
    {"bigquerymigration.googleapis.com", "BigQuery Migration API", true, ""},
    {"bigqueryreservation.googleapis.com", "BigQuery Reservation API", true,
     ""},
    {"bigquerystorage.googleapis.com", "BigQuery Storage API", true, ""},
    {"cloudapis.googleapis.com", "Google Cloud APIs", true, ""},
    {"cloudbilling.googleapis.com", "Cloud Billing API", false, ""},
    {"cloudbuild.googleapis.com", "Cloud Build API", false, ""},
    {"cloudfunctions.googleapis.com", "Cloud Functions API", false, ""},
    {"cloudkms.googleapis.com", "Cloud Key Management Service (KMS) API", false,
     ""},
    {"cloudresourcemanager.googleapis.com", "Cloud Resource Manager API", false,
     ""},
    {"cloudscheduler.googleapis.com", "Cloud Scheduler API", false, ""},
    {"cloudtrace.googleapis.com", "Cloud Trace API", true, ""},
    {"compute.googleapis.com", "Compute Engine API", false,
     "oslogin.googleapis.com"},
    {"container.googleapis.com", "Kubernetes Engine API", false,
     "compute.googleapis.com containerfilesystem.googleapis.com "
     "containerregistry.googleapis.com networkconnectivity.googleapis.com "
     "pubsub.googleapis.com"},
    {"containeranalysis.googleapis.com", "Container Analysis API", false, ""},
    {"containerfilesystem.googleapis.com", "Container File System API", false,
     ""},
    {"containerregistry.googleapis.com", "Container Registry API", false,
     "pubsub.googleapis.com"},
    {"dataflow.googleapis.com", "Dataflow API", false,
     "compute.googleapis.com"},
    {"dataform.googleapis.com", "Dataform API", true, ""},
    {"dataplex.googleapis.com", "Cloud Dataplex API", true, ""},
    {"dataproc.googleapis.com", "Cloud Dataproc API", false,
     "compute.googleapis.com"},
    {"datastore.googleapis.com", "Cloud Datastore API", true, ""},
    {"deploymentmanager.googleapis.com", "Cloud Deployment Manager V2 API",
     false, ""},
    {"dns.googleapis.com", "Cloud DNS API", false, ""},
    {"eventarc.googleapis.com", "Eventarc API", false, ""},
    {"file.googleapis.com", "Cloud Filestore API", false, ""},
    {"firestore.googleapis.com", "Cloud Firestore API", false, ""},
    {"generativelanguage.googleapis.com", "Gemini API", false, ""},
    {"iam.googleapis.com", "Identity and Access Management (IAM) API", false,
     ""},
    {"iamcredentials.googleapis.com", "IAM Service Account Credentials API",
     false, ""},
    {"logging.googleapis.com", "Cloud Logging API", true, ""},
    {"ml.googleapis.com", "AI Platform Training & Prediction API", false, ""},
    {"monitoring.googleapis.com", "Cloud Monitoring API", true, ""},
    {"networkconnectivity.googleapis.com", "Network Connectivity API", false,
     ""},
    {"notebooks.googleapis.com", "Notebooks API", false,
     "compute.googleapis.com"},
    {"ondemandscanning.googleapis.com", "On-Demand Scanning API", false, ""},
    {"orgpolicy.googleapis.com", "Organization Policy API", false, ""},
    {"oslogin.googleapis.com", "Cloud OS Login API", false, ""},
    {"pubsub.googleapis.com", "Cloud Pub/Sub API", false, ""},
    {"redis.googleapis.com", "Google Cloud Memorystore for Redis API", false,
     ""},
    {"run.googleapis.com", "Cloud Run Admin API", false, ""},
    {"secretmanager.googleapis.com", "Secret Manager API", false, ""},
    {"servicecontrol.googleapis.com", "Service Control API", false, ""},
    {"servicemanagement.googleapis.com", "Service Management API", true, ""},
    {"servicenetworking.googleapis.com", "Service Networking API", false, ""},
    {"serviceusage.googleapis.com", "Service Usage API", true, ""},
    {"source.googleapis.com", "Legacy Cloud Source Repositories API", false,
     ""},
    {"spanner.googleapis.com", "Cloud Spanner API", false, ""},
    {"sql-component.googleapis.com", "Cloud SQL", true, ""},
    {"sqladmin.googleapis.com", "Cloud SQL Admin API", false, ""},
    {"storage-api.googleapis.com", "Google Cloud Storage JSON API", true, ""},
    {"storage-component.googleapis.com", "Cloud Storage", true, ""},
    {"storage.googleapis.com", "Cloud Storage API", true, ""},
    {"storageinsights.googleapis.com", "Storage Insights API", false, ""},
    {"storagetransfer.googleapis.com", "Storage Transfer API", false, ""},
    {"sts.googleapis.com", "Security Token Service API", false, ""},
    {"telemetry.googleapis.com", "Telemetry API", true, ""},
    {"tpu.googleapis.com", "Cloud TPU API", false, "compute.googleapis.com"},
    {"visionai.googleapis.com", "Vision AI API", false, ""},
    {"vpcaccess.googleapis.com", "Serverless VPC Access API", false, ""},
    {"workflows.googleapis.com", "Workflows API", false, ""},
    {"workstations.googleapis.com", "Cloud Workstations API", false,
     "compute.googleapis.com"},
};

}  // namespace

absl::Span<const CatalogueEntry> Catalogue() { return kCatalogue; }

const CatalogueEntry* FindService(std::string_view name) {
  const auto* end = std::end(kCatalogue);
  const auto* it =
      std::lower_bound(std::begin(kCatalogue), end, name,
                       [](const CatalogueEntry& entry, std::string_view key) {
                         return entry.name < key;
                       });
  return it != end && it->name == name ? it : nullptr;
}

}  // namespace brume::services::serviceusage
