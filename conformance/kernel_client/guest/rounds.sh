# What the VM does with a share. `round` mounts it once and runs cases; every result is a line "::passed ROUND: CASE ..."
# or "::failed ROUND: CASE ..." of standard output, what a failed case said follows it. Standard input is the host's.
. /job/settings    # ADDRESS, USER, PASSWORD, OTHER_USER, OTHER_PASSWORD, ENTRIES, FILES, KILLS, LEASES (Y or N)
echo "$LEASES" >/sys/module/cifs/parameters/enable_oplocks
exec 3<&0 4>&1     # the host, whatever a case does with its own

# What the client notes of its own errors; shown when a case fails.
trace=/sys/kernel/tracing
for event in "$trace"/events/cifs/*_err "$trace"/events/cifs/smb3_reconnect* "$trace"/events/cifs/*timeout*; do
  [ ! -e "$event/enable" ] || echo 1 >"$event/enable"
done

seconds() { read -r now _ </proc/uptime; echo "${now%.*}"; }

attach() {   # attach SHARE OPTIONS [DIRECTORY [USER PASSWORD]]
  mkdir -p "${3:-/mnt}"
  mount -t cifs "//$ADDRESS/$1" "${3:-/mnt}" \
    -o "ip=$ADDRESS,username=${4:-$USER},password=${5:-$PASSWORD},mfsymlinks,$2"
}

round() {    # round NAME SHARE OPTIONS CASE...
  name=$1 share=$2 options=$3
  shift 3
  dmesg -c >/dev/null
  if ! attach "$share" "$options" >/tmp/mount.log 2>&1; then
    echo "::failed $name: mount"
    cat /tmp/mount.log
    dmesg | grep -i cifs | tail -5
    return
  fi
  grep -q " /mnt cifs " /proc/mounts || echo "::failed $name: mount is not there"
  for case in "$@"; do
    mkdir /mnt/work || echo "::failed $name: mkdir"
    begin=$(seconds)
    echo >$trace/trace
    if $case </dev/null >/tmp/case.log 2>&1; then
      echo "::passed $name: $case $(($(seconds) - begin)) s, $(tail -n 1 /tmp/case.log)"
    else
      echo "::failed $name: $case $(($(seconds) - begin)) s"
      tail -n 40 /tmp/case.log
      dmesg | grep -E 'CIFS|BUG:|Oops' | tail -n 15
      grep -vE '^#|smb3_exit_err' $trace/trace | tail -n 40
    fi
    : >/tmp/enough
    wait
    rm -rf /mnt/work || echo "::failed $name: the files of $case cannot be removed"
  done
  umount /mnt || { echo "::failed $name: umount"; umount -l /mnt; }
  dmesg | grep -E 'BUG:|Oops' && echo "::failed $name: the kernel complains"
}

# Folders, empty, small and large files, links, odd names, times.
make_tree() {
  mkdir -p /tmp/tree
  folder=0
  while [ $folder -lt 10 ]; do
    at="/tmp/tree/folder $folder/inner/Größe"
    mkdir -p "$at"
    file=0
    while [ $file -lt $((FILES / 10)) ]; do
      echo "file $file of folder $folder: $at" >"$at/file $file.txt"
      file=$((file + 1))
    done
    : >"$at/empty"
    folder=$((folder + 1))
  done
  cp /bin/busybox /modules/cifs.ko /tmp/tree
  ln -s "folder 1/inner" /tmp/tree/link
  touch -d '2001-02-03 04:05:06' "/tmp/tree/folder 3/inner/Größe/empty" /tmp/tree/cifs.ko
}

names_sizes_times() { (cd "$1" && find . -type f -exec stat -c '%n %s %Y' {} + | sort); }

tree() {
  [ -d /tmp/tree ] || make_tree
  cp -a /tmp/tree /mnt/work/tree || return
  echo 3 >/proc/sys/vm/drop_caches
  rm -rf /tmp/back
  cp -a /mnt/work/tree /tmp/back || return
  diff -r /tmp/tree /tmp/back || return
  diff -r /tmp/tree /mnt/work/tree || return
  names_sizes_times /tmp/tree >/tmp/tree.names
  names_sizes_times /tmp/back >/tmp/back.names
  names_sizes_times /mnt/work/tree >/tmp/share.names
  cmp /tmp/tree.names /tmp/back.names && cmp /tmp/tree.names /tmp/share.names || return
  echo "$(wc -l </tmp/tree.names) files"
}

verify() { fio --output=/tmp/fio.log /job/verify.fio || { cat /tmp/fio.log; return 1; }; }

# fio writes and verifies again and again, and the host kills the server in the middle of each writing; one handle with a
# lock is held and written through all the while. Nothing is opened and, without nostrictsync, nothing flushed at the
# moment of a kill: what is under way then fails with EAGAIN, a matter of the client alone (README.md).
kills() {
  rm -f /tmp/enough
  flush=
  case "$options" in *nostrictsync*) flush=flush ;; esac
  /job/file_cases hold /mnt/work/held /tmp/enough $flush >/tmp/hold.log 2>&1 &
  holder=$!
  count=0
  while [ $count -lt "$KILLS" ]; do
    rm -f /mnt/work/*.0.0
    fio --output=/tmp/fio.log /job/kills.fio &
    writer=$!
    for file in sequential random mixed cached; do
      until [ -s /mnt/work/$file.0.0 ]; do
        kill -0 $writer || { cat /tmp/fio.log; echo "fio ended"; return 1; }
        sleep 0.2
      done
    done
    host kill || return
    wait $writer || { cat /tmp/fio.log; echo "fio failed, with kill $count"; return 1; }
    count=$((count + 1))
  done
  : >/tmp/enough
  wait $holder || { cat /tmp/hold.log; return 1; }
  read -r held </tmp/hold.log
  echo "$KILLS kills, $held by one handle"
}

host() {     # asks the host for something and waits until it is done
  echo "::host $*" >&4
  read -r answer <&3
  [ "$answer" = done ]
}

files() { /job/file_cases /mnt/work "$ENTRIES"; }

# The server dies within the second for which the client keeps the handle of a closed file. The client drops the handle
# without a CLOSE and without claiming it again; the server notices when the client asks for the file.
forgotten() {
  mkdir /mnt/work/folder || return
  echo "closed before the kill" >/mnt/work/closed && echo "so was this" >/mnt/work/folder/inside || return
  host restart || return
  asked=$(seconds)
  mv /mnt/work/folder /mnt/work/renamed || return
  moved=$(seconds)
  rm /mnt/work/closed || return
  removed=$(seconds)
  read -r text </mnt/work/renamed/inside && [ "$text" = "so was this" ] || return
  echo "renamed after $((moved - asked)) s, removed after $((removed - moved)) s"
  [ $((removed - asked)) -lt 60 ]
}

# Two mounts of two users, each with a session and leases of its own.
neighbours() {
  attach "$share" "$options" /neighbour "$OTHER_USER" "$OTHER_PASSWORD" || return
  /job/file_cases neighbours /mnt/work /neighbour/work
  result=$?
  grep OplockBreaks /proc/fs/cifs/Stats
  umount /neighbour || return
  return $result
}

# A small project is unpacked on the share, compiled there by four processes at a time, linked, and run from there.
build() {
  rm -rf /tmp/project
  mkdir /tmp/project || return
  (
    cd /tmp/project || return
    parts="$(seq 0 23)"
    echo '#define VERSION 7' >project.h
    for part in $parts; do
      echo "long part_$part(void);" >>project.h
      printf '#include "project.h"\nlong part_%s(void) { return VERSION * %s; }\n' "$part" "$part" >"part_$part.c"
    done
    cat >main.c <<'PROGRAM'
#include "project.h"
static long Call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
void _start(void) {
  long sum = SUM;
  char text[20];
  int at = 20;
  do text[--at] = '0' + sum % 10; while (sum /= 10);
  Call(1, 1, (long)(text + at), 20 - at);
  Call(60, 0, 0, 0);
}
PROGRAM
    echo "#define SUM (0$(for part in $parts; do printf ' + part_%s()' "$part"; done))" >>project.h
    echo 'cc1 -quiet -O1 -ffreestanding -fno-stack-protector "$1.c" -o "$1.s" && as "$1.s" -o "$1.o"' >compile
  ) || return
  tar -C /tmp -cf /tmp/project.tar project && tar -C /mnt/work -xf /tmp/project.tar || return
  (
    cd /mnt/work/project || return
    for version in 7 11; do
      sed -i "s/VERSION [0-9]*$/VERSION $version/" project.h || return
      ls *.c | sed 's/\.c$//' | xargs -n 1 -P 4 sh ./compile || return
      ld -o program *.o || return
      result=$(./program) || return
      echo "version $version: $result"
      [ "$result" = $((276 * version)) ] || return
    done
  )
}

listing() { /job/file_cases /mnt/work 10000 "many names"; }

acl() {
  : >/mnt/work/file
  getcifsacl -r /mnt/work/file && getcifsacl -r /mnt/work || return
  echo "$(getcifsacl -r /mnt/work/file | grep -c '^ACL:') entries"
}
