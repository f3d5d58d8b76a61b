// The node dies at each write to the store that an operation makes, once before it took effect and once after: then
// the operation has happened or not, never by halves, and what had been answered is there.
#include <gmock/gmock.h>

#include <functional>

#include "tests/storage/files/files_fixture.h"

namespace holdfast {
namespace {

class CrashTest : public FilesTest {
 protected:
  // Runs `operation` on a fresh store for every point of death; `verify` looks at what the next node finds.
  // `operation` answers whether it was acknowledged.
  void DieEverywhere(const std::function<void()>& prepare, const std::function<bool()>& operation,
                     const std::function<void(bool acknowledged)>& verify) {
    for (const bool applied : {false, true}) {
      for (std::uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE(testing::Message() << "death at write " << nth << (applied ? ", which took effect" : ""));
        Stop();
        store_ = MemoryStore::Make();
        Boot();
        prepare();
        if (HasFatalFailure()) return;
        const std::uint64_t before = store_->operations(EngineOp::kWrite);
        MemoryFault last;
        last.op = EngineOp::kWrite;
        last.nth = nth;
        last.applied = applied;
        store_->Inject(last);
        MemoryFault dead;
        dead.op = EngineOp::kWrite;
        dead.nth = nth + 1;
        dead.times = 1'000'000;
        store_->Inject(dead);
        const bool acknowledged = operation();
        const bool struck = store_->operations(EngineOp::kWrite) - before >= nth;
        store_->PowerCut();
        store_->ClearFaults();
        Stop();
        Boot();
        verify(acknowledged);
        EXPECT_TRUE(Run(volume_->Check(true)).ok());
        EXPECT_THAT(Findings(), testing::IsEmpty());
        if (HasFailure()) return;
        if (!struck) {
          EXPECT_TRUE(acknowledged);
          break;
        }
      }
    }
  }
  // The client comes back with the same CREATE; what it gets must be the first answer.
  void ReplayMustAnswer(CreateParameters p, std::uint32_t expected_action) {
    p.replay = true;
    p.requester.session = 2;
    const auto again = Create(p);
    ASSERT_TRUE(again.ok()) << NtStatusName(again.status());
    EXPECT_EQ(again->create_action, expected_action);
    EXPECT_TRUE(again->open->is_persistent());
    EXPECT_EQ(again->open->file->opens.size(), 1u);
    EXPECT_EQ(StoredRecords(again->open->file_number()), 1u);
    replayed_ = again->open;
  }

