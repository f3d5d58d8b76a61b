#include <mutex>

#include "auth/acceptor.h"
#include "auth/authenticator.h"
#include "auth/gss_exchange.h"
#include "auth/library_settings.h"
#include "auth/local_name.h"

namespace holdfast {
namespace {

class GssAuthenticator final : public Authenticator {
 public:
  GssAuthenticator(AuthenticatorConfig config, FileStamp keytab, FileStamp users, std::shared_ptr<const Acceptor> acceptor, Bytes hint)
      : config_(std::move(config)), hint_(std::move(hint)), keytab_stamp_(keytab), users_stamp_(users), acceptor_(std::move(acceptor)) {}

  const Bytes& NegotiateHint() const override { return hint_; }

  std::unique_ptr<AuthExchange> Begin() override {
    return std::make_unique<GssExchange>([this] { return Current(); });
  }

  std::optional<LocalAccount> FindAccount(const Sid& sid) const override { return LastUsed()->FindAccount(sid); }
  std::optional<LocalAccount> FindAccount(std::u16string_view domain, std::u16string_view name) const override {
    return LastUsed()->FindAccount(domain, name);
  }
  std::optional<Sid> MachineSid() const override { return LastUsed()->MachineSid(); }

  std::string ReloadError() const override {
    const std::lock_guard lock(mutex_);
    return reload_error_;
  }

 private:
  std::shared_ptr<const Acceptor> LastUsed() const {
    const std::lock_guard lock(mutex_);
    return acceptor_;
  }

  // Keys rotate and users change while the server runs: two stat() a sign-in tell.
  std::shared_ptr<const Acceptor> Current() {
    const FileStamp keytab = FileStamp::Of(config_.keytab_path);
    const FileStamp users = FileStamp::Of(config_.ntlm_enabled ? config_.ntlm_users_path : std::string());
    const std::lock_guard lock(mutex_);
    if (keytab == keytab_stamp_ && users == users_stamp_) return acceptor_;
    keytab_stamp_ = keytab;
    users_stamp_ = users;
    std::string error;
    // A file that is half written or gone must not lock everybody out; the next change is tried again.
    if (auto fresh = Acceptor::Create(config_, &error)) acceptor_ = std::move(fresh);
    reload_error_ = error;
    return acceptor_;
  }

  const AuthenticatorConfig config_;
  const Bytes hint_;
  mutable std::mutex mutex_;
  FileStamp keytab_stamp_, users_stamp_;         // guarded by mutex_
  std::shared_ptr<const Acceptor> acceptor_;     // guarded by mutex_
  std::string reload_error_;                     // guarded by mutex_
};

}  // namespace

std::unique_ptr<Authenticator> Authenticator::Create(const AuthenticatorConfig& config, std::string* error) {
  LibrarySettings settings;
  settings.clock_skew_s = config.clock_skew_s;
  settings.netbios_name = config.netbios_name.empty() ? LocalNetbiosName() : config.netbios_name;
  if (!ApplyLibrarySettings(settings, error)) return nullptr;

  const FileStamp keytab = FileStamp::Of(config.keytab_path);
  const FileStamp users = FileStamp::Of(config.ntlm_enabled ? config.ntlm_users_path : std::string());
  auto acceptor = Acceptor::Create(config, error);
  if (!acceptor) return nullptr;
  auto hint = acceptor->MakeHint(error);
  if (!hint) return nullptr;
  return std::make_unique<GssAuthenticator>(config, keytab, users, std::move(acceptor), std::move(*hint));
}

}  // namespace holdfast
