#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Many logins at once, while Hexabot writes its database, now and then holds it for two seconds, and root disables and
# enables: none fails that should pass, none passes that should fail. LONG (make check-long): 1,000 logins, 32 at a time.

load host

LOGINS=120 PARALLEL=16 PAUSE=5
if [ -n "${LONG-}" ]; then
	LOGINS=1000 PARALLEL=32 PAUSE=10
elif [ -d /tmp/sanitizer ]; then
	LOGINS=60 PARALLEL=12
fi

# pw-load, of cost 4
# shellcheck disable=SC2016
HASH='$2b$04$abcdefghijklmnopqrstuuQVcfoYv0zOZizOygTnipkH2FQCxTpOK'

setup_file() {
	store_setup
	echo 'password_cost = 10' >>"$CONF"
	make_users
	hexactl publish
}

make_users() { # on1 to on6, off1 to off4, flip1 to flip6: enabled, disabled, enabled
	local user number=10
	for user in on{1..6} off{1..4} flip{1..6}; do
		number=$((number + 1))
		echo "INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, provider, username, email, state, password)
			SELECT '00000000-0000-4000-8000-0000000000$number', created_at, updated_at, 'New', 'User', type, provider,
				'$user', '$user@example.org', '$user' NOT LIKE 'off%', '$HASH' FROM users WHERE username = 'mona';
			INSERT INTO user_roles SELECT users.id, roles.id FROM users, roles WHERE username = '$user' AND name = 'manager';"
	done | sql
}

count() { # WORD: of what load.py says
	awk -v word="$1" '$1 == word { print $2 }' /tmp/load
}

@test "none fails that should pass, none passes that should fail" {
	local hexabot writes failed median longest holds
	hexabot=$(id -u hexabot)
	setpriv --reuid "$hexabot" --regid "$(id -g hexabot)" --clear-groups "$HERE/hexabot_writes.py" \
		"$STORE" /srv/hexabot/writes "$PAUSE" 3>&- 4>&- &
	SSHPASS=pw-load "$HERE/load.py" "$LOGINS" "$PARALLEL" >/tmp/load || {
		cat /tmp/load
		log_since | grep pam_hexabot | grep -v 'wrong password\|disabled\|allowed'
		false
	}
	touch /srv/hexabot/writes.stop
	wait
	read -r writes failed median longest holds </srv/hexabot/writes
	tail -n 1 /tmp/load | sed 's/^/# /' >&3
	echo "# Hexabot wrote $writes times beside it, in $median ms (median), $longest ms at most; it held the store $holds times" >&3
	cat /tmp/load
	# It was what it should be.
	[ "$failed" -eq 0 ] && [ "$longest" -lt 5000 ] && [ "$holds" -gt 0 ] && [ "$writes" -gt "$LOGINS" ]
	[ "$(count flip-on)" -gt 0 ] && [ "$(count flip-off)" -gt 0 ] && [ "$(count toggles)" -gt 2 ]
}

@test "who was refused was refused for the right reason, once each" {
	# shellcheck disable=SC2034
	LOG_MARK=0
	[ "$(log_count 'pam_hexabot\(sshd:(auth|account)\): refused off[0-9] from [^ ]*: disabled$')" -eq "$(count off)" ]
	[ "$(log_count 'pam_hexabot\(sshd:auth\): refused on[0-9] from [^ ]*: wrong password$')" -eq "$(count wrong)" ]
	[ "$(log_count 'pam_hexabot.*: refused .*: ')" -eq \
		"$(log_count 'pam_hexabot.*: refused .*: (disabled|wrong password|wrong password; disabled)$')" ]
}

@test "database and ledger are whole, and know of every toggle" {
	[ "$(sql 'PRAGMA integrity_check')" = ok ]
	[ "$(sqlite3 /var/lib/hexactl/private/ledger.sqlite 'PRAGMA integrity_check')" = ok ]
	[ "$(sqlite3 /var/lib/hexactl/private/ledger.sqlite \
		"SELECT count(*) FROM events WHERE action IN ('enable', 'disable') AND name LIKE 'flip%'")" -eq "$(count toggles)" ]
	[ "$(hexactl watch --once)" = 'nothing has changed' ]
}