  OpenPtr replayed_;
};

TEST_F(CrashTest, CreateOfANewFile) {
  const auto request = [this] { return Persistent(u"f", 1, disposition::kCreate); };
  DieEverywhere([] {}, [&] { return Create(request()).ok(); },
                [&](bool) {
                  ReplayMustAnswer(request(), action::kCreated);
                  EXPECT_EQ(Close(replayed_), NtStatus::kSuccess);
                  EXPECT_TRUE(Exists(u"f"));
                });
}

TEST_F(CrashTest, CreateOfANewDirectory) {
  const auto request = [this] {
    auto p = Persistent(u"d", 1, disposition::kCreate);
    p.create_options = options::kDirectory;
    return p;
  };
  DieEverywhere([] {}, [&] { return Create(request()).ok(); },
                [&](bool) {
                  ReplayMustAnswer(request(), action::kCreated);
                  EXPECT_EQ(Close(replayed_), NtStatus::kSuccess);
                  MakeFile(u"d\\inside");
                });
}

TEST_F(CrashTest, OpenOfAnExistingFile) {
  const auto request = [this] { return Persistent(u"f", 1); };
  DieEverywhere([this] { MakeFile(u"f"); }, [&] { return Create(request()).ok(); },
                [&](bool) { ReplayMustAnswer(request(), action::kOpened); });
}

TEST_F(CrashTest, Overwrite) {
  const auto request = [this] {
    auto p = Persistent(u"f", 1, disposition::kOverwrite);
    p.file_attributes = file_attribute::kHidden;
    return p;
  };
  DieEverywhere(
      [this] {
        auto p = Parameters(u"f", disposition::kCreate);
        p.create_options = options::kWriteThrough;
        const OpenPtr open = MustCreate(p);
        ASSERT_EQ(Write(open, "contents"), NtStatus::kSuccess);
        ASSERT_EQ(Close(open), NtStatus::kSuccess);
      },
      [&] { return Create(request()).ok(); },
      [&](bool) {
        ReplayMustAnswer(request(), action::kOverwritten);
        EXPECT_EQ(Size(replayed_), 0u);
        EXPECT_EQ(replayed_->file->inode.file_attributes, file_attribute::kHidden | file_attribute::kArchive);
        // What is written now is not truncated by a claimer that still thinks it has to.
        ASSERT_EQ(Write(replayed_, "new"), NtStatus::kSuccess);
        const std::uint64_t id = replayed_->persistent_id;
        replayed_.reset();
        Restart();
        const auto back = Reconnect(ReconnectTo(id, 1, 3));
        ASSERT_TRUE(back.ok());
        EXPECT_EQ(Size(*back), 3u);
      });
}

TEST_F(CrashTest, CreateOfAStream) {
  const auto request = [this] { return Persistent(u"f:s", 1, disposition::kCreate); };
  DieEverywhere([this] { MakeFile(u"f"); }, [&] { return Create(request()).ok(); },
                [&](bool) {
                  ReplayMustAnswer(request(), action::kCreated);
                  EXPECT_EQ(replayed_->file->Stream(replayed_->stream)->facts.name, u"s");
                });
}

TEST_F(CrashTest, Close) {
  std::uint64_t id = 0;
  OpenPtr open;
  DieEverywhere(
      [&] {
        open = MustCreate(Persistent(u"f", 1));
        id = open->persistent_id;
      },
      [&] {
        const bool closed = FilesTest::Close(open) == NtStatus::kSuccess;
        open.reset();
        return closed;
      },
      [&](bool acknowledged) {
        const auto back = Reconnect(ReconnectTo(id, 1));
        if (acknowledged) {
          EXPECT_EQ(back.status(), NtStatus::kObjectNameNotFound);
        }
        if (back.ok()) {
          EXPECT_EQ(FilesTest::Close(*back), NtStatus::kSuccess);
        }
        EXPECT_EQ(StoredRecords(id >> 20), 0u);
        EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kSuccess);
      });
}

TEST_F(CrashTest, CloseThatDeletes) {
  std::uint64_t id = 0;
  OpenPtr open;
  DieEverywhere(
      [&] {
        auto p = Persistent(u"f", 1);
        p.create_options = options::kDeleteOnClose;
        open = MustCreate(p);
        id = open->persistent_id;
      },
      [&] {
        const bool closed = FilesTest::Close(open) == NtStatus::kSuccess;
        open.reset();
        return closed;
      },
      [&](bool acknowledged) {
        const auto back = Reconnect(ReconnectTo(id, 1));
        if (acknowledged) {
          EXPECT_EQ(back.status(), NtStatus::kObjectNameNotFound);
        }
        if (back.ok()) {
          EXPECT_EQ(FilesTest::Close(*back), NtStatus::kSuccess);
        }
        EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kObjectNameNotFound);
      });
}

