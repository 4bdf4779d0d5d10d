#pragma once

#include "api/admission.h"
#include "api/http_surface.h"
#include "api/storage/calls.h"
#include "store/blob/blob_store.h"

#include <string>

namespace brume::api::storage {

// Cloud Storage's JSON API, version 1, with its data paths: on
// storage.googleapis.com and www.googleapis.com, and emulator style, where the
// client knows our address alone (STORAGE_EMULATOR_HOST). Of the XML API, which
// has the other paths of the storage hosts, it answers refusals.
//
// Bytes of uploads go to the disk as they come, downloads come from it; no
// object is held whole. Thread-safe. What it is given must outlive it.
class StorageJson final : public HttpSurface {
 public:
  struct Options {
    Services services;
    store::BlobStore* blobs = nullptr;
    const Admission* admission = nullptr;
    // Id of the project that "<none>" means, which emulator-style Python sends,
    // and "_"; empty: they name no project.
    std::string default_project;
  };

  explicit StorageJson(Options options) : options_(std::move(options)) {}

  bool Owns(const RequestHead& head) const override;
  Begun Begin(RequestHead head) override;

 private:
  Begun BeginBatch(RequestHead head);
  Response CallInBatch(const RequestHead& outer, RequestHead head,
                       const std::string& body);
  absl::StatusOr<Request> Admit(RequestHead head, Route route) const;

  const Options options_;
};

}  // namespace brume::api::storage
