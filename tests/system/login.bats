#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# Who may log in does, by every way in.

load host

setup_file() {
	store_setup
}

every_way_in() { # USER
	local way
	attempt password ssh_password "$1" "pw-$1" id -un
	attempt kbd ssh_kbd "$1" "pw-$1" id -un
	attempt key ssh_key "$1" id -un
	attempt su su_as lars "$1" "pw-$1" 'id -un'
	attempt login login_as "$1" "pw-$1" 'id -un'
	attempts_end
	got_in password kbd key su login
	for way in password kbd key su login; do
		said "$way" "^$1"
	done
	[ "$(stat -c '%U %a' "/home/$1")" = "$1 700" ]
}

@test "mona, a manager, gets in by ssh with password, dialog and key, by login and su; her home is made" {
	every_way_in mona
}

@test "ada, an admin, too" {
	every_way_in ada
}

@test "Emile.D, with capitals and a dot, too" {
	every_way_in Emile.D
}

@test "id shows a private group and the role groups" {
	run ssh_key ada 'id -Gn | tr " " "\n" | sort'
	[ "$output" = $'hexabot-admin\nhexabot-manager\nhexabot.ada' ]
	run ssh_key mona 'id -Gn | tr " " "\n" | sort'
	[ "$output" = $'hexabot-manager\nhexabot.mona' ]
	getent group hexabot-admin | grep -qw ada
}

@test "sudo follows a rule for %hexabot-admin: ada becomes root, mona does not" {
	run sudo_as ada pw-ada id -un
	[ "$output" = root ]
	run sudo_as mona pw-mona id -un
	[ "$status" -ne 0 ]
}

@test "cron runs their jobs" {
	cron_jobs mona ada
	until_true 5 grep -qx mona /tmp/cron/mona
	until_true 5 grep -qx ada /tmp/cron/ada
}

@test "a session knows the user's id and roles" {
	run ssh_key ada 'echo $HEXABOT_USER_ID $HEXABOT_ROLES'
	[ "$output" = "$(sql "SELECT id FROM users WHERE username = 'ada'") admin manager" ]
}

@test "a login is logged with where it came from" {
	ssh_password mona pw-mona true
	log_has 'pam_hexabot\(sshd:auth\): allowed mona from 127\.0\.0\.1'
	log_has 'pam_hexabot\(sshd:account\): allowed mona from 127\.0\.0\.1'
}

@test "a wrong password opens nothing" {
	attempt password ssh_password mona pw-ada true
	attempt kbd ssh_kbd mona pw-ada true
	attempt empty ssh_password mona '' true
	attempt su su_as lars mona pw-ada true
	attempt login login_as mona pw-ada true
	attempts_end
	kept_out password kbd empty su login
	log_refused su-l:auth mona 'wrong password'
	log_refused login:auth mona 'wrong password'
	[ "$(log_count 'allowed mona')" -eq 0 ]
}

@test "an unknown name is refused, and is not in our lines of the log" {
	attempt password ssh_password nobody-knows-me pw-mona true
	attempt login login_as nobody-knows-me pw-mona true
	attempts_end
	kept_out password login
	[ "$(log_count 'pam_hexabot.*nobody-knows-me')" -eq 0 ]
}

@test "local users come and go as ever" {
	usermod --append --groups sudo lars
	attempt password ssh_password lars "$LARS_PASSWORD" id -un
	attempt kbd ssh_kbd root "$ROOT_PASSWORD" id -un
	attempt key ssh_key lars id -un
	attempt su su_as mona lars "$LARS_PASSWORD" 'id -un'
	attempt su-root su_as lars root "$ROOT_PASSWORD" 'id -un'
	attempt login login_as lars "$LARS_PASSWORD" 'id -un'
	attempt sudo sudo_as lars "$LARS_PASSWORD" id -un
	cron_jobs lars root
	attempts_end
	got_in password kbd key su su-root login sudo
	until_true 5 test -s /tmp/cron/lars
	until_true 5 test -s /tmp/cron/root
	[ "$(log_count 'pam_hexabot')" -eq 0 ]
}

@test "a local user's session closes cleanly, and no home is made for one who has none" {
	useradd --no-create-home frank
	pamtester login frank open_session close_session
	[ ! -e /home/frank ]
}
