#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The publisher killed at every system call that leaves something behind: the host sees the map before or the one after,
# the ledger is whole, and the next publish clears up.

load host

setup_file() {
	store_setup
	cp -a /var/lib/hexactl /srv/before
}

# What is killed on the way, one program run each. In a sanitized build every run takes ten times as long.
CALLS=(openat pwrite64 write fsync fdatasync unlink unlinkat renameat fchmod ftruncate munmap fcntl flock)

step() {
	[ -d /tmp/sanitizer ] && echo 11 || echo 1
}

state_is_whole() { # after a kill
	[ "$(sqlite3 /var/lib/hexactl/private/ledger.sqlite 'PRAGMA integrity_check')" = ok ]
	[ "$(uid_list)" = "$UIDS" ]
}

uid_list() {
	getent passwd mona max pia admin | cut -d : -f 1,3 | sort
}

restore() {
	rm -rf /var/lib/hexactl
	cp -a /srv/before /var/lib/hexactl
}

count_calls() { # CALL: how often a publish makes it
	strace -f -qq -e trace="$1" -o /tmp/trace hexactl publish >/dev/null 3>&- 4>&-
	grep -c "$1(" /tmp/trace || true
}

kill_at() { # CALL NUMBER
	strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=KILL:when=$2" hexactl publish >/dev/null 2>&1 3>&- 4>&- ||
		true
}

@test "killed before any system call of a publish, it leaves a whole map and a whole ledger" {
	local call calls points=0
	UIDS=$(uid_list)
	for call in "${CALLS[@]}"; do
		restore
		sql_role add pia operators
		calls=$(count_calls "$call")
		for ((i = 1; i <= calls; i += $(step))); do
			restore
			kill_at "$call" "$i"
			points=$((points + 1))
			state_is_whole || {
				echo "after $call number $i"
				return 1
			}
		done
		hexactl publish
		[ "$(find /var/lib/hexactl -name '.map*' | wc -l)" -eq 0 ]
		id -Gn pia | grep -qw hexabot-operators
		sql_role remove pia operators
	done
	echo "# $points points" >&3
	[ "$points" -ge 20 ]
}

@test "the same for somebody new: the number that was given stays" {
	local call calls uid points=0
	UIDS=$(uid_list)
	restore
	sql_user novice manager
	hexactl publish
	uid=$(id -u novice)
	for call in pwrite64 write fsync fdatasync renameat unlinkat; do
		restore
		calls=$(count_calls "$call")
		for ((i = 1; i <= calls; i += $(step))); do
			restore
			kill_at "$call" "$i"
			points=$((points + 1))
			state_is_whole
			hexactl publish
			[ "$(id -u novice)" = "$uid" ] || {
				echo "after $call number $i"
				return 1
			}
		done
	done
	echo "# $points points" >&3
}
