#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A daemon that lives for years: logins in one process leave nothing behind. LONG (make check-long): 10,000 of them.

load host

ROUNDS=300
if [ -n "${LONG-}" ]; then
	ROUNDS=10000
elif [ -d /tmp/sanitizer ]; then
	ROUNDS=200
fi

setup_file() {
	store_setup
	# pw-load, of cost 4
	# shellcheck disable=SC2016
	sql "UPDATE users SET password = '\$2b\$04\$abcdefghijklmnopqrstuuQVcfoYv0zOZizOygTnipkH2FQCxTpOK'
		WHERE type = 'UserOrmEntity'"
	hexactl invite nina@example.org --role manager --print
	hexactl disable --hold alan
	printf '%s required pam_hexabot.so\n' auth account session >/etc/pam.d/rounds
}

rounds() { # [memory]
	"$PROJECT/$BUILD/tests/rounds" rounds "$ROUNDS" "$@" <<-END
		mona pw-load
		max pw-load
		alan pw-load
		pia pw-load
		nina 00000-00000-00000-00000-00000
		nobody-knows-me pw-load
		lars pw-load
	END
}

@test "login after login in one process leaves no descriptor, no mapping, no byte behind" {
	local status=0
	if [ -d /tmp/sanitizer ]; then
		ASAN_OPTIONS=detect_leaks=1 rounds >/tmp/rounds || status=$?
	else
		rounds memory >/tmp/rounds || status=$?
	fi
	sed 's/^/# /' /tmp/rounds >&3
	[ "$status" -eq 0 ]
	[ "$(log_count 'pam_hexabot\(rounds:auth\): allowed mona')" -eq "$ROUNDS" ]
}
