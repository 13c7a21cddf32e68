#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# hexactl watch: what is done in Hexabot shows on the host by itself, and what does not matter costs nothing.

load host

setup_file() {
	store_setup
	sql "CREATE TABLE IF NOT EXISTS visits (n INTEGER)" # written all the time, like Hexabot's sessions
}

setup() {
	log_mark
	watch_start
}

teardown() {
	[ -z "${WATCH-}" ] || watch_end
	no_secret_in_log
	no_report_of_sanitizers
}

watch_start() {
	hexactl publish
	: >/tmp/watch
	(exec hexactl watch >>/tmp/watch 2>&1 3>&- 4>&-) &
	WATCH=$!
	until_true 10 is_waiting
}

watch_end() { # [SIGNAL]
	local process=$WATCH
	WATCH=
	kill -"${1-TERM}" "$process"
	wait "$process"
}

is_waiting() { # between two looks: in rt_sigtimedwait, number 128 on amd64, 137 on arm64
	grep -qE '^(128|137) ' "/proc/$WATCH/syscall"
}

holds_something() {
	find "/proc/$WATCH/fd" -lname '*sqlite*' -o -lname '/var/lib/hexactl*' | grep . || grep -E " $WATCH " /proc/locks
}

switches() { # the same again: it has slept all the time
	grep ctxt_switches "/proc/$WATCH/status"
}

generation() {
	sqlite3 -readonly /var/lib/hexactl/private/ledger.sqlite "SELECT value FROM meta WHERE key = 'generation'"
}

has_group() { # USER GROUP
	id -Gn "$1" | grep -qw "$2"
}

has_no_group() { # USER GROUP
	! has_group "$@"
}

is_shadowed() { # USER PASSWORD:EXPIRES
	[ "$(getent shadow "$1" | cut -d : -f 2,8)" = "$2" ]
}

complaints() { # REGEX
	grep -cE -- "$1" /tmp/watch || true
}

complained() { # REGEX
	[ "$(complaints "$1")" -gt 0 ]
}

shows_a_role_of_pia() {
	sql_role add pia operators
	until_true 10 has_group pia hexabot-operators
	sql_role remove pia operators
	until_true 10 has_no_group pia hexabot-operators
}

@test "roles, states and new users of Hexabot's show by themselves" {
	shows_a_role_of_pia
	sql "UPDATE users SET state = 0 WHERE username = 'mona'"
	until_true 10 is_shadowed mona '!*:1'
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
	until_true 10 is_shadowed mona '*:'
	sql_user newcomer manager
	until_true 10 getent passwd newcomer
	ssh_password newcomer pw-mona true
	sql "UPDATE users SET firstName = 'Nina' WHERE username = 'newcomer'"
	until_true 10 bash -c 'getent passwd newcomer | grep -q Nina'
	hexactl log --json | grep -q '"actor": "hexabot"'
}

@test "what does not matter is not published" {
	local before
	before=$(generation)
	for ((i = 0; i < 100; i++)); do
		sql "INSERT INTO visits VALUES ($i); UPDATE users SET lastvisit = '2026-01-01 00:00:00.000', updated_at = '2026-01-01 00:00:00.$i'"
	done
	sql "UPDATE users SET password = replace(password, '12', '12') WHERE username = 'mona'"
	# What comes later does: so the watcher has looked.
	shows_a_role_of_pia
	[ "$(generation)" -eq $((before + 2)) ]
	[ "$(grep -c '^published' /tmp/watch)" -eq 2 ]
}

@test "what hexactl publishes itself is not published again" {
	local before
	before=$(generation)
	hexactl role add pia operators
	hexactl role remove pia operators
	shows_a_role_of_pia
	[ "$(generation)" -eq $((before + 4)) ]
}

@test "between two looks it has nothing open, and holds no lock" {
	local before
	shows_a_role_of_pia
	for ((i = 0; i < 20; i++)); do
		until_true 10 is_waiting
		before=$(switches)
		if is_waiting && holds_something && is_waiting && [ "$(switches)" = "$before" ]; then
			return 1
		fi
		sql "INSERT INTO visits VALUES (1)"
	done
}

