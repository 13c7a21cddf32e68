#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2153
# A full disk, a file system that is read-only, no memory, no descriptors. What must hold:
#
#   - whoever can't do it says what is missing, and leaves all as it was; with room again the same command works;
#   - local users log in as ever: with the module there, too, wherever they would without it.

load faults

setup_file() {
	faults_setup
	useradd --create-home otto
	printf '%s\n' 'auth required pam_unix.so' 'account required pam_unix.so' >/etc/pam.d/unix
	printf '%s\n' '@include unix' >/etc/pam.d/plain
	printf '%s\n' '@include common-auth' '@include common-account' >/etc/pam.d/whole
}

teardown() {
	local place
	for place in "${PLACES[@]}"; do
		! mountpoint --quiet "$place" || umount "$place"
	done
	no_secret_in_log
	no_report_of_sanitizers
}

# ---- file systems ----

CHANGES=('role add pia operators' 'disable mona' 'enable max' 'invite bob@example.org --role manager --print'
	'passwd --stdin ada')

full_disk() { # DIR: no room for one more page
	mkdir -p /mnt
	mount -t tmpfs -o "size=$(($(du -s --block-size=1 "$1" | cut -f 1) + 4096)),mode=755" full /mnt
	cp -a "$1/." /mnt
	chown --reference="$1" /mnt
	mount --move /mnt "$1"
	cat /dev/zero >"$1/.fill" 2>/dev/null || true
}

read_only() { # DIR
	mount --bind "$1" "$1"
	mount -o remount,bind,ro "$1"
}

refuse() { # DIR CHANGE...: each fails, and names what in DIR can't be written and why
	local change status
	for change in "${@:2}"; do
		status=0
		# shellcheck disable=SC2086
		hexactl $change <<<"$PASSWORD" >/tmp/out 2>/tmp/err || status=$?
		echo "$change: $status: $(cat /tmp/err)"
		[ "$status" -eq 1 ] || [ "$status" -eq 6 ] || return
		grep -qE "$1/.*([fF]ull|No space|[rR]ead-?only|unable to open)" /tmp/err || return
	done
}

locals_log_in() {
	attempt ssh ssh_password lars "$LARS_PASSWORD" true
	attempt su su_as otto lars "$LARS_PASSWORD" true
	attempt key ssh_key root true
	attempts_end
	got_in ssh su key
}

changed_nothing() {
	/tmp/look "$STORE" "$LEDGER" /tmp/now
	diff /tmp/before.store /tmp/now.store && diff /tmp/before.ledger /tmp/now.ledger
}

without() { # full_disk|read_only DIR CHANGE...
	/tmp/look "$STORE" "$LEDGER" /tmp/before
	"$1" "$2"
	refuse "${@:2}"
	locals_log_in
	[ ! -e "$2/.fill" ] || rm "$2/.fill"
}

with_room_again() { # DIR
	changed_nothing
	umount "$1"
	changed_nothing
	hexactl role add pia operators
	id -Gn pia | grep -qw hexabot-operators
}

# A hold is root's word, and the ledger's: it counts although Hexabot's row could not be changed.
but_the_hold_counts() {
	grep -q 'mona: held on this host' /tmp/err
	[ "$(getent shadow mona | cut -d : -f 2)" = '!*' ]
}

@test "no room beside ledger and map" {
	without full_disk /var/lib/hexactl "${CHANGES[@]}" 'disable --hold mona' publish
	with_room_again /var/lib/hexactl
}

@test "ledger and map on a read-only file system" {
	without read_only /var/lib/hexactl "${CHANGES[@]}" 'disable --hold mona' publish
	with_room_again /var/lib/hexactl
}

@test "no room beside the store" {
	without full_disk /srv/hexabot "${CHANGES[@]}"
	with_room_again /srv/hexabot
}

@test "the store on a read-only file system" {
	without read_only /srv/hexabot "${CHANGES[@]}"
	with_room_again /srv/hexabot
}

