#pragma once

#include <string>

// Whether two mounts of one directory, by two users, see each other's changes, locks and names. 0: they do; else what
// they do not see is printed.
int Neighbours(const std::string& one, const std::string& other);
