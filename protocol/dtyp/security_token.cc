#include "protocol/dtyp/security_token.h"

#include <algorithm>

namespace holdfast {

bool SecurityToken::Contains(const Sid& sid) const {
  return user == sid || std::find(groups.begin(), groups.end(), sid) != groups.end();
}

bool SecurityToken::is_administrator() const { return Contains(well_known::Administrators()); }

}  // namespace holdfast
