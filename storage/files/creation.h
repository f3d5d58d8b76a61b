// One CREATE on its way, [MS-SMB2] 3.3.5.9 and [MS-FSA] 2.1.5.1. Start reading at Run() in create.cc.
#pragma once

#include <optional>
#include <variant>

#include "storage/files/create_access.h"
#include "storage/files/files_impl.h"
#include "storage/files/path.h"
#include "storage/files/records.h"

namespace holdfast {

class Creation {
 public:
  Creation(Files& files, CreateParameters parameters) : files_(files), impl_(*files.impl_), p_(std::move(parameters)) {}
  Task<Result<CreateOutcome>> Run();

 private:
  // An attempt whose ground moved under it (the name changed, the file went): look the path up again.
  struct Again {};
  // An attempt that broke somebody's caching and waited for it; it may look as different now.
  struct Waited {};
  using Attempt = std::variant<Again, Waited, Result<CreateOutcome>>;

  // Where the path leads. Without `number` the last component does not exist.
  struct Place {
    FileNumber parent = 0;  // 0: the root of the share, which has no name there
    std::u16string name;    // as stored when it exists, else as asked
    FileNumber number = 0;
    bool directory = false;
  };

  bool Wants(std::uint32_t option) const { return (p_.create_options & option) != 0; }
  bool Overwrites() const;
  bool Supersedes() const { return p_.create_disposition == 0; }

  NtStatus Validate();  // create.cc; also normalises p_
  Task<Result<CreateOutcome>> Execute();
  Task<Result<Place>> Walk();                   // create_walk.cc
  Task<Attempt> OpenExisting(Place place);      // create_existing.cc
  Task<Attempt> CreateNew(Place place);         // create_new.cc

  // create_replay.cc
  class Reservation;
  // Never beside another CREATE with the same CreateGuid: of two, the replay waits for its original and takes its answer.
  Task<Result<CreateOutcome>> ExecuteOnce();
  // kSuccess when the original has ended; kFileNotAvailable when it has not by `deadline`.
  Task<NtStatus> AwaitOriginal(Files::Impl::ReplayKey key, SteadyTime deadline);
  // A value decides the request.
  Task<std::optional<Result<CreateOutcome>>> Replay();
  // What was answered before, though no more than this request asks for.
  CreateOutcome AnswerAgain(const OpenPtr& open);
  // The replay that crosses a failover: the second lookup of 3.3.5.9 found this open.
  Task<Result<CreateOutcome>> AttachSurvivor(OpenPtr open);
  Task<NtStatus> EndOtherInstance();            // create_app_instance.cc

  // create_existing.cc
  NtStatus CheckKind(const FileState& file) const;
  Task<Result<CreateOutcome>> OpenStream(FileStatePtr file, Place place, StreamState* stream);
  Task<NtStatus> Overwrite(FileStatePtr file, OpenPtr open, StreamState* stream);
  Task<NtStatus> AddStream(FileStatePtr file, OpenPtr open);
  Task<NtStatus> Persist(FileStatePtr file, OpenPtr open, RecordTodo todo);
  Task<Result<FileStatePtr>> Parent(const Place& place);
  Files::Impl::Contender MakeContender(std::uint32_t access, bool overwrites, bool sharing_violation) const;
  // The open's record, and that of its lease.
  std::vector<RecordChange> Records(const Open& open, RecordTodo todo) const;

  // create.cc
  bool grants_persistent() const;
  Result<OpenPtr> MakeOpen(const FileStatePtr& file, const Place& place, std::uint32_t granted);
  // What the open may cache, and whether it is durable for that: decided here, in effect with Publish().
  void GrantCaching(const FileStatePtr& file, const OpenPtr& open, bool overwritten);
  // Puts the open into the table: from here on it counts.
  void Publish(const OpenPtr& open);
  CreateOutcome Finish(const OpenPtr& open, std::uint32_t action);
  std::uint32_t Timeout() const;

  Files& files_;
  Files::Impl& impl_;
  CreateParameters p_;
  ParsedPath path_;
  std::uint32_t asked_access_ = 0;   // DesiredAccess and CreateOptions as sent: a replay compares them
  std::uint32_t asked_options_ = 0;
  std::uint32_t maximal_access_ = 0;
  bool must_wait_ = false;           // OpenStream() has broken caching that others have to give up first
  bool first_attempt_ = true;        // nothing was waited for yet
  Files::Impl::CachingPlan plan_;
};

// Initial extended attributes of a file, [MS-FSA] 2.1.5.1: later ones of a name win, empty values do not count.
NtStatus SetInitialEas(Inode& inode, const std::vector<ExtendedAttribute>& eas);

// Attributes a client may set at CREATE; the others are facts of the file.
std::uint32_t InitialAttributes(std::uint32_t desired, bool directory);

}  // namespace holdfast
