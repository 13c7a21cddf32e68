#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The stack that README gives to those who write theirs by hand.

load host

setup_file() {
	store_setup
	{
		sed -n '/^auth     \[/,/^account  required/p' "$PROJECT/README.md"
		echo 'session include common-session'
		echo 'password include common-password'
	} >/etc/pam.d/sshd
}

@test "it lets in whom it should, and nobody else" {
	[ "$(grep -c pam_hexabot.so /etc/pam.d/sshd)" -eq 2 ]
	attempt mona ssh_password mona pw-mona true
	attempt mona-key ssh_key mona true
	attempt lars ssh_password lars "$LARS_PASSWORD" true
	attempt max ssh_password max pw-max true
	attempt max-key ssh_key max true
	attempt pia ssh_password pia pw-pia true
	attempts_end
	got_in mona mona-key lars
	kept_out max max-key pia
}

@test "where the module is missing, local users alone get in, and a user disabled since the last publish does not" {
	sql "UPDATE users SET state = 0 WHERE username = 'ada'"
	mv "$MODULE" "$MODULE.away"
	attempt ada-key ssh_key ada true
	attempt mona-key ssh_key mona true
	attempt lars ssh_password lars "$LARS_PASSWORD" true
	attempt root ssh_key root true
	attempts_end
	mv "$MODULE.away" "$MODULE"
	kept_out ada-key mona-key
	got_in lars root
}
