// Processor time of a server as the kernel counts it: of its process, or of all processes it has forked.
#pragma once

namespace holdfast::bench {

// User and system seconds of `pid` and of everything that descends from it, in steps of 10 ms. 0 when it is gone.
double ServerSeconds(int pid);
// The same of this process.
double OwnSeconds();

}  // namespace holdfast::bench
