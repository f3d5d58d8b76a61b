// Inode objects: reading them whole, and the guarded writes that change their link set.
//
// The link set is the commit record of the namespace: what a half-done change of a directory entry means is decided
// by asking the inode whether it has that link.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine/engine.h"
#include "storage/volume/codec.h"

namespace holdfast {

// One key of an inode as stored: its bytes for guards, its message for changes.
template <class Message>
struct Stored {
  std::string raw;
  Message message;
};

struct StoredLink {
  FileNumber parent = 0;
  std::string encoded_name;
  Stored<pb::Link> link;
};

// An inode object without the records of storage/files.
struct StoredInode {
  FileNumber number = 0;
  std::uint64_t version = 0;
  Stored<pb::InodeAttributes> attributes;
  std::vector<Stored<pb::StreamAttributes>> streams;  // by id
  std::vector<StoredLink> links;
  std::string security_descriptor;
  std::string reparse_data;
  std::vector<pb::EaValue> eas;
  bool has_opens = false;              // there are "o/" records
  std::vector<std::string> bad_keys;   // do not parse, or say something else than their key
  bool Has(FileNumber parent, std::string_view encoded_name) const;
};

// What an inode says about one name.
struct LinkState {
  bool exists = false;     // the inode object
  bool unlinking = false;  // it has lost its last name for good
  std::optional<Stored<pb::Link>> link;
  bool leads_here() const { return exists && !unlinking && link.has_value(); }
};

class InodeStore {
 public:
  explicit InodeStore(Engine& engine) : engine_(engine) {}

  // kNotFound when there is none; kCorrupt when its attributes do not parse.
  Task<EngineResult<StoredInode>> Read(FileNumber number);
  Task<EngineResult<Stored<pb::InodeAttributes>>> ReadAttributes(FileNumber number);
  Task<EngineResult<LinkState>> ReadLink(FileNumber number, FileNumber parent, std::string encoded_name);
  Task<EngineResult<std::optional<Stored<pb::StreamAttributes>>>> ReadStream(FileNumber number, StreamId stream);

  // The first and only write of a new inode; kGuardFailed when the object exists.
  Task<EngineError> Create(const Inode& inode, std::vector<Mutation> records, Durability durability);
  Task<EngineError> Remove(FileNumber number);

  // Adds a name. kNotFound when the inode is gone or going, kTooLarge at kMaxLinks.
  Task<EngineError> AddLink(FileNumber number, FileNumber parent, std::string encoded_name, std::u16string name);
  // The commit of a rename. kGuardFailed when the inode does not have the old name as `old_raw` any more.
  Task<EngineError> MoveLink(FileNumber number, FileNumber from, std::string from_encoded, std::string old_raw,
                             FileNumber to, std::string to_encoded, std::u16string to_name);
  // Removes a name that is not the last; of the last one it stays, and the inode is marked as unlinking instead.
  // `expect_last` is what the caller has prepared for: kGuardFailed when it is otherwise by then. `drop_records`: the
  // records of opens go with the last name, so that no claimer takes a closed handle for one that holds the orphan.
  Task<EngineError> DropLink(FileNumber number, FileNumber parent, std::string encoded_name, bool expect_last,
                             bool drop_records, Durability durability);

 private:
  Engine& engine_;
};

inline constexpr std::size_t kMaxLinks = 1024;  // as on NTFS, FileLinkInformation

// Keys, values and mutations of a whole inode.
std::vector<Mutation> InodeMutations(const Inode& inode);

// nullopt when something in it is malformed.
std::optional<Inode> ToInode(const StoredInode& stored);

}  // namespace holdfast