TEST_F(CrashTest, Rename) {
  std::uint64_t id = 0;
  OpenPtr open;
  DieEverywhere(
      [&] {
        MakeDirectory(u"d");
        MakeFile(u"d\\b");
        open = MustCreate(Persistent(u"a", 1));
        id = open->persistent_id;
      },
      [&] {
        const bool renamed = Run(files_->Rename(open, u"d\\b", true, false)) == NtStatus::kSuccess;
        open.reset();
        return renamed;
      },
      [&](bool acknowledged) {
        const auto back = Reconnect(ReconnectTo(id, 1));
        ASSERT_TRUE(back.ok()) << NtStatusName(back.status());
        if (acknowledged) {
          EXPECT_EQ((*back)->link.name, u"b");
        }
        // The client replays it.
        EXPECT_EQ(Run(files_->Rename(*back, u"d\\b", true, false)), NtStatus::kSuccess);
        EXPECT_FALSE(Exists(u"a"));
        EXPECT_EQ(FilesTest::Close(*back), NtStatus::kSuccess);
        const OpenPtr target = MustCreate(Parameters(u"d\\b", disposition::kOpen));
        EXPECT_EQ(target->file_number(), id >> 20);
      });
}

TEST_F(CrashTest, SetDisposition) {
  std::uint64_t id = 0;
  OpenPtr open;
  DieEverywhere(
      [&] {
        open = MustCreate(Persistent(u"f", 1));
        id = open->persistent_id;
      },
      [&] {
        const bool set = Run(files_->SetDisposition(open, true, false, false)) == NtStatus::kSuccess;
        open.reset();
        return set;
      },
      [&](bool acknowledged) {
        const auto back = Reconnect(ReconnectTo(id, 1));
        ASSERT_TRUE(back.ok());
        if (acknowledged) {
          EXPECT_TRUE((*back)->file->delete_pending);
        }
        EXPECT_EQ(Run(files_->SetDisposition(*back, true, false, false)), NtStatus::kSuccess);
        EXPECT_EQ(FilesTest::Close(*back), NtStatus::kSuccess);
        EXPECT_FALSE(Exists(u"f"));
      });
}

// A write that failed may have taken effect: what the client was refused must not stand in the way later.
TEST_F(CrashTest, ARefusedOpenLeavesNothingBehind) {
  MakeFile(u"f");
  FailNextWrite(true);
  EXPECT_TRUE(IsError(CreateStatus(Persistent(u"f", 1))));
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kSuccess);
  clock().Advance(std::chrono::seconds(6));
  Settle();
  Restart();
  EXPECT_EQ(files_->counts().opens, 0u);
  EXPECT_EQ(CreateStatus(Parameters(u"f", disposition::kOpen)), NtStatus::kSuccess);
}

TEST_F(CrashTest, LeaseOfANewOpen) {
  const auto request = [this] {
    auto p = Persistent(u"f", 1);
    p.caching.oplock_level = oplock::kLease;
    p.caching.lease_key = MakeGuid(5);
    p.caching.lease_state = caching::kAll;
    p.caching.lease_version = 2;
    return p;
  };
  DieEverywhere([this] { MakeFile(u"f"); }, [&] { return Create(request()).ok(); },
                [&](bool) {
                  ReplayMustAnswer(request(), action::kOpened);
                  ASSERT_TRUE(replayed_->has_lease());
                  EXPECT_EQ(replayed_->caching->state, caching::kAll);
                });
}

