"""The directory of the test KDC: its users and groups, and the service's names and keys.

  directory.py populate SMB_CONF DOMAIN_SID
  directory.py service SMB_CONF KEYTAB SPN...   the service account bears these names; KEYTAB gets its key under each
  directory.py rotate SMB_CONF KEYTAB SPN...    the service account gets a new key, added to KEYTAB

  user     SID                              groups
  alice    S-1-5-21-...-1601 (hybrid)       staff, engineers, leads (nested), share-local, cloud-users
  bob      S-1-5-21-...-1602 (hybrid)       staff, share-local
  carla    S-1-12-1-... (cloud only)        cloud-users
  mallory  S-1-5-21-...-1603                none but Domain Users
  dora     S-1-5-21-...-1604                disabled
  admin    S-1-5-21-...-1605                Domain Admins
  staff 2001, engineers 2002, leads 2003, share-local 2004 (domain local), cloud-users S-1-12-1-...
"""
import os
import secrets
import sys
import uuid

sys.path.insert(0, '/usr/lib/python3/dist-packages')

import ldb
from samba.auth import system_session
from samba.credentials import Credentials
from samba.dcerpc import security
from samba.ndr import ndr_pack
from samba.net import Net
from samba.param import LoadParm
from samba.samdb import SamDB
import samba.dckeytab  # adds export_keytab to Net

SERVICE = 'file-service'
NORMAL_ACCOUNT = 0x200
PASSWORD_NEVER_EXPIRES = 0x10000
ACCOUNT_DISABLED = 0x2
DOMAIN_LOCAL_GROUP = -2147483644


def entra_sid(object_id):
    """S-1-12-1-a-b-c-d: the object id's bytes as Windows orders them, as four little-endian integers."""
    raw = uuid.UUID(object_id).bytes_le
    return 'S-1-12-1-' + '-'.join(str(int.from_bytes(raw[i:i + 4], 'little')) for i in (0, 4, 8, 12))


class Directory:
    def __init__(self, smb_conf):
        self.lp = LoadParm()
        self.lp.load(smb_conf)
        self.db = SamDB(session_info=system_session(), lp=self.lp)
        self.base = self.db.domain_dn()

    def add(self, entry, sid):
        # The relax control lets an entry choose its SID, one of another authority included.
        entry['objectSid'] = ndr_pack(security.dom_sid(sid))
        self.db.add(entry, controls=['relax:0'])
        return entry['dn']

    def replace(self, dn, name, value):
        message = ldb.Message(ldb.Dn(self.db, dn))
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
        self.db.modify(message)

    def add_user(self, name, sid, password=None, control=NORMAL_ACCOUNT | PASSWORD_NEVER_EXPIRES, **attributes):
        dn = self.add({'dn': 'CN=%s,CN=Users,%s' % (name, self.base), 'objectClass': 'user', 'sAMAccountName': name,
                       'displayName': name.title(), 'userAccountControl': str(NORMAL_ACCOUNT | ACCOUNT_DISABLED),
                       **attributes}, sid)
        self.db.setpassword('(sAMAccountName=%s)' % name, password or 'P@ssw0rd-' + name)
        self.replace(dn, 'userAccountControl', str(control))
        return dn

    def add_group(self, name, sid, members, group_type=None):
        entry = {'dn': 'CN=%s,CN=Users,%s' % (name, self.base), 'objectClass': 'group', 'sAMAccountName': name,
                 'member': members}
        if group_type is not None:
            entry['groupType'] = str(group_type)
        return self.add(entry, sid)

    def populate(self, domain):
        def person(name, sid, **more):
            return self.add_user(name, sid, userPrincipalName=name + '@example.test', **more)

        self.replace(self.base, 'maxPwdAge', str(-2**63))
        alice = person('alice', domain + '-1601')
        bob = person('bob', domain + '-1602')
        carla = person('carla', entra_sid('6a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'))
        person('mallory', domain + '-1603')
        person('dora', domain + '-1604', control=NORMAL_ACCOUNT | PASSWORD_NEVER_EXPIRES | ACCOUNT_DISABLED)
        person('admin', domain + '-1605')
        self.db.add_remove_group_members('Domain Admins', ['admin'], add_members_operation=True)
        # AES-256 only, as Entra's own service keys are.
        self.add_user(SERVICE, domain + '-1700', password=secrets.token_urlsafe(24),
                      **{'msDS-SupportedEncryptionTypes': '16'})
        staff = self.add_group('staff', domain + '-2001', [alice, bob])
        engineers = self.add_group('engineers', domain + '-2002', [alice])
        self.add_group('leads', domain + '-2003', [engineers])
        self.add_group('share-local', domain + '-2004', [staff], DOMAIN_LOCAL_GROUP)
        self.add_group('cloud-users', entra_sid('e8b0a1c2-d3e4-46f5-8607-18293a4b5c6d'), [alice, carla])

    def export(self, keytab, names):
        net = Net(Credentials(), self.lp)
        for name in names:
            net.export_keytab(keytab=keytab, principal=name)


def main(command, smb_conf, *arguments):
    directory = Directory(smb_conf)
    if command == 'populate':
        directory.db.transaction_start()
        try:
            directory.populate(*arguments)
        except BaseException:
            directory.db.transaction_cancel()
            raise
        directory.db.transaction_commit()
    elif command == 'service':
        keytab, *names = arguments
        directory.replace('CN=%s,CN=Users,%s' % (SERVICE, directory.base), 'servicePrincipalName', names)
        if os.path.exists(keytab):
            os.unlink(keytab)
        directory.export(keytab, names)
    elif command == 'rotate':
        keytab, *names = arguments
        directory.db.setpassword('(sAMAccountName=%s)' % SERVICE, secrets.token_urlsafe(24))
        directory.export(keytab, names)
    else:
        sys.exit('directory.py: unknown command ' + command)


main(*sys.argv[1:])
