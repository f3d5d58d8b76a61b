// The shape of the registries of information classes: what a row is, and what its functions get and give.
#pragma once

#include "protocol/fscc/codec.h"
#include "protocol/fscc/information_class.h"
#include "protocol/smb2/messages/query_info.h"
#include "protocol/smb2/messages/set_info.h"
#include "server/commands/handler.h"

namespace holdfast {

// A QUERY_INFO whose class, length and access have been checked.
struct InfoQuery {
  RequestPtr request;
  smb2::QueryInfoRequest message;

  OpenPtr open() const { return request->handle->open; }
  Files& files() const { return FilesOf(*request); }
  std::size_t limit() const { return message.output_buffer_length; }
};

// A SET_INFO likewise.
struct InfoSet {
  RequestPtr request;
  smb2::SetInfoRequest message;

  OpenPtr open() const { return request->handle->open; }
  Files& files() const { return FilesOf(*request); }
};

// A query answers all it has: what is too long is cut, with STATUS_BUFFER_OVERFLOW, in one place. Lists that may only
// be cut between entries cut themselves at limit().
using QueryResult = Result<fscc::QueryOutput>;
using QueryFunction = Task<QueryResult> (*)(InfoQuery query);
using SetFunction = Task<NtStatus> (*)(InfoSet set);

// Numbers, lengths and rights of a class stand in fscc::FindFileInformationClass.
struct FileInfoRow {
  fscc::FileInformationClass id;
  QueryFunction query = nullptr;
  SetFunction set = nullptr;
  std::uint16_t min_dialect = 0;  // below it: STATUS_NOT_SUPPORTED
};

struct FsInfoRow {
  fscc::FsInformationClass id;
  QueryFunction query = nullptr;
};

inline QueryResult Whole(Bytes data) { return fscc::QueryOutput{NtStatus::kSuccess, std::move(data)}; }

// A query function from `Make(facts, query)`, for the classes that only show facts of the file.
template <auto Make>
Task<QueryResult> FromFacts(InfoQuery query) {
  auto facts = co_await query.files().QueryFacts(query.open());
  if (!facts.ok()) co_return facts.status();
  co_return Whole(fscc::Encode(Make(*facts, query)));
}

}  // namespace holdfast