// The contender is let in by the acknowledgment only: had it been, the lease must not come back as it was.
TEST_F(CrashTest, AcknowledgmentOfALeaseBreak) {
  OpenPtr holder;
  ReconnectParameters back;
  DieEverywhere(
      [&] {
        auto p = Persistent(u"f", 1);
        p.caching.oplock_level = oplock::kLease;
        p.caching.lease_key = MakeGuid(5);
        p.caching.lease_state = caching::kAll;
        p.caching.lease_version = 2;
        holder = MustCreate(p);
        ASSERT_NE(holder, nullptr);
        back = ReconnectTo(holder->persistent_id, 1);
        back.path = u"f";
        back.caching = p.caching;
        back.caching.lease_epoch = 2;
        auto contender = Parameters(u"f", disposition::kOpen);
        contender.requester.client_guid = MakeGuid(2);
        const auto ask = [](Files* files, CreateParameters parameters) -> Task<void> {
          static_cast<void>(co_await files->Create(std::move(parameters)));
        };
        Spawn(executor(), ask(files_.get(), std::move(contender)));
        Settle();
        ASSERT_TRUE(holder->caching->breaking);
      },
      [&] {
        std::shared_ptr<void> until_answered;
        return Run(files_->AcknowledgeLease(MakeGuid(1), MakeGuid(5), caching::kRead | caching::kHandle,
                                            &until_answered))
            .ok();
      },
      [&](bool acknowledged) {
        const auto reclaimed = Reconnect(back);
        ASSERT_TRUE(reclaimed.ok()) << NtStatusName(reclaimed.status());
        const std::uint32_t state = (*reclaimed)->caching->state;
        if (acknowledged) {
          EXPECT_EQ(state, caching::kRead | caching::kHandle);
        }
        EXPECT_TRUE(state == caching::kAll || state == (caching::kRead | caching::kHandle)) << state;
      });
}

// The file that loses its name is open all the while: its handle was acknowledged long before.
TEST_F(CrashTest, RenameOverAnOpenFile) {
  std::uint64_t id = 0;
  OpenPtr open, renamed;
  DieEverywhere(
      [&] {
        open = MustCreate(Persistent(u"f", 1));
        id = open->persistent_id;
        ASSERT_EQ(Write(open, "kept"), NtStatus::kSuccess);
        MakeFile(u"g");
        renamed = MustCreate(Parameters(u"g", disposition::kOpen));
      },
      [&] {
        const bool done = Run(files_->Rename(renamed, u"f", true, true)) == NtStatus::kSuccess;
        open.reset();
        renamed.reset();
        return done;
      },
      [&](bool) {
        const auto back = Reconnect(ReconnectTo(id, 1));
        ASSERT_TRUE(back.ok()) << NtStatusName(back.status());
        Bytes read(4);
        EXPECT_TRUE(Run(files_->Read(*back, 0, read, false)).ok());
        EXPECT_EQ(std::string(read.begin(), read.end()), "kept");
        EXPECT_EQ(FilesTest::Close(*back), NtStatus::kSuccess);
      });
}

// Its record says that the file is to be truncated, and what others write from now on is not meant by that.
TEST_F(CrashTest, ARefusedOverwriteTruncatesNothingLater) {
  for (const std::uint64_t times : {1, 2}) {
    bool refused = true;
    for (std::uint64_t nth = 1; refused; ++nth) {
      SCOPED_TRACE(testing::Message() << times << " failing from write " << nth);
      Stop();
      store_ = MemoryStore::Make();
      Boot();
      const OpenPtr other = MustCreate(Parameters(u"f"));
      ASSERT_EQ(Write(other, "old"), NtStatus::kSuccess);
      MemoryFault fault;
      fault.op = EngineOp::kWrite;
      fault.nth = nth;
      fault.times = times;
      store_->Inject(fault);
      refused = !Create(Persistent(u"f", 1, disposition::kOverwrite)).ok();
      store_->ClearFaults();
      if (!refused) break;
      ASSERT_EQ(Write(other, "new"), NtStatus::kSuccess);
      Restart(false);
      const OpenPtr again = MustCreate(Parameters(u"f", disposition::kOpen));
      ASSERT_TRUE(again);
      EXPECT_EQ(Size(again), 3u);
      EXPECT_EQ(files_->counts().opens, 1u);
    }
  }
}

TEST_F(CrashTest, AListingShowsTheSizeAfterTheFileWasLookedAt) {
  const OpenPtr open = MustCreate(Parameters(u"f"));
  ASSERT_EQ(Write(open, "contents"), NtStatus::kSuccess);
  Restart(false);
  ASSERT_TRUE(Exists(u"f"));
  const auto entry = Run(volume_->Lookup(plain_->root, u"f"));
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->size, 8u);
}

}  // namespace
}  // namespace holdfast
