// Verification of a volume: everything against everything, and the repairs that lose nothing.
//
// Each doubt is looked at once more on the spot before it becomes a finding, so that a volume in use has no false ones.
// What the inode says wins over what a directory says: entries are rebuilt from link sets, never the other way round.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/volume/engine_volume.h"

namespace holdfast {

class VolumeCheck {
 public:
  VolumeCheck(EngineVolume& volume, bool repair) : volume_(volume), repair_(repair) {}
  Task<Result<Volume::CheckReport>> Run();

 private:
  struct Name {
    FileNumber parent;
    std::string encoded;
    bool seen = false;  // an entry leads here
  };
  struct File {
    bool directory = false;
    bool unlinking = false;
    bool has_opens = false;
    bool readable = true;  // else nothing else is known, and nothing of it is touched
    std::vector<Name> names;
    std::map<StreamId, std::uint64_t> ends;  // no byte of the stream lies behind
  };

  void Find(std::string text) { report_.findings.push_back(std::move(text)); }
  void CountRepair(bool done) { report_.repaired += done ? 1 : 0; }
  Task<EngineResult<std::vector<std::string>>> Names(std::string prefix, std::string after);
  File* Get(FileNumber number);

  // Each a part of the volume; they answer an engine's error that ends the check. check_names.cc has the directories.
  Task<EngineError> CheckInodes();
  Task<EngineError> CheckInode(FileNumber number);
  Task<EngineError> CheckAllocation();
  Task<EngineError> CheckSets();
  Task<EngineError> CheckSet(std::string object, bool orphans);
  Task<EngineError> CheckUnlinked();
  Task<EngineError> CheckStreams();
  Task<EngineError> CheckStripe(std::string object);
  Task<EngineError> CheckDirectories();
  Task<EngineError> CheckDirectory(FileNumber number);
  Task<EngineError> CheckShard(FileNumber number, Shard shard);
  Task<EngineError> CheckEntry(FileNumber directory, RawDirent raw);
  Task<EngineError> CheckNames();
  Task<EngineError> CheckName(FileNumber number, Name name);
  Task<EngineError> CheckPaths();
  Task<EngineError> CheckShardObjects();

  Task<bool> RemoveObject(std::string object);
  Task<bool> InsertEntry(FileNumber number, FileNumber directory, std::string encoded);
  // Gives a file that has lost its place a name in the root: "lost-<number>".
  Task<bool> MoveToRoot(FileNumber number, Name name);
  Task<bool> PurgeNameless(FileNumber number);

  EngineVolume& volume_;
  bool repair_;
  Volume::CheckReport report_;
  std::map<FileNumber, File> files_;
  std::set<FileNumber> unreadable_maps_;
};

}  // namespace holdfast
