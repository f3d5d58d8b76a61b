// A CREATE with a CreateGuid that is still being carried out: the same one, sent again over another channel, must not be
// carried out beside it.
#pragma once

#include <optional>
#include <set>
#include <utility>

#include "protocol/dtyp/guid.h"
#include "server/server.h"

namespace holdfast {

class CreateReservation {
 public:
  CreateReservation() = default;
  CreateReservation(const CreateReservation&) = delete;
  CreateReservation& operator=(const CreateReservation&) = delete;
  ~CreateReservation() {
    if (server_) server_->creates_under_way().erase(key_);
  }
  // False when one with these guids is under way. Lasts until the end of this object.
  bool Take(Server& server, const Guid& client_guid, const Guid& create_guid) {
    key_ = {client_guid, create_guid};
    if (!server.creates_under_way().insert(key_).second) return false;
    server_ = &server;
    return true;
  }

 private:
  Server* server_ = nullptr;
  std::pair<Guid, Guid> key_;
};

}  // namespace holdfast
