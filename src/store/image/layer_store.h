#pragma once

#include "store/image/image_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace brume::store::image {

// Layers unpacked, each once, side by side in one folder:
//   <16 hex digits>/     the tree, as overlayfs reads it (layer_unpacker.h)
//   <16 hex digits>.ok   its full diff id; without this file the tree is not
//                        complete and is made again
// The names are short because overlayfs takes all of a mount's lower folders in
// one page (mount from inside the folder). A tree is synced before its marker
// is written. Unpacking runs in a process of its own: with an ordinary user's
// subordinate ids it is root there, and nobody else's crash is ours.
//
// Thread-safe; the stores outlive it.
class LayerStore {
 public:
  struct Options {
    std::string folder;  // made when missing
    // The program that runs UnpackMain: {"/proc/self/exe", "__unpack"}.
    std::vector<std::string> unpacker;
  };
  // Removes what an earlier crash left half done.
  static absl::StatusOr<std::unique_ptr<LayerStore>> Create(Options options,
                                                            ImageStore& images);

  // The folder names of the image's layers, lowest first; unpacks what is
  // missing and waits for others who do. INVALID_ARGUMENT when a layer is
  // damaged or is not what the image's config says.
  absl::StatusOr<std::vector<std::string>> Ensure(const ResolvedImage& image);
  // The folder name of the layer with that diff id.
  static std::string NameOf(std::string_view diff_id);
  // Removes every tree whose name is not in `names`. Only before tasks start.
  absl::Status KeepOnly(const std::set<std::string>& names);
  const std::string& folder() const { return options_.folder; }

 private:
  LayerStore(Options options, ImageStore& images)
      : options_(std::move(options)), images_(images) {}

  absl::Status EnsureOne(const std::string& name, const std::string& blob,
                         const std::string& diff_id);
  absl::Status Unpack(const std::string& name, const std::string& blob,
                      const std::string& diff_id);
  absl::StatusOr<bool> IsDone(const std::string& name,
                              const std::string& diff_id) const;
  absl::Status RemoveLeftover(const std::string& name) const;

  const Options options_;
  ImageStore& images_;
  absl::Mutex mutex_;
  std::set<std::string> busy_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace brume::store::image
