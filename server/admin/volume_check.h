// `holdfast volume check`: verification and repair of a volume whose node is stopped.
#pragma once

#include <string>

namespace holdfast {

// Prints findings and a last line with the result. 0: sound (or all repaired), 1: findings remain, 2: cannot be opened.
int CheckVolume(const std::string& engine_directory, bool repair, bool json);

}  // namespace holdfast
