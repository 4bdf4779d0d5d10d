#pragma once

#include "app/control_server.h"
#include "runtime/worker_pool.h"
#include "store/image/image_store.h"
#include "store/image/layer_store.h"

#include <boost/json/object.hpp>

#include <string>

namespace brume::app {

// The control socket's requests about images:
//   images        {} -> {images: [{name, tag, digest, size, tagged, standIn}]}
//   image_import  {name} and two descriptors, the archive (a file, folder or
//                 pipe) and a pipe on which JSON lines come: {bytes}, how much
//                 was stored, {step: "unpack"}, at last {images: [...]} or
//                 {code, message}. The reply comes at once. Closing the pipe
//                 cancels.
//   image_remove  {name} -> {digest}; the tag, and the image when it was its
//                 last one
// Thread-safe.
class ImageDesk {
 public:
  struct Options {
    store::image::ImageStore* images = nullptr;
    store::image::LayerStore* layers = nullptr;
    std::string scratch;  // a folder on a disk, for archives that come by pipe
  };
  explicit ImageDesk(Options options);

  static bool Knows(std::string_view op);
  ControlServer::Reply Handle(ControlServer::Request request);

 private:
  ControlServer::Reply List();
  ControlServer::Reply Import(ControlServer::Request request);
  ControlServer::Reply Remove(const ControlServer::Request& request);

  const Options options_;
  runtime::WorkerPool importers_;
};

}  // namespace brume::app
