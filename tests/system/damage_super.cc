// damage_super DIR: puts garbage where the volume in the store DIR describes itself, for tests/system/errors_test.py.
#include <cstdio>

#include <boost/asio/io_context.hpp>

#include "storage/engine/embedded_engine.h"
#include "storage/volume/keys.h"

namespace {

holdfast::Task<void> Damage(holdfast::Engine& engine, bool& done) {
  std::vector<holdfast::Guard> guards;
  std::vector<holdfast::Mutation> mutations;
  mutations.push_back(holdfast::Mutation::Set(std::string(holdfast::keys::kSuperKey), "\xFF\xFFnot a super"));
  const auto written = co_await engine.Write(std::string(holdfast::keys::kSuperObject), std::move(guards),
                                             std::move(mutations));
  done = written.ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  boost::asio::io_context io(1);
  holdfast::EmbeddedOptions options;
  options.directory = argv[1];
  const auto opened = holdfast::EmbeddedEngine::Open(options, io.get_executor());
  if (!opened.engine) {
    std::fprintf(stderr, "damage_super: %s\n", opened.error.c_str());
    return 2;
  }
  bool done = false;
  holdfast::Spawn(io.get_executor(), Damage(*opened.engine, done));
  io.run();
  return done ? 0 : 1;
}
