#pragma once

#include "cli/command.h"

// One function per command, in the file of its name.
namespace brume::cli {

Command UpCommand();
Command DownCommand();
Command StatusCommand();
Command RunCommand();
Command EnvCommand();
Command CpCommand();
Command LsCommand();
Command CatCommand();
Command RmCommand();
Command TrainCommand();
Command ImagesCommand();
Command CallsCommand();
Command MethodsCommand();
Command DoctorCommand();
Command SettingsCommand();
Command VersionCommand();

}  // namespace brume::cli