@test "a look at what has not changed is a handful of system calls" {
	local calls pauses
	timeout 3 strace -qq -p "$WATCH" -o /tmp/strace 3>&- 4>&- || [ $? -eq 124 ]
	calls=$(grep -c . /tmp/strace)
	pauses=$(grep -c sigtimedwait /tmp/strace)
	[ "$pauses" -ge 4 ]
	echo "$calls system calls, $pauses pauses"
	[ "$calls" -le $((pauses * 10)) ]
}

@test "a store that is replaced, removed and put back, or gets a write-ahead log is watched on" {
	cp -a "$STORE" /srv/hexabot/other
	as hexabot sqlite3 /srv/hexabot/other "UPDATE users SET state = 0 WHERE username = 'mona'"
	mv /srv/hexabot/other "$STORE"
	until_true 10 is_shadowed mona '!*:1'
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
	until_true 10 is_shadowed mona '*:'
	mv "$STORE" /srv/hexabot/away
	until_true 10 complained 'hexabot.sqlite: '
	sleep 1
	[ "$(complaints 'hexabot.sqlite: ')" -eq 1 ]
	getent passwd mona
	mv /srv/hexabot/away "$STORE"
	until_true 10 complained 'goes on'
	shows_a_role_of_pia
	sql "PRAGMA journal_mode = WAL"
	shows_a_role_of_pia
	sql "PRAGMA journal_mode = DELETE"
	shows_a_role_of_pia
}

@test "the host's own users and the configuration count, too" {
	useradd --no-create-home Pia
	until_true 10 bash -c '! getent passwd pia'
	userdel Pia
	until_true 10 getent passwd pia
	cp "$CONF" /tmp/conf
	echo 'shell = /bin/sh' >>"$CONF"
	until_true 10 bash -c 'getent passwd mona | grep -q :/bin/sh$'
	echo 'shel = /bin/sh' >>"$CONF"
	until_true 10 complained "hexabot.conf:.*shel"
	cp /tmp/conf "$CONF"
	until_true 10 bash -c 'getent passwd mona | grep -q :/bin/bash$'
}

@test "an older map that turns up later is replaced" {
	cp -a "$MAP" /var/lib/hexactl/older
	sql_role add pia operators
	until_true 10 has_group pia hexabot-operators
	until_true 10 is_waiting
	mv /var/lib/hexactl/older "$MAP"
	until_true 10 has_group pia hexabot-operators
	sql_role remove pia operators
	until_true 10 has_no_group pia hexabot-operators
}

@test "an expiry date that passes shows" {
	hexactl set mona --expires "$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)"
	until_true 10 is_shadowed mona '!*:1'
	hexactl set mona --expires never
	is_shadowed mona '*:'
}

@test "a database without most of the users is not taken" {
	local before
	cp -a "$STORE" /srv/hexabot/whole
	sql "DELETE FROM users WHERE username NOT IN ('mona', 'admin')"
	until_true 10 complained 'would be lost.*--force'
	before=$(generation)
	getent passwd pia
	sql "INSERT INTO visits VALUES (1)"
	sleep 1
	[ "$(complaints 'would be lost')" -eq 1 ]
	[ "$(generation)" -eq "$before" ]
	mv /srv/hexabot/whole "$STORE"
	until_true 10 complained 'goes on'
}

@test "it ends at once, with nothing left behind" {
	kill -HUP "$WATCH" # only looks
	watch_end TERM
	[ -z "$(find /var/lib/hexactl -name '.map*')" ]
	[ ! -s /tmp/watch ]
}

@test "--once looks once" {
	watch_end
	[ "$(hexactl watch --once)" = 'nothing has changed' ]
	sql_role add pia operators
	hexactl watch --once | grep -q '^published.*1 changed'
	sql_role remove pia operators
	hexactl watch --once --json >/tmp/json
	json_fits change cat /tmp/json
	grep -q '"changed": 1' /tmp/json
	mv "$STORE" /srv/hexabot/away
	run hexactl watch --once
	[ "$status" -eq 6 ]
	mv /srv/hexabot/away "$STORE"
}