@test "no room beside the store, and a hold" {
	without full_disk /srv/hexabot 'disable --hold mona'
	but_the_hold_counts
	umount /srv/hexabot
	hexactl disable --hold mona
	hexactl enable mona
}

# ---- memory and descriptors ----

limits() { # FIRST STEP LAST
	if [ -d /tmp/sanitizer ]; then # which wants terabytes of addresses
		echo
	elif [ -n "${LONG-}" ]; then
		seq "$1" $(($2 / 8 + 1)) "$3"
	else
		seq "$1" "$2" "$3"
	fi
}

under() { # LIMIT FIRST STEP LAST COMMAND...: the rules of faults.bash, under each limit; the last one is enough
	local limit
	OPERATION=("${@:5}")
	begin
	FAULT=$1 NUMBER=-1 HIT=-1
	: >/tmp/report
	for limit in $(limits "$2" "$3" "$4"); do
		NUMBER=$limit
		meets_rules prlimit "--$1=$limit" -- || return
	done
	[ -z "$limit" ] || [ "$STATUS" -eq 0 ]
}

with_little_memory() { # COMMAND...
	under as 6000000 1000000 40000000 "$@"
}

with_few_descriptors() { # COMMAND...
	under nofile 3 1 24 "$@"
}

@test "no memory for role add" {
	with_little_memory hexactl role add pia operators
}

@test "no memory for disable --hold" {
	OPERATION_AHEAD=ledger
	with_little_memory hexactl disable --hold mona
}

@test "no memory for invite" {
	with_little_memory hexactl invite bob@example.org --role manager --print
}

@test "no memory for publish" {
	sql_user novice manager
	with_little_memory hexactl publish
}

@test "no memory for passwd" {
	OPERATION_INPUT=$(printf '%s\n' "$PASSWORD" "$PASSWORD")
	with_little_memory passwd ada
}

@test "no descriptors for role add, invite, publish" {
	with_few_descriptors hexactl role add pia operators
	restore /root/fresh
	with_few_descriptors hexactl invite bob@example.org --role manager --print
	restore /root/fresh
	sql_user novice manager
	with_few_descriptors hexactl publish
}

@test "no descriptors for passwd" {
	OPERATION_INPUT=$(printf '%s\n' "$PASSWORD" "$PASSWORD")
	with_few_descriptors passwd ada
}

# ---- a limit on the size of files, which is a signal before it is an error ----

with_small_files() { # COMMAND...
	under fsize 4096 20000 404096 "$@" # what it says goes into a file, too
}

@test "small files for role add, disable --hold, invite" {
	with_small_files hexactl role add pia operators
	restore /root/fresh
	OPERATION_AHEAD=ledger
	with_small_files hexactl disable --hold mona
	restore /root/fresh
	with_small_files hexactl invite bob@example.org --role manager --print
}

# ---- local users ----

lars_by() { # SERVICE PRLIMIT-OPTION
	/tmp/inject /tmp/report NONE 0 prlimit "$2" -- pamtester "$1" lars authenticate acct_mgmt <<<"$LARS_PASSWORD" >/dev/null 2>&1
}

least() { # SERVICE OPTION FIRST STEP LAST: the lowest limit under which lars logs in
	local limit
	for ((limit = $3; limit <= $5; limit += $4)); do
		if lars_by "$1" "--$2=$limit"; then
			echo "$limit"
			return
		fi
	done
	return 1
}

@test "lars needs no descriptor more than without the module" {
	local plain whole
	plain=$(least plain nofile 3 1 40)
	whole=$(least whole nofile 3 1 40)
	echo "lars: $plain descriptors without, $whole with"
	[ "$whole" -le "$plain" ]
}

@test "lars needs no memory more than without the module" {
	local plain whole
	[ ! -d /tmp/sanitizer ] || return 0 # which wants terabytes of addresses
	plain=$(least plain as 4000000 500000 80000000)
	whole=$(least whole as 4000000 500000 80000000)
	echo "lars: $plain bytes of addresses without, $whole with"
	[ "$whole" -le "$((plain + 1000000))" ]
}
