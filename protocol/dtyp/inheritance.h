// [MS-DTYP] 2.5.3.4: the security descriptor that a new file or directory gets.
#pragma once

#include "protocol/dtyp/security_descriptor.h"
#include "protocol/dtyp/security_token.h"
#include "protocol/erref/result.h"

namespace holdfast {

// `parent` is the directory's descriptor (null: none), `explicit_descriptor` the one the creator brought in
// SMB2_CREATE_SD_BUFFER (null: none). A list that the creator brought is taken as it is, in its order and without the
// parent's; only where there is none does the new object inherit. Owner and group come from it or from the token. kInvalidOwner when the token may
// not assign the owner; kPrivilegeNotHeld when it brings a SACL without SeSecurityPrivilege.
Result<SecurityDescriptor> CreateSecurityDescriptor(const SecurityDescriptor* parent,
                                                    const SecurityDescriptor* explicit_descriptor, bool is_container,
                                                    const SecurityToken& creator);

// Whether SET_INFO may make `owner` the owner: the caller itself, a group of its that it may assign, anyone with
// SeRestorePrivilege.
bool MayAssignOwner(const SecurityToken& token, const Sid& owner);

// A list given to SET_INFO, with the file's rights for generic ones. An ACE of a directory that is inherited further down
// keeps them there: it becomes two, as in CreateSecurityDescriptor.
Acl WithMappedRights(const Acl& given, bool is_container);

// For a file without any stored or inheritable descriptor: owner, SYSTEM and Administrators have full control.
SecurityDescriptor DefaultDescriptor(const Sid& owner, const Sid& group);

// For the root of a new share, inherited by everything below: Administrators and SYSTEM full control, Authenticated
// Users modify, CREATOR OWNER full control of what it makes.
SecurityDescriptor ShareRootDescriptor();

}  // namespace holdfast
