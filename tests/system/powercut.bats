#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The power goes while hexactl, passwd's modules, a watcher and Hexabot write, again and again. Store and map are on an ext4
# that commits by itself every five minutes only: what nobody synced is lost. What must hold after each cut:
#
#   - what was reported as done before it is there: in store, ledger and map;
#   - store and ledger are whole; nobody's uid or login is another's;
#   - after one publish the name service says what they say, and no temporary file is left.

load faults

ROLES=(public manager operators retired) # which of them pia has is a number from 1 to 15, a bit each
DONE=/tmp/done # what was reported, outside of the file system that is cut: NAME VALUE

setup_file() {
	faults_setup
	for i in {0..63}; do
		[ -e "/dev/loop$i" ] || mknod "/dev/loop$i" b 7 "$i"
	done
	mknod /dev/loop-control c 10 237
	disk_make
}

setup() {
	log_mark
}

disk_make() {
	truncate --size 32M /tmp/disk
	mkfs.ext4 -q /tmp/disk
	mkdir /disk
	mount -o loop /tmp/disk /disk
	mkdir /disk/hexabot /disk/hexactl
	cp -a /srv/hexabot /var/lib/hexactl /disk
	umount /disk
}

power_on() {
	mount -o loop,commit=300 /tmp/disk /disk
	mount --bind /disk/hexabot /srv/hexabot
	mount --bind /disk/hexactl /var/lib/hexactl
}

# EXT4_IOC_SHUTDOWN without flushing the journal: from here on nothing reaches the disk. The next boot is from a copy,
# since processes may still have this one mapped.
power_off() {
	perl -e 'my $flags = pack("L", 2); open(D, "<", "/disk") && ioctl(D, 0x8004587d, $flags) or die "shutdown: $!\n"'
	kill -KILL -- "-$LOAD"
	wait "$LOAD" || true
	cp --sparse=always /tmp/disk /tmp/disk.new
	umount -l /srv/hexabot /var/lib/hexactl /disk
	mv /tmp/disk.new /tmp/disk
}

roles_of() { # N
	local i
	for i in "${!ROLES[@]}"; do
		[ $((($1 % 15 + 1) >> i & 1)) -eq 0 ] || echo "${ROLES[i]}"
	done
}

# In a process group of its own, so that it can be killed as a whole.
load_start() {
	export -f load_loop load_hexabot roles_of reported
	declare -p ROLES DONE STORE HERE >/tmp/load.env
	setsid bash -c '. /tmp/load.env; load_hexabot & hexactl watch & load_loop' >/dev/null 2>&1 3>&- 4>&- &
	LOAD=$!
	until_true 10 kill -0 -- "-$LOAD" 2>/dev/null
}

load_hexabot() {
	setpriv --reuid hexabot --clear-groups "$HERE/hexabot_writes.py" "$STORE" /tmp/writes
}

load_loop() {
	local n hash
	for ((n = $(reported role) + 1; ; n++)); do
		# shellcheck disable=SC2046
		hexactl role set pia $(roles_of "$n") && echo "role $n" >>"$DONE"
		hexactl set pia --home "/home/$n" && echo "home $n" >>"$DONE"
		echo "ada:pw-number-$n" | chpasswd &&
			hash=$(sqlite3 -readonly "$STORE" "SELECT password FROM users WHERE username = 'ada'") &&
			echo "hash $hash" >>"$DONE"
	done
}

reported() { # NAME [BACK]: its last value, or an earlier one
	grep "^$1 " "$DONE" | tail -n $((1 + ${2-0})) | head -n 1 | cut -d ' ' -f 2
}

# ---- after a cut ----

lost() { # WHAT
	echo "moment $MOMENT: $1"
	tail -n 6 "$DONE"
	return 1
}

# What was under way may be there, too.
is_or_next() { # WHAT VALUE REPORTED NEXT
	[ "$2" = "$3" ] || [ "$2" = "$4" ] || lost "$1 is '$2' instead of '$3' or '$4'"
}

list() { # in one order, in one line
	sort | xargs
}

groups_of() { # N: what the host shows of its roles
	roles_of "$1" | grep -vx retired | sed 's/^/hexabot-/' | list
}

what_was_reported_is_there() {
	local role home
	role=$(reported role)
	home=$(reported home)
	is_or_next "the map's home" "$(getent passwd pia | cut -d : -f 6)" "/home/$home" "/home/$((home + 1))" || return
	is_or_next "the map's groups" "$(id -Gn pia | tr ' ' '\n' | grep -vF . | list)" \
		"$(groups_of "$role")" "$(groups_of $((role + 1)))" || return
	is_or_next "the store's roles" \
		"$(sql "SELECT name FROM users u JOIN user_roles ON user_id = u.id JOIN roles r ON r.id = role_id
			WHERE username = 'pia'" | list)" "$(roles_of "$role" | list)" "$(roles_of $((role + 1)) | list)" || return
	[ "$(sql "SELECT password FROM users WHERE username = 'ada'")" != "$(reported hash 1)" ] ||
		lost "the password is the one before"
}

entries() { # who has which login and number
	grep '^entry' "/tmp/$1.ledger" | cut -d '|' -f 1-5
}

all_is_whole() {
	hexactl publish >/tmp/published 2>&1 || lost "no publish: $(cat /tmp/published)" || return
	/tmp/look "$STORE" "$LEDGER" /tmp/now /tmp/before "$PASSWORD" || lost "not whole" || return
	[ "$(entries now)" = "$(entries before)" ] || lost "a number has changed hands" || return
	files
	[ "$FILES" = "$FILES_BEFORE" ] || lost "left: $FILES"
}

power_cut() {
	load_start
	sleep "0.$((RANDOM % 900 + 100))"
	power_off
	power_on
	what_was_reported_is_there && all_is_whole
}

@test "after a power cut all that was reported is there, and the rest is whole" {
	local moments=20
	[ -z "${LONG-}" ] || moments=200
	[ ! -d /tmp/sanitizer ] || moments=1
	RANDOM=$SEED
	/tmp/look "$STORE" "$LEDGER" /tmp/before
	files
	FILES_BEFORE=$FILES
	printf '%s\n' 'role 1' 'home 1' 'hash -' 'hash -' >"$DONE"
	power_on
	# shellcheck disable=SC2046
	hexactl role set pia $(roles_of 1)
	hexactl set pia --home /home/1
	sync --file-system /disk
	for ((MOMENT = 1; MOMENT <= moments; MOMENT++)); do
		power_cut
	done
	echo "# $moments cuts, $(reported role) rounds, seed $SEED, in $SECONDS s" >&3
	[ "$(reported role)" -gt "$moments" ]
}
