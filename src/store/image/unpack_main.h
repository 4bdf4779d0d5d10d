#pragma once

namespace brume::store::image {

// The hidden mode of the program in which layers are unpacked and removed, as
// LayerStore starts it:
//   unpack FOLDER NAME   the layer on standard input into FOLDER/NAME, synced;
//                        prints its diff id
//   remove FOLDER NAME   the tree FOLDER/NAME
// `argv` holds only these words. An ordinary user's process first becomes root
// in a user namespace of its own, with its subordinate ids. Says on stderr why
// it returns 1. For a process with one thread.
int UnpackMain(int argc, char** argv);

}  // namespace brume::store::image
