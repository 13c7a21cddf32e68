#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A change counts at the very next attempt, whether it was made with hexactl or in Hexabot.

load host

setup_file() {
	store_setup
}

both_ways() { # got_in|kept_out USER
	attempt password ssh_password "$2" "pw-$2" true
	attempt key ssh_key "$2" true
	attempts_end
	"$1" password key
}

shadow_of() { # USER
	getent shadow "$1" | cut -d : -f 2,8
}

@test "disable and enable" {
	both_ways got_in mona
	hexactl disable mona
	[ "$(shadow_of mona)" = '!*:1' ]
	both_ways kept_out mona
	log_refused sshd:auth mona disabled
	log_refused sshd:account mona disabled
	[ "$(sql "SELECT state, typeof(state) FROM users WHERE username = 'mona'")" = '0|integer' ]
	hexactl enable mona
	[ "$(shadow_of mona)" = '*:' ]
	both_ways got_in mona
}

@test "whoever stops the log, or fills its queue, holds up no change; it has the lines again afterwards" {
	local log
	log=$(grep -lx logd /proc/[0-9]*/comm | cut -d / -f 3) # not pgrep, which sanitizers keep from coming back
	kill -STOP "$log"
	perl -MSocket -MIO::Handle -e 'socket S, AF_UNIX, SOCK_DGRAM, 0; connect S, sockaddr_un("/dev/log") or die; S->blocking(0);
		1 while send S, "filled", 0; exit !$!{EAGAIN}'
	run timeout -s KILL 10 hexactl disable mona pia
	kill -CONT "$log"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = $'mona: disabled\npia: disabled' ]
	[ "$(shadow_of pia)" = '!*:1' ]
	hexactl enable mona pia
	log_has '^hexactl\[[0-9]+\]: enable mona: disabled -> enabled, by root$'
	log_has '^hexactl\[[0-9]+\]: enable pia: disabled -> enabled, by root$'
}

@test "a running session keeps the name of a user who was disabled" {
	hexactl disable mona
	[ "$(id -un "$(id -u mona)")" = mona ]
	hexactl enable mona
}

@test "a role that is given opens the gate at once, and shows in id" {
	run ssh_key pia true
	[ "$status" -ne 0 ]
	hexactl role add pia manager
	ssh_key pia id -Gn | grep -qw hexabot-manager
}

@test "a role that is taken away closes it" {
	hexactl role remove pia manager
	both_ways kept_out pia
	log_refused sshd:account pia 'no role that may log in'
	run id -Gn pia
	[[ $output != *hexabot-manager* ]]
}

@test "role set replaces them all" {
	hexactl role set mona admin operators
	[ "$(ssh_key mona id -Gn | tr ' ' '\n' | sort | xargs)" = 'hexabot-admin hexabot-operators hexabot.mona' ]
	hexactl role set mona manager
}

@test "Hexabot disables: the gate knows at once, shadow after a publish" {
	sql "UPDATE users SET state = 0 WHERE username = 'mona'"
	[ "$(shadow_of mona)" = '*:' ]
	both_ways kept_out mona
	log_refused sshd:account mona disabled
	hexactl publish
	[ "$(shadow_of mona)" = '!*:1' ]
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
	ssh_password mona pw-mona true
	hexactl publish
	[ "$(shadow_of mona)" = '*:' ]
}

@test "only the integer 1 is enabled" {
	local state
	for state in NULL 2 "'false'" "'1x'" 1.5; do
		sql "UPDATE users SET state = $state WHERE username = 'mona'"
		run ssh_key mona true
		[ "$status" -ne 0 ]
	done
	log_refused sshd:account mona disabled 5
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
}

@test "Hexabot gives a role: the gate knows at once, id after a publish" {
	sql_role add pia manager
	ssh_key pia true
	run ssh_key pia id -Gn
	[[ $output != *hexabot-manager* ]]
	hexactl publish
	ssh_key pia id -Gn | grep -qw hexabot-manager
	hexactl role remove pia manager
}

@test "Hexabot takes a role away: nobody gets in with the old group" {
	sql_role remove ada admin
	both_ways kept_out ada
	log_refused sshd:account ada 'stale groups' 2
	hexactl publish
	[ "$(ssh_key ada id -Gn | tr ' ' '\n' | sort | xargs)" = 'hexabot-manager hexabot.ada' ]
	run sudo_as ada pw-ada true
	[ "$status" -ne 0 ]
	hexactl role add ada admin
	both_ways got_in ada
}

@test "Hexabot removes a user: the gate knows before a publish" {
	sql_user hugo manager
	hexactl publish
	ssh_key hugo true
	sql "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'hugo')"
	sql "DELETE FROM users WHERE username = 'hugo'"
	attempt key ssh_key hugo true
	attempt password ssh_password hugo pw-mona true
	attempts_end
	kept_out key password
	log_refused sshd:account hugo 'removed'
	hexactl publish
	run getent passwd hugo
	[ "$status" -eq 2 ]
}

@test "Hexabot's own change of a password counts" {
	local before
	before=$(sql "SELECT password FROM users WHERE username = 'mona'")
	sql "UPDATE users SET password = (SELECT password FROM users WHERE username = 'ada') WHERE username = 'mona'"
	ssh_password mona pw-ada true
	run ssh_password mona pw-mona true
	[ "$status" -ne 0 ]
	sql "UPDATE users SET password = '$before' WHERE username = 'mona'"
	ssh_password mona pw-mona true
}

@test "an account expires" {
	hexactl set mona --expires 2020-01-01
	[ "$(shadow_of mona)" = '!*:1' ]
	both_ways kept_out mona
	log_refused sshd:account mona expired
	hexactl set mona --expires never
	both_ways got_in mona
}

@test "log tells who changed what, Hexabot's changes included" {
	sql "UPDATE users SET state = 0 WHERE username = 'Emile.D'"
	hexactl publish
	hexactl log Emile.D | grep -q 'hexabot .*may not log in (disabled)'
	[ "$(log_count 'hexactl\[[0-9]+\]: changed Emile.D: .* -> may not log in \(disabled\); .*, by hexabot')" -eq 1 ]
	hexactl log mona | grep -q 'root .*enabled.* disabled'
	sql "UPDATE users SET state = 1 WHERE username = 'Emile.D'"
	hexactl publish
}

@test "each change of hexactl is one line in syslog, with who made it" {
	hexactl disable mona
	[ "$(log_count 'hexactl\[[0-9]+\]: disable mona: enabled -> disabled, by root')" -eq 1 ]
	hexactl disable mona
	hexactl enable --dry-run mona
	[ "$(log_count 'hexactl\[[0-9]+\]: [a-z]+ mona')" -eq 1 ]
	hexactl enable mona
}

@test "the store in WAL mode works the same, and stays in it" {
	sql 'PRAGMA journal_mode = WAL' >/dev/null
	both_ways got_in mona
	hexactl disable mona
	run ssh_key mona true
	[ "$status" -ne 0 ]
	hexactl enable mona
	both_ways got_in mona
	[ "$(sql 'PRAGMA journal_mode')" = wal ]
	sql 'PRAGMA journal_mode = DELETE' >/dev/null
}
