#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# Held by root: Hexabot cannot bring the user back, and the user has no power in Hexabot either.

load host

setup_file() {
	store_setup
}

row() { # what a hold takes away
	sql "SELECT state, typeof(state), hex(password) FROM users WHERE username = 'ada';
		SELECT role_id FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'ada') ORDER BY role_id"
}

password_of() { # USERNAME
	sql "SELECT password FROM users WHERE username = '$1'"
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
