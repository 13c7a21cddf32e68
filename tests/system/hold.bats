#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# Held by root: Hexabot cannot bring the user back, and the user has no power in Hexabot either.

load host

setup_file() {
	store_setup
}

row() { # [USERNAME]: what a hold takes away
	sql "SELECT state, typeof(state), hex(password) FROM users WHERE username = '${1:-ada}';
		SELECT role_id FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = '${1:-ada}') ORDER BY role_id"
}

password_of() { # USERNAME
	sql "SELECT password FROM users WHERE username = '$1'"
}

hold_half() { # of mona, while sql_open keeps a lock
	run timeout 15 hexactl disable --hold mona
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *"mona: held on this host; Hexabot's row could not be changed yet ($STORE: busy: sqlite3 (process "* ]]
	[[ $output == *"): run 'hexactl disable --hold mona' again"* ]]
	[ "$(grep -c busy <<<"$output")" -eq 1 ]
}

held_on_the_host() { # mona
	hexactl list --state held | grep -qw mona
	[ "$(getent shadow mona | cut -d : -f 2,8)" = '!*:1' ]
	[ "$(hexactl log mona | tail -n 1 | awk '{ print $5 }')" = hold ]
	log_mark
	run ssh_key mona true
	[ "$status" -ne 0 ]
	log_refused sshd:account mona 'held by root'
}

@test "a hold leaves neither roles nor a usable password, and shows in list, show and shadow" {
	row >/tmp/before
	hexactl disable --hold ada
	[[ $(password_of ada) == '$2!held.'* ]]
	[ -z "$(row | tail -n +2)" ]
	[ "$(sql "SELECT state FROM users WHERE username = 'ada'")" = 0 ]
	hexactl list --state held | grep -qw ada
	hexactl show ada | grep -q 'parked.*admin manager'
	[ "$(getent shadow ada | cut -d : -f 2,8)" = '!*:1' ]
}

@test "whatever Hexabot writes into the row changes nothing on the host" {
	sql "UPDATE users SET state = 1 WHERE username = 'ada'"
	sql "UPDATE users SET password = (SELECT password FROM users WHERE username = 'mona') WHERE username = 'ada'"
	sql_role add ada admin
	hexactl publish
	attempt password ssh_password ada pw-mona true
	attempt old ssh_password ada pw-ada true
	attempt key ssh_key ada true
	attempt su su_as lars ada pw-mona true
	attempts_end
	kept_out password old key su
	log_refused sshd:account ada 'held by root'
	log_refused su-l:auth ada 'held by root'
}

@test "disable --hold again takes away what was given meanwhile" {
	hexactl disable --hold ada
	[[ $(password_of ada) == '$2!held.'* ]]
	[ -z "$(row | tail -n +2)" ]
}

@test "enable puts everything back, to the byte" {
	hexactl enable ada
	row | diff /tmp/before -
	attempt password ssh_password ada pw-ada true
	attempt key ssh_key ada true
	attempts_end
	got_in password key
	[ "$(id -Gn ada | tr ' ' '\n' | sort | xargs)" = 'hexabot-admin hexabot-manager hexabot.ada' ]
}

@test "who was disabled and is held comes back enabled" {
	hexactl disable mona
	hexactl disable --hold mona
	hexactl enable mona
	ssh_password mona pw-mona true
}

@test "a password that root sets during the hold waits for its end" {
	hexactl disable --hold mona
	chpasswd <<<mona:pw-mona-parked
	[[ $(password_of mona) == '$2!held.'* ]]
	run ssh_password mona pw-mona-parked true
	[ "$status" -ne 0 ]
	hexactl enable mona
	ssh_password mona pw-mona-parked true
}

@test "an odd password value comes back as it was" {
	sql "UPDATE users SET password = X'00ff41' WHERE username = 'pia'; UPDATE users SET password = NULL WHERE username = 'norole'"
	hexactl disable --hold pia norole
	hexactl enable pia norole
	[ "$(sql "SELECT typeof(password), hex(password) FROM users WHERE username = 'pia'")" = 'blob|00FF41' ]
	[ "$(sql "SELECT typeof(password) FROM users WHERE username = 'norole'")" = null ]
}

@test "who keeps the store's write lock keeps nobody from being held" {
	row mona >/tmp/before
	sql_open 'BEGIN IMMEDIATE'
	hold_half
	held_on_the_host
	row mona | diff /tmp/before -
	sql_kill
}

@test "the next disable --hold finishes: the first password counts, roles given meanwhile are parked too" {
	sql_role add mona operators
	sql "UPDATE users SET password = (SELECT password FROM users WHERE username = 'ada') WHERE username = 'mona'"
	hexactl disable --hold mona
	[[ $(password_of mona) == '$2!held.'* ]]
	[ -z "$(row mona | tail -n +2)" ]
	hexactl show mona | grep -q 'parked.*manager operators'
	hexactl enable mona
	sql_role remove mona operators
	row mona | diff /tmp/before -
}

@test "nor does who keeps a read lock, against which nobody commits; enable finds nothing changed" {
	row mona >/tmp/before
	sql_open 'BEGIN; SELECT count(*) FROM users'
	hold_half
	sql_kill
	held_on_the_host
	row mona | diff /tmp/before -
	run hexactl enable mona
	[ "$status" -eq 0 ]
	[[ $output != *'had been changed'* ]]
	row mona | diff /tmp/before -
}

@test "one whose hold is half is no hindrance for the next, and --json tells of both" {
	local result=0
	sql_open 'BEGIN IMMEDIATE'
	timeout 25 hexactl disable --hold mona pia --json >/tmp/json 2>/dev/null || result=$?
	sql_kill
	[ "$result" -eq 6 ]
	[ "$(grep -c '"after": "held"' /tmp/json)" -eq 2 ]
	"$PROJECT/$BUILD/tests/json_schema" "$PROJECT/tests/schema/change.json" </tmp/json
	hexactl list --state held | grep -qw pia
	hexactl enable mona pia
}

@test "enable after one that was cut off between its commits does not speak of another password" {
	row mona >/tmp/before
	sql "SELECT password FROM users WHERE username = 'mona'" >/tmp/password
	hexactl disable --hold mona
	sql "UPDATE users SET state = 1, password = '$(cat /tmp/password)' WHERE username = 'mona'"
	sql_role add mona manager
	run hexactl enable mona
	[ "$status" -eq 0 ]
	[[ $output != *'had been changed'* ]]
	row mona | diff /tmp/before -
}

@test "enable speaks of a password that was set in Hexabot during the hold" {
	hexactl disable --hold mona
	sql "UPDATE users SET password = (SELECT password FROM users WHERE username = 'ada') WHERE username = 'mona'"
	run hexactl enable mona
	[ "$status" -eq 0 ]
	[[ $output == *'mona: the password had been changed in Hexabot during the hold'* ]]
	row mona | diff /tmp/before -
}
